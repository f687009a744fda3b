"""An open dispute stops the order's clock (docs/states.md). The one place that says so."""

from datetime import datetime

from escrow.models import Hold
from orders.models import Order
from orders.services.clock import pause_clock, resume_clock


def stop(order: Order, hold: Hold, *, at: datetime) -> None:
    """Freeze a locked order's held money and let its term to confirm stand still.

    Raises: ConfirmationTooLate when the term has run out.
    """
    pause_clock(order, at=at)
    hold.freeze()
    hold.save(update_fields=["state"])


def restart(order: Order, hold: Hold, *, at: datetime) -> None:
    """Let a locked order's held money go again, and its term run on from where it stopped."""
    resume_clock(order, at=at)
    hold.unfreeze()
    hold.save(update_fields=["state"])
