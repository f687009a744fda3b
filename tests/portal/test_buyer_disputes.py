"""Why: whoever got half of what was bought must get half of the money, without an account."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from escrow.models import Actor, Dispute, DisputeState, Evidence, HoldState, Refund, Release
from escrow.services.disputes import chargebacks, evidence
from orders.models import OrderState
from orders.services.creation import NewLine
from tests import disputing, freezing
from tests.disputing import OFFER_MINOR
from tests.portal.buying import Buyer, buyer_of
from tests.world import START, World

TEA = NewLine(title="Longjing", amount_minor=6001, category="tea")
CUP = NewLine(title="Cup", amount_minor=3000, category="cups")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def frozen_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def said(**more: Any) -> dict[str, Any]:
    return {"reason": "DAMAGED", "lines": ["1", "2"], "text": "The cup is broken.", **more}


def complain(buyer: Buyer, **more: Any) -> Dispute:
    answer = buyer.post("/complain", **said(**{"asked": "100.01", "open": "1", **more}))
    assert answer["Location"] == f"{buyer.path}/dispute"
    return Dispute.objects.get(order=buyer.order)


@pytest.fixture
def buyer(world: World) -> Buyer:
    return buyer_of(world, lines=[TEA, CUP])


def test_first_step_opens_nothing_and_says_what_it_means(buyer: Buyer) -> None:
    shown = buyer.post("/complain", **said(lines=["2"]))

    page = shown.content.decode().replace("\xa0", " ")
    assert "All of it (CN¥100.01) is frozen until the dispute is over." in page
    assert shown.context["claim"].initial["asked"] == Decimal("30.00")
    assert not Dispute.objects.exists()
    assert buyer.now().state == OrderState.SHIPPED


def test_part_is_kept_and_the_rest_comes_back_to_the_cent(world: World, buyer: Buyer) -> None:
    dispute = complain(buyer, lines=["2"], asked="30.00")
    assert [each.line.position for each in dispute.lines.all()] == [2]
    assert (dispute.asked_minor, dispute.stake_minor) == (3000, 10001)
    assert buyer.order.hold.state == HoldState.FROZEN

    disputing.answer(dispute, "ACCEPT")

    refund = Refund.objects.get()
    released = Release.objects.get()
    assert refund.amount_minor == 3000
    assert sum(line.amount_minor for line in released.lines.all()) == 7001
    page = buyer.page("/dispute")
    assert "You get CN¥30.00 back, the way you paid. The rest went to the seller." in page


def test_whole_order_is_disputed_when_nothing_is_left_out(buyer: Buyer) -> None:
    dispute = complain(buyer)

    assert dispute.lines.count() == 0
    assert dispute.asked_minor == 10001
    page = buyer.page()
    assert "Your money is frozen" in page
    assert "I have the goods" not in page


@pytest.mark.parametrize("asked", ["0", "-1", "100.02", "1.001", "x", "1e3", ""])
def test_amount_that_makes_no_sense_opens_nothing(buyer: Buyer, asked: str) -> None:
    answer = buyer.post("/complain", **said(asked=asked, open="1"))

    assert answer.status_code == 200
    assert answer.context["claim"].errors["asked"]
    assert not Dispute.objects.exists()
    assert buyer.order.hold.state == HoldState.HELD


def test_offer_is_taken_in_two_steps(world: World, buyer: Buyer) -> None:
    dispute = complain(buyer)
    disputing.offer(dispute)

    asked = buyer.page("/dispute/accept")
    bare = buyer.post("/dispute/accept")
    unmoved = Refund.objects.count()
    buyer.press("/dispute/accept")

    assert "CN¥33.33 goes back to you" in asked
    assert "The rest, CN¥66.68, is released to Seller 1" in asked
    assert (bare.status_code, unmoved) == (302, 0)
    assert Refund.objects.get().amount_minor == OFFER_MINOR
    assert disputing.fresh(dispute).state == DisputeState.RESOLVED


def test_offer_is_declined_with_a_word(buyer: Buyer) -> None:
    dispute = complain(buyer)
    disputing.offer(dispute)

    buyer.post("/dispute/decline", text=HOSTILE)

    now = disputing.fresh(dispute)
    assert (now.state, now.waits_for) == (DisputeState.ANSWERED, "OPERATOR")
    page = buyer.page("/dispute")
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not Refund.objects.exists()


def test_dispute_is_withdrawn_in_two_steps_and_the_money_stays_held(buyer: Buyer) -> None:
    dispute = complain(buyer)

    buyer.post("/dispute/withdraw", text="x")
    before = disputing.fresh(dispute).state
    buyer.press("/dispute/withdraw", text="We have talked.")

    assert before == DisputeState.OPEN
    assert disputing.fresh(dispute).state == DisputeState.WITHDRAWN
    assert disputing.fresh(dispute).order.hold.state == HoldState.HELD
    assert buyer.now().state == OrderState.SHIPPED


def test_goods_are_sent_back_with_a_parcel(buyer: Buyer) -> None:
    dispute = complain(buyer)
    disputing.offer(dispute, needs_return=True)
    buyer.press("/dispute/accept")

    buyer.post("/dispute/return", carrier="", tracking_number="")
    refused = disputing.fresh(dispute).sent_back_at
    buyer.post("/dispute/return", carrier="SF", tracking_number="SF9009")

    assert refused is None
    now = disputing.fresh(dispute)
    assert (now.return_carrier, now.return_tracking_number) == ("SF", "SF9009")
    assert (now.state, now.waits_for) == (DisputeState.RETURNING, "MERCHANT")
    assert not Refund.objects.exists()


def test_file_is_shown_to_both_and_saved_never_run(world: World, buyer: Buyer) -> None:
    name = 'lid"><script>.txt'
    dispute = complain(buyer, file=SimpleUploadedFile(name, b"the lid is broken\n"))
    shown = Evidence.objects.get(dispute=dispute)

    answer = buyer.get(f"/dispute/files/{shown.pk}")

    assert shown.side == Actor.BUYER
    assert "<script>" not in buyer.page("/dispute")
    assert b"".join(answer) == b"the lid is broken\n"
    assert answer["Content-Disposition"] == f'attachment; filename="{shown.pk}.txt"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_file_that_is_a_page_is_refused_and_the_dispute_goes_on(buyer: Buyer) -> None:
    dispute = complain(buyer)

    buyer.post("/dispute/files", file=SimpleUploadedFile("cup.png", b"<html>evil</html>"))

    assert not Evidence.objects.exists()
    assert "Only pictures (JPEG, PNG, WEBP), PDF and plain text" in buyer.page("/dispute")
    assert disputing.fresh(dispute).state == DisputeState.OPEN


def test_file_of_another_order_s_dispute_is_not_found(world: World, buyer: Buyer) -> None:
    complain(buyer)
    other = buyer_of(world)
    foreign = evidence.add_evidence(
        dispute_id=complain(other, lines=["1"]).pk,
        side=Actor.MERCHANT,
        name="x.txt",
        content=b"theirs\n",
        by=Actor.MERCHANT,
        at=START,
    )

    assert buyer.get(f"/dispute/files/{foreign.pk}").status_code == 404
    assert other.get(f"/dispute/files/{foreign.pk}").status_code == 200


def test_released_money_can_be_disputed_for_a_week(
    world: World, buyer: Buyer, frozen_time: time_machine.Traveller
) -> None:
    buyer.press("/confirm")
    offered = "Tell us what is wrong" in buyer.page()
    frozen_time.shift(8 * 86400)
    buyer.enter()

    late = buyer.post("/complain", **said(asked="1.00", open="1"))

    assert offered
    assert late["Location"] == buyer.path
    assert not Dispute.objects.exists()
    assert "Tell us what is wrong" not in buyer.page()


def test_two_sides_read_one_timeline(buyer: Buyer) -> None:
    dispute = complain(buyer)
    disputing.answer(dispute, "CONTEST", text="It was whole when it left.")

    shown = buyer.get("/dispute")

    steps = [(step.title, step.note, step.text) for step in shown.context["steps"]]
    assert steps == [
        ("Opened", "You · CN¥100.01", "The cup is broken."),
        ("Contested by the seller", "Seller", "It was whole when it left."),
        ("Our staff decides, until", "", ""),
    ]


def test_file_beyond_every_limit_is_refused_with_a_page(buyer: Buyer) -> None:
    complain(buyer)
    photo = SimpleUploadedFile("cup.jpg", b"x" * (7 * 1024 * 1024))

    answer = buyer.post("/dispute/files", file=photo)

    assert answer.status_code == 413
    assert "This file is too large" in answer.content.decode()
    assert not Evidence.objects.exists()


def test_freeze_does_not_keep_the_buyer_from_complaining(world: World, buyer: Buyer) -> None:
    freezing.freeze_order(world, buyer.order)
    page = buyer.page()

    complain(buyer)

    assert "Nobody gets the money before we have looked into it." in page
    assert freezing.WHY not in page
    assert "I have the goods" not in page
    assert "Nobody gets the money before the dispute is over." in buyer.page()


def test_money_taken_back_by_a_bank_is_told_as_that(world: World, buyer: Buyer) -> None:
    chargebacks.record_chargeback(
        payment_id=buyer.order.payment_parts.get().payment_id,
        provider_reference="SBC1",
        amount_minor=10001,
        currency="CNY",
        at=START,
    )

    page = buyer.page("/dispute")

    assert "Your bank has taken CN¥100.01 back for you" in page
    assert "There is nothing you need to do" in page
    assert "Add the file" not in page
    assert "Withdraw the dispute" not in page
    assert "Tell us what is wrong" not in buyer.page()
