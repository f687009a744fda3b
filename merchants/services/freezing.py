"""Freezing the terms of new orders from the plan in force. It must never write a row."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache

from merchants import freezing, selectors
from merchants.guarantee_policy import NO_GUARANTEE
from merchants.models import CommissionPlan, Merchant, Platform
from merchants.refund_policy import EVERYTHING_RETURNED
from merchants.reserve_policy import NO_RESERVE, ReservePolicy
from merchants.rules import OrderedLine, Rule, Sale
from merchants.terms import Terms

# What a seller sold in the 30 days before: (seller id, currency) -> minor units. The orders are
# another station's, so it answers; it is asked only when a winning rule has tiers.
Volume = Callable[[str, str], int]


def freeze_terms(
    *,
    platform: Platform,
    merchant: Merchant,
    currency: str,
    lines: Sequence[OrderedLine],
    shipping_minor: int,
    volume: Volume,
    at: datetime,
) -> Terms:
    """Compute the terms of a new order from the rules in force at its creation.

    Args: lines: at least one, amounts in minor units of `currency`. shipping_minor: >= 0.
    Returns: terms whose cuts together never exceed the order; without a plan or a matching rule
        there is no commission.
    """
    sale = Sale(merchant.pk, currency, lines, shipping_minor)
    plan, rules = selectors.find_plan_in_force(platform_id=platform.pk, sale=sale, at=at)
    return freezing.compute(
        plan_id=plan.pk if plan else None,
        rules=rules,
        sale=sale,
        service_fee_bps=platform.service_fee_bps,
        at=at,
        refund=plan.refund_policy if plan else EVERYTHING_RETURNED,
        guarantee=plan.guarantee_policy if plan else NO_GUARANTEE,
        reserve=reserve_of(plan, merchant),
        volume_minor=volume_of(rules, sale, volume=volume, at=at),
    )


def freeze_terms_of_all(
    *,
    platform: Platform,
    sellers: Mapping[str, Merchant],
    sales: Sequence[Sale],
    volume: Volume,
    at: datetime,
) -> list[Terms]:
    """Compute the terms of many new orders, with the rules read once, and a seller's volume too.
    As `freeze_terms` for each.

    Args: sellers: of all sales, by id.
    Returns: terms in the order of `sales`.
    """
    volume = cache(volume)
    plan = selectors.active_plan(platform_id=platform.pk)
    rules: dict[str | None, list[Rule]] = defaultdict(list)
    for rule in selectors.list_rules_in_force(plan_id=plan.pk, at=at) if plan else ():
        rules[rule.merchant_id].append(rule)
    made = []
    for sale in sales:
        known = [*rules[None], *rules[sale.merchant_id]]
        made.append(
            freezing.compute(
                plan_id=plan.pk if plan else None,
                rules=known,
                sale=sale,
                service_fee_bps=platform.service_fee_bps,
                at=at,
                refund=plan.refund_policy if plan else EVERYTHING_RETURNED,
                guarantee=plan.guarantee_policy if plan else NO_GUARANTEE,
                reserve=reserve_of(plan, sellers[sale.merchant_id]),
                volume_minor=volume_of(known, sale, volume=volume, at=at),
            )
        )
    return made


def reserve_of(plan: CommissionPlan | None, merchant: Merchant) -> ReservePolicy:
    """What new orders of a seller hold back: its own word counts before the plan's, but not below
    what the operator requires."""
    own = merchant.reserve_policy
    if plan is None:
        return own or NO_RESERVE
    return (own or plan.reserve_policy).at_least(plan.required_reserve)


def volume_of(rules: Sequence[Rule], sale: Sale, *, volume: Volume, at: datetime) -> int | None:
    """Ask for the seller's trailing volume if a rule with tiers wins; else None."""
    if freezing.needs_volume(rules=rules, sale=sale, at=at):
        return volume(sale.merchant_id, sale.currency)
    return None
