"""Why: a link is all a buyer has. Whoever guesses, replays or finds one must get nowhere."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from notifications import buyer_links
from portal.buyer import access
from portal.buyer.links import buyer_link, qr_svg
from settlement_site.logs import JsonFormatter
from tests.portal.buying import Buyer, buyer_of, said
from tests.world import START, World


@pytest.fixture(autouse=True)
def frozen_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        cache.clear()
        yield traveller


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_link_leaves_the_address_and_opens_this_order_alone(world: World) -> None:
    order, token = world.create_order()
    other, _token = world.create_order()
    client = Client()

    answer = client.get(f"/o/{order.pk}/{token}")

    assert (answer.status_code, answer["Location"]) == (302, f"/o/{order.pk}")
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == (
        "no-referrer",
        "private, no-store",
    )
    kept = answer.cookies[f"right-o-{order.pk}"]
    assert (kept["path"], kept["httponly"], kept["samesite"]) == (f"/o/{order.pk}", True, "Lax")
    assert token not in kept.value
    page = client.get(f"/o/{order.pk}")
    assert page.status_code == 200
    assert token not in page.content.decode()
    assert client.get(f"/o/{other.pk}").status_code == 404


def test_signed_link_opens_the_page_until_it_ends(
    world: World, frozen_time: time_machine.Traveller
) -> None:
    order, _token = world.create_order()
    link = path_of(buyer_link(order, at=START))

    before = Client().get(link).status_code
    frozen_time.move_to(START + buyer_links.LIFETIME)
    after = Client().get(link).status_code

    assert (before, after) == (302, 404)


def test_browser_forgets_the_right_after_twelve_hours(
    world: World, frozen_time: time_machine.Traveller
) -> None:
    buyer = buyer_of(world, stage="unpaid")
    assert buyer.get().status_code == 200

    frozen_time.shift(timedelta(hours=12))

    assert buyer.get().status_code == 404


def test_everything_that_is_no_link_is_refused_with_the_same_page(world: World) -> None:
    order, token = world.create_order()
    other, other_token = world.create_order()
    foreign = path_of(buyer_link(other, at=START)).rsplit("/", 1)[1]
    expired = buyer_links.sign(f"/o/{order.pk}", until=START)
    signature, _, ends = buyer_links.sign(f"/o/{order.pk}", until=START).rpartition(".")
    kept = buyer_links.sign(f"/o/{order.pk} in a browser", until=START + timedelta(days=1))
    links = {
        "wrong token": f"/o/{order.pk}/{'x' * 43}",
        "token of another order": f"/o/{order.pk}/{other_token}",
        "one letter less": f"/o/{order.pk}/{token[:-1]}",
        "signed for another order": f"/o/{order.pk}/{foreign}",
        "expired": f"/o/{order.pk}/{expired}",
        "prolonged": f"/o/{order.pk}/{signature}.{int(ends) + 86400}",
        "a kept right as a link": f"/o/{order.pk}/{kept}",
        "no such order": f"/o/ord_{'0' * 32}/{token}",
        "no link at all": f"/o/{order.pk}",
        "an act without a link": f"/o/{order.pk}/confirm",
        "a dispute without a link": f"/o/{order.pk}/dispute",
        "odd bytes": f"/o/{order.pk}/%00%ff.9",
    }

    answers = {name: Client().get(link) for name, link in links.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        links, 404
    )
    assert len({said(answer) for answer in answers.values()}) == 1
    shown = answers["expired"].content.decode()
    assert "Ask the shop for a new link" in shown
    assert order.reference not in shown


def test_kept_right_of_another_order_is_refused(world: World) -> None:
    buyer = buyer_of(world)
    other, _token = world.create_order()
    stolen = buyer.client.cookies[f"right-o-{buyer.order.pk}"].value
    names = [f"right-o-{each.pk}" for each in (buyer.order, other)]
    thief = Client(headers={"cookie": "; ".join(f"{name}={stolen}" for name in names)})

    assert thief.get(f"/o/{other.pk}").status_code == 404
    assert thief.get(buyer.path).status_code == 200  # whoever has the cookie is the buyer


def test_many_wrong_links_of_one_address_close_it_for_a_minute(
    world: World, frozen_time: time_machine.Traveller, django_assert_num_queries: Any
) -> None:
    order, token = world.create_order()
    buyer = buyer_of(world)
    guesser = Client(REMOTE_ADDR="203.0.113.9")
    for number in range(access.WRONG_LINKS):
        assert guesser.get(f"/o/{order.pk}/{number:043d}").status_code == 404

    with django_assert_num_queries(0):
        right = guesser.get(f"/o/{order.pk}/{token}", headers={"x-forwarded-for": "198.51.100.1"})

    assert right.status_code == 429
    assert "Set-Cookie" not in right.headers
    assert Client(REMOTE_ADDR="203.0.113.10").get(f"/o/{order.pk}/{token}").status_code == 302
    assert buyer.client.get(buyer.path, REMOTE_ADDR="203.0.113.9").status_code == 200
    frozen_time.shift(60)
    assert guesser.get(f"/o/{order.pk}/{token}").status_code == 302


def test_nobody_is_refused_while_the_cache_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as Away

    def fail(*args: object, **kwargs: object) -> None:
        raise Away

    order, token = world.create_order()
    monkeypatch.setattr(cache, "get", fail)
    monkeypatch.setattr(cache, "add", fail)

    wrong = Client().get(f"/o/{order.pk}/{'x' * 43}")
    right = Client().get(f"/o/{order.pk}/{token}")

    assert (wrong.status_code, right.status_code) == (404, 302)


def test_token_is_in_no_log(world: World) -> None:
    order, token = world.create_order()
    signed = path_of(buyer_link(order, at=START)).rsplit("/", 1)[1]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("django").addHandler(handler)
    try:
        Client().get(f"/o/{order.pk}/{token}x")  # refused, and told by Django with its address
        Client(REMOTE_ADDR="203.0.113.9").get(f"/o/{order.pk}/{signed[:-1]}9")
    finally:
        logging.getLogger("django").removeHandler(handler)

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["message"] for line in lines] == [f"Not Found: /o/{order.pk}/[hidden]"] * 2


def test_page_is_kept_by_nobody_and_tells_nobody(world: World) -> None:
    answer = buyer_of(world).get()

    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in answer.headers


def test_drawing_of_a_link_holds_nothing_a_browser_runs() -> None:
    drawing = qr_svg("https://pay.example/o/ord_1/<script>")

    assert drawing.startswith("<svg")
    assert "script" not in drawing
    assert "style" not in drawing


def test_reading_a_link_writes_nothing(world: World, django_assert_num_queries: Any) -> None:
    buyer = Buyer(*world.create_order())
    before = (buyer.now().event_sequence, buyer.now().state)

    with django_assert_num_queries(2):
        assert buyer.client.head(f"{buyer.path}/{buyer.token}").status_code == 302

    assert (buyer.now().event_sequence, buyer.now().state) == before
