"""Why: a list that shows the wrong rows, or takes a query for each, is of no use in a busy shop."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client

from portal.models import SavedView
from tests.world import START, World

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"cheap", "dear"}),
        ("lowest=100.02", {"dear"}),
        ("highest=100.01", {"cheap"}),
        ("since=2026-03-02&until=2026-03-02", {"cheap", "dear"}),
        ("since=2026-03-03", set()),
        ("since=2026-03-03&until=2026-03-02", set()),
        ("seller=seller-2", {"dear"}),
        ("seller=Seller 1", {"cheap"}),
        ("state=unpaid&q=li", {"dear"}),
        ("state=to-ship", set()),
        ("lowest=x", set()),
        ("q=%00cheap", set()),
    ],
)
def test_list_shows_what_is_asked_for(
    world: World, sign_in: SignIn, query: str, shown: set[str]
) -> None:
    world.create_order(reference="cheap", buyer_name="Wang")
    world.create_order(
        world.add_merchant(), reference="dear", buyer_name="Li Lei", shipping_minor=1001
    )

    page = sign_in(platform=world.platform).get(f"/portal/orders?{query}")

    assert {row["order"].reference for row in page.context["listing"].rows} == shown


def test_list_takes_ten_queries_however_long_it_is(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _time in range(30):
        world.create_order()
    client = sign_in(platform=world.platform)

    with django_assert_max_num_queries(10):
        page = client.get("/portal/orders")

    assert len(page.context["listing"].rows) == 25


def test_view_is_saved_by_name_and_is_one_s_own(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0])
    colleague = sign_in(merchant=world.merchants[0])
    for query in ("state=shipped", "state=to-ship"):
        client.post("/portal/orders/views", {"name": "<b>Mine</b>", "query": query})

    page = client.get("/portal/orders?state=to-ship").content.decode()

    view = SavedView.objects.get()
    assert view.query == "state=to-ship"
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    assert "Mine" not in colleague.get("/portal/orders").content.decode()
    colleague.post(f"/portal/orders/views/{view.pk}/forget")
    assert SavedView.objects.count() == 1
    client.post(f"/portal/orders/views/{view.pk}/forget")
    assert SavedView.objects.count() == 0


def test_twenty_views_are_kept_at_most(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0])
    for number in range(20):
        client.post("/portal/orders/views", {"name": f"View {number}", "query": "q=x"})

    answer = client.post("/portal/orders/views", {"name": "One more", "query": "q=x"}, follow=True)

    assert "You keep 20 views already" in answer.content.decode()
    assert SavedView.objects.count() == 20
