"""What is answered about held, released and refunded money, and about balances."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, amount, code, instant, later, text, whole

STATES_OF_REFUND = "PENDING, SUBMITTED, SUCCEEDED, FAILED or UNKNOWN."


class ShareAnswer(Answer):
    payee = text("MERCHANT, PLATFORM, TAX, PARTY or SERVICE_FEE.")
    amount_minor = amount("The payee's part, in minor units of the hold's currency.")


class HoldAnswer(Answer):
    """One order's money in the reserve."""

    id = text("Id of the hold, hld_….")
    order = text("Id of the order.", source="order_id")
    payment = text("Id of the payment it came with.", source="payment_id")
    state = text("HELD, FROZEN, RELEASED or REFUNDED.")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("What the buyer paid for this order, in minor units.")
    released_minor = amount("Released to payees so far, in minor units.")
    refunded_minor = amount("Refunded to the buyer so far, in minor units.")
    remaining_minor = amount("Still held, in minor units.")
    shares = ShareAnswer(
        many=True, source="shares.all", help_text="Who gets how much when it is released whole."
    )
    held_at = instant("Since when it is held.")
    closed_at = later("When nothing was held any more.")


class ReleaseLineAnswer(Answer):
    payee = text(
        "MERCHANT, RESERVE (the seller's, held back), PLATFORM, TAX, PARTY or SERVICE_FEE."
    )
    amount_minor = amount("What the payee received, in minor units of the release's currency.")
    settlement = code("Id of the statement that pays it, set_….", source="settlement_id")


class ReleaseAnswer(Answer):
    """Held money given to its payees."""

    id = text("Id of the release, rel_….")
    order = text("Id of the order.", source="hold.order_id")
    hold = text("Id of the hold.", source="hold_id")
    currency = text("ISO 4217 code of all amounts.")
    amount_minor = amount("What was taken out of the hold, in minor units; the sum of the lines.")
    confirmed_by = text("BUYER, AUTOMATIC, OPERATOR or DISPUTE.")
    released_at = instant("When.")
    lines = ReleaseLineAnswer(many=True, source="lines.all", help_text="Who received how much.")


class RefundLineAnswer(Answer):
    position = whole("Which line of the order.", source="line.position")
    amount_minor = amount("How much of it, in minor units of the refund's currency.")


class SignedReceiptAnswer(Answer):
    """The receipt of a release: canonical JSON, to be kept and verified byte for byte."""

    receipt = serializers.DictField(
        read_only=True,
        child=serializers.JSONField(),
        help_text="What happened: who, what, when, by which terms, on which evidence.",
    )
    signature = text("Base64 of the Ed25519 signature over the canonical `receipt`.")


class ReceiptKeyAnswer(Answer):
    """A public key that verifies receipts. It goes on verifying after a newer one took over."""

    id = text("Id of the key, as a receipt names it.")
    since = instant("It signs receipts of releases booked since then, until a newer one does.")
    algorithm = text("Ed25519.")
    public_key = text("PEM.")
    jwk = serializers.DictField(
        read_only=True, child=serializers.CharField(), help_text="The same as a JWK (RFC 8037)."
    )


class BankRefundAnswer(Answer):
    """An attempt to pay a refund the channel refused into the buyer's bank account."""

    id = text("Id of the attempt, brf_….")
    state = text("PROPOSED, APPROVED, SENDING, UNKNOWN, PAID, FAILED, RETURNED or DROPPED.")
    last_four = text("Last four characters of the buyer's account.")
    created_at = instant("When it was proposed.")
    paid_at = later("When the bank had paid it.")
    returned_at = later("When the bank sent it back.")
    failure_code = code("Why it failed, came back or was given up.")


class RefundAnswer(Answer):
    """Money on its way back to the buyer."""

    id = text("Id of the refund, ref_….")
    payment = text("The payment that is refunded.", source="payment_id")
    state = text(STATES_OF_REFUND)
    amount_minor = amount("What the buyer gets back, in minor units of the currency.")
    currency = text("ISO 4217 code.")
    order = text("Id of the order.", source="order_id")
    reason = text("Why.")
    shares = ShareAnswer(
        many=True, source="shares.all", help_text="Who gives how much; none for surplus money."
    )
    lines = RefundLineAnswer(
        many=True, source="lines.all", help_text="What of which lines, when asked for by lines."
    )
    created_at = instant("Since when it is owed.")
    succeeded_at = later("When the buyer had it back.")
    failure_code = code("Why the channel refuses it.")
    bank_refunds = BankRefundAnswer(
        many=True,
        source="bank_refunds.all",
        help_text="By the buyer's bank instead of the channel, which refused: oldest first.",
    )


class BalanceAnswer(Answer):
    """What one payee has where, in one currency."""

    payee = text("PLATFORM, MERCHANT or PARTY.")
    merchant = code("Id of the seller.", source="merchant_id")
    party = code("Id of the further party.", source="party_id")
    currency = text("ISO 4217 code of all amounts.")
    held_minor = amount("Planned for it out of money still held, in minor units.")
    payable_minor = amount("Released to it and not yet paid out, in minor units.")
    reserved_minor = amount("Held back of its releases for some days, in minor units.")
    in_transit_minor = amount("Sent to its bank and not yet known to be paid, in minor units.")
    paid_out_minor = amount("Paid to its bank so far, in minor units.")
