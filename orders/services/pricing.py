"""What a platform's past orders would have paid under other commission rules. It only reads."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from common.errors import DomainError
from merchants import selectors as merchant_selectors
from merchants import services as merchants
from merchants import what_if
from merchants.models import CommissionPlan, Platform
from merchants.rules import Rule
from merchants.terms import Terms
from orders import selectors
from orders.models import Order

MAX_ORDERS = 500


class CommissionPlanNotFound(DomainError):
    """The platform has no such commission plan."""

    code = "commission_plan_not_found"
    status = 404


def what_if_plan(
    *, platform: Platform, plan_id: str, orders: QuerySet[Order], at: datetime
) -> what_if.Comparison:
    """Price sold orders again under one of the platform's plans, as its rules stand at `at`.

    Args: orders: of this platform; the newest 500 that were paid and not refunded are taken.
    Raises: CommissionPlanNotFound.
    """
    if not CommissionPlan.objects.filter(platform=platform, pk=plan_id).exists():
        raise CommissionPlanNotFound(f"There is no commission plan {plan_id}.", plan=plan_id)
    rules = merchant_selectors.list_rules_in_force(plan_id=plan_id, at=at)
    return _compare(platform, orders, plan_id=plan_id, rules=rules, at=at)


def what_if_rules(
    *,
    platform: Platform,
    rules: Sequence[merchants.NewRule],
    orders: QuerySet[Order],
    at: datetime,
) -> what_if.Comparison:
    """Price sold orders again under rules that are written nowhere. See `what_if_plan`.

    Raises: CommissionRuleInvalid, CommissionRuleOverlap, CommissionTiersInvalid,
        PartyShareInvalid, UnknownCurrency.
    """
    drafted = merchants.draft_rules(platform=platform, wanted=rules, at=at)
    return _compare(platform, orders, plan_id=None, rules=drafted, at=at)


def _compare(
    platform: Platform,
    orders: QuerySet[Order],
    *,
    plan_id: str | None,
    rules: Sequence[Rule],
    at: datetime,
) -> what_if.Comparison:
    sold = orders.filter(platform=platform, state__in=selectors.SOLD).order_by("-pk")
    frozen = list(sold.values_list("pk", "terms")[:MAX_ORDERS])
    channels = selectors.channels_paid(order_ids=[order_id for order_id, _ in frozen])
    tiers = any(rule.tiers for rule in rules)
    return what_if.compare(
        sold=[
            _sold(order_id, Terms.from_json(terms), channels.get(order_id), tiers=tiers)
            for order_id, terms in frozen
        ],
        plan_id=plan_id,
        rules=rules,
        as_of=at,
    )


def _sold(order_id: str, terms: Terms, channel: str | None, *, tiers: bool) -> what_if.Sold:
    volume_minor = None
    if tiers:
        volume_minor = selectors.sold_volume(
            merchant_id=terms.merchant_id, currency=terms.currency, before=terms.frozen_at
        )
    return what_if.Sold(order_id, terms, channel, volume_minor)
