"""Parcels after the first: adding one, and correcting what the seller mistyped.

It must never restart a clock: `confirm_by` counts from the first parcel.
"""

from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from orders import events
from orders.locks import lock_order
from orders.models import Order, OrderState, Shipment
from orders.parcels import NewParcel, check_parcel, refuse_known, write_parcels
from orders.services.lifecycle import require_state


class ParcelNotFound(DomainError):
    """The order has no such parcel."""

    code = "parcel_not_found"
    status = 404


class ParcelCorrected(DomainError):
    """A parcel may be corrected once, and this one was."""

    code = "parcel_corrected_already"


@use_case()
def add_parcel(*, order_id: str, carrier: str, tracking_number: str, at: datetime) -> Shipment:
    """The seller sends a further parcel of an order on its way, up to 15 in all.

    Money: none. Deadlines stay as they are.
    Raises: OrderNotFound, OrderStateConflict, ParcelInvalid, ParcelKnown, TooManyParcels.
    Idempotent: by carrier and tracking number: the second one is refused. Locks: the order.
    """
    order = lock_order(order_id)
    require_state(order, OrderState.SHIPPED)
    parcel = NewParcel(carrier=carrier, tracking_number=tracking_number)
    (shipment,) = write_parcels(order, [parcel], sent=order.shipments.count(), at=at)
    _record(order, "order.shipment_added", shipment, at=at)
    return shipment


@use_case()
def correct_parcel(
    *, order_id: str, shipment_id: str, carrier: str, tracking_number: str, at: datetime
) -> Shipment:
    """The seller mends a parcel's carrier or number: once per parcel, before confirmation.

    Money: none. Deadlines stay as they are; the event says what the parcel was called before.
    Raises: OrderNotFound, OrderStateConflict, ParcelNotFound, ParcelCorrected, ParcelInvalid,
        ParcelKnown.
    Locks: the order.
    """
    right = NewParcel(carrier=carrier, tracking_number=tracking_number)
    check_parcel(right)
    order = lock_order(order_id)
    require_state(order, OrderState.SHIPPED)
    shipment = Shipment.objects.filter(order=order, pk=shipment_id).first()
    if shipment is None:
        raise ParcelNotFound(f"Order {order_id} has no parcel {shipment_id}.", shipment=shipment_id)
    if shipment.corrected_at is not None:
        raise ParcelCorrected(
            f"Parcel {shipment_id} was corrected on {shipment.corrected_at:%Y-%m-%d %H:%M} UTC;"
            " that can be done once.",
            shipment=shipment_id,
        )
    refuse_known(order, right)
    wrong = {
        "old_carrier": shipment.carrier,
        "old_tracking_number": shipment.tracking_number,
    }
    shipment.carrier = carrier
    shipment.tracking_number = tracking_number
    shipment.corrected_at = at
    shipment.save(update_fields=["carrier", "tracking_number", "corrected_at"])
    _record(order, "order.shipment_corrected", shipment, at=at, **wrong)
    return shipment


def _record(order: Order, type: str, shipment: Shipment, *, at: datetime, **more: str) -> None:
    parcel = {
        "shipment": shipment.id,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
    }
    events.record_order_event(
        order, type, at=at, sequence=order.next_sequence(), extra={**parcel, **more}
    )
    order.save(update_fields=["event_sequence"])
