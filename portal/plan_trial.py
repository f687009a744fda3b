"""One sale tried under a plan: who gets what of it, which rule won, and why the others did not.

It must never write anything, nor show a seller a rule for another seller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from api.status import LineStatus, SplitLine
from common.errors import DomainError
from escrow.services.shares import planned_shares
from ledger import chart
from merchants import services as merchants
from merchants.models import CommissionPlan, Merchant
from merchants.rule_order import Mismatch, mismatch
from merchants.rules import OrderedLine, Rule, Sale
from merchants.terms import LossReason, Terms
from orders.services import creation
from portal import plan_words
from portal.access import Member
from portal.order_picture import Part, parts_of
from portal.plan_fields import CATEGORIES, AmountField, SellerField, minor
from portal.plan_forms import find_seller
from portal.refusals import sentence
from portal.split_words import split_words

Text = str | Promise
MISMATCHES: dict[str, Text] = {
    Mismatch.CURRENCY: _("It is for another currency."),
    Mismatch.TIME: _("It does not count at this time."),
    Mismatch.MERCHANT: _("It is for another seller."),
    Mismatch.CATEGORY: _("It is for another category."),
    Mismatch.CHANNEL: _("It is for another way to pay."),
    Mismatch.AMOUNT: _("It is for orders of another size."),
}
LOSSES: dict[str, Text] = {
    LossReason.LOWER_PRIORITY: _("It matches too, but its priority is lower."),
    LossReason.LESS_SPECIFIC: _("It matches too, but the other one says more about the sale."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule."""

    words: plan_words.RuleWords
    label: Text
    tone: str
    why: Text


@dataclass(frozen=True, slots=True)
class Trial:
    """A sale and its split."""

    terms: Terms
    parts: list[tuple[Part, str]]  # with the name of a further party
    verdicts: list[Verdict]
    sentences: list[str]


class SaleForm(forms.Form):
    """A sale of one line."""

    amount = AmountField(label=_("Goods"), required=True)
    shipping = AmountField(label=_("Shipping"))
    category = forms.CharField(
        label=_("Category"),
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs=CATEGORIES),
    )
    seller = SellerField()
    channel = forms.ChoiceField(label=_("Paid through"), required=False)
    currency = forms.ChoiceField(label=_("Currency"))

    def __init__(self, sent: Any, *, member: Member, rules: list[Rule]) -> None:
        seller = member.merchant or Merchant.objects.filter(platform=member.platform).first()
        own = member.platform.currency
        initial = {"currency": own, "seller": seller.reference if seller else ""}
        super().__init__(sent, initial=initial)
        self.member = member
        if member.is_seller:
            del self.fields["seller"]
        currencies = dict.fromkeys([own, *(rule.currency for rule in rules)])
        channels = sorted({rule.channel for rule in rules} - {""})
        _offer(self, "currency", [(each, each) for each in currencies])
        _offer(self, "channel", [("", _("Not known yet")), *((each, each) for each in channels)])

    def clean_seller(self) -> Merchant | None:
        return find_seller(self.member.platform, self.cleaned_data["seller"])

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        currency = said.get("currency") or self.member.platform.currency
        said["amount"] = minor(self, "amount", currency)
        said["shipping"] = minor(self, "shipping", currency) or 0
        if said["amount"] == 0:
            self.add_error("amount", gettext("Give an amount above zero."))
        return said

    @property
    def sale(self) -> Sale:
        said = self.cleaned_data
        seller = self.member.merchant or said["seller"]
        line = OrderedLine(said["category"], said["amount"])
        return Sale(seller.pk, said["currency"], [line], said["shipping"])


def _offer(form: forms.Form, name: str, choices: list[tuple[str, Text]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def trial_of(
    form: SaleForm, plan: CommissionPlan, rules: list[Rule], names: Mapping[str, str]
) -> Trial | None:
    """Try the sale of a form. A refusal becomes the form's error, and there is no trial."""
    member, sale, channel = form.member, form.sale, form.cleaned_data["channel"]
    try:
        terms = merchants.explain_sale(
            plan=plan,
            sale=sale,
            service_fee_bps=member.platform.service_fee_bps,
            volume=creation.volume_at(member.at),
            at=member.at,
            channel=channel,
        ).terms
    except DomainError as refusal:
        form.add_error(None, sentence(refusal))
        return None
    shares = planned_shares(terms, platform_id=member.platform.pk)
    split = [SplitLine(each.payee, each.amount_minor, LineStatus.PLANNED) for each in shares]
    rows = plan_words.rule_rows(rules, names, at=member.at)
    verdicts = [_verdict(row, terms, sale, channel, at=member.at) for row in rows]
    parties = {chart.party_payable(each.party_id): each.name for each in terms.parties}
    named = [parties.get(each.address, "") for each in shares]
    parts = list(zip(parts_of(split), named, strict=True))
    return Trial(terms, parts, verdicts, split_words(terms))


def _verdict(
    row: plan_words.RuleWords, terms: Terms, sale: Sale, channel: str, *, at: Any
) -> Verdict:
    [line] = terms.lines
    if line.rule_id == row.rule.id:
        return Verdict(row, _("Decides"), "success", _("The first that matches the sale."))
    for loser in line.passed_over:
        if loser.rule_id == row.rule.id:
            return Verdict(row, _("Comes after"), "default", LOSSES[loser.reason])
    wrong = mismatch(row.rule, sale, category=line.category, channel=channel, at=at)
    assert wrong is not None, (row.rule, terms)
    return Verdict(row, _("Does not match"), "default", MISMATCHES[wrong])
