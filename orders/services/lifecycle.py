"""Moving orders: ship, expire, cancel, remind; and the steps `mark_…` that later stations take
inside their own use case. Nothing here touches the books: money is the business of escrow and
payouts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

from common.errors import DomainError
from ledger.usecases import use_case
from orders import deadlines, events
from orders.locks import lock_order
from orders.models import CancelReason, Delivery, Order, OrderState
from orders.parcels import NewParcel, write_parcels

EXPECTED_DELIVERY_GRACE = timedelta(days=3)


class OrderStateConflict(DomainError):
    """The order is not in a state in which this can be done."""

    code = "order_state_conflict"


class ShippingTooLate(DomainError):
    code = "shipping_deadline_passed"


class ClockPaused(DomainError):
    """The term to confirm stands still, as while a dispute is open."""

    code = "clock_paused"


def require_state(order: Order, *states: str) -> None:
    """Raises: OrderStateConflict unless the locked order is in one of the states."""
    if order.state not in states:
        wanted = " or ".join(states)
        raise OrderStateConflict(
            f"Order {order.id} is {order.state}; this needs {wanted}.",
            order=order.id,
            state=order.state,
        )


def require_running(order: Order) -> None:
    """Raises: ClockPaused when the term to confirm of the locked order stands still."""
    if order.paused_at is not None:
        raise ClockPaused(
            f"The term to confirm order {order.id} stands still since"
            f" {order.paused_at:%Y-%m-%d %H:%M:%S} UTC.",
            order=order.id,
            paused_at=order.paused_at.isoformat(),
        )


@use_case()
def ship_order(
    *,
    order_id: str,
    at: datetime,
    carrier: str = "",
    tracking_number: str = "",
    further: Sequence[NewParcel] = (),
) -> Order:
    """The seller hands the goods over, in one parcel or several, at the latest at `ship_by`.

    Goods that are picked up or virtual need no parcel: nothing is carried.

    Money: none.
    Args: carrier, tracking_number: of the first parcel; both empty: none, unless by courier.
        further: parcels handed over besides the first.
    Raises: OrderNotFound, OrderStateConflict, ShippingTooLate, ParcelInvalid, TooManyParcels.
    Locks: the order.
    """
    order = lock_order(order_id)
    require_state(order, OrderState.PAID)
    assert order.ship_by is not None
    if at > order.ship_by:
        raise ShippingTooLate(
            f"The order had to be shipped by {order.ship_by:%Y-%m-%d %H:%M:%S} UTC;"
            " it is being refunded.",
            ship_by=order.ship_by.isoformat(),
        )
    first = NewParcel(carrier=carrier, tracking_number=tracking_number)
    carried = order.delivery == Delivery.COURIER or first != NewParcel("", "")
    write_parcels(order, [first, *further] if carried else further, sent=0, at=at)
    order.ship(at=at, confirm_by=_confirm_by(order, at))
    assert order.confirm_by is not None
    order.remind_confirm_at = order.confirm_by - timedelta(seconds=order.confirm_reminder_seconds)
    _record(order, "order.shipped", at=at)
    order.save(
        update_fields=[
            "state",
            "shipped_at",
            "confirm_by",
            "remind_ship_at",
            "remind_confirm_at",
            "event_sequence",
        ]
    )
    return order


def _confirm_by(order: Order, shipped_at: datetime) -> datetime:
    confirm_by = shipped_at + timedelta(seconds=order.confirm_seconds)
    if order.expected_delivery_at is not None:
        confirm_by = max(confirm_by, order.expected_delivery_at + EXPECTED_DELIVERY_GRACE)
    return confirm_by


@use_case()
def cancel_unpaid_order(*, order_id: str, reason: str, at: datetime) -> Order:
    """Cancel an order nobody has paid. A payment that still arrives is booked as surplus and
    refunded.

    Raises: OrderNotFound, OrderStateConflict. Locks: the order.
    """
    order = lock_order(order_id)
    require_state(order, OrderState.CREATED)
    mark_canceled(order, reason=reason, at=at)
    return order


def remind_of_shipment(order: Order, *, at: datetime) -> bool:
    """Step of escrow's reminders: write the seller's once. The caller has locked the order.

    Returns: whether it was due. After `ship_by` it is dropped: there is nothing to hurry for.
    """
    assert connection.in_atomic_block
    if order.state != OrderState.PAID or order.remind_ship_at is None or order.remind_ship_at > at:
        return False
    assert order.ship_by is not None
    in_time = at <= order.ship_by
    order.remind_ship_at = None
    if in_time:
        _record(order, "order.ship_reminder", at=at)
    order.save(update_fields=["remind_ship_at", "event_sequence"])
    return in_time


def remind_of_confirmation(order: Order, *, at: datetime) -> bool:
    """Step of escrow's reminders: write the buyer's once. The caller has locked the order.

    Returns: whether it was due.
    """
    assert connection.in_atomic_block
    if (
        order.state != OrderState.SHIPPED
        or order.remind_confirm_at is None
        or order.remind_confirm_at > at
    ):
        return False
    order.remind_confirm_at = None
    _record(order, "order.confirm_reminder", at=at)
    order.save(update_fields=["remind_confirm_at", "event_sequence"])
    return True


def mark_paid(order: Order, *, paid_at: datetime, at: datetime) -> None:
    """Step of escrow's hold: the order's money is here. The caller has locked the order, which
    is CREATED."""
    assert connection.in_atomic_block
    ship_by = order.ship_by or deadlines.deadline(start=paid_at, term=order.ship_term)
    order.pay(at=paid_at, ship_by=ship_by)
    order.remind_ship_at = ship_by - timedelta(seconds=order.ship_reminder_seconds)
    titles = list(order.lines.order_by("position").values_list("title", flat=True)[:5])
    _record(order, "order.paid", at=at, item_titles=titles)
    order.save(update_fields=["state", "paid_at", "ship_by", "remind_ship_at", "event_sequence"])


def mark_confirmed(order: Order, *, confirmed_by: str, at: datetime) -> None:
    """Step of escrow's release: the buyer has the goods. The caller has locked the order, which
    is SHIPPED."""
    assert connection.in_atomic_block
    order.confirm(at=at, confirmed_by=confirmed_by)
    _record(order, "order.confirmed", at=at)
    order.save(
        update_fields=[
            "state",
            "confirmed_at",
            "confirmed_by",
            "remind_confirm_at",
            "event_sequence",
        ]
    )


def mark_canceled(order: Order, *, reason: str, at: datetime) -> None:
    """Step of escrow's refund, and of canceling an unpaid order. The caller has locked the
    order."""
    assert connection.in_atomic_block
    assert reason in CancelReason.values, reason
    order.cancel(at=at, reason=reason)
    _record(order, "order.canceled", at=at, reason=reason)
    order.save(
        update_fields=[
            "state",
            "canceled_at",
            "cancel_reason",
            "remind_ship_at",
            "remind_confirm_at",
            "event_sequence",
        ]
    )


def mark_expired(order: Order, *, at: datetime) -> None:
    """Step of the expiry of unpaid orders. The caller has locked the order, which is CREATED."""
    assert connection.in_atomic_block
    order.expire()
    _record(order, "order.expired", at=at)
    order.save(update_fields=["state", "event_sequence"])


def _record(order: Order, type: str, *, at: datetime, **extra: object) -> None:
    events.record_order_event(order, type, at=at, sequence=order.next_sequence(), extra=extra)
