"""What is answered about orders: every field, with its unit."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, Related, amount, code, instant, later, text, whole
from api.v1.answers.merchants import MerchantAnswer

STATUS = (
    "awaiting_payment, paid, shipped, frozen, released, paid_out, expired, canceled, refunding or"
    " refunded."
)

SHOWN_ONCE = "The buyer's authority to confirm receipt. Shown in this answer only: keep it."
BUYER_URL = (
    "Our page for the buyer, as a link that is the buyer's authority: to pay, confirm, take more"
    " time or dispute without an account. Show it, or draw it as a QR code. It holds the token."
)
CONFIRM_URL = "Where the buyer's token is sent to confirm receipt."


class LineAnswer(Answer):
    title = text("What is sold.")
    category = text("Category that chose the commission rule.")
    quantity = whole("Number of pieces.")
    amount_minor = amount("Price of the whole line, in minor units of the order's currency.")


class BuyerAnswer(Answer):
    name = text("Name of the buyer.", source="buyer_name")
    email = text("Address of the buyer.", source="buyer_email")
    time_zone = text(
        "IANA time zone of dates in mails to the buyer; empty: your platform's.",
        source="buyer_time_zone",
    )


class DeadlinesAnswer(Answer):
    pay_by = later("Unpaid by then, the order expires.")
    ship_by = later("Unshipped by then, the order is canceled and the buyer refunded.")
    expected_delivery_at = later("When the goods should arrive.")
    confirm_by = later("Unconfirmed by then, the order is confirmed automatically.")
    paused_at = later("Since when the time to confirm stands still; it moves by the pause.")


class OrderPaymentAnswer(Answer):
    id = text("Id of the payment, pay_….", source="payment_id")
    channel = text("Payment channel.", source="payment.channel")
    state = text("PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN.", source="payment.state")
    amount_minor = amount("This order's part of the payment, in minor units of its currency.")
    succeeded_at = later("When the buyer had paid.", source="payment.succeeded_at")


class ShipmentAnswer(Answer):
    id = text("Id of the parcel, shp_….")
    carrier = text("Who carries it.")
    tracking_number = text("The carrier's number.")
    shipped_at = later("When it was handed over.")


class RefundAnswer(Answer):
    class Meta:
        ref_name = "OrderRefund"  # in the description; a refund by itself tells the same

    id = text("Id of the refund, ref_….")
    payment = text("The payment that is refunded.", source="payment_id")
    state = text("PENDING, SUBMITTED, SUCCEEDED, FAILED or UNKNOWN.")
    amount_minor = amount("What the buyer gets back, in minor units of the currency.")
    currency = text("ISO 4217 code.")
    reason = text("Why.")
    created_at = later("Since when it is owed.")
    succeeded_at = later("When the buyer had it back.")
    failure_code = code("Why the channel refuses it.")


class SplitLineAnswer(Answer):
    payee = text("MERCHANT, PLATFORM, TAX, PARTY or SERVICE_FEE.")
    amount_minor = amount("The payee's part, in minor units of the order's currency.")
    status = text(
        "planned, void, kept, payable, awaiting_approval, sending, paid, failed or returned."
    )
    settlement = code("Id of the statement that pays it, set_….")
    payout = code("Id of the latest payout of that statement, po_….")
    payout_state = code("State of that payout.")
    paid_at = later("When the bank had paid it.")


class RemarkAnswer(Answer):
    code = text("What kind of step this is.")
    sentence = text("The step in words.")


class PartyPartAnswer(Answer):
    party = text("Id of the further party.", source="party_id")
    name = text("Its name when the order was created.")
    amount_minor = amount("What it gets, in minor units of the order's currency.")


class TermsAnswer(Answer):
    """The commission terms frozen at the order's creation. Later changes of a plan move nothing."""

    commission_minor = amount(
        "The platform's commission, in minor units.", source="terms.commission_minor"
    )
    tax_minor = amount(
        "Tax on the commission, to the platform too, in minor units.", source="terms.tax_minor"
    )
    parties = PartyPartAnswer(
        many=True, source="terms.parties", help_text="What further parties get."
    )
    channel = code("Payment channel whose rules count.", source="terms.channel")
    service_fee_minor = amount("Holdfast's fee, in minor units.", source="terms.service_fee_minor")
    service_fee_bps = serializers.IntegerField(
        help_text="Holdfast's fee in basis points of the whole amount.",
        read_only=True,
        source="terms.service_fee_bps",
    )
    seller_minor = amount(
        "What is left for the seller, in minor units.", source="terms.seller_minor"
    )
    commission_returned_bps = whole(
        "What a seller gets back of the commission when an order is refunded, in basis points.",
        source="terms.refund.commission_returned_bps",
    )
    service_fee_returned_bps = whole(
        "What a seller gets back of the service fee when an order is refunded, in basis points.",
        source="terms.refund.service_fee_returned_bps",
    )
    party_returned_bps = whole(
        "What a seller gets back of parties' parts when an order is refunded, in basis points.",
        source="terms.refund.party_returned_bps",
    )
    channel_fee_bps = whole(
        "What the payment channel keeps of an order, in basis points; inside the service fee.",
        source="terms.refund.channel_fee_bps",
    )
    channel_fee_returned_bps = whole(
        "What a seller gets back of that part when an order is refunded, in basis points.",
        source="terms.refund.channel_fee_returned_bps",
    )
    reserve_bps = whole(
        "What of the seller's part is held back at the release, in basis points.",
        source="terms.reserve.bps",
    )
    reserve_days = whole("For how many days it is held back.", source="terms.reserve.days")
    guarantee_days = whole(
        "Days after which your commission pays what the seller cannot give back; null: never.",
        source="terms.guarantee.days",
        allow_null=True,
    )
    explanation = RemarkAnswer(many=True, help_text="How the split came about, step by step.")


