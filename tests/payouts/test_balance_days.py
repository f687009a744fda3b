"""Why: a history nobody can check is decoration. Its last day is the balance of today, each day
before it is what was true then, and nobody else's money is in it.
"""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels.contract import Status
from escrow.services import order_refunds
from merchants.models import Platform
from payouts.balance_days import Day, days_of_platform, days_of_sellers
from payouts.balances import balances_of
from payouts.services import cutoff, sending
from tests import ground
from tests.payouts.test_balances import busy
from tests.world import World

__all__ = ["busy"]
SHANGHAI = ZoneInfo("Asia/Shanghai")
SELLER, COMMISSION = 9491, 450  # the worked example


def window(world: World, days: int = 3) -> dict[str, Any]:
    last = world.now.astimezone(SHANGHAI).date()
    first = last - timedelta(days=days - 1)
    at = world.now + timedelta(minutes=1)  # when the channel says it has captured
    return {"first": first, "last": last, "zone": SHANGHAI, "at": at}


def amounts(days: list[Day]) -> list[tuple[int, int, int, int]]:
    return [
        (day.held_minor, day.available_minor, day.in_transit_minor, day.paid_minor) for day in days
    ]


def next_day(world: World) -> None:
    world.sandbox.clock.move_to(world.now + timedelta(days=1))


def test_each_day_shows_where_the_money_was_at_its_end(market: World) -> None:
    (seller,) = market.merchants
    order = ground.paid_order(market)
    market.ship(order)
    next_day(market)
    market.confirm(order)
    next_day(market)
    (payout,) = cutoff.cut_settlements(schedule_id=ground.schedule(market).pk, at=market.now)
    next_day(market)
    ground.remit(market, 10001)
    sending.claim_payout(payout_id=payout.id, at=market.now)
    ground.answer_payout(market, payout, Status.SUCCEEDED)
    next_day(market)
    ground.answer_payout(market, payout, Status.RETURNED)

    everything = days_of_sellers(platform=market.platform, **window(market, 6))
    since = days_of_sellers(platform=market.platform, merchant_ids=[seller.pk], **window(market, 2))
    own = days_of_platform(platform=market.platform, **window(market, 5))

    assert amounts(everything) == [
        (0, 0, 0, 0),
        (SELLER, 0, 0, 0),
        (0, SELLER, 0, 0),
        (0, 0, SELLER, 0),
        (0, 0, 0, SELLER),
        (0, SELLER, 0, -SELLER),
    ]
    assert since == everything[-2:]  # what was before the first day counts
    assert amounts(own) == [(COMMISSION, 0, 0, 0), *[(0, COMMISSION, 0, 0)] * 4]
    assert [day.day for day in since] == [date(2026, 3, 5), date(2026, 3, 6)]


def test_what_is_refunded_was_held_until_it_went_back(market: World) -> None:
    order = ground.paid_order(market)
    next_day(market)
    order_refunds.refund_order(order_id=order.id, amount_minor=3333, reason="asked", at=market.now)
    next_day(market)
    canceled = ground.paid_order(market)
    order_refunds.refund_order(order_id=canceled.id, amount_minor=10001, reason="x", at=market.now)

    found = amounts(days_of_sellers(platform=market.platform, **window(market)))

    (left,) = [
        each.held_minor for each in balances_of(platform=market.platform) if each.merchant_id
    ]
    assert 0 < left < SELLER
    assert found == [(SELLER, 0, 0, 0), (left, 0, 0, 0), (left, 0, 0, 0)]


def test_last_day_is_the_balance_of_now_of_everybody(busy: World) -> None:
    for platform in Platform.objects.all():
        at = window(busy, 2)
        found = {("", each.currency): each for each in days_of_platform(platform=platform, **at)}
        for seller in platform.merchants.all():
            of = days_of_sellers(platform=platform, merchant_ids=[seller.pk], **at)
            found |= {(seller.pk, each.currency): each for each in of}  # the last day stays

        for now in balances_of(platform=platform):
            last = found[now.merchant_id or "", now.currency]
            assert (last.held_minor, last.available_minor) == (now.held_minor, now.payable_minor)
            assert last.reserved_minor == now.reserved_minor
            assert last.in_transit_minor == now.in_transit_minor


def test_history_costs_three_queries_for_all_sellers_and_two_for_one(busy: World) -> None:
    with CaptureQueriesContext(connection) as for_all:
        together = days_of_sellers(platform=busy.platform, **window(busy, 365))
    with CaptureQueriesContext(connection) as for_one:
        days_of_sellers(
            platform=busy.platform, merchant_ids=[busy.merchants[0].pk], **window(busy, 365)
        )

    assert (len(for_all), len(for_one)) == (3, 2)
    assert len(together) == 2 * 365  # two currencies, no gaps
