"""What is answered about sellers, their bank accounts and commission plans."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, amount, code, instant, later, text, truth, whole


class MerchantAnswer(Answer):
    """A seller on your platform."""

    id = text("Id of the seller, mer_….")
    reference = text("Your own name for the seller.")
    name = text("Name of the seller.")
    email = text("Where Holdfast writes to; may be empty.")
    language = text("en or zh-hans: the language of mails to the seller.")
    active = truth("Whether new orders may name this seller.")
    created_at = instant("When you created it.")


class OnboardingAnswer(Answer):
    status = text("pending: something is missing before it can be paid; ready; suspended.")
    missing = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Codes of what is missing before the seller can be paid.",
    )


class MerchantDetailAnswer(MerchantAnswer):
    """A seller with how far the onboarding has come."""

    onboarding = OnboardingAnswer(help_text="What is still needed before the seller can be paid.")


class BankAccountAnswer(Answer):
    """Where a payee wants to be paid. The number itself is never answered."""

    id = text("Id of the account, bac_….")
    merchant = code("Id of the seller; null: the platform's own account.", source="merchant_id")
    currency = text("ISO 4217 code.")
    holder_name = text("Holder of the account.")
    bank_code = text("Code of the bank.")
    bank_name = text("Name of the bank; may be empty.")
    last_four = text("Last four characters of the number.")
    active = truth("Whether payouts go there.")
    created_at = instant("When you gave it.")


class RuleAnswer(Answer):
    """What the platform takes of a sale. Never edited: another rate is another rule."""

    id = text("Id of the rule, crl_….")
    priority = whole("The higher one wins.")
    merchant = code("Only for this seller.", source="merchant_id")
    category = code("Only for this category.")
    currency = text("ISO 4217 code.")
    rate_bps = whole("Rate in basis points: 500 is 5 %.")
    fixed_minor = amount("Fixed part per order, in minor units.")
    floor_minor = amount("At least this much, in minor units; null: none.", allow_null=True)
    cap_minor = amount("At most this much, in minor units; null: none.", allow_null=True)
    base = text("GOODS or GOODS_AND_SHIPPING: what the rate is taken of.")
    effective_from = instant("Orders created from this instant.")
    effective_to = later("Orders created before this instant.")


class PlanAnswer(Answer):
    """A list of commission rules; at most one of a platform is in force."""

    id = text("Id of the plan, cpl_….")
    name = text("Name of the plan.")
    active = truth("Whether new orders are priced by it.")
    commission_returned_bps = whole(
        "How many basis points of the commission a seller gets back when an order is refunded."
    )
    service_fee_returned_bps = whole(
        "How many basis points of the service fee a seller gets back when an order is refunded."
    )
    party_returned_bps = whole(
        "How many basis points of further parties' parts a seller gets back on a refund."
    )
    created_at = instant("When you created it.")
    rules = RuleAnswer(many=True, source="rules.all", help_text="All its rules, ended ones too.")
