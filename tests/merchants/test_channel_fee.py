"""Why: a seller who bears the channel's fee must have been told how much, before the order."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from escrow.services.shares import plan_returns
from merchants import services
from merchants.explanation import explain
from merchants.models import CommissionPlan
from merchants.refund_policy import RefundPolicy
from merchants.terms import Terms
from tests.factories import AT, CommissionPlanFactory, PlatformFactory
from tests.ground import open_world
from tests.merchants.test_refund_policy import freeze

pytestmark = pytest.mark.django_db
RETURNED = {
    "commission_returned_bps": 10_000,
    "service_fee_returned_bps": 10_000,
    "party_returned_bps": 10_000,
}


def set_policy(plan: CommissionPlan, **changes: Any) -> CommissionPlan:
    return services.set_refund_policy(plan_id=plan.pk, at=AT, **RETURNED | changes)


def make_plan() -> CommissionPlan:
    return CommissionPlanFactory(platform=PlatformFactory(service_fee_bps=60))


@pytest.mark.parametrize(
    ("amount", "fee", "part"),
    [(10_001, 60, 38), (10_132, 61, 39), (10_131, 61, 38), (10_001, 37, 37), (1, 0, 0), (0, 0, 0)],
)
def test_channels_part_is_half_up_and_at_most_the_fee(amount: int, fee: int, part: int) -> None:
    policy = RefundPolicy(**RETURNED, channel_fee_bps=38)

    assert policy.channel_fee_minor(amount_minor=amount, service_fee_minor=fee) == part


def test_channel_fee_is_frozen_and_explained() -> None:
    plan = set_policy(make_plan(), channel_fee_bps=38, channel_fee_returned_bps=0)
    written = json.loads(json.dumps(freeze(plan).to_json()))

    set_policy(plan, channel_fee_bps=0, channel_fee_returned_bps=10_000)

    terms = Terms.from_json(written)
    assert (terms.refund.channel_fee_bps, terms.refund.channel_fee_returned_bps) == (38, 0)
    (remark,) = (each for each in explain(terms) if each.code == "refund_policy")
    assert remark.sentence == (
        "When it is refunded, the seller gets every cut back. The channel keeps 0.38 % of 100.01"
        " CNY = 0.38 CNY; of that part of the service fee the seller gets back 0 %."
    )
    assert freeze(plan).refund.channel_fee_bps == 0
    audit = plan.audit.order_by("pgh_id").values_list("channel_fee_bps", flat=True)
    assert list(audit) == [0, 38, 0]


def test_policy_set_without_a_word_on_the_channel_keeps_what_the_plan_says() -> None:
    plan = set_policy(make_plan(), channel_fee_bps=38, channel_fee_returned_bps=3_333)

    plan = set_policy(plan, party_returned_bps=1)

    found = plan.refund_policy
    assert (found.channel_fee_bps, found.channel_fee_returned_bps) == (38, 3_333)


def test_terms_of_version_4_leave_the_channels_fee_with_us() -> None:
    written = freeze(make_plan()).to_json() | {"version": 4}
    refund = {name: written["refund"][name] for name in RETURNED}

    terms = Terms.from_json(written | {"refund": refund})

    assert terms.refund == RefundPolicy(**RETURNED)
    assert terms.refund.channel_fee_minor(amount_minor=10_001, service_fee_minor=60) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel_fee_bps": 61},
        {"channel_fee_returned_bps": 9_999},
        {"channel_fee_bps": 0, "channel_fee_returned_bps": 0},
    ],
)
def test_channel_fee_outside_the_service_fee_is_refused(wrong: dict[str, int]) -> None:
    plan = make_plan()

    with pytest.raises(services.ChannelFeeInvalid) as refused:
        set_policy(plan, **wrong)
    with pytest.raises(services.ChannelFeeInvalid):
        services.create_plan(platform=plan.platform, name="B", active=False, at=AT, **wrong)

    assert refused.value.facts["fields"] == ["channel_fee_bps"]
    assert CommissionPlan.objects.get().refund_policy == RefundPolicy(**RETURNED)


@pytest.mark.parametrize(
    "wrong", [{"channel_fee_bps": 10_001}, {"channel_fee_returned_bps": 9_999}]
)
def test_database_refuses_a_channel_fee_that_makes_no_sense(wrong: dict[str, int]) -> None:
    make_plan()

    with pytest.raises(IntegrityError, match="plan_channel_fee_in_range"), transaction.atomic():
        CommissionPlan.objects.update(**wrong)


@pytest.mark.django_db(transaction=True)
def test_order_gives_back_by_the_channel_fee_it_froze() -> None:
    world = open_world()
    set_policy(CommissionPlan.objects.get(), channel_fee_bps=38, channel_fee_returned_bps=0)
    order, _token = world.create_order()
    set_policy(CommissionPlan.objects.get(), channel_fee_bps=1, channel_fee_returned_bps=1)

    parts = {part.share.payee: part for part in plan_returns(order, channel="sandbox")}

    fee = parts["SERVICE_FEE"]
    assert fee.gives_minor == fee.share.amount_minor - (order.amount_minor * 38 + 5_000) // 10_000
    assert sum(part.gives_minor for part in parts.values()) == order.amount_minor
