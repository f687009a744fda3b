"""A buyer's money arrives: hold it for the orders that wait for it, book the rest as surplus and
send it back.

Money received is always booked (reliability rule R11), whatever state the order is in.
"""

from datetime import datetime

from django.db import connection

from common.errors import DomainError
from escrow import events
from escrow.models import Hold, Surplus, SurplusReason
from escrow.services.refund import ask_refund_of_surplus
from escrow.services.shares import keep_shares, plan_hold
from escrow.split import Share
from ledger import accounts as ledger_accounts
from ledger import chart, entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants.reserve_policy import ReservePolicy
from orders import locks, selectors
from orders.models import Order, OrderState, Payment, PaymentOrder
from orders.services import lifecycle, payments


class CaptureMismatch(DomainError):
    """The channel says another amount or currency than the payment was made for. Nothing is
    booked."""

    code = "capture_mismatch"
    status = 422


@use_case()
def record_capture(
    *,
    payment_id: str,
    provider_reference: str,
    amount_minor: int,
    currency: str,
    paid_at: datetime,
    at: datetime,
) -> Payment:
    """The channel says the buyer has paid.

    Money: Dr channel receivable / Cr held, once per order; for orders that no longer wait Cr
        surplus, which is refunded at once.
    Args: amount_minor: what the channel says it collected, minor units of `currency`.
    Raises: OrderNotFound, PaymentNotFound, CaptureMismatch.
    Idempotent: by (payment, provider_reference).
    Locks: the payment's orders by id, then the payment.
    """
    orders = locks.lock_orders(selectors.order_ids_of_payment(payment_id))
    payment = locks.lock_payment(payment_id)
    if (amount_minor, currency) != (payment.amount_minor, payment.currency):
        raise CaptureMismatch(
            f"The channel says {amount_minor} {currency}, payment {payment.id} is for "
            f"{payment.amount_minor} {payment.currency}.",
            payment=payment.id,
        )
    if _already_booked(payment, provider_reference):
        return payment
    first = payment.state in Payment.OPEN
    if first:
        payments.mark_succeeded(
            payment, provider_reference=provider_reference, paid_at=paid_at, at=at
        )
    waiting = [order for order in orders.values() if first and order.state == OrderState.CREATED]
    plans = {order.id: plan_hold(order, channel=payment.channel) for order in waiting}
    shares = {order_id: planned for order_id, (planned, _reserve) in plans.items()}
    accounts = _open_accounts(shares, payment=payment)
    for part in payment.parts.order_by("order_id"):
        order = orders[part.order_id]
        if order.id in shares:
            reserve = plans[order.id][1]
            hold = _hold(order, payment=payment, reserve=reserve, paid_at=paid_at, at=at)
            keep_shares(hold, shares[order.id], accounts=accounts)
            lifecycle.mark_paid(order, paid_at=paid_at, at=at)
        else:
            _book_surplus(
                part, order=order, payment=payment, provider_reference=provider_reference, at=at
            )
    return payment


def _already_booked(payment: Payment, provider_reference: str) -> bool:
    if payment.succeeded_at is not None and payment.provider_reference == provider_reference:
        return True
    return Surplus.objects.filter(payment=payment, provider_reference=provider_reference).exists()


def _open_accounts(shares: dict[str, tuple[Share, ...]], *, payment: Payment) -> dict[str, int]:
    """Open every account this capture touches in one sorted go: two carts of the same new
    sellers cannot deadlock."""
    addresses = {share.address for planned in shares.values() for share in planned}
    fixed = {chart.HELD, chart.channel_receivable(payment.channel)}
    return ledger_accounts.open_accounts(addresses=addresses | fixed, currency=payment.currency)


def _hold(
    order: Order, *, payment: Payment, reserve: ReservePolicy, paid_at: datetime, at: datetime
) -> Hold:
    assert connection.in_atomic_block
    draft = entries.capture(
        payment_id=payment.id,
        order_id=order.id,
        channel=payment.channel,
        amount_minor=order.amount_minor,
        currency=order.currency,
    )
    return Hold.objects.create(
        order=order,
        payment=payment,
        currency=order.currency,
        amount_minor=order.amount_minor,
        reserve_bps=reserve.bps,
        reserve_days=reserve.days,
        held_at=at,
        capture_entry_id=ledger.post(draft=draft, at=paid_at),
    )


def _book_surplus(
    part: PaymentOrder, *, order: Order, payment: Payment, provider_reference: str, at: datetime
) -> Surplus:
    paid_already = Hold.objects.filter(order=order).exists()
    surplus = Surplus(
        payment=payment,
        order=order,
        provider_reference=provider_reference,
        currency=payment.currency,
        amount_minor=part.amount_minor,
        reason=SurplusReason.DUPLICATE if paid_already else SurplusReason.LATE,
        received_at=at,
    )
    draft = entries.surplus(
        surplus_id=surplus.id,
        channel=payment.channel,
        amount_minor=part.amount_minor,
        currency=payment.currency,
    )
    surplus.entry_id = ledger.post(draft=draft, at=at)
    surplus.save(force_insert=True)
    events.record_surplus_event(surplus, platform_id=payment.platform_id, at=at)
    ask_refund_of_surplus(surplus, payment=payment, at=at)
    return surplus
