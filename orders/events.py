"""What orders and payments tell the world: thin events written to the outbox with the change
itself."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from notifications import services as notifications
from orders.models import Order, Payment

# Told to buyers by mail, so these say in which time zone. Not in every event: the release writes
# its own in SQL, and would pay for it.
TO_BUYERS = frozenset(
    ("order.ship_extended", "order.confirm_reminder", "order.confirm_extended", "order.canceled")
)


def instant(value: datetime | None) -> str | None:
    """Write an instant as events tell it: ISO 8601, UTC, microseconds."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None


def order_facts(order: Order) -> dict[str, Any]:
    """The fields every order event carries: ids, amount and instants, no personal data but the
    buyer's address."""
    return {
        "order": order.id,
        "order_reference": order.reference,
        "merchant": order.merchant_id,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "ship_by": instant(order.ship_by),
        "confirm_by": instant(order.confirm_by),
        "buyer_email": order.buyer_email,
    }


def record_order_event(
    order: Order, type: str, *, at: datetime, sequence: int, extra: Mapping[str, Any] | None = None
) -> None:
    """Write an order's event. The caller has locked the order and taken `sequence` from it."""
    notifications.record_event(
        type=type,
        platform_id=order.platform_id,
        subject_id=order.id,
        sequence=sequence,
        data={**order_facts(order), **_zone(order, type), **(extra or {})},
        at=at,
    )


def _zone(order: Order, type: str) -> dict[str, str]:
    told = order.buyer_time_zone and type in TO_BUYERS
    return {"buyer_time_zone": order.buyer_time_zone} if told else {}


def record_created_orders(orders: Iterable[Order], *, at: datetime) -> None:
    """Write the first event of many new orders at once, in the order given."""
    notifications.record_events(drafts=(order_created(order, at=at) for order in orders))


def order_created(order: Order, *, at: datetime) -> notifications.EventDraft:
    """The first event of a new order."""
    return notifications.EventDraft(
        type="order.created",
        platform_id=order.platform_id,
        subject_id=order.id,
        sequence=1,
        data=order_facts(order),
        at=at,
    )


def record_payment_event(payment: Payment, type: str, *, at: datetime) -> None:
    """Write a payment's event. The caller has locked the payment and saves `event_sequence`
    after."""
    notifications.record_event(
        type=type,
        platform_id=payment.platform_id,
        subject_id=payment.id,
        sequence=payment.next_sequence(),
        data={
            "payment": payment.id,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
        },
        at=at,
    )
