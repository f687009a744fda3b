"""What callers send: the shape of every body.

It must never repeat a rule about money or states: those are the services'.
"""

from datetime import datetime, timedelta

from rest_framework import serializers

from api.fields import (
    AmountField,
    EmailField,
    InstantField,
    StrictSerializer,
    TextField,
    WebAddressField,
    WholeNumberField,
)
from common.ids import MAX_LENGTH
from orders.models import CancelReason, Delivery
from orders.services.creation import MAX_LINES
from orders.services.payments import MAX_ORDERS

MAX_METADATA = 20
MAX_METADATA_NAME = 40
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
    """Who buys. Both members may be left out."""

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
    metadata = serializers.DictField(
        child=TextField(max_length=500, allow_blank=True),
        required=False,
        help_text=f"Your own notes: up to {MAX_METADATA} names of {MAX_METADATA_NAME} characters, "
        "with texts of 500.",
    )

    def validate_ship_by(self, value: datetime | None) -> datetime | None:
        return self._ahead(value)

    def validate_expected_delivery_at(self, value: datetime | None) -> datetime | None:
        return self._ahead(value)

    def validate_metadata(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MAX_METADATA:
            raise serializers.ValidationError(f"At most {MAX_METADATA} names.", code="too_many")
        for name in value:
            if not 1 <= len(name) <= MAX_METADATA_NAME:
                raise serializers.ValidationError(
                    f"Names have 1 to {MAX_METADATA_NAME} characters.", code="name_length"
                )
        return value

    def _ahead(self, value: datetime | None) -> datetime | None:
        at = self.context["at"]
        if value is not None and not at < value <= at + MAX_AHEAD:
            raise serializers.ValidationError(
                f"Send an instant in the future, at most {MAX_AHEAD.days} days ahead.",
                code="not_ahead",
            )
        return value


class ShipmentRequest(StrictSerializer):
    """The parcel that was handed over."""

    carrier = TextField(max_length=64, help_text="Who carries the parcel.")
    tracking_number = TextField(max_length=64, help_text="The carrier's number of the parcel.")


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


class PaymentRequest(StrictSerializer):
    """How a buyer wants to pay one or several orders."""

    orders = serializers.ListField(
        child=TextField(max_length=MAX_LENGTH),
        min_length=1,
        max_length=MAX_ORDERS,
        help_text=f"Ids of the orders paid together, ord_…, 1 to {MAX_ORDERS}, of one currency.",
    )
    channel = TextField(max_length=32, help_text="Name of the payment channel, such as sandbox.")
    return_url = WebAddressField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="Where the buyer returns after paying.",
    )
