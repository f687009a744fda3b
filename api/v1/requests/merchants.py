"""What callers send about sellers, bank accounts and commission: the shape of every body."""

from typing import Any

from rest_framework import serializers

from api.fields import (
    AmountField,
    DocumentField,
    EmailField,
    InstantField,
    StrictSerializer,
    TextField,
    TimeZoneField,
    TruthField,
    WholeNumberField,
)
from common.ids import MAX_LENGTH
from common.money import BPS
from merchants.guarantee_policy import MAX_GUARANTEE_DAYS
from merchants.models import BaseChoice, Language
from merchants.reserve_policy import MAX_RESERVE_DAYS
from merchants.services.commission import MAX_TIERS
from merchants.services.parties import MAX_PARTIES
from merchants.services.pricing import MAX_LINES, MAX_RULES
from merchants.services.rule_import import MAX_CHARACTERS

MAX_PRIORITY = 1_000_000
_RETURNED = "What a seller gets back of {} when it is refunded, in basis points."
_NOT_MORE = " Only operators agree to give back more of the fee."
_CHANNEL_PART = "the channel's part of the service fee"
CURRENCY = "ISO 4217 code, such as CNY."


def _amount(help_text: str) -> AmountField:
    return AmountField(required=False, allow_null=True, default=None, help_text=help_text)


def _returned(of: str) -> WholeNumberField:
    return _rate(_RETURNED.format(of), default=BPS)


def _rate(help_text: str, **options: Any) -> WholeNumberField:
    return WholeNumberField(
        min_value=0, max_value=BPS, required=False, help_text=help_text, **options
    )


def _guarantee(**options: Any) -> WholeNumberField:
    return WholeNumberField(
        min_value=0,
        max_value=MAX_GUARANTEE_DAYS,
        required=False,
        allow_null=True,
        help_text="Days after which your commission pays what a seller cannot give back of a "
        "refund; null: never.",
        **options,
    )


def _reserve(help_text: str, most: int, **options: Any) -> WholeNumberField:
    return WholeNumberField(
        min_value=0, max_value=most, required=False, help_text=help_text, **options
    )


_CHANNEL_FEE = (
    "What the payment channel keeps of an order, in basis points; a part inside the service fee."
)
_HELD_BACK = "What of each release is held back of {}, in basis points; 0: nothing."
_HELD_FOR = "For how many days it is held back; 0 when nothing is."
_PLANS = " null: as the commission plan says. Send both or neither."
_OWN_BPS = _HELD_BACK.format("the seller") + _PLANS
_OWN_DAYS = _HELD_FOR + _PLANS


class MerchantRequest(StrictSerializer):
    """A new seller."""

    reference = TextField(max_length=64, help_text="Your own name for the seller, unique.")
    name = TextField(max_length=120, help_text="Name of the seller, as buyers know it.")
    email = EmailField(
        required=False, allow_blank=True, default="", help_text="Where Holdfast writes to."
    )
    language = serializers.ChoiceField(
        choices=Language.choices,
        required=False,
        default=Language.ENGLISH,
        help_text="Language of mails to the seller.",
    )
    time_zone = TimeZoneField(
        required=False,
        allow_blank=True,
        default="",
        help_text="IANA time zone of dates in mails to the seller; empty: your platform's.",
    )
    reserve_bps = _reserve(_OWN_BPS, BPS, allow_null=True, default=None)
    reserve_days = _reserve(_OWN_DAYS, MAX_RESERVE_DAYS, allow_null=True, default=None)


class MerchantChangeRequest(StrictSerializer):
    """What changes about a seller; what is left out stays."""

    name = TextField(max_length=120, required=False, help_text="Name of the seller.")
    email = EmailField(required=False, allow_blank=True, help_text="Where Holdfast writes to.")
    language = serializers.ChoiceField(
        choices=Language.choices, required=False, help_text="Language of mails to the seller."
    )
    time_zone = TimeZoneField(
        required=False,
        allow_blank=True,
        help_text="IANA time zone of dates in mails to the seller; empty: your platform's.",
    )
    active = TruthField(
        required=False, help_text="false: take no new orders; orders under way go on."
    )
    reserve_bps = _reserve(_OWN_BPS, BPS, allow_null=True)
    reserve_days = _reserve(_OWN_DAYS, MAX_RESERVE_DAYS, allow_null=True)


