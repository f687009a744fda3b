"""How a dispute ends: the one seam between what was decided and the money.

It must never decide anything itself, and never leave money frozen behind a closed dispute.
"""

from datetime import datetime, timedelta

from django.db import connection

from escrow import selectors
from escrow.locks import lock_hold
from escrow.models import Dispute, Hold, HoldState, StepKind, WaitsFor
from escrow.services import clawback, order_refunds
from escrow.services import release as releases
from escrow.services.disputes import clock
from escrow.services.disputes.timeline import record_step
from orders.models import CancelReason, ConfirmedBy, Order

TRY_AGAIN = timedelta(days=1)  # for money its payees lack
REASON = "DISPUTE"  # of the refund, as platforms read it


def conclude(dispute: Dispute, *, amount_minor: int, by: str, at: datetime) -> None:
    """Step of whoever ends a dispute: so much goes to the buyer, the rest to the payees, at once.

    Released money is taken back from its payees; where they lack it, the dispute is parked and
    tried again. While the order is frozen besides, it is parked until the freeze is lifted.

    Money: Dr held / Cr refund in transit for the buyer's part; the rest as a release. After the
        release as `clawback.refund_released`.
    Args: amount_minor: minor units of `dispute.currency`, 0 <= x <= stake.
    Locks: the hold, after the release the payees' balances; the caller has the order and the
        dispute.
    """
    assert connection.in_atomic_block
    hold = lock_hold(dispute.order_id)
    if hold.state == HoldState.RELEASED and amount_minor:
        try:
            dispute.refund = clawback.refund_released(
                dispute.order, hold, amount_minor=amount_minor, reason=REASON, at=at
            )
        except clawback.RefundNotCovered:  # before it has written anything
            _park(dispute, amount_minor=amount_minor, by=by, at=at, again_at=at + TRY_AGAIN)
            return
    if hold.state == HoldState.FROZEN and _is_frozen_besides(dispute):
        _park(dispute, amount_minor=amount_minor, by=by, at=at, again_at=None)
        return
    dispute.resolve(at=at, amount_minor=amount_minor, by=by)
    if hold.state == HoldState.FROZEN:
        clock.restart(dispute.order, hold, at=at)
        _divide(dispute, dispute.order, hold, amount_minor=amount_minor, at=at)
    record_step(dispute, StepKind.RESOLVED, by=by, at=at, amount_minor=amount_minor)


def _is_frozen_besides(dispute: Dispute) -> bool:
    return selectors.freezes_in_force().filter(order=dispute.order_id).exists()


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


def _park(
    dispute: Dispute, *, amount_minor: int, by: str, at: datetime, again_at: datetime | None
) -> None:
    """It is decided, and the money is not there, or frozen. Keep what is owed, and tell it
    once.

    Args: again_at: when the sweep tries again; None: not by itself.
    """
    first = dispute.parked_at is None
    dispute.await_move(WaitsFor.OPERATOR, due_at=again_at)
    if not first:
        dispute.save()
        return
    dispute.parked_at, dispute.parked_minor, dispute.parked_by = at, amount_minor, by
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
