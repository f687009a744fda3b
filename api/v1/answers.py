"""What callers are answered: every field, with its unit.

It must never show a token, a hash or a sealed number.
"""

from typing import Any

from rest_framework import serializers

from api.fields import AmountField, InstantField


def _text(help_text: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, read_only=True, **options)


def _amount(help_text: str, **options: Any) -> AmountField:
    return AmountField(help_text=help_text, read_only=True, **options)


def _instant(help_text: str, **options: Any) -> InstantField:
    return InstantField(
        help_text=f"{help_text} RFC 3339, UTC; null: not yet.", read_only=True, **options
    )


class CodeField(serializers.CharField):
    """A code, or null when there is none."""

    def to_representation(self, value: Any) -> str | None:
        return super().to_representation(value) or None


def _code(help_text: str, **options: Any) -> CodeField:
    return CodeField(help_text=f"{help_text} null: none.", read_only=True, **options)


class LineAnswer(serializers.Serializer):
    title = _text("What is sold.")
    category = _text("Category that chose the commission rule.")
    quantity = serializers.IntegerField(help_text="Number of pieces.", read_only=True)
    amount_minor = _amount("Price of the whole line, in minor units of the order's currency.")


class BuyerAnswer(serializers.Serializer):
    name = _text("Name of the buyer.", source="buyer_name")
    email = _text("Address of the buyer.", source="buyer_email")


class DeadlinesAnswer(serializers.Serializer):
    pay_by = _instant("Unpaid by then, the order expires.")
    ship_by = _instant("Unshipped by then, the order is canceled and the buyer refunded.")
    expected_delivery_at = _instant("When the goods should arrive.")
    confirm_by = _instant("Unconfirmed by then, the order is confirmed automatically.")


class OrderPaymentAnswer(serializers.Serializer):
    id = _text("Id of the payment, pay_….", source="payment_id")
    channel = _text("Payment channel.", source="payment.channel")
    state = _text("PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN.", source="payment.state")
    amount_minor = _amount("This order's part of the payment, in minor units of its currency.")
    succeeded_at = _instant("When the buyer had paid.", source="payment.succeeded_at")


class ShipmentAnswer(serializers.Serializer):
    id = _text("Id of the parcel, shp_….")
    carrier = _text("Who carries it.")
    tracking_number = _text("The carrier's number.")
    shipped_at = _instant("When it was handed over.")


class RefundAnswer(serializers.Serializer):
    id = _text("Id of the refund, ref_….")
    payment = _text("The payment that is refunded.", source="payment_id")
    state = _text("PENDING, SUBMITTED, SUCCEEDED, FAILED or UNKNOWN.")
    amount_minor = _amount("What the buyer gets back, in minor units of the currency.")
    currency = _text("ISO 4217 code.")
    reason = _text("Why.")
    created_at = _instant("Since when it is owed.")
    succeeded_at = _instant("When the buyer had it back.")
    failure_code = _code("Why the channel refuses it.")


class SplitLineAnswer(serializers.Serializer):
    payee = _text("MERCHANT, PLATFORM, PARTY or SERVICE_FEE.")
    amount_minor = _amount("The payee's part, in minor units of the order's currency.")
    status = _text(
        "planned, void, kept, payable, awaiting_approval, sending, paid, failed or returned."
    )
    settlement = _code("Id of the statement that pays it, set_….")
    payout = _code("Id of the latest payout of that statement, po_….")
    payout_state = _code("State of that payout.")
    paid_at = _instant("When the bank had paid it.")


class RemarkAnswer(serializers.Serializer):
    code = _text("What kind of step this is.")
    sentence = _text("The step in words.")


class TermsAnswer(serializers.Serializer):
    """The commission terms frozen at the order's creation. Later changes of a plan move nothing."""

    commission_minor = _amount(
        "The platform's commission, in minor units.", source="terms.commission_minor"
    )
    service_fee_minor = _amount("Holdfast's fee, in minor units.", source="terms.service_fee_minor")
    service_fee_bps = serializers.IntegerField(
        help_text="Holdfast's fee in basis points of the whole amount.",
        read_only=True,
        source="terms.service_fee_bps",
    )
    seller_minor = _amount(
        "What is left for the seller, in minor units.", source="terms.seller_minor"
    )
    explanation = RemarkAnswer(many=True, help_text="How the split came about, step by step.")


