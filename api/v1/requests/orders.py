"""What callers send: the shape of every body.

It must never repeat a rule about money or states: those are the services'.
"""

from datetime import datetime, timedelta

from rest_framework import serializers

from api.fields import (
    AmountField,
    EmailField,
    InstantField,
    MetadataField,
    StrictSerializer,
    TextField,
    TimeZoneField,
    WholeNumberField,
)
from common.ids import MAX_LENGTH
from orders.models import CancelReason, Delivery
from orders.parcels import MAX_PARCELS
from orders.services.bulk import MAX_ORDERS as MAX_BULK
from orders.services.creation import MAX_LINES

MAX_QUANTITY = 1_000_000
MAX_AHEAD = timedelta(days=365)


class LineRequest(StrictSerializer):
    """One kind of goods."""

    title = TextField(max_length=200, help_text="What is sold, as the buyer reads it.")
    amount_minor = AmountField(
        help_text="Price of the whole line, not per piece, in minor units of the order's currency."
    )
    category = TextField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Chooses the commission rule.",
    )
    quantity = WholeNumberField(
        min_value=1,
        max_value=MAX_QUANTITY,
        required=False,
        default=1,
        help_text="Number of pieces.",
    )


class BuyerRequest(StrictSerializer):
    """Who buys. All members may be left out."""

    name = TextField(
        max_length=120,
        required=False,
        allow_blank=True,
        default="",
        help_text="For the seller's papers.",
    )
    email = EmailField(
        required=False, allow_blank=True, default="", help_text="Where reminders are sent."
    )
    time_zone = TimeZoneField(
        required=False,
        allow_blank=True,
        default="",
        help_text="IANA time zone of dates in mails to the buyer; empty: your platform's.",
    )


class OrderRequest(StrictSerializer):
    """A new order: what one buyer buys from one seller."""

    reference = TextField(
        max_length=64, help_text="Your own order number, unique on your platform."
    )
    merchant = TextField(max_length=MAX_LENGTH, help_text="Id of the seller, mer_….")
    currency = TextField(min_length=3, max_length=3, help_text="ISO 4217 code, such as CNY.")
    lines = LineRequest(
        many=True,
        min_length=1,
        max_length=MAX_LINES,
        help_text=f"What is sold, 1 to {MAX_LINES} lines.",
    )
    shipping_minor = AmountField(
        required=False,
        default=0,
        help_text="Shipping the buyer pays, in minor units of the order's currency.",
    )
    delivery = serializers.ChoiceField(
        choices=Delivery.choices,
        required=False,
        default=Delivery.COURIER,
        help_text="COURIER, PICKUP or VIRTUAL; decides how long the buyer has to confirm.",
    )
    buyer = BuyerRequest(required=False, help_text="Who buys.")
    ship_by = InstantField(
        required=False,
        allow_null=True,
        help_text="Latest shipping, instead of your platform's usual time. Unshipped by then, the "
        "buyer is refunded.",
    )
    expected_delivery_at = InstantField(
        required=False,
        allow_null=True,
        help_text="When the goods should arrive; automatic confirmation waits three days longer.",
    )
    metadata = MetadataField(
        required=False,
        help_text=f"Your own notes: up to {MetadataField.MOST_NAMES} names of "
        f"{MetadataField.LONGEST_NAME} characters, with texts of {MetadataField.LONGEST_TEXT}.",
    )

    def validate_ship_by(self, value: datetime | None) -> datetime | None:
        return self._ahead(value)

    def validate_expected_delivery_at(self, value: datetime | None) -> datetime | None:
        return self._ahead(value)

    def _ahead(self, value: datetime | None) -> datetime | None:
        at = self.context["at"]
        if value is not None and not at < value <= at + MAX_AHEAD:
            raise serializers.ValidationError(
                f"Send an instant in the future, at most {MAX_AHEAD.days} days ahead.",
                code="not_ahead",
            )
        return value


class BulkRequest(StrictSerializer):
    """Several new orders: all of them are created, or none."""

    orders = OrderRequest(
        many=True,
        min_length=1,
        max_length=MAX_BULK,
        help_text=f"1 to {MAX_BULK} orders, each as for POST /v1/orders.",
    )


class ParcelRequest(StrictSerializer):
    """A parcel that was handed over."""

    carrier = TextField(max_length=64, help_text="Who carries the parcel.")
    tracking_number = TextField(max_length=64, help_text="The carrier's number of the parcel.")


class ShipmentRequest(ParcelRequest):
    """The parcel, or the parcels, that were handed over; none for pickup and virtual goods."""

    carrier = TextField(
        max_length=64,
        required=False,
        help_text="Who carries the parcel. An order with delivery PICKUP or VIRTUAL needs none.",
    )
    tracking_number = TextField(
        max_length=64, required=False, help_text="The carrier's number of the parcel."
    )
    further = ParcelRequest(
        many=True,
        required=False,
        default=list,
        max_length=MAX_PARCELS - 1,
        help_text="Parcels handed over besides the first.",
    )


class ExtensionRequest(StrictSerializer):
    """More time, once: for the seller to ship a paid order, or for the buyer of a shipped one."""

    ship_by = InstantField(
        required=False,
        help_text="For an order that is not shipped yet: its new latest shipping, at most 15 days "
        "later. A shipped order's term gets the platform's usual extension; leave this out.",
    )


class CancellationRequest(StrictSerializer):
    """Why an order is canceled. The body may be left out."""

    reason = serializers.ChoiceField(
        choices=[CancelReason.PLATFORM.value, CancelReason.MERCHANT.value],
        required=False,
        default=CancelReason.PLATFORM.value,
        help_text="Who cancels: PLATFORM or MERCHANT.",
    )


class ConfirmationRequest(StrictSerializer):
    """The buyer's word that the goods are here."""

    token = TextField(
        max_length=200, help_text="The `buyer_token` of the answer to the order's creation."
    )
