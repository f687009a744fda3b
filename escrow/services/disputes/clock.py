"""An open dispute stops the order's clock (docs/states.md). The one place that says so."""

from datetime import datetime

from escrow.models import Hold
from orders.models import Order


def stop(order: Order, hold: Hold, *, at: datetime) -> None:
    """Freeze a locked order's held money: the automatic confirmation passes over it."""
    hold.freeze()
    hold.save(update_fields=["state"])


def restart(order: Order, hold: Hold, *, at: datetime) -> None:
    """Let a locked order's held money go again."""
    hold.unfreeze()
    hold.save(update_fields=["state"])
