"""Lists of statements and payouts, and opening a schedule: without one nobody is ever paid."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escrow.models import ReleaseLine
from merchants import services as merchants
from payouts import selectors, sweeps
from payouts.models import Cadence, Payout, PayoutSchedule
from payouts.services import cutoff, schedules
from tests import ground
from tests.world import World


def cost(read: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        read()
    return len(queries)


def test_lists_cost_the_same_for_one_row_and_for_many(market: World) -> None:
    platform_id = market.platform.id

    def read_settlements() -> None:
        for statement in selectors.settlements_of(platform_id=platform_id):
            assert statement.merchant.name
            assert [payout.state for payout in statement.payouts.all()]

    def read_payouts() -> None:
        for payout in selectors.payouts_of(platform_id=platform_id):
            assert payout.merchant.name
            assert payout.settlement.line_count

    def read_latest() -> None:
        lines = ReleaseLine.objects.exclude(settlement_id=None)
        ids = list(lines.values_list("settlement_id", flat=True))
        found = selectors.latest_payouts(settlement_ids=ids)
        assert {payout.settlement.pk for payout in found.values()} == set(ids)

    costs = []
    for _ in range(3):
        ground.cut_payout(market)
        costs.append([cost(read) for read in (read_settlements, read_payouts, read_latest)])

    assert costs == [[2, 1, 2]] * 3


def test_lists_show_the_platform_its_own_rows_only(market: World) -> None:
    ground.cut_payout(market)
    other = merchants.create_platform(name="Other", slug="other", at=market.now)

    assert selectors.settlements_of(platform_id=market.platform.id).count() == 1
    assert selectors.payouts_of(platform_id=market.platform.id).count() == 1
    assert not selectors.settlements_of(platform_id=other.id).exists()
    assert not selectors.payouts_of(platform_id=other.id).exists()


def test_latest_payout_is_the_one_that_replaced_the_failed_one(market: World) -> None:
    failed = ground.failed_payout(market)
    replaced = cutoff.replace_payout(
        payout_id=failed.id, requested_by=ground.operator("ada"), at=market.now
    )

    found = selectors.latest_payouts(settlement_ids=[failed.settlement_id, "set_none"])

    assert found == {failed.settlement_id: replaced}


def test_payee_is_paid_once_it_has_a_schedule(market: World) -> None:
    (seller,) = market.merchants
    PayoutSchedule.objects.all().delete()
    ground.released_order(market)
    before = sweeps.cut_due_settlements(at=market.now)

    schedules.open_schedule(
        platform=market.platform, merchant=seller, rail="sandbox-bank", at=market.now
    )
    after = sweeps.cut_due_settlements(at=market.now)

    assert (before, after) == (0, 1)
    assert Payout.objects.get().merchant == seller


@pytest.mark.parametrize("own", [True, False])
def test_payee_has_one_schedule(market: World, own: bool) -> None:
    PayoutSchedule.objects.all().delete()
    payee = None if own else market.merchants[0]
    wanted = {"platform": market.platform, "merchant": payee, "rail": "sandbox-bank"}

    opened = schedules.open_schedule(**wanted, cadence=Cadence.DAILY, at=market.now)
    refused = ground.refusal(lambda: schedules.open_schedule(**wanted, at=market.now))

    assert (refused.code, refused.status) == ("schedule_taken", 409)
    assert PayoutSchedule.objects.get() == opened
    assert opened.next_cutoff_at > market.now


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"cadence": "HOURLY"}, "schedule_invalid"),
        ({"weekday": 7}, "schedule_invalid"),
        ({"minimum_minor": 0}, "schedule_invalid"),
        ({"approval_above_minor": -1}, "schedule_invalid"),
        ({"rail": "no-bank"}, "channel_disabled"),
    ],
)
def test_schedule_is_refused_when_it_makes_no_sense(
    market: World, wrong: dict[str, Any], code: str
) -> None:
    PayoutSchedule.objects.all().delete()
    wanted = {"platform": market.platform, "merchant": None, "rail": "sandbox-bank", **wrong}

    refused = ground.refusal(lambda: schedules.open_schedule(**wanted, at=market.now))

    assert (refused.code, refused.status) == (code, 422)
    assert not PayoutSchedule.objects.exists()


def test_schedule_of_a_foreign_seller_is_refused(market: World) -> None:
    other = merchants.create_platform(name="Other", slug="other", at=market.now)

    refused = ground.refusal(
        lambda: schedules.open_schedule(
            platform=other, merchant=market.merchants[0], rail="sandbox-bank", at=market.now
        )
    )

    assert refused.code == "schedule_invalid"


def test_a_payee_with_an_account_is_paid_at_each_release_unless_it_has_a_schedule(
    market: World,
) -> None:
    seller = market.add_merchant()
    PayoutSchedule.objects.filter(merchant=seller).delete()

    for _ in range(2):
        schedules.ensure_schedule(platform=market.platform, merchant=seller, at=market.now)

    made = PayoutSchedule.objects.get(merchant=seller)
    assert (made.rail, made.cadence) == ("sandbox-bank", Cadence.INSTANT)
