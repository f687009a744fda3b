"""More time, once: for the buyer to confirm, and for the seller to ship.

It must never change a deadline that has passed: what is due then happens.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from common.errors import DomainError
from ledger.usecases import use_case
from orders import events
from orders.locks import lock_order
from orders.models import Order, OrderState
from orders.services.lifecycle import ShippingTooLate, require_running, require_state

MAX_SHIP_EXTENSION = timedelta(days=15)


class By(StrEnum):
    """Who asks for more time, as the event tells it."""

    BUYER = "BUYER"
    MERCHANT = "MERCHANT"
    PLATFORM = "PLATFORM"


class ExtendedAlready(DomainError):
    """This deadline was extended before; that can be done once per order."""

    code = "extended_already"


class ConfirmationTooLate(DomainError):
    """The term for confirming has run out: the order is confirmed automatically."""

    code = "confirmation_deadline_passed"


class ExtensionInvalid(DomainError):
    """The new deadline lies too early or too late."""

    code = "extension_invalid"
    status = 422


@use_case()
def extend_confirmation(*, order_id: str, by: str, at: datetime) -> Order:
    """Give the buyer more time to confirm, once: as much as was frozen on the order.

    Money: none; it is released later. The reminder moves with the deadline.
    Args: by: By.BUYER or By.PLATFORM.
    Raises: OrderNotFound, OrderStateConflict, ExtendedAlready, ClockPaused, ConfirmationTooLate.
    Idempotent: no: the second extension is refused. Locks: the order.
    """
    assert by in (By.BUYER, By.PLATFORM), by
    order = lock_order(order_id)
    require_state(order, OrderState.SHIPPED)
    assert order.confirm_by is not None
    if order.confirm_extended_at is not None:
        raise _extended(order, "confirm_by", order.confirm_by)
    require_running(order)
    if at >= order.confirm_by:
        raise ConfirmationTooLate(
            f"Receipt had to be confirmed before {order.confirm_by:%Y-%m-%d %H:%M:%S} UTC.",
            confirm_by=order.confirm_by.isoformat(),
        )
    before = order.confirm_by
    longer = timedelta(seconds=order.confirm_extension_seconds)
    order.extend_confirmation(at=at, confirm_by=before + longer)
    _record(order, "order.confirm_extended", by=by, before=before, at=at)
    order.save(
        update_fields=["confirm_by", "confirm_extended_at", "remind_confirm_at", "event_sequence"]
    )
    return order


@use_case()
def extend_shipping(*, order_id: str, ship_by: datetime, by: str, at: datetime) -> Order:
    """Give the seller until `ship_by`, once.

    Money: none; it is refunded later when nothing is shipped. The reminder moves with the deadline.
    Args: ship_by: later than the present deadline, by 15 days at most. by: By.MERCHANT or
        By.PLATFORM.
    Raises: OrderNotFound, OrderStateConflict, ExtendedAlready, ShippingTooLate, ExtensionInvalid.
    Idempotent: no: the second extension is refused. Locks: the order.
    """
    assert by in (By.MERCHANT, By.PLATFORM), by
    order = lock_order(order_id)
    require_state(order, OrderState.PAID)
    assert order.ship_by is not None
    if order.ship_extended_at is not None:
        raise _extended(order, "ship_by", order.ship_by)
    if at > order.ship_by:
        raise ShippingTooLate(
            f"The order had to be shipped by {order.ship_by:%Y-%m-%d %H:%M:%S} UTC;"
            " it is being refunded.",
            ship_by=order.ship_by.isoformat(),
        )
    if not order.ship_by < ship_by <= order.ship_by + MAX_SHIP_EXTENSION:
        raise ExtensionInvalid(
            f"`ship_by` must be later than {order.ship_by:%Y-%m-%d %H:%M:%S} UTC, by"
            f" {MAX_SHIP_EXTENSION.days} days at most.",
            field="ship_by",
            ship_by=order.ship_by.isoformat(),
        )
    before = order.ship_by
    order.extend_shipping(at=at, ship_by=ship_by)
    _record(order, "order.ship_extended", by=by, before=before, at=at)
    order.save(update_fields=["ship_by", "ship_extended_at", "remind_ship_at", "event_sequence"])
    return order


def _extended(order: Order, name: str, deadline: datetime) -> ExtendedAlready:
    return ExtendedAlready(
        f"Order {order.id} was given more time already, until {deadline:%Y-%m-%d %H:%M:%S} UTC;"
        " that can be done once.",
        **{"order": order.id, name: deadline.isoformat()},
    )


def _record(order: Order, type: str, *, by: str, before: datetime, at: datetime) -> None:
    extra = {"by": str(by), "before": events.instant(before)}
    events.record_order_event(order, type, at=at, sequence=order.next_sequence(), extra=extra)
