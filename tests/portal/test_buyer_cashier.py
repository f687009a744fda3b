"""Why: money comes in here. A page that offers what is not there, or pays twice, costs it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from channels import contract
from merchants.models import Mode
from notifications import buyer_links
from orders.models import Order, OrderState, Payment, PaymentState
from orders.services import payments
from tests import world as worlds
from tests.portal.buying import Buyer, buyer_of
from tests.world import START, World


@pytest.fixture(autouse=True)
def frozen_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def press_pay(buyer: Buyer, channel: str = "sandbox") -> Any:
    return buyer.post("/pay", channel=channel)


def path_of(payment: Payment) -> str:
    url = buyer_links.payment_url(payment.pk, expires_at=payment.expires_at)
    return "/" + url.split("/", 3)[3]


def test_buyer_chooses_among_the_channels_that_are_there(world: World) -> None:
    buyer = buyer_of(world, stage="unpaid")

    page = buyer.get("/pay")

    assert [way.name for way in page.context["ways"]] == ["sandbox"]
    assert not Payment.objects.exists()


def test_live_platform_is_not_offered_made_up_money(world: World) -> None:
    live = worlds.make_platform(name="Real", slug="real", mode=Mode.LIVE, at=START)
    beside = World(world.sandbox, live)
    beside.add_merchant()
    buyer = buyer_of(beside, stage="unpaid")

    assert "There is no way to pay here at the moment" in buyer.page("/pay")
    assert press_pay(buyer)["Location"] == f"{buyer.path}/pay"
    assert not Payment.objects.exists()


def test_payment_is_made_once_and_leads_to_the_channel(world: World) -> None:
    buyer = buyer_of(world, stage="unpaid")

    first, second = press_pay(buyer), press_pay(buyer)

    payment = Payment.objects.get()
    assert first["Location"] == second["Location"] == f"/pay/{payment.pk}"
    assert (payment.amount_minor, payment.channel) == (10001, "sandbox")
    page = buyer.client.get(first["Location"]).content.decode()
    assert f'href="{payment.cashier_url}"' in page
    assert "<svg" in page
    assert 'class="qr"' in page
    assert "Pay CN¥100.01" in page.replace("\xa0", " ")


def test_page_notices_when_the_money_is_there(world: World) -> None:
    buyer = buyer_of(world, stage="unpaid")
    path = press_pay(buyer)["Location"]
    payment = Payment.objects.get()

    waiting = buyer.client.get(f"{path}/state?state=PENDING")
    world.buyer_pays(payment)
    noticed = buyer.client.get(f"{path}/state?state=PENDING")
    page = buyer.client.get(path).content.decode()

    assert (waiting.status_code, waiting.get("HX-Refresh")) == (204, None)
    assert noticed["HX-Refresh"] == "true"
    assert "Your payment has arrived" in page
    assert f'href="http://127.0.0.1:8000{buyer.path}"' in page  # where the payment was begun
    assert payment.cashier_url not in page
    assert buyer.now().state == OrderState.PAID


def test_channel_that_does_not_answer_is_not_paid_twice(world: World) -> None:
    order, _token = world.create_order()
    payment = payments.create_payment(
        platform_id=world.platform.id,
        order_ids=[order.pk],
        channel="sandbox",
        return_url="",
        at=START,
    )
    unknown = worlds.answer(contract.Status.UNKNOWN, reference=payment.pk)
    payments.record_channel_answer(payment_id=payment.pk, answer=unknown, at=START)
    client = Client(headers={"accept-language": "en"})

    page = client.get(path_of(payment), follow=True).content.decode()

    assert "Do not pay a second time" in page
    assert 'name="channel"' not in page


def test_refused_payment_can_be_tried_again(world: World) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)
    failed = worlds.answer(contract.Status.FAILED, reference=payment.pk)
    payments.record_channel_answer(payment_id=payment.pk, answer=failed, at=START)
    client = Client(headers={"accept-language": "en"})
    page = client.get(path_of(payment), follow=True).content.decode()

    again = client.post(f"/pay/{payment.pk}/otherwise", {"channel": "sandbox"})

    assert "The payment was refused" in page
    new = Payment.objects.get(state=PaymentState.PENDING)
    assert again["Location"] == f"/pay/{new.pk}"
    assert new.return_url == payment.return_url
    assert client.get(again["Location"]).status_code == 200


def test_time_that_is_over_offers_nothing(
    world: World, frozen_time: time_machine.Traveller
) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)
    client = Client(headers={"accept-language": "en"})
    client.get(path_of(payment))
    frozen_time.shift(timedelta(minutes=30))

    page = client.get(f"/pay/{payment.pk}").content.decode()

    assert "The time to pay is over" in page
    assert payment.cashier_url not in page
    assert 'name="channel"' not in page


def test_whoever_may_pay_may_not_act_for_the_buyer(world: World) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)
    friend = Client()
    assert friend.get(path_of(payment)).status_code == 302

    answers = [friend.get(f"/o/{order.pk}{below}") for below in ("", "/confirm", "/pay")]

    assert [answer.status_code for answer in answers] == [404] * 3


def test_link_to_another_payment_or_one_that_is_over_opens_nothing(
    world: World, frozen_time: time_machine.Traveller
) -> None:
    ours, theirs = (world.start_payment(world.create_order()[0]) for _ in range(2))
    right = path_of(theirs).rsplit("/", 1)[1]
    order_right = buyer_links.sign(f"/o/{ours.pk}", until=START + timedelta(days=1))

    wrong = [Client().get(f"/pay/{ours.pk}/{each}") for each in (right, order_right, "x" * 43)]
    bare = Client().get(f"/pay/{ours.pk}")
    frozen_time.shift(timedelta(days=2))
    late = Client().get(path_of(ours))

    assert [each.status_code for each in (*wrong, bare, late)] == [404] * 5


def test_looking_at_a_payment_changes_nothing(world: World) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)
    client = Client()
    before = Payment.objects.values().get()

    client.get(path_of(payment), follow=True)
    for below in ("", "/state", "/otherwise"):
        client.get(f"/pay/{payment.pk}{below}")

    assert Payment.objects.values().get() == before
    assert Order.objects.get().event_sequence == 1