class BankAccountRequest(StrictSerializer):
    """Where a payee is to be paid. Its first account of a currency is used at once; a changed one
    when the platform's cool-off is over, in place of the account in force."""

    merchant = TextField(
        max_length=MAX_LENGTH,
        required=False,
        allow_null=True,
        default=None,
        help_text="Id of the seller it belongs to.",
    )
    party = TextField(
        max_length=MAX_LENGTH,
        required=False,
        allow_null=True,
        default=None,
        help_text="Id of the further party it belongs to. Without a seller and a party it is your "
        "platform's own account, for its commission.",
    )
    currency = TextField(min_length=3, max_length=3, help_text=CURRENCY)
    holder_name = TextField(
        max_length=120, help_text="Holder of the account, as the bank knows it."
    )
    bank_code = TextField(max_length=20, help_text="Code of the bank.")
    bank_name = TextField(
        max_length=120, required=False, allow_blank=True, default="", help_text="Name of the bank."
    )
    account_number = TextField(
        max_length=50, help_text="The number; sealed at once and never answered again."
    )


class PlanRequest(StrictSerializer):
    """A new commission plan. It is in force at once; a platform has one in force."""

    name = TextField(max_length=120, help_text="Name of the plan.")
    commission_returned_bps = _returned("the commission")
    service_fee_returned_bps = _returned("the service fee")
    party_returned_bps = _returned("further parties' parts")
    channel_fee_bps = _rate(_CHANNEL_FEE, default=0)
    channel_fee_returned_bps = _returned(_CHANNEL_PART)
    reserve_bps = _reserve(_HELD_BACK.format("sellers without their own word"), BPS, default=0)
    reserve_days = _reserve(_HELD_FOR, MAX_RESERVE_DAYS, default=0)
    guarantee_days = _guarantee(default=None)


class PlanChangeRequest(StrictSerializer):
    """What changes about a plan, for orders to come; what is left out stays."""

    name = TextField(max_length=120, required=False, help_text="Name of the plan.")
    commission_returned_bps = _rate(_RETURNED.format("the commission"))
    service_fee_returned_bps = _rate(_RETURNED.format("the service fee") + _NOT_MORE)
    party_returned_bps = _rate(_RETURNED.format("further parties' parts"))
    channel_fee_bps = _rate(_CHANNEL_FEE)
    channel_fee_returned_bps = _rate(_RETURNED.format(_CHANNEL_PART) + _NOT_MORE)
    reserve_bps = _reserve(_HELD_BACK.format("sellers without their own word"), BPS)
    reserve_days = _reserve(_HELD_FOR, MAX_RESERVE_DAYS)
    guarantee_days = _guarantee()


class PartyRequest(StrictSerializer):
    """A further party of your platform: somebody a rule may give a part of a sale."""

    reference = TextField(max_length=64, help_text="Your own name for the party, unique.")
    name = TextField(max_length=120, help_text="Name of the party, as sellers see it.")


class PartyShareRequest(StrictSerializer):
    party = TextField(max_length=MAX_LENGTH, help_text="Id of the further party.")
    rate_bps = WholeNumberField(
        min_value=0,
        max_value=BPS,
        required=False,
        default=0,
        help_text="Its rate of the rule's base, in basis points.",
    )
    fixed_minor = AmountField(
        required=False, default=0, help_text="Its fixed part per order, in minor units."
    )


class TierRequest(StrictSerializer):
    from_minor = AmountField(
        min_value=1,
        help_text="Goods the seller has sold in the 30 days before, in minor units, at least.",
    )
    rate_bps = WholeNumberField(
        min_value=0, max_value=BPS, help_text="Rate of the whole order then, in basis points."
    )


