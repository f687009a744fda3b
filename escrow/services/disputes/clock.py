"""An open dispute and a freeze stop the order's money and its clock (docs/states.md). The one place
that says so.

Several reasons may hold at once. It must never let the money go while one of them is left.
"""

from datetime import datetime

from escrow import selectors
from escrow.models import Hold, HoldState
from orders.models import Order, OrderState
from orders.services.clock import pause_clock, resume_clock


def stop(order: Order, hold: Hold, *, at: datetime) -> None:
    """Freeze a locked order's held money and let its term to confirm stand still, for a dispute.

    Raises: ConfirmationTooLate when the term has run out.
    """
    if order.paused_at is None:
        pause_clock(order, at=_frozen_since(order, hold, at=at))
    _freeze(hold)


def stop_for_freeze(order: Order, hold: Hold, *, at: datetime) -> None:
    """Freeze a locked order's held money, in whatever state the order is, and let its term to
    confirm stand still if it runs. A term that has run out stays so: only the money waits."""
    catch_up(order, hold, at=at)
    _freeze(hold)


def catch_up(order: Order, hold: Hold, *, at: datetime) -> None:
    """Stop the clock of an order that was shipped while its money was frozen: it has stood still
    since. Nothing when it stands still already, or had run out before the freeze."""
    if order.state != OrderState.SHIPPED or order.paused_at is not None:
        return
    since = _frozen_since(order, hold, at=at)
    assert order.confirm_by is not None
    if since < order.confirm_by:
        pause_clock(order, at=since)


def restart(order: Order, hold: Hold, *, at: datetime) -> None:
    """A dispute is over: let a locked order's held money go again, and its term run on from where
    it stopped. While a freeze is in force, both stay as they are."""
    if not selectors.freezes_in_force().filter(order=order).exists():
        let_go(order, hold, at=at)


def let_go(order: Order, hold: Hold, *, at: datetime) -> None:
    """Let a locked order's frozen money go, whatever the reasons were: the caller knows that none
    is left, or that the money is gone."""
    catch_up(order, hold, at=at)
    if order.paused_at is not None:
        resume_clock(order, at=at)
    hold.unfreeze()
    hold.save(update_fields=["state"])


def freeze_rest(order: Order, hold: Hold, *, at: datetime) -> None:
    """A chargeback has taken some of the money: what is left of a frozen order is frozen again."""
    if selectors.freezes_in_force().filter(order=order).exists():
        stop_for_freeze(order, hold, at=at)


def _frozen_since(order: Order, hold: Hold, *, at: datetime) -> datetime:
    """Since when the term stands still: now, or since a freeze that the term began under."""
    if hold.state != HoldState.FROZEN:
        return at
    freezes = selectors.freezes_in_force().filter(order=order).order_by("placed_at")
    first = freezes.first()
    assert first is not None
    assert order.shipped_at is not None
    return max(first.placed_at, order.shipped_at)


def _freeze(hold: Hold) -> None:
    if hold.state == HoldState.HELD:
        hold.freeze()
        hold.save(update_fields=["state"])
