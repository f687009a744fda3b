"""Why: nothing that moves money may need a script. Here no browser runs any."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from escrow.models import Dispute, Hold, Refund
from orders.models import Payment
from tests import ground
from tests.admin.conftest import market
from tests.browser.visitors import PASSWORD, Come, browser, come, link_of, member
from tests.examples.window import Buyer, needs_browser
from tests.stage import books_are_right, transactional_db, world
from tests.world import World

__all__ = ["books_are_right", "browser", "come", "market", "transactional_db", "world"]

pytestmark = needs_browser


@pytest.fixture
def visit(come: Come) -> Buyer:
    """A browser that runs no scripts; nobody is signed in."""
    return come(scripts=False)


def test_member_signs_in_and_changes_language_and_theme(
    market: World, live_server: Any, visit: Buyer
) -> None:
    member("seller", merchant=market.merchants[0])

    visit.go(f"{live_server.url}/portal/orders")
    visit.enter("login", "seller")
    visit.enter("password", PASSWORD)
    visit.click("Sign in")
    came_to = visit.url()
    visit.press("Change to dark")
    theme = visit.attribute("html", "data-theme")
    visit.press("简体中文")
    visit.expect("订单")

    assert came_to == f"{live_server.url}/portal/orders"
    assert theme == "dark"
    assert [visit.attribute("html", name) for name in ("lang", "data-theme")] == ["zh-hans", "dark"]


def test_platform_refunds_a_part(market: World, live_server: Any, come: Come) -> None:
    order = ground.shipped_order(market)
    shop = come(member("shop", platform=market.platform), scripts=False)

    shop.go(live_server.url + reverse("portal:order", args=[order.pk]))
    shop.click("Refund")
    shop.tick("what", "amount")
    shop.enter("amount", "10.01")
    shop.enter("reason", "one cup was broken")
    shop.click("See what it does")
    review, asked = shop.read(), Refund.objects.count()
    shop.click("Refund it")

    assert "CN¥10.01 goes back to the buyer" in review
    assert asked == 0
    assert "Refunded. The channel is asked to pay the buyer." in shop.read()
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.reason) == (1001, "one cup was broken")
    assert ("CNY", "held", 9000) in ground.trial()


def test_buyer_pays(world: World, live_server: Any, settings: Any, visit: Buyer) -> None:
    settings.PUBLIC_URL = live_server.url
    world.sandbox.clock.move_to(timezone.now())
    order, _token = world.create_order()

    visit.go(live_server.url + link_of(order))
    visit.click("Pay")
    visit.click("Sandbox: pay with made-up money")
    payment = Payment.objects.get()
    cashier = visit.attribute("main a.button-primary", "href")
    world.buyer_pays(payment)
    visit.click("Look again")
    paid = visit.read()
    visit.click("Go on")

    assert cashier == payment.cashier_url
    assert "CN¥100.01 paid" in paid
    assert visit.url() == f"{live_server.url}/o/{order.pk}"
    order.refresh_from_db()
    assert order.state == "PAID"
    assert world.balance("held") == 10001


def test_buyer_opens_a_dispute(market: World, live_server: Any, visit: Buyer) -> None:
    market.sandbox.clock.now = timezone.now() - timedelta(hours=1)
    order = ground.shipped_order(market)
    books = ground.trial()

    visit.go(live_server.url + link_of(order))
    visit.click("Tell us what is wrong")
    visit.choose("reason", "DAMAGED")
    visit.tick("lines", "1")
    visit.enter("text", "the lid is broken")
    visit.click("Go on")
    meant, opened = visit.read(), Dispute.objects.count()
    visit.enter("asked", "50.01")
    visit.click("Open the dispute")

    assert "is frozen until the dispute is over" in meant
    assert opened == 0
    assert "You want CN¥50.01 back" in visit.read()
    dispute = Dispute.objects.get()
    assert (dispute.order_id, dispute.asked_minor, dispute.state) == (order.pk, 5001, "OPEN")
    assert Hold.objects.get(order=order).state == "FROZEN"
    assert ground.trial() == books
