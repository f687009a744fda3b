"""The forms in which a draft of a commission plan is changed.

They say beside the field what is wrong; what may be written is still decided by the services.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError
from common.money import exponent
from merchants.guarantee_policy import MAX_GUARANTEE_DAYS
from merchants.models import BaseChoice, CommissionPlan, CommissionRule, Merchant, Party, Platform
from merchants.reserve_policy import MAX_RESERVE_DAYS
from merchants.rules import NewPartyShare, Tier
from merchants.services.commission import MAX_TIERS
from merchants.services.parties import MAX_PARTIES
from portal.buyer.channels import ways_to_pay
from portal.plan_fields import CATEGORIES, AmountField, PercentField, SellerField, minor, plain
from portal.refusals import sentence

# Which field of a form a refusal is about, by what the service calls it.
FIELDS = {
    "rate_bps": "rate",
    "fixed_minor": "fixed",
    "floor_minor": "floor",
    "cap_minor": "cap",
    "tax_bps": "tax",
    "min_order_minor": "least",
    "max_order_minor": "most",
    "merchant": "seller",
}

# And by its code, where the service names none.
FIELDS_OF_CODES = {
    "commission_rule_overlap": "priority",
    "fee_terms_loosened": "service_fee_returned_bps",
    "reserve_below_required": "reserve_bps",
    "reserve_invalid": "reserve_bps",
    "party_reference_taken": "reference",
}


class RuleForm(forms.Form):
    """One rule, without its parties and tiers, which have rows of their own."""

    currency = forms.CharField(label=_("Currency"), max_length=3, min_length=3)
    seller = SellerField(required=False, help_text=_("Its reference or id. Empty: every seller."))
    category = forms.CharField(
        label=_("Category"),
        max_length=64,
        required=False,
        help_text=_("Empty: every category."),
        widget=forms.TextInput(attrs=CATEGORIES),
    )
    channel = forms.ChoiceField(label=_("Paid through"), required=False)
    least = AmountField(label=_("Order amount from"), help_text=_("Goods and shipping together."))
    most = AmountField(label=_("Order amount to"))
    priority = forms.IntegerField(
        label=_("Priority"), min_value=-1000, max_value=1000, help_text=_("Usually 0.")
    )
    rate = PercentField(label=_("Rate in percent"))
    base = forms.ChoiceField(label=_("Taken of"), choices=BaseChoice.choices)
    fixed = AmountField(label=_("Fixed part"), help_text=_("Added once per order."))
    floor = AmountField(label=_("At least"))
    cap = AmountField(label=_("At most"))
    tax = PercentField(
        label=_("Tax in percent"), required=False, help_text=_("Of the commission, paid to you.")
    )

    def __init__(self, *args: Any, platform: Platform, **options: Any) -> None:
        super().__init__(*args, **options)
        self.platform = platform
        ways = [(way.name, way.label) for way in ways_to_pay(platform)]
        kept = (self.initial or {}).get("channel")
        if kept and kept not in dict(ways):
            ways.append((kept, kept))
        channel = self.fields["channel"]
        assert isinstance(channel, forms.ChoiceField)
        channel.choices = [("", _("Any way to pay")), *ways]

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        try:
            exponent(currency)
        except DomainError as refusal:
            raise forms.ValidationError(sentence(refusal)) from None
        return currency

    def clean_seller(self) -> Merchant | None:
        return find_seller(self.platform, self.cleaned_data["seller"])

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        currency = said.get("currency", "")
        for name in ("least", "most", "fixed", "floor", "cap"):
            said[name] = minor(self, name, currency) if currency else None
        _refuse_descent(self, "floor", "cap", gettext("This is below the least commission."))
        _refuse_descent(self, "least", "most", gettext("This is below the amount it begins at."))
        for name in ("least", "most"):
            if said.get(name) == 0:
                self.add_error(name, gettext("Leave it empty for no bound."))
        return said

    @property
    def values(self) -> dict[str, Any]:
        """The rule as `add_rule` takes it."""
        said = self.cleaned_data
        return {
            "currency": said["currency"],
            "merchant": said["seller"],
            "category": said["category"],
            "channel": said["channel"],
            "min_order_minor": said["least"],
            "max_order_minor": said["most"],
            "priority": said["priority"],
            "rate_bps": said["rate"],
            "base": said["base"],
            "fixed_minor": said["fixed"] or 0,
            "floor_minor": said["floor"],
            "cap_minor": said["cap"],
            "tax_bps": said["tax"] or 0,
        }


class ShareForm(forms.Form):
    """What one further party gets."""

    party = forms.ChoiceField(label=_("Party"), required=False)
    rate = PercentField(label=_("Rate in percent"), required=False)
    fixed = AmountField(label=_("Fixed part"))

    def __init__(self, *args: Any, parties: Mapping[str, str], currency: str, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.currency = currency
        party = self.fields["party"]
        assert isinstance(party, forms.ChoiceField)
        party.choices = [("", _("Choose a party")), *parties.items()]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        said["fixed"] = minor(self, "fixed", self.currency)
        if not said.get("party") and (said.get("rate") or said["fixed"]):
            self.add_error("party", gettext("Choose who gets this."))
        if said.get("party") and not (said.get("rate") or said["fixed"] or self.errors):
            self.add_error("rate", gettext("Give a rate, a fixed part, or both."))
        return said

    @property
    def value(self) -> NewPartyShare | None:
        said = self.cleaned_data
        if not said.get("party"):
            return None
        return NewPartyShare(
            party_id=said["party"], rate_bps=said["rate"] or 0, fixed_minor=said["fixed"] or 0
        )


class TierForm(forms.Form):
    """Another rate for sellers who have sold enough."""

    sold = AmountField(label=_("Sold in 30 days, from"))
    rate = PercentField(label=_("Rate in percent"), required=False)

    def __init__(self, *args: Any, currency: str, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.currency = currency

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        said["sold"] = minor(self, "sold", self.currency)
        if said["sold"] and said.get("rate") is None and "rate" not in self.errors:
            self.add_error("rate", gettext("Give the rate from this amount on."))
        if said.get("rate") is not None and not said["sold"] and "sold" not in self.errors:
            self.add_error("sold", gettext("Give an amount above zero."))
        return said

    @property
    def value(self) -> Tier | None:
        said = self.cleaned_data
        return Tier(said["sold"], said["rate"]) if said.get("sold") else None


ShareSet = forms.formset_factory(ShareForm, extra=1, max_num=MAX_PARTIES, validate_max=True)
TierSet = forms.formset_factory(TierForm, extra=1, max_num=MAX_TIERS, validate_max=True)


class TermsForm(forms.Form):
    """What orders freeze of a plan beside its rules."""

    name = forms.CharField(label=_("Name"), max_length=120)
    commission_returned_bps = PercentField(
        label=_("Commission, in percent"),
        help_text=_(
            "100: the seller gets it back whole when the buyer is refunded; 0: you keep it."
        ),
    )
    party_returned_bps = PercentField(label=_("Further parties' parts, in percent"))
    service_fee_returned_bps = PercentField(
        label=_("Service fee, in percent"),
        help_text=_("It can be lowered here; only the operator raises it."),
    )
    channel_fee_bps = PercentField(
        label=_("Channel's part of an order, in percent"),
        help_text=_("A part inside the service fee that a channel keeps of refunded payments."),
    )
    channel_fee_returned_bps = PercentField(label=_("Channel's part, in percent"))
    guarantee_days = forms.IntegerField(
        label=_("You pay sellers' debts after (days)"),
        required=False,
        min_value=0,
        max_value=MAX_GUARANTEE_DAYS,
        help_text=_("Your commission pays what a seller cannot give back. Empty: it never does."),
    )
    reserve_bps = PercentField(label=_("Held back of each release, in percent"))
    reserve_days = forms.IntegerField(
        label=_("Held back for (days)"), min_value=0, max_value=MAX_RESERVE_DAYS
    )


class PartyForm(forms.Form):
    """A further party."""

    reference = forms.CharField(label=_("Your own reference"), max_length=64)
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Sellers see it beside what it gets.")
    )


def find_seller(platform: Platform, name: str) -> Merchant | None:
    """Look up a seller by id or reference. Raises: ValidationError."""
    if not name:
        return None
    found = Merchant.objects.filter(Q(pk=name) | Q(reference=name), platform=platform).first()
    if found is None:
        raise forms.ValidationError(gettext("You have no such seller."))
    return found


def say_refusal(form: forms.Form, refusal: DomainError) -> None:
    """Put a refusal beside the field it is about, or above the form."""
    named = [FIELDS.get(name, name) for name in refusal.facts.get("fields", ())]
    named.append(FIELDS_OF_CODES.get(refusal.code, ""))
    field = next((name for name in named if name in form.fields), None)
    form.add_error(field, sentence(refusal))


def rule_initial(rule: CommissionRule) -> dict[str, Any]:
    """What the form of a rule begins with."""
    places = exponent(rule.currency)

    def amount(value: int | None) -> str:
        return "" if value is None else plain(value, places)

    return {
        "currency": rule.currency,
        "seller": rule.merchant.reference if rule.merchant else "",
        "category": rule.category,
        "channel": rule.channel,
        "least": amount(rule.min_order_minor),
        "most": amount(rule.max_order_minor),
        "priority": rule.priority,
        "rate": rule.rate_bps,
        "base": rule.base,
        "fixed": amount(rule.fixed_minor or None),
        "floor": amount(rule.floor_minor),
        "cap": amount(rule.cap_minor),
        "tax": rule.tax_bps or "",
    }


def share_initial(rule: CommissionRule) -> list[dict[str, Any]]:
    """What the rows of parties begin with."""
    places = exponent(rule.currency)
    return [
        {
            "party": each["party_id"],
            "rate": each["rate_bps"],
            "fixed": plain(each["fixed_minor"], places) if each["fixed_minor"] else "",
        }
        for each in rule.parties
    ]


def tier_initial(rule: CommissionRule) -> list[dict[str, Any]]:
    """What the rows of tiers begin with."""
    places = exponent(rule.currency)
    return [
        {"sold": plain(each["from_minor"], places), "rate": each["rate_bps"]} for each in rule.tiers
    ]


def party_choices(platform: Platform) -> dict[str, str]:
    """The further parties a rule may name, by id, by name."""
    return dict(Party.objects.filter(platform=platform).order_by("name").values_list("pk", "name"))


def terms_initial(plan: CommissionPlan) -> dict[str, Any]:
    """What the form of a plan's terms begins with."""
    return {name: getattr(plan, name) for name in TermsForm.base_fields}


def _refuse_descent(form: forms.Form, low: str, high: str, words: str | Promise) -> None:
    below, above = form.cleaned_data.get(low), form.cleaned_data.get(high)
    if below is not None and above is not None and above < below:
        form.add_error(high, words)
