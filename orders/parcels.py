"""What a parcel must look like, and writing the parcels of a locked order.

It must never move the order's state, nor its deadlines: a further parcel restarts no clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from common.errors import DomainError
from orders.models import MAX_PARCELS, Order, Shipment

LONGEST = 64  # of the carrier's name and of the tracking number


class ParcelInvalid(DomainError):
    """The carrier or the tracking number is missing or too long."""

    code = "parcel_invalid"
    status = 422


class ParcelKnown(DomainError):
    """The order has this parcel already; nothing was added."""

    code = "parcel_known"


class TooManyParcels(DomainError):
    """An order has 15 parcels at most."""

    code = "too_many_parcels"


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel as the seller names it."""

    carrier: str
    tracking_number: str


def check_parcel(parcel: NewParcel) -> None:
    """Raises: ParcelInvalid."""
    for field in ("carrier", "tracking_number"):
        if not 1 <= len(getattr(parcel, field)) <= LONGEST:
            raise ParcelInvalid(
                "Give the carrier and the tracking number, 64 characters each at most.", field=field
            )


def refuse_known(order: Order, parcel: NewParcel) -> None:
    """Raises: ParcelKnown when the locked order has this parcel already."""
    known = order.shipments.filter(
        carrier=parcel.carrier, tracking_number=parcel.tracking_number
    ).first()
    if known is not None:
        raise ParcelKnown(
            f"Order {order.id} has parcel {parcel.carrier} {parcel.tracking_number} already.",
            shipment=known.id,
        )


def write_parcels(
    order: Order, parcels: Sequence[NewParcel], *, sent: int, at: datetime
) -> list[Shipment]:
    """Step: write parcels of an order that the caller has locked, in the order given.

    Args: sent: how many parcels the order has already.
    Raises: ParcelInvalid, ParcelKnown, TooManyParcels.
    """
    assert connection.in_atomic_block
    for parcel in parcels:
        check_parcel(parcel)
    if len(set(parcels)) < len(parcels):
        raise ParcelInvalid("Name each parcel once.", field="tracking_number")
    if sent + len(parcels) > MAX_PARCELS:
        raise TooManyParcels(
            f"An order has {MAX_PARCELS} parcels at most; {order.id} has {sent} already.",
            order=order.id,
            parcels=sent,
        )
    for parcel in parcels if sent else ():
        refuse_known(order, parcel)
    return Shipment.objects.bulk_create(
        Shipment(
            order=order,
            position=position,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            shipped_at=at,
        )
        for position, parcel in enumerate(parcels, start=sent + 1)
    )
