"""Why: a platform may set its own terms for orders to come, and never loosen those of its operator.

Tenancy and scopes are in test_tenant_matrix.
"""

from typing import Any

import pytest

from merchants import services
from merchants.models import CommissionPlan
from notifications.models import Event
from tests.api.shop import Shop, all_rows, problem
from tests.factories import AT

TERMS = {
    "commission_returned_bps": 0,
    "service_fee_returned_bps": 5_000,
    "party_returned_bps": 2_551,
    "channel_fee_bps": 38,
    "channel_fee_returned_bps": 3_333,
    "guarantee_days": 7,
    "reserve_bps": 1_500,
    "reserve_days": 30,
}


def plan_path() -> str:
    return f"/v1/commission-plans/{CommissionPlan.objects.get().pk}"


def read(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in TERMS}


def require(reserve_bps: int, reserve_days: int) -> None:
    """An operator wants so much held back at least."""
    services.set_plan_reserve(
        plan_id=CommissionPlan.objects.get().pk,
        reserve_bps=reserve_bps,
        reserve_days=reserve_days,
        required_reserve_bps=reserve_bps,
        required_reserve_days=reserve_days,
        at=AT,
    )


def test_platform_changes_its_plan_and_old_orders_keep_what_they_froze(shop: Shop) -> None:
    old = shop.create_order()
    before = read(shop.get(plan_path()).json())

    answer = shop.post(plan_path(), TERMS)

    assert answer.status_code == 200, answer.content
    assert read(answer.json()) == TERMS == read(shop.get(plan_path()).json())
    assert read(shop.create_order()["terms"]) == TERMS
    assert read(shop.get(f"/v1/orders/{old['id']}").json()["terms"]) == before
    assert before["guarantee_days"] is None
    row = CommissionPlan.objects.get().audit.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert row.pgh_context["actor"] == f"platform:{shop.platform.id}"


def test_change_is_told_once_and_nothing_is_told_of_the_same_again(shop: Shop) -> None:
    body = {"guarantee_days": 0, "party_returned_bps": 1}

    first = shop.post(plan_path(), body, Idempotency_Key="once-only")
    replayed = shop.post(plan_path(), body, Idempotency_Key="once-only")
    again = shop.post(plan_path(), body)
    withdrawn = shop.post(plan_path(), {"guarantee_days": None})

    assert first.content == replayed.content == again.content
    assert withdrawn.json()["guarantee_days"] is None
    plan = CommissionPlan.objects.get()
    events = Event.objects.filter(subject_id=plan.pk).order_by("sequence")
    assert list(events.values_list("type", "sequence", "data")) == [
        (
            "commission_plan.changed",
            1,
            {"commission_plan": plan.pk, "changed": ["guarantee_days", "party_returned_bps"]},
        ),
        (
            "commission_plan.changed",
            2,
            {"commission_plan": plan.pk, "changed": ["guarantee_days"]},
        ),
    ]


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"guarantee_days": 366}, 422, "request_invalid"),
        ({"party_returned_bps": 10_001}, 422, "request_invalid"),
        ({"active": False}, 422, "request_invalid"),
        ({"required_reserve_bps": 0}, 422, "request_invalid"),
        ({"reserve_bps": 1}, 422, "reserve_invalid"),
        ({"channel_fee_bps": 61}, 422, "channel_fee_invalid"),
        ({"channel_fee_returned_bps": 0}, 422, "channel_fee_invalid"),
    ],
)
def test_change_that_makes_no_sense_is_refused(
    shop: Shop, wrong: dict[str, Any], status: int, code: str
) -> None:
    before = all_rows()

    problem(shop.post(plan_path(), {"name": "Other", **wrong}), status, code)

    assert all_rows() == before


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"service_fee_returned_bps": 5_001}, False),
        ({"service_fee_returned_bps": 4_999}, True),
        ({"channel_fee_returned_bps": 1}, False),
        ({"channel_fee_bps": 37}, False),
        ({"channel_fee_bps": 39}, True),
        ({"channel_fee_bps": 60, "channel_fee_returned_bps": 1_833}, True),  # 60 x 8167 = 490020
        ({"channel_fee_bps": 60, "channel_fee_returned_bps": 1_834}, False),  # 489960 < 490000
        ({"commission_returned_bps": 10_000, "party_returned_bps": 10_000}, True),
    ],
)
def test_platform_may_have_more_of_our_fee_kept_and_never_less(
    shop: Shop, change: dict[str, int], allowed: bool
) -> None:
    agreed = {
        "service_fee_returned_bps": 5_000,
        "channel_fee_bps": 38,
        "channel_fee_returned_bps": 0,
    }
    services.set_refund_policy(
        plan_id=CommissionPlan.objects.get().pk,
        commission_returned_bps=0,
        party_returned_bps=0,
        at=AT,
        **agreed,
    )
    before = all_rows()

    answer = shop.post(plan_path(), change)

    if allowed:
        assert answer.json() | change == answer.json()
    else:
        found = problem(answer, 409, "fee_terms_loosened")["facts"]
        assert {name: found[name] for name in agreed} == agreed
        assert all_rows() == before


def test_reserve_never_goes_below_what_the_operator_requires(shop: Shop) -> None:
    seller = f"/v1/merchants/{shop.merchants[0].id}"
    assert shop.post(plan_path(), {"reserve_bps": 500, "reserve_days": 9}).status_code == 200
    assert shop.post(plan_path(), {"reserve_bps": 0, "reserve_days": 0}).status_code == 200
    assert shop.post(seller, {"reserve_bps": 2000, "reserve_days": 7}).status_code == 200
    require(1_000, 14)
    before = all_rows()
    tried = [
        shop.post(plan_path(), {"reserve_bps": 999}),
        shop.post(plan_path(), {"reserve_days": 13}),
        shop.post(plan_path(), {"reserve_bps": 0, "reserve_days": 0}),
        shop.post(seller, {"reserve_bps": 0, "reserve_days": 0}),
        shop.post(
            "/v1/merchants",
            {"reference": "b", "name": "B", "reserve_bps": 999, "reserve_days": 14},
        ),
    ]

    for answer in tried:
        found = problem(answer, 409, "reserve_below_required")["facts"]
        assert (found["required_reserve_bps"], found["required_reserve_days"]) == (1_000, 14)
    assert all_rows() == before
    terms = shop.create_order()["terms"]  # of the seller whose own word says 7 days
    assert (terms["reserve_bps"], terms["reserve_days"]) == (2_000, 14)
    raised = shop.post(plan_path(), {"reserve_bps": 1_001}).json()
    assert (raised["reserve_bps"], raised["reserve_days"]) == (1_001, 14)
    assert (raised["required_reserve_bps"], raised["required_reserve_days"]) == (1_000, 14)
