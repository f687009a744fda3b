"""Why: an integration is finished when a buyer can pay with a browser, on a desk and on a phone."""

from collections.abc import Iterator

import pytest

from orders.models import Order
from payouts.models import Payout
from tests.examples.street import Street
from tests.examples.window import DESK, PHONE, Buyer, needs_browser

pytestmark = needs_browser


@pytest.fixture
def buyer(request: pytest.FixtureRequest) -> Iterator[Buyer]:
    name, options = request.param
    buyer = Buyer(name, **options)
    yield buyer
    buyer.close()


ENGLISH = {
    "add": "Add to cart",
    "checkout": "Go to the cashier",
    "pay": "Pay 137.01 CNY",
    "paid": "Paid",
    "ship": "Ship",
    "shipped": "On its way",
    "confirm": "I have received it",
    "released": "Received",
}
CHINESE = {
    "add": "加入购物车",
    "checkout": "去付款",
    "pay": "确认支付 137.01 CNY",
    "paid": "已付款",
    "ship": "发货",
    "shipped": "运输中",
    "confirm": "确认收货",
    "released": "已收货",
}


@pytest.mark.parametrize(
    ("buyer", "words"),
    [(DESK, ENGLISH), (PHONE, CHINESE)],
    ids=["desk", "phone"],
    indirect=["buyer"],
)
def test_order_is_bought_from_end_to_end(shop: Street, buyer: Buyer, words: dict[str, str]) -> None:
    buyer.go(shop.shop_url)
    buyer.look()
    buyer.press(words["add"], ".products li:nth-child(2)")
    buyer.look()
    buyer.fill("name", "王芳")
    buyer.fill("email", "buyer@example.com")
    buyer.press(words["checkout"])
    buyer.look()
    assert buyer.url().startswith(f"{shop.sandbox.channel.base_url}/cashier/")

    buyer.press(words["pay"])
    buyer.wait_for(f"{shop.shop_url}/orders/*")
    shop.settle()
    buyer.expect(words["paid"])
    buyer.press(words["ship"])
    shop.settle()
    buyer.expect(words["shipped"])
    buyer.press(words["confirm"])
    shop.settle()
    buyer.expect(words["released"])

    order = Order.objects.get()
    assert (order.state, order.buyer_name, order.amount_minor) == ("CONFIRMED", "王芳", 13701)
    # 5 % of the goods for the platform, 0.6 % of all for Holdfast.
    assert Payout.objects.get(merchant=order.merchant).amount_minor == 13701 - 645 - 82
    assert buyer.complaints == []
