"""Why: a platform must not even learn that another platform's object exists."""

from typing import Any

import pytest

from merchants import services as merchants
from tests.api.shop import Shop, nothing_moves, problem
from tests.world import START

PARCEL = {"carrier": "SF", "tracking_number": "SF1"}


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def comparable(found: dict, own_id: str) -> str:
    """A problem without what differs by the request itself."""
    found = {name: value for name, value in found.items() if name != "request_id"}
    return repr(found).replace(own_id, "ID")


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/v1/orders/ID", None, "order_not_found"),
        ("POST", "/v1/orders/ID/ship", PARCEL, "order_not_found"),
        ("POST", "/v1/orders/ID/cancel", None, "order_not_found"),
        ("POST", "/v1/payments", {"orders": ["ID"], "channel": "sandbox"}, "order_not_found"),
        ("GET", "/v1/payments/ID", None, "payment_not_found"),
    ],
)
def test_a_foreign_object_is_answered_like_a_missing_one(
    shop: Shop, rival: Shop, method: str, path: str, body: Any, code: str
) -> None:
    order = shop.create_order()
    payment = shop.pay(order) if "payments/" in path or "ship" in path else None
    theirs = payment["id"] if payment and "payments/" in path else order["id"]
    missing = theirs[:4] + "0" * (len(theirs) - 4)

    def ask(own_id: str) -> dict:
        sent = {**body, "orders": [own_id]} if body and "orders" in body else body
        return problem(
            shop.door.send(method, path.replace("ID", own_id), sent, key=rival.key), 404, code
        )

    with nothing_moves():
        assert comparable(ask(theirs), theirs) == comparable(ask(missing), missing)


def test_a_foreign_seller_is_answered_like_a_missing_one(shop: Shop, rival: Shop) -> None:
    theirs, missing = shop.merchants[0].id, "mer_" + "0" * 32

    def ask(merchant_id: str) -> dict:
        answer = rival.post("/v1/orders", rival.order_body(merchant=merchant_id))
        return problem(answer, 422, "merchant_unavailable")

    with nothing_moves():
        assert comparable(ask(theirs), theirs) == comparable(ask(missing), missing)


def test_a_cart_with_one_foreign_order_is_refused_whole(shop: Shop, rival: Shop) -> None:
    own, theirs = rival.create_order(), shop.create_order()

    with nothing_moves():
        answer = rival.post(
            "/v1/payments", {"orders": [own["id"], theirs["id"]], "channel": "sandbox"}
        )
        problem(answer, 404, "order_not_found")


def test_references_of_two_platforms_do_not_meet(shop: Shop, rival: Shop) -> None:
    first = shop.create_order(reference="same")

    second = rival.create_order(reference="same")

    assert first["id"] != second["id"]


# Keys


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer sk_test_unknown1_aaaa",
        "Bearer sk_test",
        "Bearer é",
        "Basic c2s6",
        "Token {key}",
        "Bearer {key}x",
        "Bearer {upper}",
        "{key}",
    ],
)
def test_a_bad_key_is_refused_the_same_way(shop: Shop, authorization: str) -> None:
    value = authorization.format(key=shop.key, upper=shop.key.upper())
    headers = {"Authorization": value} if value else {}

    with nothing_moves():
        answer = shop.door.send("POST", "/v1/orders", shop.order_body(), **headers)
        found = problem(answer, 401, "api_key_refused")

    assert found["detail"] == "This API key is not valid."
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="holdfast"'


def test_a_revoked_key_is_refused(shop: Shop) -> None:
    merchants.revoke_api_key(public_id=shop.key.split("_")[2], at=START)

    with nothing_moves():
        problem(shop.get("/v1/orders/ord_0"), 401, "api_key_refused")


def test_without_a_key_even_a_missing_object_is_refused_by_the_key(shop: Shop) -> None:
    order = shop.create_order()

    for order_id in (order["id"], "ord_0"):
        for method, path in (
            ("GET", f"/v1/orders/{order_id}"),
            ("POST", f"/v1/orders/{order_id}/ship"),
            ("POST", f"/v1/orders/{order_id}/cancel"),
            ("POST", "/v1/orders"),
            ("POST", "/v1/payments"),
            ("GET", f"/v1/payments/{order_id}"),
        ):
            problem(shop.door.send(method, path, b"{"), 401, "api_key_refused")


def test_a_buyers_token_is_no_key(shop: Shop) -> None:
    order = shop.create_order()

    answer = shop.door.send("GET", f"/v1/orders/{order['id']}", key=order["buyer_token"])

    problem(answer, 401, "api_key_refused")
