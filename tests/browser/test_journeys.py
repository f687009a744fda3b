"""Why: a person comes through a page with a browser, on a phone, and with scripts switched off.

Each journey is lived to the end; the books are audited after it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from merchants.models import Merchant, User
from notifications import buyer_links
from orders.models import Order
from tests import ground
from tests import world as worlds
from tests.admin.conftest import market
from tests.browser.reader import Reader, session_of
from tests.examples.window import DESK, PHONE, Buyer, needs_browser
from tests.stage import transactional_db
from tests.world import World

__all__ = ["market", "transactional_db"]

pytestmark = needs_browser
Open = Callable[..., Buyer]
NO_SCRIPTS = {"java_script_enabled": False}


@pytest.fixture
def open_window(live_server: Any) -> Iterator[Open]:
    """Open a browser: `open_window(user, phone=True, scripts=False)`."""
    windows: list[Buyer] = []

    def opened(user: User | None = None, *, phone: bool = False, scripts: bool = True) -> Buyer:
        name, options = PHONE if phone else DESK
        options = options | {"locale": "en-US"} | ({} if scripts else NO_SCRIPTS)
        window = Buyer(name, Reader, **options)
        windows.append(window)
        if user is not None:
            window.sign_in(live_server.url, session_of(user))
        return window

    yield opened
    for each in windows:
        each.close()


def seller_of(merchant: Merchant) -> User:
    return User.objects.create_user("seller", "s@example.com", "a long password", merchant=merchant)


def buyer_link(live_server: Any, order: Order) -> str:
    path = buyer_links.order_path(order.pk)
    right = buyer_links.sign(path, until=timezone.now() + timedelta(days=1))
    return f"{live_server.url}{path}/{right}"


def test_buyer_confirms_on_a_phone_without_scripts(
    market: World, live_server: Any, open_window: Open
) -> None:
    order = ground.shipped_order(market)
    buyer = open_window(phone=True, scripts=False)

    buyer.go(buyer_link(live_server, order))
    buyer.measure()
    buyer.click_link("confirm")
    buyer.measure()
    buyer.send("main form")

    order.refresh_from_db()
    assert (order.state, order.confirmed_by) == ("CONFIRMED", "BUYER")
    assert worlds.audit() == []


def test_seller_ships_without_scripts(market: World, live_server: Any, open_window: Open) -> None:
    market.sandbox.clock.now = timezone.now()  # or the time to ship is over
    order = ground.paid_order(market)
    seller = open_window(seller_of(market.merchants[0]), scripts=False)

    seller.go(live_server.url + reverse("portal:order", args=[order.pk]))
    form = f"form[action='{reverse('portal:ship-order', args=[order.pk])}']"
    seller.type_into(f"{form} [name=carrier]", "SF")
    seller.type_into(f"{form} [name=tracking]", "SF123")
    seller.send(form)

    order.refresh_from_db()
    assert order.state == "SHIPPED"
    assert order.shipments.get().tracking_number == "SF123"


def test_language_is_switched_and_stays(market: World, live_server: Any, open_window: Open) -> None:
    seller = open_window(seller_of(market.merchants[0]))

    seller.go(f"{live_server.url}/portal/")
    seller.expect("Overview")
    seller.press("简体中文")
    seller.expect("总览")
    seller.go(f"{live_server.url}/portal/payouts")
    seller.expect("打款")

    assert seller.complaints == []
