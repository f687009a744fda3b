"""Asking a channel for a buyer's money. Intent first: the payment row is committed before the
channel is called, and its id is the one reference the channel ever hears (reliability rules R1,
R2). A capture is booked by escrow.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from channels import contract, registry
from common.errors import DomainError
from common.money import Money
from ledger.usecases import use_case
from merchants import clocks
from merchants import selectors as merchants
from orders import events, selectors
from orders.locks import lock_order, lock_orders, lock_payment
from orders.models import Order, OrderState, Payment, PaymentOrder, PaymentState
from orders.services.lifecycle import mark_expired, require_state

MAX_ORDERS = 50
LEASE = timedelta(seconds=60)  # how long one attempt may take before another may look
# Reliability rule R9: an unpaid payment is asked for at the latest after 15 minutes.
QUERY_EVERY = timedelta(minutes=5)
UNKNOWN_EVERY = timedelta(seconds=30)
CLOSE_FOR = timedelta(days=2)  # how long an expired payment is watched for late money


class PaymentInvalid(DomainError):
    code = "payment_invalid"
    status = 422


class PaymentTooLate(DomainError):
    code = "payment_deadline_passed"


@use_case()
def create_payment(
    *, platform_id: str, order_ids: Sequence[str], channel: str, return_url: str, at: datetime
) -> Payment:
    """Write down that a buyer will pay these orders through this channel. `submit_payment` then
    asks the channel.

    Money: none yet.
    Raises: PaymentInvalid, PaymentTooLate, OrderNotFound, OrderStateConflict, ChannelDisabled.
    Locks: the orders by id.
    """
    registry.get_channel(channel)
    registry.check_channel(channel, live=merchants.is_live(platform_id=platform_id))
    if not 1 <= len(set(order_ids)) == len(order_ids) <= MAX_ORDERS:
        raise PaymentInvalid(f"Name 1 to {MAX_ORDERS} different orders.", field="orders")
    orders = list(lock_orders(order_ids).values())
    _check_orders(orders, platform_id=platform_id, at=at)
    amount = Money(sum(order.amount_minor for order in orders), orders[0].currency)
    payment = Payment.objects.create(
        platform_id=platform_id,
        channel=channel,
        currency=amount.currency,
        amount_minor=amount.amount_minor,
        return_url=return_url,
        created_at=at,
        expires_at=min(order.pay_by for order in orders),
        due_at=at + LEASE,
    )
    PaymentOrder.objects.bulk_create(
        PaymentOrder(payment=payment, order=order, amount_minor=order.amount_minor)
        for order in orders
    )
    return payment


def _check_orders(orders: Sequence[Order], *, platform_id: str, at: datetime) -> None:
    for order in orders:
        if order.platform_id != platform_id:
            raise PaymentInvalid(
                f"Order {order.id} is not an order of this platform.", order=order.id
            )
        require_state(order, OrderState.CREATED)
        if at >= order.pay_by:
            raise PaymentTooLate(
                f"Order {order.id} had to be paid by {order.pay_by.isoformat()}.", order=order.id
            )
    if len({order.currency for order in orders}) > 1:
        raise PaymentInvalid(
            "All orders of one payment must have the same currency.", field="orders"
        )


def submit_payment(*, payment_id: str, at: datetime) -> Payment:
    """Ask the channel to take the money and keep its answer. May be repeated: the reference is
    the payment's id.

    Raises: ChannelDisabled. Never raises for what the channel answers: see the payment's state.
    """
    payment = Payment.objects.select_related("platform").get(pk=payment_id)
    channel = registry.get_channel(payment.channel)
    answer = channel.create_payment(
        contract.PaymentRequest(
            reference=payment.id,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            description=f"Holdfast {payment.id}",
            expires_at=clocks.real_time(payment.platform, at=payment.expires_at),
            notify_url=f"{settings.PUBLIC_URL}/v1/inbound/channels/{payment.channel}",
            return_url=payment.return_url,
        )
    )
    return record_channel_answer(payment_id=payment_id, answer=answer, at=at)


@use_case()
def record_channel_answer(*, payment_id: str, answer: contract.Answer, at: datetime) -> Payment:
    """Keep what a channel says about an open payment, unless it says money came: that is
    escrow's to book.

    Locks: the payment.
    """
    payment = lock_payment(payment_id)
    if payment.state not in Payment.OPEN:
        return payment
    payment.attempts += 1
    if answer.status == contract.Status.FAILED:
        payment.fail(failure_code=answer.code or "refused_by_channel")
        events.record_payment_event(payment, "payment.failed", at=at)
    elif answer.status == contract.Status.UNKNOWN:
        if payment.state == PaymentState.PENDING:
            payment.lose_sight()
        payment.due_at = at + UNKNOWN_EVERY
    else:
        if payment.state == PaymentState.UNKNOWN:
            payment.regain_sight()
        payment.due_at = at + QUERY_EVERY
        payment.cashier_url = answer.cashier_url or payment.cashier_url
        payment.provider_reference = answer.provider_reference or payment.provider_reference
    payment.save(
        update_fields=[
            "state",
            "attempts",
            "due_at",
            "failure_code",
            "cashier_url",
            "provider_reference",
            "event_sequence",
        ]
    )
    return payment


@use_case()
def expire_order(*, order_id: str, at: datetime) -> bool:
    """Give an order up that nobody paid by `pay_by`, with its open payments. Late money becomes
    surplus.

    Returns: whether it was due. Locks: the order, then its open payments by id.
    """
    order = lock_order(order_id)
    if order.state != OrderState.CREATED or order.pay_by >= at:
        return False
    mark_expired(order, at=at)
    open_parts = PaymentOrder.objects.filter(order_id=order_id, payment__state__in=Payment.OPEN)
    payment_ids = list(open_parts.order_by("payment_id").values_list("payment_id", flat=True))
    for payment_id in payment_ids:
        payment = lock_payment(payment_id)
        if payment.state in Payment.OPEN and not _waits_for_another(payment, order_id):
            payment.expire(close_at=at)
            events.record_payment_event(payment, "payment.expired", at=at)
            payment.save(update_fields=["state", "due_at", "event_sequence"])
    return True


@use_case()
def give_up_payment(*, payment_id: str, at: datetime) -> bool:
    """Expire an open payment that none of its orders waits for any more: paid by another
    payment, or canceled.

    The channel is then told to close it; else it would be asked about it for ever, and a buyer
    could pay twice.

    Returns: whether it was given up. Locks: the payment's orders by id, then the payment.
    """
    orders = lock_orders(selectors.order_ids_of_payment(payment_id))
    payment = lock_payment(payment_id)
    if payment.state not in Payment.OPEN or any(
        order.state == OrderState.CREATED for order in orders.values()
    ):
        return False
    payment.expire(close_at=at)
    events.record_payment_event(payment, "payment.expired", at=at)
    payment.save(update_fields=["state", "due_at", "event_sequence"])
    return True


def _waits_for_another(payment: Payment, order_id: str) -> bool:
    others = [other for other in selectors.order_ids_of_payment(payment.id) if other != order_id]
    return Order.objects.filter(pk__in=others, state=OrderState.CREATED).exists()


def mark_succeeded(
    payment: Payment, *, provider_reference: str, paid_at: datetime, at: datetime
) -> None:
    """Step of escrow's hold: the money is here. The caller has locked the payment, which is
    open."""
    assert connection.in_atomic_block
    payment.succeed(at=paid_at, provider_reference=provider_reference)
    events.record_payment_event(payment, "payment.succeeded", at=at)
    payment.save(
        update_fields=["state", "succeeded_at", "provider_reference", "due_at", "event_sequence"]
    )


@use_case()
def plan_next_question(*, payment_id: str, due_at: datetime | None) -> None:
    """Set when the channel is to be asked about a payment again; None when never. Locks: the
    payment."""
    payment = lock_payment(payment_id)
    payment.due_at = due_at
    payment.save(update_fields=["due_at"])
