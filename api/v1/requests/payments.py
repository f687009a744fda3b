"""What callers send about payments: the shape of every body."""

from rest_framework import serializers

from api.fields import StrictSerializer, TextField, WebAddressField
from common.ids import MAX_LENGTH
from orders.services.payments import MAX_ORDERS


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
