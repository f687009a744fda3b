"""Commission plans in the reader's words: whom a rule is for, what it takes, what refunds return.

Pure over what it is handed, but for the names of sellers. It must never decide which rule counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.money import BPS
from merchants import differences, selectors
from merchants.models import CommissionPlan
from merchants.rule_order import in_order
from merchants.rules import CommissionBase, Rule
from portal.formats import instant, money, percent

Text = str | Promise
CHANGES: dict[str, tuple[Text, str]] = {
    differences.Change.ADDED: (gettext_lazy("Added"), "success"),
    differences.Change.ENDED: (gettext_lazy("Gone"), "danger"),
    differences.Change.REPLACED: (gettext_lazy("Changed"), "info"),
}
VALUES: dict[str, Text] = {
    "rate_bps": gettext_lazy("Rate"),
    "fixed_minor": gettext_lazy("Fixed part"),
    "floor_minor": gettext_lazy("At least"),
    "cap_minor": gettext_lazy("At most"),
    "base": gettext_lazy("Taken of"),
    "tax_bps": gettext_lazy("Tax on the commission"),
    "parties": gettext_lazy("Further parties"),
    "tiers": gettext_lazy("Tiers"),
}


@dataclass(frozen=True, slots=True)
class RuleWords:
    """One rule as a row of a table."""

    rule: Rule
    number: int  # in the order the rules are tried
    applies: str
    takes: list[str]
    bounds: str
    parties: list[str]
    when: str


@dataclass(frozen=True, slots=True)
class DifferenceWords:
    """What became of a rule, or of a word of the plan."""

    label: Text
    tone: str
    about: str
    values: list[tuple[Text, str, str]]  # name, before, after


def state_of(plan: CommissionPlan) -> tuple[Text, str]:
    """What a plan is now, and its color."""
    if plan.active:
        return _("In force"), "success"
    if plan.is_draft:
        return _("Draft"), "info"
    return (_("Past"), "default") if plan.activated_at else (_("Dropped"), "default")


def since_of(plan: CommissionPlan) -> str:
    """Since when a plan is what it is."""
    if plan.active:
        return _("since %(at)s") % {"at": instant(plan.activated_at)}
    if plan.is_draft:
        return _("begun %(at)s") % {"at": instant(plan.created_at)}
    if plan.activated_at:
        return f"{instant(plan.activated_at)} – {instant(plan.ended_at)}"
    return instant(plan.ended_at)


def seller_names(platform_id: str, rules: Iterable[Rule]) -> dict[str, str]:
    """The names of the sellers that rules are for; none: no query."""
    ids = {rule.merchant_id for rule in rules if rule.merchant_id}
    if not ids:
        return {}
    found = selectors.merchants_by_id(platform_id=platform_id, merchant_ids=ids)
    return {key: seller.name for key, seller in found.items()}


def rule_rows(rules: Iterable[Rule], names: Mapping[str, str], *, at: datetime) -> list[RuleWords]:
    """Write rules down in the order they are tried."""
    return [
        RuleWords(
            rule,
            number,
            applies_to(rule, names),
            list(_takes(rule)),
            _(", ").join(_bounds(rule)),
            [share_words(each, rule.currency) for each in rule.parties],
            _when(rule, at),
        )
        for number, rule in enumerate(in_order(rules), start=1)
    ]


def applies_to(rule: Rule, names: Mapping[str, str]) -> str:
    """Say which sales a rule is for."""
    found = []
    if rule.merchant_id:
        seller = names.get(rule.merchant_id, rule.merchant_id)
        found.append(_("Seller: %(name)s") % {"name": seller})
    if rule.category:
        found.append(_("Category: %(name)s") % {"name": rule.category})
    if rule.channel:
        found.append(_("Paid through %(name)s") % {"name": rule.channel})
    if band := _band(rule):
        found.append(band)
    return " · ".join(found) or _("Every sale in %(currency)s") % {"currency": rule.currency}


def _band(rule: Rule) -> str:
    words = {
        "least": money(rule.min_order_minor or 0, rule.currency),
        "most": money(rule.max_order_minor or 0, rule.currency),
    }
    if rule.min_order_minor is None:
        return "" if rule.max_order_minor is None else _("Orders up to %(most)s") % words
    if rule.max_order_minor is None:
        return _("Orders from %(least)s") % words
    return _("Orders from %(least)s to %(most)s") % words


def _takes(rule: Rule) -> Iterator[str]:
    words = {"rate": percent(rule.rate_bps), "fixed": money(rule.fixed_minor, rule.currency)}
    if rule.base is CommissionBase.GOODS_AND_SHIPPING:
        taken = _("%(rate)s of goods and shipping") % words
    else:
        taken = _("%(rate)s of the goods") % words
    if rule.fixed_minor:
        taken = _("%(taken)s, and %(fixed)s") % {**words, "taken": taken}
    yield taken
    for tier in rule.tiers:
        yield tier_words(tier, rule.currency)


def tier_words(tier: Any, currency: str) -> str:
    """Say one tier."""
    return _("%(rate)s once %(sold)s were sold in 30 days") % {
        "rate": percent(tier.rate_bps),
        "sold": money(tier.from_minor, currency),
    }


def share_words(share: Any, currency: str) -> str:
    """Say what a further party gets."""
    parts = [percent(share.rate_bps)] if share.rate_bps or not share.fixed_minor else []
    if share.fixed_minor:
        parts.append(money(share.fixed_minor, currency))
    return f"{share.name}: {' + '.join(parts)}"


def _bounds(rule: Rule) -> Iterator[str]:
    if rule.floor_minor is not None:
        yield _("at least %(amount)s") % {"amount": money(rule.floor_minor, rule.currency)}
    if rule.cap_minor is not None:
        yield _("at most %(amount)s") % {"amount": money(rule.cap_minor, rule.currency)}
    if rule.tax_bps:
        yield _("%(rate)s tax on it") % {"rate": percent(rule.tax_bps)}


def _when(rule: Rule, at: datetime) -> str:
    if rule.effective_from > at:
        return _("from %(at)s") % {"at": instant(rule.effective_from)}
    if rule.effective_to is not None:
        return _("until %(at)s") % {"at": instant(rule.effective_to)}
    return ""


def plan_words(plan: CommissionPlan) -> list[tuple[Text, str]]:
    """Say what a plan's orders freeze beside their commission."""
    found: list[tuple[Text, str]] = [
        (_("Commission, on a refund"), _returned(plan.commission_returned_bps)),
        (_("Service fee, on a refund"), _returned(plan.service_fee_returned_bps)),
        (_("Further parties' parts, on a refund"), _returned(plan.party_returned_bps)),
    ]
    if plan.channel_fee_bps:
        words = {
            "fee": percent(plan.channel_fee_bps),
            "back": percent(plan.channel_fee_returned_bps),
        }
        said = _("%(fee)s of an order, inside the service fee; %(back)s of it comes back") % words
        found.append((_("Kept by the payment channel"), said))
    found.append((_("Guarantee"), _guarantee(plan)))
    found.append((_("Held back of releases"), _reserve(plan)))
    return found


