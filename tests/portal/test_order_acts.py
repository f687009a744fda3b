"""Why: what a person does to an order moves other people's money, once, and only where allowed."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client

from escrow.models import Hold, Refund
from escrow.services import freezes
from escrow.services.disputes import chargebacks
from ledger import selectors as books
from merchants.models import Role, User
from orders.models import Order
from tests import disputing
from tests.factories import UserFactory
from tests.world import START, World

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def paid(world: World) -> Order:
    order, _token = world.create_order(buyer_name="Li <i>Lei</i>")
    world.pay(order)
    return order


def entries(order: Order) -> int:
    return books.subject_entries(order.pk).count()


def test_page_says_where_the_money_is_and_who_gets_what(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    page = sign_in(merchant=world.merchants[0]).get(f"/portal/orders/{paid.pk}").content.decode()

    text = page.replace("\xa0", "")
    assert "CN¥100.01 is held" in text
    assert "Commission: 5% of CN¥90.01 (goods) is CN¥4.50." in text
    assert "It is the rule for every sale." in text
    assert "held for this order" in text
    assert text.count("CN¥94.91") == 2  # in the table and in the words
    assert "Li &lt;i&gt;Lei&lt;/i&gt;" in page


def test_journal_says_a_release_to_its_reader_and_receipt_is_signed(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    world.ship(paid)
    world.confirm(paid)
    client = sign_in(merchant=world.merchants[0])

    page = client.get(f"/portal/orders/{paid.pk}")
    receipt = client.get(f"/portal/orders/{paid.pk}/receipt")

    release = page.context["journal"][-1]
    assert [(leg.amount_minor, str(leg.words)) for leg in release.moved] == [
        (9491, "to you"),
        (450, "commission"),
        (60, "service fee"),
    ]
    assert set(receipt.json()) == {"receipt", "signature"}
    assert receipt["Content-Disposition"].startswith("attachment; ")


def test_journal_shows_a_seller_no_account_of_others(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    world.ship(paid)
    world.confirm(paid)
    platform = sign_in(platform=world.platform)
    refund(platform, paid, what="amount", amount="10.01")

    words = [
        {str(leg.words) for event in page.context["journal"] for leg in event.moved}
        for page in (
            sign_in(merchant=world.merchants[0]).get(f"/portal/orders/{paid.pk}"),
            platform.get(f"/portal/orders/{paid.pk}"),
        )
    ]

    assert words[0] & {"taken from you", "taken from the platform"} == {"taken from you"}
    assert {"taken from the seller", "taken from the platform"} <= words[1]


def test_ship_sends_several_parcels_and_parcels_are_added_and_corrected(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    client = sign_in(merchant=world.merchants[0], role=Role.SUPPORT)
    base = f"/portal/orders/{paid.pk}"

    client.post(f"{base}/ship", {"carrier": ["SF", "", "ZTO"], "tracking": ["1", "", "2"]})
    client.post(f"{base}/parcels", {"carrier": "YTO", "tracking": " 3 "})
    first = paid.shipments.get(position=1)
    for number in ("9", "8"):
        correction = {"carrier": "SF", "tracking": number}
        answer = client.post(f"{base}/parcels/{first.pk}", correction, follow=True)

    paid.refresh_from_db()
    assert paid.state == "SHIPPED"
    assert [str(each) for each in paid.shipments.order_by("position")] == ["SF 9", "ZTO 2", "YTO 3"]
    assert "This parcel was corrected before" in answer.content.decode()


def test_more_time_to_ship_is_given_once(world: World, sign_in: SignIn, paid: Order) -> None:
    client = sign_in(merchant=world.merchants[0])
    paid.refresh_from_db()
    before = paid.ship_by

    for days in ("3", "4"):
        answer = client.post(f"/portal/orders/{paid.pk}/extend", {"days": days}, follow=True)

    paid.refresh_from_db()
    assert before is not None
    assert paid.ship_by is not None
    assert (paid.ship_by - before).days == 3
    assert "extended before" in answer.content.decode()


@pytest.mark.parametrize("days", ["0", "16", "-1", "x", "", "9999", "²"])
def test_more_time_must_be_days(world: World, sign_in: SignIn, paid: Order, days: str) -> None:
    client = sign_in(merchant=world.merchants[0])

    answer = client.post(f"/portal/orders/{paid.pk}/extend", {"days": days}, follow=True)

    assert "Choose 1 to 15 days." in answer.content.decode()


def test_acts_are_refused_without_the_power(world: World, sign_in: SignIn, paid: Order) -> None:
    moved = entries(paid)
    viewer = sign_in(platform=world.platform, role=Role.VIEWER)
    seller = sign_in(merchant=world.merchants[0])
    foreign = sign_in(merchant=world.add_merchant())
    base = f"/portal/orders/{paid.pk}"

    answers = {
        "viewer ships": viewer.post(f"{base}/ship"),
        "viewer cancels": viewer.post(f"{base}/cancel"),
        "viewer refunds": viewer.post(f"{base}/refund"),
        "seller cancels": seller.post(f"{base}/cancel"),
        "seller refunds": seller.get(f"{base}/refund"),
        "foreign ships": foreign.post(f"{base}/ship", {"carrier": "SF", "tracking": "1"}),
        "foreign extends": foreign.post(f"{base}/extend", {"days": "1"}),
        "foreign receipt": foreign.get(f"{base}/receipt"),
    }

    assert {what: answer.status_code for what, answer in answers.items()} == {
        "viewer ships": 403,
        "viewer cancels": 403,
        "viewer refunds": 403,
        "seller cancels": 404,
        "seller refunds": 404,
        "foreign ships": 404,
        "foreign extends": 404,
        "foreign receipt": 404,
    }
    paid.refresh_from_db()
    assert (paid.state, entries(paid)) == ("PAID", moved)


def test_platform_cancels_after_reading_what_happens(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    client = sign_in(platform=world.platform)
    path = f"/portal/orders/{paid.pk}/cancel"

    told = client.get(path).content.decode().replace("\xa0", "")
    before = entries(paid)
    client.post(path)
    again = client.post(path, follow=True).content.decode()

    assert "CN¥100.01 goes back to the buyer" in told
    paid.refresh_from_db()
    assert (paid.state, paid.cancel_reason) == ("CANCELED", "PLATFORM")
    assert entries(paid) == before + 1
    assert "has moved on" in again


def refund(client: Client, order: Order, **said: Any) -> str:
    """Look, then say yes, as the pages do."""
    said = {"reason": "Broken", **said}
    path = f"/portal/orders/{order.pk}/refund"
    seen = client.get(path, said).context["seen"]
    return client.post(path, {**said, "seen": seen}, follow=True).content.decode()


def test_refund_of_an_amount_says_who_bears_it_and_is_done_once(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    client = sign_in(platform=world.platform)
    path = f"/portal/orders/{paid.pk}/refund"
    said = {"what": "amount", "amount": "50.01", "reason": "<b>Broken</b>"}

    review = client.get(path, said)
    yes = {**said, "seen": review.context["seen"]}
    client.post(path, yes)
    again = client.post(path, yes, follow=True).content.decode()

    assert sum(taken for _payee, taken in review.context["given"]) == 5001
    assert "&lt;b&gt;Broken" in review.content.decode()
    assert [each.amount_minor for each in Refund.objects.all()] == [5001]
    assert "The money has changed since you looked" in again


def test_refund_of_goods_and_of_all_that_is_left(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    client = sign_in(platform=world.platform)

    refund(client, paid, what="lines", lines=["1"])
    refund(client, paid, what="all")

    assert {each.amount_minor for each in Refund.objects.all()} == {9001, 1000}
    paid.refresh_from_db()
    assert paid.state == "CANCELED"


@pytest.mark.parametrize(
    "said",
    [
        {"what": "amount", "amount": "100.02"},
        {"what": "amount", "amount": "0.001"},
        {"what": "amount", "amount": ""},
        {"what": "amount", "amount": "NaN"},
        {"what": "lines"},
        {"what": "lines", "lines": ["2"]},
        {"what": "all", "reason": ""},
        {"what": "all", "reason": "x" * 65},
        {"what": "nothing"},
    ],
)
def test_refund_that_makes_no_sense_moves_nothing(
    world: World, sign_in: SignIn, paid: Order, said: dict[str, Any]
) -> None:
    client = sign_in(platform=world.platform)
    moved = entries(paid)

    refund(client, paid, **said)

    assert Refund.objects.count() == 0
    assert entries(paid) == moved


def test_dispute_is_told_on_the_page_of_its_order(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    world.ship(paid)
    disputing.open_dispute(world, paid, text="<script>")
    client = sign_in(platform=world.platform)

    page = client.get(f"/portal/orders/{paid.pk}").content.decode()

    assert "A dispute is open" in page
    assert "nobody can move this money" in page
    assert "<script>" not in page
    assert f"{paid.pk}/refund" not in page


def test_chargeback_is_told_as_taken_by_the_bank(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    chargebacks.record_chargeback(
        payment_id=paid.payment_parts.get().payment_id,
        provider_reference="SBC1",
        amount_minor=10001,
        currency="CNY",
        at=START,
    )

    page = sign_in(merchant=world.merchants[0]).get(f"/portal/orders/{paid.pk}")

    last = page.context["journal"][-1]
    assert [(leg.amount_minor, str(leg.words)) for leg in last.moved] == [
        (10001, "taken by the buyer's bank")
    ]
    assert page.context["where"].title.replace("\xa0", "") == "CN¥100.01 is back with the buyer"


def test_audit_knows_who_shipped(world: World, sign_in: SignIn, paid: Order) -> None:
    client = sign_in(merchant=world.merchants[0])

    client.post(f"/portal/orders/{paid.pk}/ship", {"carrier": "SF", "tracking": "1"})

    last = paid.audit.order_by("pgh_id").last()
    user = User.objects.get(merchant=world.merchants[0])
    assert (last.state, last.pgh_context["actor"]) == ("SHIPPED", f"seller:{user.pk}")


def test_frozen_order_says_so_and_is_not_refunded(
    world: World, sign_in: SignIn, paid: Order
) -> None:
    freezes.freeze_order(
        order_id=paid.pk,
        kind="RISK",
        reason="Case 7",
        operator=UserFactory(is_staff=True),
        at=START,
    )
    client = sign_in(platform=world.platform)
    moved = entries(paid)

    page = client.get(f"/portal/orders/{paid.pk}").content.decode()
    answer = refund(client, paid, what="all")

    assert "is frozen" in page
    assert "Case 7" not in page
    assert "Nothing can be moved until that has ended" in answer
    assert Hold.objects.get(order=paid).refunded_minor == 0
    assert entries(paid) == moved
