"""The history of balances: the table says all the chart does, of one's own money alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests import ground, signing
from tests.factories import MerchantFactory, UserFactory
from tests.world import World

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


def test_seller_reads_each_day_in_the_table_within_ten_queries(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    ground.released_order(world)
    client = sign_in(merchant=world.merchants[0])

    with django_assert_max_num_queries(10):
        answer = client.get("/portal/balance?days=365")
    page = answer.content.decode()

    assert page.count('<td class="lead">') == len(answer.context["courses"][0]["rows"]) > 1
    assert "94.91" in page
    (shown,) = answer.context["courses"]
    assert len(shown["chart"]["x"]) == 365
    assert shown["rows"][0].available_minor == 9491
    first, last = (shown["course"].days[at].day for at in (0, -1))
    assert (last - first, shown["rows"][0].day) == (timedelta(days=364), last)
    assert shown["rows"][-1].available_minor == 9491  # days before it are left out
    assert 'href="/portal/balance"' in client.get("/portal/").content.decode()


def test_platform_reads_its_sellers_together_or_its_own_commission(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    ground.released_order(world)
    client = sign_in(platform=world.platform)
    other = sign_in(merchant=MerchantFactory(platform=world.platform))

    with django_assert_max_num_queries(10):
        together = client.get("/portal/balance?days=nonsense").content.decode()
    own = client.get("/portal/balance?of=own").content.decode()
    strangers = other.get("/portal/balance?of=own").content.decode()

    assert "94.91" in together
    assert ("94.91" in own, "4.50" in own) == (False, True)
    assert "No money yet" in strangers


def test_days_are_those_of_the_reader_whoever_of_the_house_looked_before(
    world: World, sign_in: SignIn
) -> None:
    ground.released_order(world)
    clients = [
        signing.sign_in(UserFactory(merchant=world.merchants[0], time_zone=zone))
        for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati")  # never on the same day
    ]

    west, east = (
        client.get("/portal/balance").context["courses"][0]["course"].days[-1].day
        for client in clients
    )
    figures_west, figures_east = (
        client.get("/portal/").context["figures"].days[-1] for client in clients
    )

    assert west == figures_west < east == figures_east
