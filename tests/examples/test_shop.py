"""Why: the example is what integrators copy; what it does wrong is done wrong everywhere."""

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.conformance.receiver import Receiver
from examples.shop.__main__ import take_secret
from examples.shop.store import Store
from holdfast import webhooks
from merchants import services as merchants
from notifications.models import WebhookEndpoint
from orders.models import Order, Payment
from settlement_site.environment import BASE_DIR
from tests.examples.street import Street

SHOP = BASE_DIR / "examples" / "shop"
WORDS = json.loads((SHOP / "words.json").read_text("utf-8"))


@pytest.fixture
def browser(shop: Street) -> Any:
    headers = {"Accept-Language": "en"}
    with httpx.Client(base_url=shop.shop_url, headers=headers, trust_env=False) as browser:
        yield browser


def buy(browser: httpx.Client, *skus: str) -> httpx.Response:
    for sku in skus:
        assert browser.post("/cart", data={"sku": sku}).status_code == 303
    return browser.post("/checkout", data={"name": "Alice", "email": "alice@example.com"})


def order_page(browser: httpx.Client) -> str:
    [number] = {order.reference.rpartition("-")[0] for order in Order.objects.all()}
    return browser.get(f"/orders/{number}").text


def test_cart_of_two_sellers_is_two_orders_and_one_payment(
    browser: httpx.Client, shop: Street
) -> None:
    answer = buy(browser, "oolong-100", "lamp", "oolong-100")

    payment = Payment.objects.get()
    assert answer.headers["Location"] == payment.cashier_url
    assert payment.amount_minor == 2 * 12901 + 800 + 45900 + 800
    assert sorted(Order.objects.values_list("merchant__reference", "amount_minor")) == [
        ("bamboo", 46700),
        ("longjing", 26602),
    ]


def test_checkout_pressed_twice_is_ordered_and_paid_once(
    browser: httpx.Client, shop: Street
) -> None:
    first = buy(browser, "oolong-100")
    with_the_cart = {"Cookie": first.request.headers["Cookie"], "Accept-Language": "en"}
    second = shop.http.post(
        f"{shop.shop_url}/checkout",
        data={"name": "Alice", "email": "alice@example.com"},
        headers=with_the_cart,
    )

    assert second.headers["Location"] == first.headers["Location"]
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_order_page_follows_the_order_to_its_end(browser: httpx.Client, shop: Street) -> None:
    cashier = buy(browser, "teapot").headers["Location"]
    shop.settle()
    assert "Waiting for payment" in order_page(browser)

    shop.http.post(cashier, data={"action": "pay"})
    shop.settle()
    assert "Your money is held" in order_page(browser)

    order = Order.objects.get()
    number = order.reference.rpartition("-")[0]
    browser.post(f"/orders/{number}/{order.id}/ship")
    shop.settle()
    assert "On its way" in order_page(browser)
    assert "SF Express SF" in order_page(browser)

    browser.post(f"/orders/{number}/{order.id}/confirm")
    shop.settle()
    assert "The maker is being paid" in order_page(browser)


def test_canceled_order_is_shown_as_refunded(browser: httpx.Client, shop: Street) -> None:
    shop.http.post(buy(browser, "teapot").headers["Location"], data={"action": "pay"})
    shop.settle()

    order = Order.objects.get()
    browser.post(f"/orders/{order.reference.rpartition('-')[0]}/{order.id}/cancel")
    shop.settle()

    assert "You have your money back" in order_page(browser)


def test_refusal_is_told_and_nothing_is_lost(browser: httpx.Client, shop: Street) -> None:
    browser.post("/cart", data={"sku": "teapot"})
    merchants.revoke_api_key(public_id=shop.key.split("_")[2], at=shop.sandbox.clock.now)

    answer = browser.post("/checkout", data={"name": "Alice"})

    assert answer.status_code == 502
    assert "does not answer as it should" in answer.text
    assert "Yixing teapot" in browser.get("/cart").text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/orders/none", None),
        ("/orders/none/pay", {}),
        ("/orders/none/ord_1/ship", {}),
        ("/nowhere", None),
    ],
)
def test_what_is_not_there_is_not_found(
    browser: httpx.Client, path: str, form: dict[str, str] | None
) -> None:
    answer = browser.get(path) if form is None else browser.post(path, data=form)

    assert answer.status_code == 404


