"""Why: a payment exists before the channel hears of it, and silence never looks like a failure."""

from typing import Any

import pytest

from orders.models import Payment
from tests.api.shop import Shop, nothing_moves, pointers, problem


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def body(*orders: dict, **changes: Any) -> dict[str, Any]:
    return {"orders": [order["id"] for order in orders], "channel": "sandbox"} | changes


def test_a_payment_is_answered_with_the_cashier(shop: Shop) -> None:
    order = shop.create_order()

    answer = shop.post("/v1/payments", body(order, return_url="https://shop.example/thanks?x=1"))

    found = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/payments/{found['id']}"
    assert found["state"] == "PENDING"
    assert "/cashier/" in found["cashier_url"]
    assert found["orders"] == [{"order": order["id"], "amount_minor": 10001}]
    assert (found["amount_minor"], found["currency"]) == (10001, "CNY")
    assert found["expires_at"] == order["deadlines"]["pay_by"]
    assert found["return_url"] == "https://shop.example/thanks?x=1"
    assert found["next_step"] == "Send the buyer to cashier_url."
    assert shop.get(f"/v1/payments/{found['id']}").json() == found


def test_one_payment_pays_a_cart_of_two_sellers(shop: Shop) -> None:
    second_seller = shop.add_merchant()
    tea = shop.create_order()
    cups = shop.create_order(merchant=second_seller.id, shipping_minor=3)

    payment = shop.pay(tea, cups)

    assert payment["amount_minor"] == 10001 + 9004
    assert (shop.status(tea), shop.status(cups)) == ("paid", "paid")
    read = shop.get(f"/v1/payments/{payment['id']}").json()
    assert (read["state"], read["succeeded_at"]) == ("SUCCEEDED", "2026-03-02T09:00:00.000000Z")
    of_tea = shop.get(f"/v1/orders/{tea['id']}").json()["payments"]
    assert [(part["id"], part["amount_minor"]) for part in of_tea] == [(payment["id"], 10001)]


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after", "error_after", "torn"])
def test_a_silent_channel_leaves_the_payment_unknown(shop: Shop, fault: str) -> None:
    order = shop.create_order()
    shop.sandbox.channel.faults.add(operation="create_payment", fault=fault)

    payment = shop.start_payment(order)

    assert payment["state"] == "UNKNOWN"
    assert payment["cashier_url"] is None
    assert "Do not create another payment" in payment["next_step"]
    assert shop.status(order) == "awaiting_payment"


def test_a_channel_that_refuses_fails_the_payment(shop: Shop) -> None:
    order = shop.create_order()
    shop.sandbox.channel.faults.add(operation="create_payment", fault="refuse")

    payment = shop.start_payment(order)

    assert (payment["state"], payment["failure_code"]) == ("FAILED", "REFUSED")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"orders": []}, "#/orders"),
        ({"orders": "ord_1"}, "#/orders"),
        ({"orders": [1]}, "#/orders/0"),
        ({"orders": ["ord_1"] * 51}, "#/orders"),
        ({"channel": ""}, "#/channel"),
        ({"channel": 1}, "#/channel"),
        ({"amount_minor": 1}, "#/amount_minor"),
        ({"return_url": "javascript:alert(1)"}, "#/return_url"),
        ({"return_url": "ftp://shop.example"}, "#/return_url"),
        ({"return_url": "//shop.example"}, "#/return_url"),
        ({"return_url": "https://shop.example@evil.example"}, "#/return_url"),
        ({"return_url": "https://shop.example\\@evil.example"}, "#/return_url"),
        ({"return_url": "https://shop.example:99999"}, "#/return_url"),
        ({"return_url": "https://[::1"}, "#/return_url"),
        ({"return_url": "https://shop.example/" + "x" * 500}, "#/return_url"),
        ({"return_url": None}, "#/return_url"),
    ],
)
def test_a_payment_out_of_bounds_is_refused(shop: Shop, changes: dict, pointer: str) -> None:
    order = shop.create_order()

    with nothing_moves():
        found = problem(shop.post("/v1/payments", body(order, **changes)), 422, "request_invalid")

    assert [each for each, _code in pointers(found)] == [pointer]
    assert not Payment.objects.exists()


def test_an_order_named_twice_is_refused(shop: Shop) -> None:
    order = shop.create_order()

    with nothing_moves():
        found = problem(shop.post("/v1/payments", body(order, order)), 422, "payment_invalid")

    assert pointers(found) == [("#/orders", "payment_invalid")]


def test_orders_of_two_currencies_are_refused(shop: Shop) -> None:
    with nothing_moves_but_orders(shop) as (tea, cups):
        problem(shop.post("/v1/payments", body(tea, cups)), 422, "payment_invalid")

    assert not Payment.objects.exists()


def nothing_moves_but_orders(shop: Shop) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def block() -> Any:
        orders = shop.create_order(), shop.create_order(currency="JPY")
        with nothing_moves():
            yield orders

    return block()


@pytest.mark.parametrize("channel", ["unionpay", "sandbox-bank"])
def test_an_unknown_channel_is_refused(shop: Shop, channel: str) -> None:
    order = shop.create_order()

    with nothing_moves():
        problem(shop.post("/v1/payments", body(order, channel=channel)), 422, "channel_disabled")

    assert not Payment.objects.exists()


def test_a_channel_without_its_secret_is_refused(shop: Shop, settings: Any) -> None:
    order = shop.create_order()
    settings.CHANNELS = {"sandbox": settings.CHANNELS["sandbox"] | {"secret": ""}}

    with nothing_moves():
        found = problem(shop.post("/v1/payments", body(order)), 422, "channel_disabled")

    assert "secret is missing" in found["detail"]


def test_paying_too_late_is_refused(shop: Shop) -> None:
    order = shop.create_order()
    shop.wait(minutes=30)

    with nothing_moves():
        problem(shop.post("/v1/payments", body(order)), 409, "payment_deadline_passed")


def test_paying_a_paid_order_is_refused(shop: Shop) -> None:
    order = shop.paid_order()

    with nothing_moves():
        problem(shop.post("/v1/payments", body(order)), 409, "order_state_conflict")
