"""Creating orders: check the request, freeze terms and deadlines, hand out the buyer's token. No
money moves."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from common.errors import DomainError
from common.money import Money
from ledger.prepared import as_json, prepared_cursor, who_acts
from ledger.usecases import use_case
from merchants import services as merchants
from merchants import terms as commission
from merchants.dispute_policy import DisputePolicy
from merchants.models import Merchant, Platform
from merchants.validators import check_time_zone
from notifications import services as notifications
from orders import events, selectors
from orders.models import Delivery, Order, OrderLine
from orders.selectors import hash_buyer_token

MAX_LINES = 100
MAX_QUANTITY = 1_000_000


class OrderInvalid(DomainError):
    code = "order_invalid"
    status = 422


class OrderReferenceTaken(DomainError):
    code = "order_reference_taken"
    status = 409


class MerchantUnavailable(DomainError):
    code = "merchant_unavailable"
    status = 422


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line as the platform sends it. `amount_minor` is for the whole line, not per piece."""

    title: str
    amount_minor: int
    category: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as the platform sends it.

    `ship_by` replaces the platform's shipping term; `expected_delivery_at` makes automatic
    confirmation wait until three days after it.
    """

    reference: str
    currency: str
    lines: Sequence[NewLine]
    shipping_minor: int = 0
    delivery: str = Delivery.COURIER
    buyer_name: str = ""
    buyer_email: str = ""
    buyer_time_zone: str = ""
    ship_by: datetime | None = None
    expected_delivery_at: datetime | None = None
    metadata: Mapping[str, Any] | None = None


def create_order(
    *, platform: Platform, merchant: Merchant, new: NewOrder, at: datetime
) -> tuple[Order, str]:
    """Create an order and freeze its commission terms and deadlines.

    Money: none.
    Returns: the order, and the buyer's confirmation token, which is never shown again.
    Raises: OrderInvalid, MerchantUnavailable, OrderReferenceTaken, UnknownCurrency,
        AmountOutOfRange.
    Idempotent: by (platform, reference): the second one is refused.
    """
    check_new_order(platform=platform, merchant=merchant, new=new)
    token = secrets.token_urlsafe(32)
    try:
        with use_case():
            terms = merchants.freeze_terms(
                platform=platform,
                merchant=merchant,
                currency=new.currency,
                lines=ordered_lines(new),
                shipping_minor=new.shipping_minor,
                volume=volume_at(at),
                at=at,
            )
            order = order_row(
                platform=platform, merchant=merchant, new=new, terms=terms, token=token, at=at
            )
            _write(order, line_rows(order, new), at=at)
    except IntegrityError as error:
        if "order_reference_once" in str(error):
            raise reference_taken(new) from None
        raise
    return order, token


def _write(order: Order, lines: Sequence[OrderLine], *, at: datetime) -> None:
    """Write an order, its lines and its first event in one statement."""
    created = notifications.event_row(events.order_created(order, at=at))
    rows = [as_json([order]), as_json(lines), as_json([created])]
    with prepared_cursor() as cursor:
        cursor.execute("SELECT orders_create_orders(%s, %s, %s, %s, %s)", [*rows, *who_acts()])
    order._state.adding = False


def volume_at(at: datetime) -> Callable[[str, str], int]:
    """What a seller has sold before `at`, for rules with tiers to ask."""

    def volume(merchant_id: str, currency: str) -> int:
        return selectors.sold_volume(merchant_id=merchant_id, currency=currency, before=at)

    return volume


def seller_unavailable(merchant_id: str | None) -> MerchantUnavailable:
    return MerchantUnavailable(
        "This seller is not an active seller of the platform.",
        field="merchant",
        merchant=merchant_id,
    )


def reference_taken(new: NewOrder) -> OrderReferenceTaken:
    return OrderReferenceTaken(
        f"This platform already has an order {new.reference!r}.", reference=new.reference
    )


def ordered_lines(new: NewOrder) -> list[commission.OrderedLine]:
    """The lines as the commission rules see them."""
    return [
        commission.OrderedLine(category=line.category, amount_minor=line.amount_minor)
        for line in new.lines
    ]


def order_row(
    *,
    platform: Platform,
    merchant: Merchant,
    new: NewOrder,
    terms: commission.Terms,
    token: str,
    at: datetime,
) -> Order:
    """Make the row of a checked order; its first event has number 1."""
    return Order(
        platform=platform,
        merchant=merchant,
        reference=new.reference,
        currency=new.currency,
        amount_minor=terms.amount_minor,
        goods_minor=terms.goods_minor,
        shipping_minor=new.shipping_minor,
        terms=terms.to_json(),
        delivery=new.delivery,
        buyer_name=new.buyer_name,
        buyer_email=new.buyer_email,
        buyer_time_zone=new.buyer_time_zone,
        buyer_token_hash=hash_buyer_token(token),
        metadata=dict(new.metadata or {}),
        created_at=at,
        ship_by=new.ship_by,
        expected_delivery_at=new.expected_delivery_at,
        event_sequence=1,
        **_frozen_deadlines(platform=platform, delivery=new.delivery, at=at),
    )


def line_rows(order: Order, new: NewOrder) -> list[OrderLine]:
    """Make the rows of an order's lines."""
    return [
        OrderLine(
            order=order,
            position=position,
            title=line.title,
            category=line.category,
            quantity=line.quantity,
            amount_minor=line.amount_minor,
        )
        for position, line in enumerate(new.lines, start=1)
    ]