class TermsRequest(StrictSerializer):
    """The numbers of a rule."""

    rate_bps = WholeNumberField(
        min_value=0, max_value=BPS, help_text="Rate in basis points: 500 is 5 %."
    )
    fixed_minor = AmountField(
        required=False, default=0, help_text="Fixed part per order, in minor units."
    )
    floor_minor = _amount("At least this much per order, in minor units; null: no floor.")
    cap_minor = _amount("At most this much per order, in minor units; null: no cap.")
    base = serializers.ChoiceField(
        choices=BaseChoice.choices,
        required=False,
        default=BaseChoice.GOODS,
        help_text="What the rate is taken of.",
    )
    tax_bps = WholeNumberField(
        min_value=0,
        max_value=BPS,
        required=False,
        default=0,
        help_text="Tax on the commission, in basis points of it; the seller bears it.",
    )
    parties = PartyShareRequest(
        many=True,
        required=False,
        default=(),
        max_length=MAX_PARTIES,
        help_text="Further parties that get a part of the base, out of the seller's.",
    )
    tiers = TierRequest(
        many=True,
        required=False,
        default=(),
        max_length=MAX_TIERS,
        help_text="Other rates by what the seller has sold lately, rising.",
    )


class DraftRuleRequest(TermsRequest):
    """A rule to be tried out."""

    currency = TextField(min_length=3, max_length=3, help_text=CURRENCY)
    priority = WholeNumberField(
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
        required=False,
        default=0,
        help_text="The higher one wins.",
    )
    merchant = TextField(
        max_length=MAX_LENGTH,
        required=False,
        allow_null=True,
        default=None,
        help_text="Only for this seller; null: for all.",
    )
    category = TextField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Only for this category; empty: for all.",
    )
    channel = TextField(
        max_length=32,
        required=False,
        allow_blank=True,
        default="",
        help_text="Only for orders paid through this channel; empty: for all.",
    )
    min_order_minor = _amount(
        "Only for orders of at least this much, in minor units; null: no bound."
    )
    max_order_minor = _amount(
        "Only for orders of at most this much, in minor units; null: no bound."
    )


class RuleRequest(DraftRuleRequest):
    """A rule for orders to come."""

    effective_from = InstantField(
        required=False, help_text="Orders created from then on; left out: from now on."
    )
    effective_to = InstantField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Orders created before then; null: no end.",
    )


class ReplacementRequest(TermsRequest):
    """The next version of a rule: other numbers for the same sales."""

    effective_from = InstantField(
        required=False, help_text="When it takes the old one's place; left out: now."
    )
    effective_to = InstantField(
        required=False, allow_null=True, default=None, help_text="Its own end; null: no end."
    )


class ImportRequest(StrictSerializer):
    """Many rules at once, as a CSV file."""

    csv = DocumentField(
        max_length=MAX_CHARACTERS,
        help_text="A header of column names, then a rule a line.",
    )
    dry_run = TruthField(
        required=False,
        default=True,
        help_text="true: only say what it would add, or what is wrong.",
    )


class EndRequest(StrictSerializer):
    """When a rule ends."""

    effective_to = InstantField(
        required=False, help_text="Orders created from then on are not priced by it; left out: now."
    )


class SaleLineRequest(StrictSerializer):
    category = TextField(
        max_length=64, required=False, allow_blank=True, default="", help_text="Category."
    )
    amount_minor = AmountField(help_text="Price of the line, in minor units.")


class SaleRequest(StrictSerializer):
    """A sale that is only asked about."""

    merchant = TextField(max_length=MAX_LENGTH, help_text="Id of the seller.")
    currency = TextField(min_length=3, max_length=3, help_text=CURRENCY)
    lines = SaleLineRequest(
        many=True, min_length=1, max_length=MAX_LINES, help_text="What would be sold."
    )
    shipping_minor = AmountField(
        required=False, default=0, help_text="Shipping the buyer would pay, in minor units."
    )
    channel = TextField(
        max_length=32,
        required=False,
        allow_blank=True,
        default="",
        help_text="Payment channel; empty: not known yet.",
    )


class WhatIfRequest(StrictSerializer):
    """Which rules past orders are priced by again. Nothing is changed."""

    rules = DraftRuleRequest(
        many=True,
        required=False,
        max_length=MAX_RULES,
        help_text="Rules to try; left out: those of the plan in the address, as they stand now.",
    )
    merchant = TextField(
        max_length=MAX_LENGTH, required=False, help_text="Only orders of this seller."
    )
    created_from = InstantField(required=False, help_text="Only orders created from then on.")
    created_before = InstantField(required=False, help_text="Only orders created before then.")
