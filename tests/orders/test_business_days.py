"""A platform may count business days: frozen on the order, computed once, kept to the second."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from escrow import sweeps
from escrow import sweeps as escrow_sweeps
from merchants import services as merchants
from merchants.models import Platform
from merchants.services.platforms import DEFAULT_DEADLINES, PlatformInvalid
from orders import deadlines
from orders.models import Order
from tests import ground
from tests.ground import US
from tests.world import START, World

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def counting(market: World, days: int | None, calendar: str, zone: str) -> None:
    market.platform.ship_business_days = days
    market.platform.ship_calendar = calendar
    market.platform.time_zone = zone
    market.platform.save()


def test_order_is_to_be_shipped_by_the_end_of_the_business_day(market: World) -> None:
    """Paid on Monday, 2 March, at 17:01 in Shanghai."""
    counting(market, 5, "CN", "Asia/Shanghai")

    order = ground.paid_order(market)

    assert order.ship_by == datetime(2026, 3, 9, 15, 59, 59, 999_999, tzinfo=UTC)
    assert order.remind_ship_at == order.ship_by - DAY
    due = [order.remind_ship_at - SECOND, order.remind_ship_at, order.remind_ship_at + SECOND]
    assert [escrow_sweeps.remind_due_shipments(at=at) for at in due] == [0, 1, 0]
    ends = [order.ship_by - SECOND, order.ship_by, order.ship_by + US]
    assert [sweeps.cancel_due_shipments(at=at) for at in ends] == [0, 0, 1]


def test_term_is_frozen_when_the_order_is_created(market: World) -> None:
    counting(market, 2, "US", "America/New_York")
    order, _token = market.create_order()
    counting(market, None, "", "Asia/Shanghai")

    ground.capture(ground.make_payment(market, order))
    plain = ground.paid_order(market)

    order.refresh_from_db()
    assert order.ship_by == datetime(2026, 3, 5, 5, tzinfo=UTC) - US
    assert plain.ship_by == plain.paid_at + 3 * DAY
    assert (plain.ship_business_days, plain.ship_calendar, plain.ship_time_zone) == (None, "", "")


def test_other_holidays_move_no_date_that_was_told(
    market: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting(market, 2, "CN", "Asia/Shanghai")
    order = ground.paid_order(market)

    monkeypatch.setattr(deadlines, "is_business_day", lambda day, *, calendar: day.day == 31)

    assert Order.objects.get(pk=order.pk).ship_by == order.ship_by
    assert ground.paid_order(market).ship_by == datetime(2026, 5, 31, 16, tzinfo=UTC) - US


def test_date_of_the_order_itself_goes_before(market: World) -> None:
    counting(market, 2, "CN", "Asia/Shanghai")
    order, _token = market.create_order(ship_by=market.now + 7 * DAY)

    ground.capture(ground.make_payment(market, order))

    order.refresh_from_db()
    assert order.ship_by == market.now + 7 * DAY


@pytest.mark.parametrize(
    "policy",
    [
        {"ship_business_days": 2},
        {"ship_calendar": "CN"},
        {"ship_business_days": 0, "ship_calendar": "CN"},
        {"ship_business_days": 61, "ship_calendar": "CN"},
        {"ship_business_days": 2, "ship_calendar": "XX"},
        {"ship_business_days": 2, "ship_calendar": "CHN"},
        {"ship_business_days": 2, "ship_calendar": "GB-"},
        {"ship_business_days": 2, "ship_calendar": "GB-XXX"},
    ],
)
def test_platform_without_a_real_calendar_is_refused(market: World, policy: dict[str, Any]) -> None:
    wanted = replace(DEFAULT_DEADLINES, **policy)

    with pytest.raises(PlatformInvalid):
        merchants.create_platform(name="New", slug="new", at=START, deadlines=wanted)

    assert not Platform.objects.filter(slug="new").exists()
