"""What is answered about payments: every field, with its unit."""

from typing import Any

from rest_framework import serializers

from api.v1.answers.fields import Answer, amount, code, later, text
from notifications import buyer_links


class PaymentPartAnswer(Answer):
    order = text("Id of the order.", source="order_id")
    amount_minor = amount("Its part of the payment, in minor units of the payment's currency.")


class PaymentAnswer(Answer):
    """One attempt of a buyer to pay."""

    id = text("Id of the payment, pay_….")
    state = text("PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN.")
    next_step = serializers.SerializerMethodField(help_text="What to do now, in a sentence.")
    channel = text("Payment channel.")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("What the buyer pays, in minor units.")
    orders = PaymentPartAnswer(
        many=True, source="parts.all", help_text="Which part is for which order."
    )
    pay_url = serializers.SerializerMethodField(
        help_text="Our page for this payment, as a link: the buyer scans or follows the channel's"
        " cashier there, pays another way, and sees how it stands."
    )
    cashier_url = code("Where to send the buyer to pay.")
    return_url = code("Where the buyer returns to.")
    created_at = later("When you created it.")
    expires_at = later("Until when the buyer can pay.")
    succeeded_at = later("When the buyer had paid.")
    failure_code = code("Why the channel refused.")

    STEPS = {
        "PENDING": "Send the buyer to cashier_url.",
        "SUCCEEDED": "Nothing: the money is held for the orders.",
        "FAILED": "The channel refused. Create another payment if the buyer still wants to pay.",
        "EXPIRED": "It is too late to pay. Money that still arrives is sent back.",
        "UNKNOWN": "The channel has not answered clearly. Do not create another payment: Holdfast "
        "keeps asking, read this payment again in half a minute.",
    }

    def get_pay_url(self, payment: Any) -> str:
        return buyer_links.payment_url(payment.id, expires_at=payment.expires_at)

    def get_next_step(self, payment: Any) -> str:
        return self.STEPS[payment.state]
