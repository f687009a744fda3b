"""Why: one glance must tell an operator whether the money is there and the clockwork runs."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from merchants.models import User
from operators import glance
from operators.roles import Role
from portal.at_once import Part, read_at_once
from tests import disputing, ground, owing
from tests.factories import UserFactory
from tests.signing import sign_in
from tests.world import World

DASHBOARD_QUERIES = 10  # whatever there is


@pytest.fixture(autouse=True)
def at_noon(market: World) -> Iterator[Any]:
    with time_machine.travel(market.now, tick=False) as traveller:
        yield traveller


def rows(panel: Any) -> list[list[str]]:
    if isinstance(panel, Part):
        (panel,) = read_at_once([panel])
    return [[str(cell) for cell in row] for row in panel.rows]


def test_cover_says_what_is_there_and_what_is_owed(market: World) -> None:
    ground.paid_order(market)
    uncovered = rows(glance.cover(glance.books.trial_balance()))
    ground.remit(market, 9999)
    owing.top_up(market, 333)

    (row,) = rows(glance.cover(glance.books.trial_balance()))

    assert uncovered[0][1:5] == ["0.00", "100.01", "0.00", "100.01"]
    assert "+0.00" in uncovered[0][5]
    assert row[:5] == ["CNY", "103.32", "0.02", "0.00", "100.01"]
    assert "+3.33" in row[5]


def test_held_money_stands_in_the_band_of_its_age(market: World) -> None:
    ground.paid_order(market)
    disputing.open_dispute(market)
    at = market.now

    def bands(days: int) -> list[list[str]]:
        return rows(glance.held_by_age(at=at + timedelta(days=days, hours=1)))

    zero = "0.00"
    assert bands(0) == [["CNY", "200.02", zero, zero, zero, "200.02"]]
    assert bands(3) == [["CNY", zero, "200.02", zero, zero, "200.02"]]
    assert bands(7) == [["CNY", zero, zero, "200.02", zero, "200.02"]]
    assert bands(30) == [["CNY", zero, zero, zero, "200.02", "200.02"]]


def test_age_counts_every_open_hold_and_no_closed_one(market: World) -> None:
    ground.paid_order(market)
    ground.released_order(market)

    assert rows(glance.held_by_age(at=market.now))[0][-1] == "100.01"


def test_due_within_a_day_names_what_happens_by_itself(market: World) -> None:
    order = ground.paid_order(market)

    def canceled(at: Any) -> list[str]:
        return rows(glance.due_today(at=at))[1]

    soon = order.ship_by - timedelta(hours=23)
    assert canceled(soon) == ["Canceled and refunded", "1", "100.01 CNY"]
    assert canceled(order.ship_by - timedelta(hours=25)) == ["Canceled and refunded", "0", "–"]
    assert canceled(order.ship_by + timedelta(seconds=1)) == ["Canceled and refunded", "0", "–"]


def test_sweep_that_left_rows_lying_is_named_with_their_number_and_since_when(
    market: World,
) -> None:
    order = ground.paid_order(market)

    def overdue(late: timedelta) -> dict[str, str]:
        found = rows(glance.stuck(at=order.ship_by + late))
        return {name: since for name, _count, since in found}

    assert "Unshipped orders to cancel" not in overdue(timedelta(minutes=10))
    late = overdue(timedelta(minutes=10, seconds=1))
    assert late["Unshipped orders to cancel"] == glance.panels.instant(order.ship_by)


def test_count_stops_at_its_limit(market: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glance, "MAX_COUNTED", 2)
    order = ground.paid_order(market)
    for _ in range(2):
        ground.paid_order(market)

    found = rows(glance.due_today(at=order.ship_by - timedelta(hours=1)))[1]

    assert found == ["Canceled and refunded", "2+", "–"]


def test_dashboard_asks_as_many_queries_for_more_rows(signed_in: Client, market: World) -> None:
    overview = reverse("admin:index")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert signed_in.get(overview).status_code == 200
        return len(queries)

    ground.paid_order(market)
    ground.released_order(market)
    few = asked()
    for _ in range(3):
        ground.paid_order(market)
        ground.released_order(market)

    assert asked() == few <= DASHBOARD_QUERIES


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.FINANCE, {"The reserve against what is owed", "Held, by age in days"}),
        (Role.SUPPORT, {"Held, by age in days"}),
    ],
    ids=["finance", "support"],
)
def test_dashboard_shows_a_role_what_it_may_see(role: Role, shown: set[str], market: World) -> None:
    user: User = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))

    panels = sign_in(user).get(reverse("admin:index")).context["glances"]

    wanted = {"The reserve against what is owed", "Held, by age in days"}
    assert {str(panel.title) for panel in panels} & wanted == shown