def _frozen_deadlines(*, platform: Platform, delivery: str, at: datetime) -> dict[str, Any]:
    slow = delivery == Delivery.COURIER
    return {
        "pay_by": at + timedelta(seconds=platform.pay_seconds),
        "ship_seconds": platform.ship_seconds,
        "ship_business_days": platform.ship_business_days,
        "ship_calendar": platform.ship_calendar,
        "ship_time_zone": platform.time_zone if platform.ship_business_days else "",
        "ship_reminder_seconds": platform.ship_reminder_seconds,
        "confirm_seconds": platform.confirm_seconds if slow else platform.confirm_virtual_seconds,
        "confirm_reminder_seconds": platform.confirm_reminder_seconds,
        "confirm_extension_seconds": platform.confirm_extension_seconds,
        "dispute_policy": DisputePolicy.of(platform).to_json(),
    }


def check_new_order(*, platform: Platform, merchant: Merchant, new: NewOrder) -> None:
    """Refuse an order that makes no sense, without asking the database.

    Raises: OrderInvalid, MerchantUnavailable, UnknownCurrency, AmountOutOfRange.
    """
    if merchant.platform_id != platform.pk or not merchant.active:
        raise seller_unavailable(merchant.pk)
    if not new.reference or len(new.reference) > 64:
        raise OrderInvalid("`reference` must have 1 to 64 characters.", field="reference")
    if not 1 <= len(new.lines) <= MAX_LINES:
        raise OrderInvalid(f"An order has 1 to {MAX_LINES} lines.", field="lines")
    if (
        any(line.amount_minor < 0 or line.quantity < 1 for line in new.lines)
        or new.shipping_minor < 0
    ):
        raise OrderInvalid(
            "Amounts must not be negative and quantities must be at least 1.", field="lines"
        )
    if new.delivery not in Delivery.values:
        raise OrderInvalid("`delivery` is COURIER, PICKUP or VIRTUAL.", field="delivery")
    _check_lengths(new)
    _check_time_zone(new)
    goods_minor = sum(line.amount_minor for line in new.lines)
    Money(goods_minor + new.shipping_minor, new.currency)
    if goods_minor + new.shipping_minor == 0:
        raise OrderInvalid("There is nothing to pay in this order.", field="lines")


def _check_time_zone(new: NewOrder) -> None:
    try:
        if new.buyer_time_zone:
            check_time_zone(new.buyer_time_zone)
    except ValidationError as refusal:
        raise OrderInvalid(" ".join(refusal.messages), field="buyer_time_zone") from None


def _check_lengths(new: NewOrder) -> None:
    """Refuse by a sentence what the columns would refuse by an error."""
    texts = ("buyer_name", "buyer_email", "buyer_time_zone")
    order_fields = [(Order, name, getattr(new, name)) for name in texts]
    line_fields = [
        (OrderLine, name, getattr(line, name))
        for line in new.lines
        for name in ("title", "category")
    ]
    for model, name, text in (*order_fields, *line_fields):
        limit = model._meta.get_field(name).max_length
        if len(text) > limit:
            raise OrderInvalid(f"`{name}` must have {limit} characters at most.", field=name)
    if any(line.quantity > MAX_QUANTITY for line in new.lines):
        raise OrderInvalid(f"`quantity` is {MAX_QUANTITY} at most.", field="lines")