class OrderAnswer(serializers.Serializer):
    """An order with everything that hangs on it. Written from an api.status.Picture."""

    id = _text("Id of the order, ord_….", source="order.id")
    reference = _text("Your own order number.", source="order.reference")
    merchant = _text("Id of the seller.", source="order.merchant_id")
    status = _text(
        "awaiting_payment, paid, shipped, frozen, released, paid_out, expired, canceled, refunding "
        "or refunded."
    )
    currency = _text("ISO 4217 code of all amounts.", source="order.currency")
    amount_minor = _amount(
        "What the buyer pays, in minor units: goods and shipping.", source="order.amount_minor"
    )
    goods_minor = _amount("Sum of the lines, in minor units.", source="order.goods_minor")
    shipping_minor = _amount("Shipping, in minor units.", source="order.shipping_minor")
    lines = LineAnswer(many=True, source="order.lines.all", help_text="What is sold.")
    delivery = _text("COURIER, PICKUP or VIRTUAL.", source="order.delivery")
    buyer = BuyerAnswer(source="order", help_text="Who buys.")
    deadlines = DeadlinesAnswer(source="order", help_text="What happens by itself, and when.")
    created_at = _instant("When you created it.", source="order.created_at")
    paid_at = _instant("When the buyer had paid.", source="order.paid_at")
    shipped_at = _instant("When the seller shipped.", source="order.shipped_at")
    confirmed_at = _instant("When receipt was confirmed.", source="order.confirmed_at")
    confirmed_by = _code("BUYER, AUTOMATIC or OPERATOR.", source="order.confirmed_by")
    canceled_at = _instant("When it was canceled.", source="order.canceled_at")
    cancel_reason = _code("NOT_SHIPPED, PLATFORM or MERCHANT.", source="order.cancel_reason")
    payments = OrderPaymentAnswer(many=True, help_text="Payments made for it, oldest first.")
    shipments = ShipmentAnswer(many=True, help_text="Its parcels, oldest first.")
    refunds = RefundAnswer(many=True, help_text="Money going back to the buyer, oldest first.")
    split = SplitLineAnswer(many=True, help_text="Who gets how much; sums to the order's amount.")
    terms = TermsAnswer(source="*", help_text="The frozen commission terms.")
    metadata = serializers.DictField(
        source="order.metadata", read_only=True, help_text="Your own notes."
    )


class ReceiptAnswer(serializers.Serializer):
    """What a buyer is told: nothing of the split."""

    id = _text("Id of the order.")
    confirmed_at = _instant("When receipt was confirmed.")


class PaymentPartAnswer(serializers.Serializer):
    order = _text("Id of the order.", source="order_id")
    amount_minor = _amount("Its part of the payment, in minor units of the payment's currency.")


class PaymentAnswer(serializers.Serializer):
    """One attempt of a buyer to pay."""

    id = _text("Id of the payment, pay_….")
    state = _text("PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN.")
    next_step = serializers.SerializerMethodField(help_text="What to do now, in a sentence.")
    channel = _text("Payment channel.")
    currency = _text("ISO 4217 code of all amounts.")
    amount_minor = _amount("What the buyer pays, in minor units.")
    orders = PaymentPartAnswer(
        many=True, source="parts.all", help_text="Which part is for which order."
    )
    cashier_url = _code("Where to send the buyer to pay.")
    return_url = _code("Where the buyer returns to.")
    created_at = _instant("When you created it.")
    expires_at = _instant("Until when the buyer can pay.")
    succeeded_at = _instant("When the buyer had paid.")
    failure_code = _code("Why the channel refused.")

    STEPS = {
        "PENDING": "Send the buyer to cashier_url.",
        "SUCCEEDED": "Nothing: the money is held for the orders.",
        "FAILED": "The channel refused. Create another payment if the buyer still wants to pay.",
        "EXPIRED": "It is too late to pay. Money that still arrives is sent back.",
        "UNKNOWN": "The channel has not answered clearly. Do not create another payment: Holdfast "
        "keeps asking, read this payment again in half a minute.",
    }

    def get_next_step(self, payment: Any) -> str:
        return self.STEPS[payment.state]