def _returned(rate_bps: int) -> str:
    if rate_bps == BPS:
        return _("goes back to the seller whole")
    if rate_bps == 0:
        return _("is kept: the seller bears it")
    return _("%(rate)s of it goes back to the seller") % {"rate": percent(rate_bps)}


def _guarantee(plan: CommissionPlan) -> str:
    if plan.guarantee_days is None:
        return _("none")
    return ngettext(
        "what a seller still owes of a refund after %(count)d day, the platform pays",
        "what a seller still owes of a refund after %(count)d days, the platform pays",
        plan.guarantee_days,
    ) % {"count": plan.guarantee_days}


def _reserve(plan: CommissionPlan) -> str:
    words = {"rate": percent(plan.reserve_bps), "days": plan.reserve_days}
    said = _("%(rate)s for %(days)d days") % words if plan.reserve_bps else _("nothing")
    if plan.required_reserve_bps:
        return _("%(said)s (required: %(rate)s for %(days)d days)") % {
            "said": said,
            "rate": percent(plan.required_reserve_bps),
            "days": plan.required_reserve_days,
        }
    return said


def plan_differences(
    plan: CommissionPlan, rules: Iterable[Rule], other: CommissionPlan | None, *, at: datetime
) -> list[DifferenceWords]:
    """Say how a plan differs from the one in force: its own words first, then rule by rule.

    Rules that begin later are left out of both. Args: rules: the plan's.
    """
    old = selectors.list_rules_in_force(plan_id=other.pk, at=at) if other else []
    new = [rule for rule in rules if rule.effective_from <= at]
    names = seller_names(plan.platform_id, [*old, *new])
    found = []
    if other is not None:
        before, after = dict(plan_words(other)), dict(plan_words(plan))
        said = [
            (name, before.get(name, ""), after.get(name, ""))
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        ]
        if said:
            found.append(DifferenceWords(_("Changed"), "info", _("Terms of the plan"), said))
    for each in differences.differences(old=old, new=new):
        values = [
            (
                VALUES[value.name],
                _value(each.rule, value.name, value.old),
                _value(each.rule, value.name, value.new),
            )
            for value in each.values
        ]
        found.append(DifferenceWords(*CHANGES[each.change], applies_to(each.rule, names), values))
    return found


def _value(rule: Rule, name: str, value: Any) -> str:
    """One value of a rule; empty where it has none."""
    if value is None or value == ():
        return ""
    if name in ("rate_bps", "tax_bps"):
        return percent(value)
    if name == "parties":
        return "; ".join(share_words(each, rule.currency) for each in value)
    if name == "tiers":
        return "; ".join(tier_words(each, rule.currency) for each in value)
    if name == "base":
        shipping = value is CommissionBase.GOODS_AND_SHIPPING
        return _("Goods and shipping") if shipping else _("Goods")
    return money(value, rule.currency)
