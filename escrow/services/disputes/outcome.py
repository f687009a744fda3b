"""How a dispute ends: the one seam between what was decided and the money.

It must never decide anything itself, and never leave money frozen behind a closed dispute.
"""

from datetime import datetime

from django.db import connection

from escrow.locks import lock_hold
from escrow.models import Dispute, Hold, HoldState, StepKind, WaitsFor
from escrow.services import order_refunds
from escrow.services import release as releases
from escrow.services.disputes import clock
from escrow.services.disputes.timeline import record_step
from orders.models import CancelReason, ConfirmedBy, Order

REASON = "DISPUTE"  # of the refund, as platforms read it


def conclude(dispute: Dispute, *, amount_minor: int, by: str, at: datetime) -> None:
    """Step of whoever ends a dispute: so much goes to the buyer, the rest to the payees, at once.

    Money: Dr held / Cr refund in transit for the buyer's part; the rest as a release.
    Args: amount_minor: minor units of `dispute.currency`, 0 <= x <= stake.
    Locks: the hold; the caller has the order and the dispute.
    """
    assert connection.in_atomic_block
    hold = lock_hold(dispute.order_id)
    if hold.state == HoldState.RELEASED and amount_minor:
        park(dispute, amount_minor=amount_minor, by=by, at=at)
        return
    dispute.resolve(at=at, amount_minor=amount_minor, by=by)
    if hold.state == HoldState.FROZEN:
        clock.restart(dispute.order, hold, at=at)
        _divide(dispute, dispute.order, hold, amount_minor=amount_minor, at=at)
    record_step(dispute, StepKind.RESOLVED, by=by, at=at, amount_minor=amount_minor)


def _divide(dispute: Dispute, order: Order, hold: Hold, *, amount_minor: int, at: datetime) -> None:
    if amount_minor:
        dispute.refund = order_refunds.refund_open_hold(
            order,
            hold,
            amount_minor=amount_minor,
            reason=REASON,
            cancel_reason=CancelReason.DISPUTE,
            at=at,
        )
    if hold.remaining_minor:
        releases.release_rest(order, confirmed_by=ConfirmedBy.DISPUTE, at=at)


def park(dispute: Dispute, *, amount_minor: int, by: str, at: datetime) -> None:
    """Step: the money was released before. Keep what is owed and let operators see it: taking
    money back from its payees is a claw-back, which no step does yet."""
    dispute.parked_at = at
    dispute.await_move(WaitsFor.OPERATOR, due_at=None)
    record_step(dispute, StepKind.PARKED, by=by, at=at, amount_minor=amount_minor)


def give_up(dispute: Dispute, *, by: str, at: datetime, text: str = "") -> None:
    """Step of a buyer who withdraws: the order's clock runs again.

    Locks: the hold; the caller has the order and the dispute.
    """
    hold = lock_hold(dispute.order_id)
    dispute.withdraw(at=at)
    if hold.state == HoldState.FROZEN:
        clock.restart(dispute.order, hold, at=at)
    record_step(dispute, StepKind.WITHDRAWN, by=by, at=at, text=text)
