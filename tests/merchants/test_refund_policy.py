"""Why: who bears the cuts of a refunded order is agreed when it is created, and never after."""

import json
from dataclasses import asdict

import pytest
from django.db import IntegrityError, transaction

from common.money import BPS
from merchants import services
from merchants.explanation import explain
from merchants.models import CommissionPlan
from merchants.refund_policy import EVERYTHING_RETURNED, RefundPolicy
from merchants.rules import OrderedLine
from merchants.terms import Terms, TermsUnreadable
from tests.factories import AT, CommissionPlanFactory, MerchantFactory

pytestmark = pytest.mark.django_db
SHARED = RefundPolicy(
    commission_returned_bps=9_999, service_fee_returned_bps=0, party_returned_bps=2_550
)

# What the first version wrote of the worked example.
WRITTEN_1 = (
    '{"version": 1, "plan_id": "cpl_1", "merchant_id": "mer_1", "currency": "CNY", '
    '"frozen_at": "2026-11-23T08:00:00+00:00", "goods_minor": 9001, "shipping_minor": 1000, '
    '"lines": [{"category": "tea", "amount_minor": 9001, "rule_id": "crl_tea", "passed_over": '
    '[{"rule_id": "crl_any", "reason": "LESS_SPECIFIC", "priority": 0, "specificity": 0}]}], '
    '"groups": [{"rule": {"id": "crl_tea", "priority": 0, "merchant_id": null, "category": '
    '"tea", "currency": "CNY", "rate_bps": 500, "fixed_minor": 0, "floor_minor": 100, '
    '"cap_minor": 5000, "base": "GOODS", "effective_from": "2026-11-22T08:00:00+00:00", '
    '"effective_to": null}, "goods_minor": 9001, "shipping_minor": 1000, "base_minor": 9001, '
    '"percent_minor": 450, "commission_minor": 450}], "commission_minor": 450, '
    '"service_fee_bps": 60, "service_fee_minor": 60}'
)


def freeze(plan: CommissionPlan) -> Terms:
    return services.freeze_terms(
        platform=plan.platform,
        merchant=MerchantFactory(platform=plan.platform),
        currency="CNY",
        lines=[OrderedLine(category="tea", amount_minor=9001)],
        shipping_minor=1000,
        volume=lambda merchant, currency: 0,
        at=AT,
    )


def told(terms: Terms) -> str:
    (remark,) = (each for each in explain(terms) if each.code == "refund_policy")
    assert remark.facts == asdict(terms.refund)
    return remark.sentence


def test_plan_returns_everything_when_nothing_is_said() -> None:
    terms = freeze(CommissionPlanFactory())

    assert terms.refund == EVERYTHING_RETURNED
    assert told(terms) == "When it is refunded, the seller gets every cut back."


def test_order_without_a_plan_returns_everything() -> None:
    assert freeze(CommissionPlanFactory(active=False)).refund == EVERYTHING_RETURNED


def test_policy_is_frozen_and_later_changes_move_nothing() -> None:
    merchant = MerchantFactory()
    plan = services.create_plan(platform=merchant.platform, name="Shared", at=AT, **asdict(SHARED))
    written = json.loads(json.dumps(freeze(plan).to_json()))

    services.set_refund_policy(plan_id=plan.pk, at=AT, **asdict(EVERYTHING_RETURNED))

    assert Terms.from_json(written).refund == SHARED
    assert freeze(plan).refund == EVERYTHING_RETURNED
    assert told(Terms.from_json(written)) == (
        "When it is refunded, the seller gets back 99.99 % of the commission, 0 % of the service"
        " fee and 25.5 % of the parts of further parties."
    )
    audit = plan.audit.order_by("pgh_id").values_list("party_returned_bps", flat=True)
    assert list(audit) == [2_550, BPS]


def test_terms_of_version_1_return_everything() -> None:
    written = json.loads(WRITTEN_1)

    terms = Terms.from_json(written)

    assert terms.refund == EVERYTHING_RETURNED
    assert (terms.commission_minor, terms.service_fee_minor, terms.seller_minor) == (450, 60, 9491)
    assert (terms.groups[0].rate_bps, terms.tax_minor, terms.parties) == (500, 0, ())
    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms
    assert "matches the category" in explain(terms)[0].sentence
    assert "matches only any line" in explain(terms)[1].sentence


def test_terms_are_refused_without_a_policy() -> None:
    written = freeze(CommissionPlanFactory()).to_json()
    del written["refund"]

    with pytest.raises(TermsUnreadable):
        Terms.from_json(written)


@pytest.mark.parametrize("name", list(asdict(SHARED)))
@pytest.mark.parametrize("rate", [-1, 10_001])
def test_policy_out_of_range_is_refused(name: str, rate: int) -> None:
    plan = CommissionPlanFactory()

    with pytest.raises(services.CommissionRuleInvalid):
        services.set_refund_policy(plan_id=plan.pk, at=AT, **asdict(SHARED) | {name: rate})
    with pytest.raises(IntegrityError), transaction.atomic():
        CommissionPlan.objects.update(**{name: rate})

    plan.refresh_from_db()
    assert plan.refund_policy == EVERYTHING_RETURNED
