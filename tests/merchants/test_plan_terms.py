"""Why: a guarantee withdrawn the day after must not leave the operator with yesterday's sales."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from merchants import services
from merchants.explanation import explain
from merchants.guarantee_policy import NO_GUARANTEE, GuaranteePolicy
from merchants.models import CommissionPlan
from merchants.terms import Terms
from tests.factories import AT, CommissionPlanFactory
from tests.merchants.test_refund_policy import freeze

pytestmark = pytest.mark.django_db


def guarantee(days: int | None) -> None:
    services.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=days, at=AT)


def test_guarantee_is_frozen_and_explained() -> None:
    plan = CommissionPlanFactory()
    assert freeze(plan).guarantee == NO_GUARANTEE
    guarantee(7)
    plan.refresh_from_db()
    written = json.loads(json.dumps(freeze(plan).to_json()))

    guarantee(None)

    terms = Terms.from_json(written)
    assert terms.guarantee == GuaranteePolicy(days=7)
    (remark,) = (each for each in explain(terms) if each.code == "guarantee")
    assert remark.sentence == (
        "What the seller cannot give back of a refund, the platform pays after 7 days."
    )
    older = Terms.from_json({**written, "version": 4})
    assert older.guarantee is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"guarantee_days": 366},
        {"required_reserve_bps": 1},
        {"required_reserve_bps": 1, "required_reserve_days": 1},  # and nothing is held back
        {"reserve_bps": 5, "reserve_days": 400},
    ],
)
def test_database_refuses_a_plan_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    CommissionPlanFactory()

    with pytest.raises(IntegrityError, match="plan_"), transaction.atomic():
        CommissionPlan.objects.update(**wrong)


def test_operator_cannot_hold_back_less_than_is_required() -> None:
    plan = CommissionPlanFactory()
    say: dict[str, Any] = {"plan_id": plan.pk, "at": AT}
    services.set_plan_reserve(
        reserve_bps=10, reserve_days=2, required_reserve_bps=10, required_reserve_days=2, **say
    )

    with pytest.raises(services.ReserveInvalid, match="below what the operator requires"):
        services.set_plan_reserve(reserve_bps=9, reserve_days=2, **say)

    plan.refresh_from_db()
    assert (plan.reserve_bps, plan.required_reserve_bps) == (10, 10)
