"""What is answered about sellers, their bank accounts and commission plans."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, amount, code, instant, later, text, truth, whole
from merchants.services.rule_import import RuleImport


class MerchantAnswer(Answer):
    """A seller on your platform."""

    id = text("Id of the seller, mer_….")
    reference = text("Your own name for the seller.")
    name = text("Name of the seller.")
    email = text("Where Holdfast writes to; may be empty.")
    language = text("en or zh-hans: the language of mails to the seller.")
    time_zone = text("IANA time zone of dates in mails to the seller; empty: your platform's.")
    active = truth("Whether new orders may name this seller.")
    reserve_bps = whole(
        "Held back of each release, in basis points; null: as the plan says.", allow_null=True
    )
    reserve_days = whole("For how many days it is held back.", allow_null=True)
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
    payee = text("MERCHANT, PARTY or PLATFORM: whose account it is.")
    merchant = code("Id of the seller, when it is one.", source="merchant_id")
    party = code("Id of the further party, when it is one.", source="party_id")
    currency = text("ISO 4217 code.")
    holder_name = text("Holder of the account.")
    bank_code = text("Code of the bank.")
    bank_name = text("Name of the bank; may be empty.")
    last_four = text("Last four characters of the number.")
    active = truth("Whether payouts go there.")
    status = text(
        "WAITING: given in place of another one, and its cool-off is not over. IN_FORCE: payouts "
        "go there. REPLACED: they did once. CANCELED: they never did.",
        source="state",
    )
    effective_at = instant("When payouts go there, or went; of a canceled one: were to go.")
    created_at = instant("When you gave it.")


class PartyAnswer(Answer):
    """A further party: somebody a rule may give a part of a sale."""

    id = text("Id of the party, pty_….")
    reference = text("Your own name for the party.")
    name = text("Name of the party.")
    created_at = instant("When you created it.")


class PartyShareAnswer(Answer):
    party = text("Id of the further party.", source="party_id")
    name = text("Its name when the rule was added.")
    rate_bps = whole("Its rate of the rule's base, in basis points.")
    fixed_minor = amount("Its fixed part per order, in minor units.")


class TierAnswer(Answer):
    from_minor = amount("Goods sold in the 30 days before, in minor units, at least.")
    rate_bps = whole("Rate of the whole order then, in basis points.")


class RuleAnswer(Answer):
    """What the platform takes of a sale. Never edited: another rate is another rule."""

    id = text("Id of the rule, crl_….")
    priority = whole("The higher one wins.")
    merchant = code("Only for this seller.", source="merchant_id")
    category = code("Only for this category.")
    channel = code("Only for orders paid through this channel.")
    min_order_minor = amount(
        "Only for orders of at least this much, in minor units; null: no bound.", allow_null=True
    )
    max_order_minor = amount(
        "Only for orders of at most this much, in minor units; null: no bound.", allow_null=True
    )
    currency = text("ISO 4217 code.")
    rate_bps = whole("Rate in basis points: 500 is 5 %.")
    fixed_minor = amount("Fixed part per order, in minor units.")
    floor_minor = amount("At least this much, in minor units; null: none.", allow_null=True)
    cap_minor = amount("At most this much, in minor units; null: none.", allow_null=True)
    base = text("GOODS or GOODS_AND_SHIPPING: what the rate is taken of.")
    tax_bps = whole("Tax on the commission, in basis points of it.")
    parties = PartyShareAnswer(many=True, help_text="Further parties that get a part of the base.")
    tiers = TierAnswer(many=True, help_text="Other rates by what the seller has sold, rising.")
    effective_from = instant("Orders created from this instant.")
    effective_to = later("Orders created before this instant.")


class RowErrorAnswer(Answer):
    line = whole("Line of the file, counted from 1.")
    column = code("Name of the column, when it is one column's.")
    code = text("What kind of error it is.")
    sentence = text("What is wrong, in words.")


class ImportAnswer(Answer):
    """What a file of rules would add, or has added."""

    applied = truth("Whether the rules were added; false in a dry run.")
    count = serializers.SerializerMethodField(help_text="Number of rules; 0 when it has errors.")
    errors = RowErrorAnswer(many=True, help_text="What is wrong, line by line.")

    def get_count(self, found: RuleImport) -> int:
        return len(found.rules)


class PlanAnswer(Answer):
    """A list of commission rules; at most one of a platform is in force."""

    id = text("Id of the plan, cpl_….")
    name = text("Name of the plan.")
    active = truth("Whether new orders are priced by it.")
    commission_returned_bps = whole(
        "What a seller gets back of the commission when an order is refunded, in basis points."
    )
    service_fee_returned_bps = whole(
        "What a seller gets back of the service fee when an order is refunded, in basis points."
    )
    party_returned_bps = whole(
        "What a seller gets back of parties' parts when an order is refunded, in basis points."
    )
    channel_fee_bps = whole(
        "What the payment channel keeps of an order, in basis points; inside the service fee."
    )
    channel_fee_returned_bps = whole(
        "What a seller gets back of that part when an order is refunded, in basis points."
    )
    reserve_bps = whole("Held back of each release of a seller, in basis points; 0: nothing.")
    reserve_days = whole("For how many days it is held back.")
    required_reserve_bps = whole(
        "What the operator wants held back at least, in basis points; 0: nothing."
    )
    required_reserve_days = whole("For how many days at least.")
    guarantee_days = whole(
        "Days after which your commission pays what a seller cannot give back; null: never.",
        allow_null=True,
    )
    created_at = instant("When you created it.")
    rules = RuleAnswer(many=True, source="rules.all", help_text="All its rules, ended ones too.")
