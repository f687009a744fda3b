"""Why: whoever can confirm an order can release its money. Only its own buyer's token may."""

from typing import Any

import pytest

from tests.api.shop import Shop, nothing_moves, problem


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def test_a_token_opens_its_own_order_only(shop: Shop) -> None:
    order, other = shop.shipped_order(), shop.shipped_order()

    with nothing_moves():
        problem(shop.confirm(order, token=other["buyer_token"]), 403, "buyer_token_invalid")

    assert (shop.status(order), shop.status(other)) == ("shipped", "shipped")
    assert shop.confirm(other).status_code == 200


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", str.swapcase, str.strip])
def test_a_token_changed_by_a_character_is_refused(shop: Shop, change: Any) -> None:
    order = shop.shipped_order()
    token = change(order["buyer_token"])

    if token == order["buyer_token"]:
        token = token[::-1]
    with nothing_moves():
        problem(shop.confirm(order, token=token), 403, "buyer_token_invalid")


@pytest.mark.parametrize("token", ["", " ", None, 17, ["x"], "x" * 201, "\n"])
def test_a_token_that_is_none_is_refused(shop: Shop, token: Any) -> None:
    order = shop.shipped_order()
    path = f"/v1/orders/{order['id']}/confirm"

    with nothing_moves():
        problem(shop.door.send("POST", path, {"token": token}), 422, "request_invalid")
        problem(shop.door.send("POST", path, {}), 422, "request_invalid")


def test_a_missing_order_is_refused_as_a_wrong_token(shop: Shop) -> None:
    order = shop.shipped_order()
    neighbour = order["id"][:-1] + ("0" if order["id"][-1] != "0" else "1")

    with nothing_moves():
        missing = problem(
            shop.confirm({"id": neighbour}, token=order["buyer_token"]), 403, "buyer_token_invalid"
        )
        wrong = problem(shop.confirm(order, token="x" * 43), 403, "buyer_token_invalid")

    assert missing["detail"] == wrong["detail"]
    assert missing.get("facts") == wrong.get("facts")


def test_the_stored_hash_is_no_token(shop: Shop) -> None:
    from orders.models import Order

    order = shop.shipped_order()
    kept = Order.objects.get(pk=order["id"]).buyer_token_hash

    with nothing_moves():
        problem(shop.confirm(order, token=kept), 403, "buyer_token_invalid")


def test_a_platforms_key_does_not_confirm_for_the_buyer(shop: Shop) -> None:
    order = shop.shipped_order()

    with nothing_moves():
        answer = shop.post(f"/v1/orders/{order['id']}/confirm", {"token": shop.key})
        problem(answer, 403, "buyer_token_invalid")


def test_looking_does_not_confirm(shop: Shop) -> None:
    order = shop.shipped_order()
    path = f"/v1/orders/{order['id']}/confirm"

    with nothing_moves():
        problem(shop.door.send("GET", path), 405, "method_not_allowed")
        problem(
            shop.door.send("POST", f"{path}?token={order['buyer_token']}", {}),
            400,
            "query_parameter_unknown",
        )

    assert shop.status(order) == "shipped"


def test_confirming_twice_releases_once(shop: Shop, rung: list[str]) -> None:
    order = shop.shipped_order()
    shop.confirm(order)

    with nothing_moves():
        problem(shop.confirm(order), 409, "order_state_conflict")

    assert rung == ["payouts.cut_due_settlements"]


@pytest.mark.parametrize("stage", ["create_order", "paid_order"])
def test_confirming_before_shipping_is_refused(shop: Shop, stage: str) -> None:
    order = getattr(shop, stage)()

    with nothing_moves():
        problem(shop.confirm(order), 409, "order_state_conflict")


def test_the_answer_tells_the_buyer_nothing_of_the_split(shop: Shop) -> None:
    order = shop.shipped_order()

    assert set(shop.confirm(order).json()) == {"id", "confirmed_at"}
