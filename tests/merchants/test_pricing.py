"""Rules tried out before they are written: the same numbers, the same refusals, nothing kept."""

from datetime import timedelta
from typing import Any

import pytest

from common.money import AmountOutOfRange, UnknownCurrency
from merchants import selectors, services
from merchants.models import CommissionPlan, CommissionRule
from merchants.rules import OrderedLine, Sale
from merchants.services import NewRule
from tests.factories import AT, CommissionPlanFactory, CommissionRuleFactory, MerchantFactory

pytestmark = pytest.mark.django_db
TEA = OrderedLine(category="tea", amount_minor=9001)


@pytest.fixture
def plan() -> CommissionPlan:
    return CommissionPlanFactory()


def sale(plan: CommissionPlan, **changes: Any) -> Sale:
    facts: dict[str, Any] = {"currency": "CNY", "lines": [TEA], "shipping_minor": 1000} | changes
    if "merchant_id" not in facts:
        facts["merchant_id"] = MerchantFactory(platform=plan.platform).id
    return Sale(**facts)


def explain(plan: CommissionPlan, wanted: Sale) -> services.ExplainedSale:
    return services.explain_sale(
        plan=plan, sale=wanted, service_fee_bps=60, volume=lambda merchant, currency: 0, at=AT
    )


def test_sale_is_explained_as_its_order_would_be(plan: CommissionPlan) -> None:
    rule = CommissionRuleFactory(plan=plan)
    CommissionRuleFactory(plan=plan, priority=-1)
    wanted = sale(plan)

    found = explain(plan, wanted)

    assert (found.terms.commission_minor, found.terms.service_fee_minor) == (450, 60)
    assert [remark.code for remark in found.remarks] == [
        "rule_won",
        "rule_lost",
        "commission",
        "service_fee",
        "refund_policy",
        "seller",
    ]
    assert rule.id in found.remarks[0].sentence


def test_sale_is_explained_under_a_plan_that_is_not_in_force(plan: CommissionPlan) -> None:
    draft = CommissionPlanFactory(platform=plan.platform, active=False)
    CommissionRuleFactory(plan=plan)
    CommissionRuleFactory(plan=draft, rate_bps=100, floor_minor=None)

    assert explain(draft, sale(draft)).terms.commission_minor == 90


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lines": []}, services.SaleInvalid),
        ({"lines": [TEA] * 101}, services.SaleInvalid),
        ({"lines": [OrderedLine("tea", -1)]}, services.SaleInvalid),
        ({"shipping_minor": -1}, services.SaleInvalid),
        ({"merchant_id": "mer_none"}, services.SaleInvalid),
        ({"currency": "RMB"}, UnknownCurrency),
        ({"shipping_minor": 10**15}, AmountOutOfRange),
    ],
)
def test_sale_is_refused_when_it_makes_no_sense(
    plan: CommissionPlan, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        explain(plan, sale(plan, **changes))


def test_seller_of_another_platform_is_refused(plan: CommissionPlan) -> None:
    with pytest.raises(services.SaleInvalid, match="not a seller"):
        explain(plan, sale(plan, merchant_id=MerchantFactory().id))


def test_drafted_rules_are_in_force_and_written_nowhere(plan: CommissionPlan) -> None:
    seller = MerchantFactory(platform=plan.platform)

    one, two = services.draft_rules(
        platform=plan.platform,
        wanted=[
            NewRule(currency="CNY", rate_bps=500),
            NewRule(currency="CNY", rate_bps=400, merchant_id=seller.id, cap_minor=9),
        ],
        at=AT,
    )

    assert (one.id, two.id, two.merchant_id, two.cap_minor) == ("rule-1", "rule-2", seller.id, 9)
    anybodys = sale(plan, merchant_id="any")
    assert one.matches(anybodys, category="tea", channel="", at=AT)
    assert not CommissionRule.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"rate_bps": 10_001}, "commission_rule_invalid"),
        ({"floor_minor": 2, "cap_minor": 1}, "commission_rule_invalid"),
        ({"base": "WEIGHT"}, "commission_rule_invalid"),
        ({"merchant_id": "mer_none"}, "commission_rule_invalid"),
        ({"category": "cups"}, "commission_rule_overlap"),
    ],
)
def test_wrong_rule_is_named_by_its_position(
    plan: CommissionPlan, wrong: dict[str, Any], code: str
) -> None:
    good = NewRule(currency="CNY", rate_bps=500, category="cups")
    bad = NewRule(**{"currency": "CNY", "rate_bps": 500, **wrong})

    with pytest.raises((services.CommissionRuleInvalid, services.CommissionRuleOverlap)) as refusal:
        services.draft_rules(platform=plan.platform, wanted=[good, bad], at=AT)

    assert (refusal.value.code, refusal.value.facts["position"]) == (code, 1)


