"""Why: a buyer meets us for one minute, on a phone, and that minute releases the money."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from api import nudge
from escrow.models import Release
from merchants.models import Language
from orders.models import ConfirmedBy, OrderState
from orders.services.creation import NewLine
from tests.portal.buying import Buyer, buyer_of
from tests.world import START, World

HOSTILE = '<img src=x onerror="alert(1)">{{ 7|add:7 }}'


@pytest.fixture(autouse=True)
def frozen_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(nudge, "_ring", lambda task, then=None: found.append(task))
    return found


def test_page_says_where_the_money_is_in_the_buyer_s_time(world: World) -> None:
    buyer = buyer_of(world, buyer_time_zone="America/New_York")

    page = buyer.page()

    assert "Your money is held safely" in page
    assert "CN¥100.01" in page
    assert "12 Mar 2026 05:00" in page  # ten days later, 09:00 in UTC; summer time has begun there
    assert "in 10 days" in page
    assert "SF1001" in page
    assert "Teahouse" in page
    assert "Seller 1" in page


def test_page_shows_five_steps_with_the_present_one(world: World) -> None:
    buyer = buyer_of(world)

    stages = [(stage.label, stage.tone) for stage in buyer.get().context["stages"]]

    assert stages == [
        ("Paid", "done"),
        ("Held", "done"),
        ("Shipped", "done"),
        ("Confirm receipt", "now"),
        ("Seller paid", "next"),
    ]


def test_receipt_is_confirmed_in_two_steps_and_releases_the_money(
    world: World, rung: list[str]
) -> None:
    buyer = buyer_of(world)

    asked = buyer.page("/confirm")
    held = Release.objects.count()
    answer = buyer.press("/confirm")

    assert "This releases CN¥100.01 to Seller 1." in asked
    assert held == 0
    assert (answer.status_code, answer["Location"]) == (302, buyer.path)
    now = buyer.now()
    assert (now.state, now.confirmed_by) == (OrderState.CONFIRMED, ConfirmedBy.BUYER)
    assert rung == ["payouts.cut_due_settlements"]
    assert "Released to the seller" in buyer.page()


def test_confirmation_without_its_step_or_sent_again_moves_nothing(world: World) -> None:
    buyer = buyer_of(world)

    bare = buyer.post("/confirm")
    ticket = buyer.get("/confirm").context["ticket"]
    before = buyer.now().state
    buyer.post("/confirm", ticket=ticket)
    again = buyer.post("/confirm", ticket=ticket)

    assert before == OrderState.SHIPPED
    assert (bare.status_code, again.status_code) == (302, 302)
    assert Release.objects.count() == 1
    assert "Something has happened since this page was opened" in buyer.page()


def test_confirming_step_of_an_earlier_state_is_refused(world: World) -> None:
    buyer = buyer_of(world)
    stale = buyer.get("/confirm").context["ticket"]
    buyer.post("/extend")

    buyer.post("/confirm", ticket=stale)

    assert buyer.now().state == OrderState.SHIPPED
    assert Release.objects.count() == 0


def test_reading_any_page_changes_nothing(world: World) -> None:
    buyer = buyer_of(world)
    before = (buyer.now().event_sequence, buyer.now().state)

    for below in ("", "/confirm", "/complain", "/extend", "/dispute", "/dispute/withdraw"):
        buyer.get(below)
        buyer.client.head(buyer.path + below)

    assert (buyer.now().event_sequence, buyer.now().state) == before


def test_form_of_another_page_is_refused(world: World) -> None:
    buyer = buyer_of(world)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = buyer.client.cookies
    ticket = buyer.get("/confirm").context["ticket"]

    answer = strict.post(f"{buyer.path}/confirm", {"ticket": ticket})

    assert answer.status_code == 403
    assert buyer.now().state == OrderState.SHIPPED


def test_buyer_takes_more_time_once(world: World) -> None:
    buyer = buyer_of(world)
    offered = buyer.page()

    buyer.post("/extend")
    longer = buyer.now().confirm_by
    buyer.post("/extend")

    assert "5 more days to confirm, once." in offered
    assert longer == START + timedelta(days=15)
    assert buyer.now().confirm_by == longer
    page = buyer.page()
    assert "You have more time now." in page
    assert "The time was extended before; that can be done once." in page
    assert "Take more time" not in page


@pytest.mark.parametrize("stage", ["unpaid", "paid"])
def test_nothing_can_be_confirmed_before_it_is_shipped(world: World, stage: str) -> None:
    buyer = buyer_of(world, stage=stage)

    shown, sent = buyer.get("/confirm"), buyer.post("/confirm", ticket="x")

    assert (shown["Location"], sent["Location"]) == (buyer.path, buyer.path)
    assert buyer.now().confirmed_at is None
    assert "I have the goods" not in buyer.page()


def test_words_of_others_are_shown_as_words(world: World) -> None:
    buyer = buyer_of(world, lines=[NewLine(title=HOSTILE, amount_minor=10001)], reference="<b>1")

    page = buyer.page()

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;{{ 7|add:7 }}" in page
    assert "<b>1" not in page


def test_page_is_in_the_reader_s_language_else_the_platform_s(world: World) -> None:
    chinese = buyer_of(world, language="zh-CN,zh;q=0.9")
    silent = buyer_of(world, language="")
    french = buyer_of(world, language="fr")
    type(world.platform).objects.update(language=Language.CHINESE, name_zh="茶铺")
    english = buyer_of(world, language="en-GB")

    assert "您的货款" in chinese.page()
    assert "茶铺" in chinese.page()
    assert "您的货款" in silent.page()
    assert "您的货款" in french.page()
    assert "Teahouse" in english.page()


def test_reader_switches_the_language_on_the_page(world: World) -> None:
    buyer = buyer_of(world)

    back = buyer.client.post("/i18n/setlang/", {"language": "zh-hans", "next": buyer.path})

    assert back["Location"] == buyer.path
    assert "您的货款" in buyer.page()


def test_page_is_read_in_a_fixed_number_of_queries(
    world: World, django_assert_max_num_queries: Any
) -> None:
    lines = [NewLine(title=f"Tea {number}", amount_minor=101) for number in range(30)]
    buyer = buyer_of(world, lines=lines)

    with django_assert_max_num_queries(12):
        buyer.get()


def test_unpaid_order_that_ran_out_says_that_no_money_moved(
    world: World, frozen_time: time_machine.Traveller
) -> None:
    buyer = Buyer(*world.create_order())
    world.pass_time(hours=1)
    frozen_time.move_to(world.now)

    page = buyer.enter().page()

    assert "This order has expired" in page
    assert "No money has moved." in page
