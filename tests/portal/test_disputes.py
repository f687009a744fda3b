"""Why: a seller who answers a dispute gives money away; the page must say how much, and do it once.

The buyer's side of the same disputes is in tests/portal/test_buyer_disputes.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from escrow.models import Actor, Dispute, Evidence, Refund, Release
from escrow.services.disputes import answering, evidence
from merchants.models import Role
from orders.models import Order
from tests import disputing, ground
from tests.disputing import OFFER_MINOR
from tests.ground import US
from tests.world import START, World, make_platform

SignIn = Callable[..., Client]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def dispute(world: World) -> Dispute:
    """The buyer of an order of CN¥100.01 wants all of it back."""
    return disputing.open_dispute(world, text=HOSTILE)


@pytest.fixture
def seller(world: World, sign_in: SignIn, dispute: Dispute) -> Client:
    return sign_in(merchant=world.merchants[0], role=Role.SUPPORT)


def path(dispute: Dispute, below: str = "") -> str:
    return f"/portal/disputes/{dispute.pk}{below}"


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode().replace("\xa0", "")
    return text


def press(client: Client, dispute: Dispute, act: str) -> str:
    """Open a page that asks once more, and confirm it. Returns: the page after it."""
    ticket = client.get(path(dispute, act)).context["ticket"]
    return told(client, dispute, act, ticket=ticket)


def told(client: Client, dispute: Dispute, act: str, **fields: Any) -> str:
    answer = client.post(path(dispute, act), fields, follow=True)
    text: str = answer.content.decode().replace("\xa0", "")
    return text


def test_page_says_what_is_asked_held_and_comes_of_silence(
    world: World, seller: Client, dispute: Dispute
) -> None:
    page = shown(seller, path(dispute))

    assert "The buyer wants CN¥100.01 back" in page
    assert "You have to answer" in page
    assert "By 4 Mar 2026 17:00 (in 2 days)" in page
    assert "Without an answer by then our staff decides" in page
    assert "Frozen" in page
    assert "Give what is asked" in page
    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2  # once said, once a step


def test_every_phase_says_whose_turn_it_is_and_offers_no_more(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(merchant=world.merchants[0])

    found = {}
    for phase in disputing.PHASES:
        now = client.get(path(disputing.dispute_in(world, phase))).context
        moves = now["moves"]
        found[phase] = (now["standing"].title.replace("\xa0", ""), moves.answer, moves.receive)

    assert found == {
        "OPEN/MERCHANT": ("You have to answer", True, False),
        "OPEN/OPERATOR": ("Our staff decides", False, False),
        "ANSWERED/BUYER": ("The buyer has to answer the offer of CN¥33.33", False, False),
        "ANSWERED/OPERATOR": ("Our staff decides", False, False),
        "RETURNING/BUYER": ("The buyer has to send the goods back", False, False),
        "RETURNING/MERCHANT": (
            "You have to say whether the goods have come back",
            False,
            True,
        ),
        "RETURNING/OPERATOR": ("Our staff decides", False, False),
        "RESOLVED/": ("CN¥100.01 goes back to the buyer", False, False),
        "WITHDRAWN/": ("The dispute is withdrawn", False, False),
    }


def test_accepting_asks_once_more_and_gives_everything_back_once(
    seller: Client, dispute: Dispute
) -> None:
    before = ground.trial()
    asked = seller.get(path(dispute, "/accept"))
    bare = told(seller, dispute, "/accept")
    untouched = ground.trial()

    page = press(seller, dispute, "/accept")
    again = told(seller, dispute, "/accept")

    said = [(str(payee), amount) for payee, amount in asked.context["division"]]
    assert said == [("Buyer", 10001), ("Seller", 0)]
    assert "Look again, then decide." in bare
    assert untouched == before
    assert [each.amount_minor for each in Refund.objects.all()] == [10001]
    assert "That is all of it." in page
    assert "Look again, then decide." in again


def test_offer_says_what_each_would_get_and_that_is_what_they_get(
    seller: Client, dispute: Dispute
) -> None:
    before = ground.trial()

    review = seller.post(path(dispute, "/offer"), {"amount": "50.00", "text": HOSTILE})
    looked = disputing.fresh(dispute).state
    yes = {"amount": "50.00", "text": HOSTILE, "ticket": review.context["ticket"], "send": "1"}
    page = told(seller, dispute, "/offer", **yes)
    unmoved = ground.trial()
    answering.accept_offer(dispute_id=dispute.pk, by=Actor.BUYER, at=START)

    said = [(str(payee), amount) for payee, amount in review.context["division"]]
    assert said == [("Buyer", 5000), ("Seller", 4746), ("Commission", 225), ("Service fee", 30)]
    assert HOSTILE not in review.content.decode() + page
    assert looked == "OPEN"
    assert "Your offer is with the buyer." in page
    assert "If the buyer says nothing by then, the offer stands: CN¥50.00 goes back." in page
    assert unmoved == before
    assert Refund.objects.get().amount_minor == 5000
    lines = Release.objects.get().lines.order_by("id")
    assert [line.amount_minor for line in lines] == [amount for _payee, amount in said[1:]]
    assert "The rest, CN¥50.01, is with those who sold." in shown(seller, path(dispute))


def test_offer_that_makes_no_sense_is_asked_for_again(seller: Client, dispute: Dispute) -> None:
    amounts = ["0", "-1", "100.02", "1.001", "x", "1e3", "NaN", ""]

    answers = [
        seller.post(path(dispute, "/offer"), {"amount": amount, "send": "1"}) for amount in amounts
    ]

    assert [bool(each.context["form"].errors.get("amount")) for each in answers] == [True] * 8
    assert disputing.fresh(dispute).state == "OPEN"


def test_contesting_takes_a_reason(seller: Client, dispute: Dispute) -> None:
    before = ground.trial()

    answer = seller.post(path(dispute, "/contest"), {"text": " "})
    unsaid = disputing.fresh(dispute).state
    page = told(seller, dispute, "/contest", text="It was whole.")

    assert answer.context["form"].errors["text"]
    assert unsaid == "OPEN"
    assert disputing.fresh(dispute).waits_for == "OPERATOR"
    assert "It was whole." in page
    assert "If it is not decided by then, CN¥100.01 goes back to the buyer." in page
    assert ground.trial() == before


def test_platform_answers_for_the_seller_and_both_read_it(
    world: World, sign_in: SignIn, seller: Client, dispute: Dispute
) -> None:
    platform = sign_in(platform=world.platform)
    file = SimpleUploadedFile("lid.txt", disputing.TEXT_FILE)

    platform.post(path(dispute, "/files"), {"file": file, "side": "BUYER"})
    told(platform, dispute, "/contest", text="We have looked.")

    assert Evidence.objects.get().side == Actor.BUYER
    step = dispute.steps.latest("position")
    assert (step.kind, step.by) == ("CONTESTED", "PLATFORM")
    assert seller.get(path(dispute)).context["steps"][-2].note == "Shopping platform"


@pytest.mark.parametrize(
    ("act", "waits", "refunds"), [("received", "", [OFFER_MINOR]), ("refused", "OPERATOR", [])]
)
def test_goods_that_come_back_are_taken_or_refused(
    world: World, sign_in: SignIn, act: str, waits: str, refunds: list[int]
) -> None:
    dispute = disputing.dispute_in(world, "RETURNING/MERCHANT")
    client = sign_in(merchant=world.merchants[0])

    page = shown(client, path(dispute, f"/{act}"))
    if act == "received":
        press(client, dispute, "/received")
    else:
        told(client, dispute, "/refused", text="The box is empty.")

    assert "CN¥33.33 goes back to the buyer" in page
    assert disputing.fresh(dispute).waits_for == waits
    assert [each.amount_minor for each in Refund.objects.all()] == refunds


def test_file_is_shown_under_its_name_and_saved_under_ours(
    seller: Client, dispute: Dispute
) -> None:
    file = SimpleUploadedFile('lid"><script>.txt', b"it was whole\n")

    page = told(seller, dispute, "/files", file=file, side="BUYER")

    found = Evidence.objects.get()
    answer = seller.get(path(dispute, f"/files/{found.pk}"))
    assert found.side == Actor.MERCHANT  # whatever a seller says
    assert "<script>" not in page
    assert answer["Content-Disposition"] == f'attachment; filename="{found.pk}.txt"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_file_that_is_a_page_or_empty_is_refused(seller: Client, dispute: Dispute) -> None:
    page = told(seller, dispute, "/files", file=SimpleUploadedFile("a.png", b"<html>x</html>"))
    empty = told(seller, dispute, "/files", file=SimpleUploadedFile("a.txt", b""))

    assert "Only pictures (JPEG, PNG, WEBP), PDF and plain text are taken" in page
    assert "The submitted file is empty." in empty
    assert not Evidence.objects.exists()


def test_nobody_else_sees_or_answers_it(
    world: World, sign_in: SignIn, seller: Client, dispute: Dispute
) -> None:
    file = evidence.add_evidence(
        dispute_id=dispute.pk,
        side=Actor.BUYER,
        name="lid.txt",
        content=disputing.TEXT_FILE,
        by=Actor.BUYER,
        at=START,
    )
    before = ground.trial()
    foreign = sign_in(merchant=world.add_merchant())
    viewer = sign_in(merchant=world.merchants[0], role=Role.VIEWER)
    finance = sign_in(platform=world.platform, role=Role.FINANCE)
    acts = ["accept", "offer", "contest", "received", "refused", "files"]

    pages = {
        each: foreign.get(path(dispute, each)).status_code for each in ["", f"/files/{file.pk}"]
    }
    foreign_acts = {foreign.post(path(dispute, f"/{act}")).status_code for act in acts}
    viewer_acts = {viewer.post(path(dispute, f"/{act}")).status_code for act in acts}
    finance_acts = {finance.post(path(dispute, f"/{act}")).status_code for act in acts}
    nobody = Client().post(path(dispute, "/accept"))

    assert set(pages.values()) == {404}
    assert (foreign_acts, viewer_acts, finance_acts) == ({404}, {403}, {403})
    assert nobody["Location"].startswith("/accounts/login/")
    assert foreign.get("/portal/disputes").context["listing"].rows == []
    assert "Give what is asked" not in shown(viewer, path(dispute))
    assert viewer.get(path(dispute, f"/files/{file.pk}")).status_code == 200
    assert disputing.fresh(dispute).state == "OPEN"
    assert ground.trial() == before


def test_platform_of_others_finds_nothing(sign_in: SignIn, dispute: Dispute) -> None:
    client = sign_in(platform=make_platform(at=START, slug="coffeehouse"))

    assert client.get(path(dispute)).status_code == 404
    assert client.post(path(dispute, "/accept")).status_code == 404


def test_answer_that_comes_too_late_moves_nothing(
    world: World, sign_in: SignIn, dispute: Dispute, clock: time_machine.Traveller
) -> None:
    before = ground.trial()
    assert dispute.due_at is not None
    clock.move_to(dispute.due_at, tick=False)
    seller = sign_in(merchant=world.merchants[0])
    ticket = seller.get(path(dispute, "/accept")).context["ticket"]
    clock.move_to(dispute.due_at + US, tick=False)

    page = told(seller, dispute, "/accept", ticket=ticket)

    assert "The time for this is over." in page
    assert "overdue" in page
    assert "Give what is asked" not in page
    assert disputing.fresh(dispute).state == "OPEN"
    assert ground.trial() == before


def test_released_money_is_said_to_be_taken_back(world: World, sign_in: SignIn) -> None:
    order = Order.objects.get(pk=ground.released_order(world).pk)
    dispute = disputing.open_dispute(world, order)

    page = shown(sign_in(merchant=world.merchants[0]), path(dispute, "/accept"))

    assert "The money was released before." in page
    assert "Who gets how much" not in page


def test_list_filters_by_whose_turn_it_is_and_today_s_work_leads_there(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    waiting = [disputing.open_dispute(world) for _time in range(2)]
    disputing.offer(disputing.open_dispute(world))
    client = sign_in(merchant=world.merchants[0])

    task = next(each for each in client.get("/portal/").context["tasks"] if "dispute" in each.url)
    with django_assert_max_num_queries(10):
        page = client.get(task.url)
    with django_assert_max_num_queries(10):
        client.get(path(waiting[0]))

    found = [row["dispute"].pk for row in page.context["listing"].rows]
    assert (task.count, task.due) == ("2", waiting[0].due_at)
    assert sorted(found) == sorted(each.pk for each in waiting)
    assert [str(row["turn"]) for row in page.context["listing"].rows] == ["Your turn"] * 2
    assert len(client.get("/portal/disputes?state=%00").context["listing"].rows) == 3
    assert len(client.get("/portal/disputes?state=buyer").context["listing"].rows) == 1