class OrderSummaryAnswer(Answer):
    """An order in a list. Retrieve it by its id for its lines, split, payments and parcels."""

    id = text("Id of the order, ord_….")
    reference = text("Your own order number.")
    merchant = Related(whole=MerchantAnswer, attribute="merchant", help_text="The seller.")
    status = text(STATUS)
    state = text("CREATED, PAID, SHIPPED, CONFIRMED, EXPIRED or CANCELED.")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("What the buyer pays, in minor units: goods and shipping.")
    refunded_minor = amount(
        "What the buyer gets back of it so far, arrived or still on its way, in minor units."
    )
    deadlines = DeadlinesAnswer(source="*", help_text="What happens by itself, and when.")
    created_at = instant("When you created it.")
    paid_at = later("When the buyer had paid.")
    shipped_at = later("When the seller shipped.")
    confirmed_at = later("When receipt was confirmed.")
    canceled_at = later("When it was canceled.")
    metadata = serializers.DictField(
        read_only=True, child=serializers.CharField(), help_text="Your own notes."
    )


class OrderAnswer(Answer):
    """An order with everything that hangs on it. Written from an api.status.Picture."""

    id = text("Id of the order, ord_….", source="order.id")
    reference = text("Your own order number.", source="order.reference")
    merchant = text("Id of the seller.", source="order.merchant_id")
    status = text(STATUS)
    currency = text("ISO 4217 code of all amounts.", source="order.currency")
    amount_minor = amount(
        "What the buyer pays, in minor units: goods and shipping.", source="order.amount_minor"
    )
    refunded_minor = amount(
        "What the buyer gets back of it so far, arrived or still on its way, in minor units."
    )
    goods_minor = amount("Sum of the lines, in minor units.", source="order.goods_minor")
    shipping_minor = amount("Shipping, in minor units.", source="order.shipping_minor")
    lines = LineAnswer(many=True, help_text="What is sold.")
    delivery = text("COURIER, PICKUP or VIRTUAL.", source="order.delivery")
    buyer = BuyerAnswer(source="order", help_text="Who buys.")
    deadlines = DeadlinesAnswer(source="order", help_text="What happens by itself, and when.")
    created_at = later("When you created it.", source="order.created_at")
    paid_at = later("When the buyer had paid.", source="order.paid_at")
    shipped_at = later("When the seller shipped.", source="order.shipped_at")
    confirmed_at = later("When receipt was confirmed.", source="order.confirmed_at")
    confirmed_by = code("BUYER, AUTOMATIC, OPERATOR or DISPUTE.", source="order.confirmed_by")
    canceled_at = later("When it was canceled.", source="order.canceled_at")
    cancel_reason = code(
        "NOT_SHIPPED, PLATFORM, MERCHANT, REFUNDED, DISPUTE or CHARGEBACK.",
        source="order.cancel_reason",
    )
    payments = OrderPaymentAnswer(many=True, help_text="Payments made for it, oldest first.")
    shipments = ShipmentAnswer(many=True, help_text="Its parcels, oldest first.")
    refunds = RefundAnswer(many=True, help_text="Money going back to the buyer, oldest first.")
    split = SplitLineAnswer(many=True, help_text="Who gets how much; sums to the order's amount.")
    terms = TermsAnswer(source="*", help_text="The frozen commission terms.")
    metadata = serializers.DictField(
        source="order.metadata",
        read_only=True,
        child=serializers.CharField(),
        help_text="Your own notes.",
    )


class NewOrderAnswer(Answer):
    """An order that was just created."""

    id = text("Id of the order, ord_….")
    reference = text("Your own order number.")
    buyer_token = text(SHOWN_ONCE)
    confirm_url = text(CONFIRM_URL)
    buyer_url = text(BUYER_URL)


class CreatedOrderAnswer(OrderAnswer):
    """An order that was just created, with what its buyer confirms receipt with."""

    buyer_token = text(SHOWN_ONCE)
    confirm_url = text(CONFIRM_URL)
    buyer_url = text(BUYER_URL)


class ExtendedReceiptAnswer(Answer):
    """What a buyer is told who takes more time."""

    id = text("Id of the order.")
    confirm_by = later("Unconfirmed by then, the order is confirmed automatically.")


class ReceiptAnswer(Answer):
    """What a buyer is told: nothing of the split."""

    id = text("Id of the order.")
    confirmed_at = later("When receipt was confirmed.")