def test_cart_takes_sensible_numbers_only(browser: httpx.Client) -> None:
    for quantity, pieces in (("3", 3), ("99", 9), ("-5", 0), ("x", 1)):
        browser.post("/cart", data={"sku": "teapot", "quantity": quantity})
        page = browser.get("/cart").text
        found = re.findall(r'name="quantity" value="(\d+)" min', page)
        assert found == ([str(pieces)] if pieces else [])
    browser.post("/cart", data={"sku": "nonsense"})
    assert "nonsense" not in browser.get("/cart").text


@pytest.mark.parametrize(
    ("asked", "wanted"), [("zh-CN,zh;q=0.9", "zh"), ("en", "en"), ("fr", "en")]
)
def test_pages_speak_the_reader_s_language(shop: Street, asked: str, wanted: str) -> None:
    page = shop.http.get(shop.shop_url, headers={"Accept-Language": asked}).text

    assert WORDS[wanted]["slogan"] in page
    assert f'<html lang="{WORDS[wanted]["lang"]}">' in page


def test_language_that_is_chosen_stays(browser: httpx.Client) -> None:
    browser.get("/?lang=zh")

    assert WORDS["zh"]["empty"] in browser.get("/cart").text


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert WORDS["en"]["state"].keys() == WORDS["zh"]["state"].keys()


def test_shop_that_starts_again_takes_a_new_secret_for_the_same_endpoint(
    shop: Street, tmp_path: Path
) -> None:
    endpoint = WebhookEndpoint.objects.get()
    shop.client.webhook_endpoints.update(endpoint.id, enabled=False)
    secret = take_secret(shop.client, shop.shop_url)

    found = WebhookEndpoint.objects.get()
    assert (found.id, found.state) == (endpoint.id, "ENABLED")
    body = b"{}"
    webhooks.check_signature(body, webhooks.sign(event_id="x", body=body, secrets=secret), secret)


def test_events_in_any_order_and_number_give_the_same_state(tmp_path: Path) -> None:
    store = Store(tmp_path / "shop.sqlite3")
    told = [
        ("evt_1", "ord_1", 1, "order.created"),
        ("evt_2", "ord_1", 2, "order.paid"),
        ("evt_3", "ord_1", 3, "order.ship_reminder"),
        ("evt_4", "ref_1", 1, "refund.created"),
        ("evt_5", "ord_1", 4, "order.canceled"),
        ("evt_6", "ref_1", 2, "refund.succeeded"),
    ]
    for id, subject, sequence, type in reversed([*told, *told]):
        store.keep_event(
            webhooks.WebhookEvent(
                id=id,
                type=type,
                subject=subject,
                sequence=sequence,
                data={"order": "ord_1"},
                created_at=datetime.now(UTC),
                api_version="2026-11-23",
            )
        )

    assert store.follow("ord_1") == {
        "state": "refunded",
        "events": 6,
        "facts": {"order": "ord_1"},
    }
    assert store.follow("ord_2") == {"state": "awaiting_payment", "events": 0, "facts": {}}


def test_shop_is_small() -> None:
    lines = sum(len(path.read_text("utf-8").splitlines()) for path in SHOP.rglob("*.py"))

    assert lines < 300


def test_shop_knows_holdfast_by_its_client_alone() -> None:
    sources = "".join(path.read_text("utf-8") for path in SHOP.rglob("*.py"))
    imported = set(re.findall(r"^(?:from|import) (\w+)", sources, re.MULTILINE))

    assert imported - sys.stdlib_module_names == {"examples", "flask", "holdfast", "werkzeug"}


def test_door_is_closed_to_strangers(shop: Street) -> None:
    stranger = Receiver(shop.shop_url, "", [b"another secret"], shop.http)

    assert not stranger.has_door()
    assert shop.http.get(f"{shop.shop_url}/conformance/orders/ord_1").status_code == 400
