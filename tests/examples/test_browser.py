"""Why: an integration is finished when a buyer can pay with a browser, on a desk and on a phone."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orders.models import Order
from payouts.models import Payout
from tests.examples.street import Street

playwright = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
PATIENCE_MS = 15_000
PICTURES = os.environ.get("SHOP_PICTURES")  # a folder, for people who want to see the pages

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")


class Window:
    """A browser's window; it notices what does not fit and what the console complains of."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name, self.pictures = name, 0
        self.complaints: list[str] = []
        self.running = playwright.sync_playwright().start()
        self.browser = self.running.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--no-proxy-server"]
        )
        self.page = self.browser.new_context(**options).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def close(self) -> None:
        self.browser.close()
        self.running.stop()

    def go(self, url: str) -> None:
        self.page.goto(url)

    def url(self) -> str:
        return str(self.page.url)

    def wait_for(self, url: str) -> None:
        self.page.wait_for_url(url)

    def fill(self, name: str, words: str) -> None:
        self.page.locator(f"input[name={name}]").fill(words)

    def press(self, words: str, within: str = "body") -> None:
        self.page.locator(within).get_by_role("button", name=words).first.click()

    def expect(self, words: str) -> None:
        """Wait until the page shows this headline, without being asked to."""
        heading = self.page.get_by_role("heading", name=words)
        playwright.expect(heading).to_be_visible(timeout=PATIENCE_MS)
        self.look()

    def look(self) -> None:
        """Nothing is wider than the screen, and no word is missing."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.page.viewport_size["width"], f"{self.page.url} is {wide} wide"
        assert "<" not in self.page.locator("body").inner_text()
        self.pictures += 1
        if PICTURES:
            path = Path(PICTURES) / f"{self.name}-{self.pictures}.png"
            self.page.screenshot(path=path, full_page=True)


class Buyer:
    """Somebody at a window of their own: in another thread, for Playwright keeps an event loop
    running in its thread, and Django takes queries beside one for mistakes.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._window = self._thread.submit(Window, name, **options).result()

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        done = getattr(self._window, verb)
        return lambda *words: self._thread.submit(done, *words).result()

    @property
    def complaints(self) -> list[str]:
        return self._window.complaints


@pytest.fixture
def buyer(request: pytest.FixtureRequest) -> Iterator[Buyer]:
    name, options = request.param
    buyer = Buyer(name, **options)
    yield buyer
    buyer.close()


DESK = ("desk", {"viewport": {"width": 1280, "height": 860}, "locale": "en-US"})
PHONE = (
    "phone",
    {
        "viewport": {"width": 390, "height": 844},
        "locale": "zh-CN",
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
        "color_scheme": "dark",
    },
)
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
