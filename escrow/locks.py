"""Where holds, surplus and refunds are locked: after their order and payment, in id order."""

from django.db import connection

from common.errors import DomainError
from escrow.models import Debt, Dispute, Hold, HoldState, Refund
from orders import locks as order_locks


class HoldNotFound(DomainError):
    code = "hold_not_found"
    status = 404


class HoldFrozen(DomainError):
    """The money is frozen by a dispute or by an operator."""

    code = "hold_frozen"


class HoldClosed(DomainError):
    code = "hold_closed"


class RefundNotFound(DomainError):
    code = "refund_not_found"
    status = 404


class DebtNotFound(DomainError):
    code = "debt_not_found"
    status = 404


class DisputeNotFound(DomainError):
    code = "dispute_not_found"
    status = 404


def lock_hold(order_id: str) -> Hold:
    """Lock the hold of an order in whatever state; the caller has the order's lock. Raises:
    HoldNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    hold = Hold.objects.filter(order_id=order_id).select_for_update().first()
    if hold is None:
        raise HoldNotFound(f"Nothing is held for order {order_id}.", order=order_id)
    return hold


def lock_open_hold(order_id: str) -> Hold:
    """Lock the hold of an order, whose lock the caller has. Raises: HoldNotFound, HoldFrozen,
    HoldClosed."""
    hold = lock_hold(order_id)
    if hold.state == HoldState.FROZEN:
        raise HoldFrozen(f"The money of order {order_id} is frozen.", order=order_id)
    if hold.state != HoldState.HELD:
        raise HoldClosed(
            f"The money of order {order_id} is {hold.state} already.",
            order=order_id,
            state=hold.state,
        )
    return hold


def lock_released_hold(order_id: str) -> Hold:
    """Lock the hold of a confirmed order, whose lock the caller has. Raises: HoldNotFound."""
    hold = lock_hold(order_id)
    assert hold.state == HoldState.RELEASED, (order_id, hold.state)
    return hold


def lock_debt(debt_id: str) -> Debt:
    """Lock one debt. Raises: DebtNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    debt = Debt.objects.filter(pk=debt_id).select_for_update(of=("self",)).first()
    if debt is None:
        raise DebtNotFound(f"There is no debt {debt_id}.", debt=debt_id)
    return debt


def lock_dispute(dispute_id: str) -> Dispute:
    """Lock the order of a dispute, then the dispute. Returns: it, with the locked order at hand.

    Raises: DisputeNotFound.
    """
    found = Dispute.objects.filter(pk=dispute_id).values_list("order_id", flat=True).first()
    if found is None:
        raise DisputeNotFound(f"There is no dispute {dispute_id}.", dispute=dispute_id)
    order = order_locks.lock_order(found)
    dispute = Dispute.objects.select_for_update().get(pk=dispute_id)
    dispute.order = order
    return dispute


def lock_refund(refund_id: str) -> Refund:
    """Lock one refund. Raises: RefundNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    refund = Refund.objects.filter(pk=refund_id).select_for_update().first()
    if refund is None:
        raise RefundNotFound(f"There is no refund {refund_id}.", refund=refund_id)
    return refund
