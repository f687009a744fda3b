"""Reading orders and payments. It must never lock or write."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum

from common.errors import DomainError
from orders.claims import MISSED, earliest
from orders.models import Order, OrderState, Payment, PaymentOrder, PaymentState

SOLD = (OrderState.PAID, OrderState.SHIPPED, OrderState.CONFIRMED)
TRAILING = timedelta(days=30)


class BuyerTokenInvalid(DomainError):
    """Not the token of this order, or no such order: the answer does not tell which."""

    code = "buyer_token_invalid"
    status = 403


def hash_buyer_token(token: str) -> str:
    """Return what we keep of a buyer's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def get_order_for_buyer(*, order_id: str, token: str) -> Order:
    """Return the order whose buyer holds this token. Raises: BuyerTokenInvalid."""
    order = (
        Order.objects.filter(pk=order_id)
        .select_related("merchant")
        .prefetch_related("lines")
        .first()
    )
    kept = order.buyer_token_hash if order else hash_buyer_token("")
    if not hmac.compare_digest(kept, hash_buyer_token(token)) or order is None or not token:
        raise BuyerTokenInvalid(
            "This link does not belong to this order. Open the link you were sent."
        )
    return order


def get_order_for_page(*, order_id: str) -> Order | None:
    """Return an order with its platform, seller, lines and parcels, for somebody who has shown
    elsewhere a right to this one."""
    return (
        Order.objects.filter(pk=order_id)
        .select_related("merchant", "platform")
        .prefetch_related("lines", "shipments")
        .first()
    )


def channels_paid(*, order_ids: Iterable[str]) -> dict[str, str]:
    """The channel each of these orders was paid through, by order id; unpaid ones are left out."""
    parts = PaymentOrder.objects.filter(
        order_id__in=set(order_ids), payment__state=PaymentState.SUCCEEDED
    ).order_by("-payment__succeeded_at", "-payment_id")  # a later payment is surplus
    return dict(parts.values_list("order_id", "payment__channel"))


def sold_volume(*, merchant_id: str, currency: str, before: datetime) -> int:
    """The goods a seller has sold in the 30 days before an instant: the trailing volume.

    Orders that were paid then and are not canceled since.

    Returns: minor units of `currency`.
    """
    sold = Order.objects.filter(
        merchant_id=merchant_id,
        currency=currency,
        paid_at__gte=before - TRAILING,
        paid_at__lt=before,
        state__in=SOLD,
    )
    return sold.aggregate(volume=Sum("goods_minor"))["volume"] or 0


def order_ids_of_payment(payment_id: str) -> list[str]:
    """Return the ids of the orders a payment is for, sorted: the lock order."""
    return sorted(
        PaymentOrder.objects.filter(payment_id=payment_id).values_list("order_id", flat=True)
    )


def get_order(*, platform_id: str, order_id: str) -> Order | None:
    """Return a platform's order with its seller and lines at hand; None when it is not this
    platform's."""
    return (
        Order.objects.filter(platform_id=platform_id, pk=order_id)
        .select_related("merchant")
        .prefetch_related("lines", "shipments")
        .first()
    )


def get_payment(*, platform_id: str, payment_id: str) -> Payment | None:
    """Return a platform's payment with its parts; None when it is not this platform's."""
    return (
        Payment.objects.filter(platform_id=platform_id, pk=payment_id)
        .prefetch_related("parts")
        .first()
    )


def get_payment_for_page(*, payment_id: str) -> Payment | None:
    """Return a payment with its platform and the orders it pays, for somebody who has shown
    elsewhere a right to this one."""
    return (
        Payment.objects.filter(pk=payment_id)
        .select_related("platform")
        .prefetch_related("parts__order__merchant")
        .first()
    )


def open_payment_of(*, order_ids: Iterable[str], channel: str, at: datetime) -> Payment | None:
    """Return the latest payment of just these orders through this channel that can still be made;
    None when there is none."""
    wanted = set(order_ids)
    found = Payment.objects.filter(
        parts__order_id=min(wanted), channel=channel, state__in=Payment.OPEN, expires_at__gt=at
    ).prefetch_related("parts")
    for payment in found.order_by("-pk"):
        if {part.order_id for part in payment.parts.all()} == wanted:
            return payment
    return None


def orders_of(*, platform_id: str) -> QuerySet[Order]:
    """A platform's orders with their sellers, for lists; `get_order` has lines and parcels too."""
    return Order.objects.filter(platform_id=platform_id).select_related("merchant")


def payments_of(*, platform_id: str) -> QuerySet[Payment]:
    """A platform's payments with the orders they pay: `parts`."""
    return Payment.objects.filter(platform_id=platform_id).prefetch_related("parts")


def unpaid_orders() -> QuerySet[Order]:
    """Orders that expire after `pay_by`."""
    return Order.objects.filter(state=OrderState.CREATED)


def next_due(*, platform_id: str, after: datetime | None = None) -> datetime | None:
    """Return when a platform's next order expires.

    Args: after: only what is due later than this instant.
    """
    unpaid = unpaid_orders().filter(platform_id=platform_id)
    return earliest(unpaid, "pay_by", after=after, wait=MISSED)