def test_at_most_two_hundred_rules_are_tried(plan: CommissionPlan) -> None:
    many = [NewRule(currency="CNY", rate_bps=1, priority=number) for number in range(201)]

    with pytest.raises(services.CommissionRuleInvalid, match="At most 200"):
        services.draft_rules(platform=plan.platform, wanted=many, at=AT)

    assert len(services.draft_rules(platform=plan.platform, wanted=many[1:], at=AT)) == 200


# Versions


def replace(rule: CommissionRule, **changes: Any) -> CommissionRule:
    wanted = {"effective_from": AT, "rate_bps": 700, "at": AT} | changes
    return services.replace_rule(rule_id=rule.id, **wanted)


def test_rule_is_replaced_at_one_instant(plan: CommissionPlan) -> None:
    seller = MerchantFactory(platform=plan.platform)
    old = CommissionRuleFactory(plan=plan, merchant=seller, category="tea", priority=3)

    new = replace(old, effective_from=AT + timedelta(days=1), cap_minor=900)

    old.refresh_from_db()
    assert old.effective_to == new.effective_from == AT + timedelta(days=1)
    assert (new.merchant, new.category, new.priority, new.currency) == (seller, "tea", 3, "CNY")
    assert (new.rate_bps, new.floor_minor, new.cap_minor, new.effective_to) == (
        700,
        None,
        900,
        None,
    )
    in_force = {
        at: [rule.id for rule in selectors.list_rules_in_force(plan_id=plan.id, at=at)]
        for at in (new.effective_from - timedelta(microseconds=1), new.effective_from)
    }
    assert list(in_force.values()) == [[old.id], [new.id]]


def test_rule_not_begun_yet_is_replaced_by_an_earlier_one(plan: CommissionPlan) -> None:
    old = CommissionRuleFactory(plan=plan, effective_from=AT + timedelta(days=9))

    new = replace(old)

    old.refresh_from_db()
    assert old.effective_to == old.effective_from
    assert new.effective_from == AT


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"effective_from": AT - timedelta(microseconds=1)}, "in the past"),
        ({"effective_from": AT + timedelta(days=2)}, "has ended by then"),
        ({"rate_bps": 10_001}, "0 to 10000"),
    ],
)
def test_rule_is_not_replaced(plan: CommissionPlan, changes: dict[str, Any], sentence: str) -> None:
    old = CommissionRuleFactory(plan=plan, effective_to=AT + timedelta(days=2))

    with pytest.raises(services.CommissionRuleInvalid, match=sentence):
        replace(old, **changes)


def test_rule_that_would_tie_with_a_later_one_is_not_replaced_for_ever(
    plan: CommissionPlan,
) -> None:
    old = CommissionRuleFactory(plan=plan, effective_to=AT + timedelta(days=2))
    CommissionRuleFactory(plan=plan, effective_from=AT + timedelta(days=2))

    with pytest.raises(services.CommissionRuleOverlap):
        replace(old)

    replace(old, effective_to=AT + timedelta(days=2))
    assert CommissionRule.objects.count() == 3
