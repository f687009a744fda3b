"""Lists of orders, payments, holds, releases and refunds: a fixed number of queries, own rows
only."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from escrow import selectors
from merchants import services as merchants
from orders import selectors as order_selectors
from tests import ground
from tests.world import World


def _order(order: Any) -> Any:
    return order.merchant.name


def _payment(payment: Any) -> Any:
    return [part.order_id for part in payment.parts.all()]


def _hold(hold: Any) -> Any:
    planned = [] if hold.state == "REFUNDED" else ["MERCHANT", "PLATFORM", "SERVICE_FEE"]
    return [share.payee for share in hold.shares.all()] == planned


def _release(release: Any) -> Any:
    lines = [line.payee for line in release.lines.all()]
    return release.hold.order_id and lines == ["MERCHANT", "PLATFORM", "SERVICE_FEE"]


def _refund(refund: Any) -> Any:
    source = refund.hold or refund.surplus
    return source.order_id


LISTS: dict[str, tuple[Callable[..., QuerySet[Any]], Callable[[Any], Any], int]] = {
    "orders": (order_selectors.orders_of, _order, 1),
    "payments": (order_selectors.payments_of, _payment, 2),
    "holds": (selectors.holds_of, _hold, 2),
    "releases": (selectors.releases_of, _release, 2),
    "refunds": (selectors.refunds_of, _refund, 4),
}


def trade(world: World) -> None:
    """One released order, one refunded one, and money that came too late."""
    ground.released_order(world)
    ground.open_refund(world)
    order, _token = world.create_order()
    payment = ground.make_payment(world, order)
    ground.capture(payment)
    ground.capture(payment, number="SBP2")


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_for_one_row_and_for_many(market: World, name: str) -> None:
    rows_of, read, queries = LISTS[name]
    costs, counts = [], []
    for _ in range(3):
        trade(market)
        with CaptureQueriesContext(connection) as seen:
            page = list(rows_of(platform_id=market.platform.id).order_by("-pk"))
            assert all(read(row) for row in page)
        costs.append(len(seen))
        counts.append(len(page))

    assert costs == [queries] * 3
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("name", LISTS)
def test_list_shows_the_platform_its_own_rows_only(market: World, name: str) -> None:
    rows_of, _read, _queries = LISTS[name]
    trade(market)
    other = merchants.create_platform(name="Other", slug="other", at=market.now)

    assert rows_of(platform_id=market.platform.id).exists()
    assert not rows_of(platform_id=other.id).exists()
