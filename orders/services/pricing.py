"""What a platform's past orders would have paid under other commission rules. It only reads."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from common.errors import DomainError
from merchants import selectors as merchant_selectors
from merchants import services as merchants
from merchants import what_if
from merchants.models import CommissionPlan, Platform
from merchants.terms import Rule, Terms
from orders.models import Order, OrderState

MAX_ORDERS = 500
SOLD = (OrderState.PAID, OrderState.SHIPPED, OrderState.CONFIRMED)


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

    Raises: CommissionRuleInvalid, CommissionRuleOverlap, UnknownCurrency.
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
    sold = orders.filter(platform=platform, state__in=SOLD).order_by("-pk")
    frozen = sold.values_list("pk", "terms")[:MAX_ORDERS]
    return what_if.compare(
        sold=[(order_id, Terms.from_json(written)) for order_id, written in frozen],
        plan_id=plan_id,
        rules=rules,
        as_of=at,
    )
