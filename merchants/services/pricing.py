"""What a sale would pay, and why: rules tried out before they are written.

It must never write a rule, nor let one be tried that could not be written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import DomainError
from common.money import Money
from merchants import explanation, freezing, rules, selectors, terms
from merchants.models import BaseChoice, CommissionPlan, CommissionRule, Merchant, Platform
from merchants.services.checks import check_row
from merchants.services.commission import (
    CommissionRuleInvalid,
    CommissionRuleOverlap,
    CommissionTiersInvalid,
    write_tiers,
)
from merchants.services.freezing import Volume, reserve_of, volume_of
from merchants.services.parties import (
    NewPartyShare,
    PartyShareInvalid,
    party_names,
    write_shares,
)

MAX_RULES = 200
MAX_LINES = 100


class SaleInvalid(DomainError):
    """The sale to be explained makes no sense."""

    code = "sale_invalid"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """A commission rule as the platform sends it, to be tried out. See `add_rule`."""

    currency: str
    rate_bps: int
    priority: int = 0
    merchant_id: str | None = None
    category: str = ""
    fixed_minor: int = 0
    floor_minor: int | None = None
    cap_minor: int | None = None
    base: str = BaseChoice.GOODS
    tax_bps: int = 0
    parties: Sequence[NewPartyShare] = ()
    tiers: Sequence[rules.Tier] = ()
    channel: str = ""
    min_order_minor: int | None = None
    max_order_minor: int | None = None


@dataclass(frozen=True, slots=True)
class ExplainedSale:
    terms: terms.Terms
    remarks: tuple[explanation.Remark, ...]


def explain_sale(
    *,
    plan: CommissionPlan,
    sale: rules.Sale,
    service_fee_bps: int,
    volume: Volume,
    at: datetime,
    channel: str = "",
) -> ExplainedSale:
    """Say what a sale would pay under a plan at an instant, whether the plan is in force or not.

    Args: service_fee_bps: our own fee, usually `platform.service_fee_bps`. channel: what the buyer
        would pay through; empty: not known yet.
    Raises: SaleInvalid, UnknownCurrency, AmountOutOfRange.
    """
    seller = _check_sale(plan, sale)
    known = selectors.list_matching_rules(plan_id=plan.pk, sale=sale, at=at)
    found = freezing.compute(
        plan_id=plan.pk,
        rules=known,
        sale=sale,
        service_fee_bps=service_fee_bps,
        at=at,
        refund=plan.refund_policy,
        guarantee=plan.guarantee_policy,
        reserve=reserve_of(plan, seller),
        volume_minor=volume_of(known, sale, volume=volume, at=at),
    ).under(channel)
    return ExplainedSale(found, explanation.explain(found))


def _check_sale(plan: CommissionPlan, sale: rules.Sale) -> Merchant:
    if not 1 <= len(sale.lines) <= MAX_LINES:
        raise SaleInvalid(f"A sale has 1 to {MAX_LINES} lines.", field="lines")
    amounts = [line.amount_minor for line in sale.lines]
    if min(amounts) < 0 or sale.shipping_minor < 0:
        raise SaleInvalid("Amounts must not be negative.", field="lines")
    Money(sum(amounts) + sale.shipping_minor, sale.currency)
    sellers = Merchant.objects.filter(platform_id=plan.platform_id, pk=sale.merchant_id)
    seller = sellers.first()
    if seller is None:
        raise SaleInvalid("This seller is not a seller of the plan's platform.", field="merchant")
    return seller


def draft_rules(*, platform: Platform, wanted: Sequence[NewRule], at: datetime) -> list[rules.Rule]:
    """Check rules as `add_rule` would, and make them rules in force from `at` on, written nowhere.

    Returns: rules with the ids rule-1, rule-2, … in the order given.
    Raises: CommissionRuleInvalid, CommissionRuleOverlap, CommissionTiersInvalid and
        PartyShareInvalid with the `position` of the wrong rule, from 0; UnknownCurrency.
    """
    if len(wanted) > MAX_RULES:
        raise CommissionRuleInvalid(f"At most {MAX_RULES} rules.", fields=["rules"])
    named = {each.merchant_id for each in wanted if each.merchant_id is not None}
    sellers = selectors.merchants_by_id(platform_id=platform.pk, merchant_ids=named)
    shared = {share.party_id for each in wanted for share in each.parties}
    names = party_names(platform_id=platform.pk, party_ids=shared)
    drafted: list[rules.Rule] = []
    for position, each in enumerate(wanted):
        if each.merchant_id is not None and each.merchant_id not in sellers:
            raise CommissionRuleInvalid(
                "This seller is not a seller of the platform.",
                fields=["merchant"],
                position=position,
            )
        draft = _draft(each, names, position=position, at=at)
        if any(rules.ties(other, draft) for other in drafted):
            raise CommissionRuleOverlap(
                "Another of these rules decides such lines with the same priority.",
                position=position,
            )
        drafted.append(draft)
    return drafted


def _draft(wanted: NewRule, names: dict[str, str], *, position: int, at: datetime) -> rules.Rule:
    try:
        row = _row(wanted, names, position=position, at=at)
        check_row(row, CommissionRuleInvalid)
    except (CommissionRuleInvalid, CommissionTiersInvalid, PartyShareInvalid) as refusal:
        refusal.facts["position"] = position
        raise
    return selectors.snapshot(row)


def _row(wanted: NewRule, names: dict[str, str], *, position: int, at: datetime) -> CommissionRule:
    return CommissionRule(
        id=f"rule-{position + 1}",
        priority=wanted.priority,
        merchant_id=wanted.merchant_id,
        category=wanted.category,
        currency=wanted.currency,
        rate_bps=wanted.rate_bps,
        fixed_minor=wanted.fixed_minor,
        floor_minor=wanted.floor_minor,
        cap_minor=wanted.cap_minor,
        base=wanted.base,
        tax_bps=wanted.tax_bps,
        parties=write_shares(wanted.parties, names),
        tiers=write_tiers(wanted.tiers),
        channel=wanted.channel,
        min_order_minor=wanted.min_order_minor,
        max_order_minor=wanted.max_order_minor,
        effective_from=at,
        created_at=at,
    )
