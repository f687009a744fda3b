"""Where holds, surplus and refunds are locked: after their order and payment, in id order."""

from django.db import connection

from common.errors import DomainError
from escrow.models import (
    OVER,
    BankRefund,
    DebitRequest,
    Debt,
    Dispute,
    Freeze,
    Hold,
    HoldState,
    Refund,
)
from merchants.models import Merchant
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


class DebitRequestNotFound(DomainError):
    code = "debit_request_not_found"
    status = 404


class FreezeNotFound(DomainError):
    code = "freeze_not_found"
    status = 404


class SellerNotFound(DomainError):
    code = "merchant_not_found"
    status = 404


class BankRefundNotFound(DomainError):
    code = "bank_refund_not_found"
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


def lock_debit_request(debit_request_id: str) -> DebitRequest:
    """Lock the debt of a request, then the request. Returns: it, with the locked debt at hand.

    Raises: DebitRequestNotFound.
    """
    rows = DebitRequest.objects.filter(pk=debit_request_id)
    debt_id = rows.values_list("debt_id", flat=True).first()
    if debt_id is None:
        raise DebitRequestNotFound(
            f"There is no debit request {debit_request_id}.", debit_request=debit_request_id
        )
    debt = lock_debt(debt_id)
    request = rows.select_for_update(of=("self",)).get()
    request.debt = debt
    return request


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


def lock_freeze(freeze_id: str) -> Freeze:
    """Lock the order of a freeze, if it is of one, then the freeze. Returns: it, with the locked
    order at hand.

    Raises: FreezeNotFound.
    """
    assert connection.in_atomic_block, "locks need a database transaction around them"
    found = Freeze.objects.filter(pk=freeze_id).values_list("order_id", flat=True)
    if not found:
        raise FreezeNotFound(f"There is no freeze {freeze_id}.", freeze=freeze_id)
    order = order_locks.lock_order(found[0]) if found[0] else None
    freeze = Freeze.objects.select_for_update(of=("self",)).get(pk=freeze_id)
    freeze.order = order
    return freeze


def lock_seller(merchant_id: str) -> Merchant:
    """Lock a seller between freezing it and paying it out: whoever holds it is the only one who
    does either. New orders of the seller do not wait for it. Raises: SellerNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    sellers = Merchant.objects.filter(pk=merchant_id)
    found = sellers.select_for_update(of=("self",), no_key=True).first()
    if found is None:
        raise SellerNotFound(f"There is no seller {merchant_id}.", merchant=merchant_id)
    return found


def lock_refund(refund_id: str) -> Refund:
    """Lock one refund. Raises: RefundNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    refund = Refund.objects.filter(pk=refund_id).select_for_update().first()
    if refund is None:
        raise RefundNotFound(f"There is no refund {refund_id}.", refund=refund_id)
    return refund


def lock_bank_refund(bank_refund_id: str) -> BankRefund:
    """Lock the refund of a bank refund, then the bank refund. Returns: it, with the locked refund
    at hand.

    Raises: BankRefundNotFound.
    """
    rows = BankRefund.objects.filter(pk=bank_refund_id)
    refund_id = rows.values_list("refund_id", flat=True).first()
    if refund_id is None:
        raise BankRefundNotFound(
            f"There is no bank refund {bank_refund_id}.", bank_refund=bank_refund_id
        )
    refund = lock_refund(refund_id)
    found = rows.select_for_update(of=("self",)).get()
    found.refund = refund
    return found


def lock_live_bank_refund(refund: Refund) -> BankRefund | None:
    """Lock what is under way, or paid, by the bank for a refund, which the caller has locked."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    live = BankRefund.objects.filter(refund=refund).exclude(state__in=OVER)
    found = live.select_for_update(of=("self",)).first()
    if found is not None:
        found.refund = refund
    return found
