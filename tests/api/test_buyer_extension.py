"""Why: more time is the buyer's to take, once, and of nobody who holds another token or none."""

from datetime import timedelta

import pytest

from notifications.models import Event
from orders.models import Order
from tests.api.shop import Answer, Shop, nothing_moves, problem
from tests.ground import US

WRONG = "buyer_token_invalid"


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: nothing here needs a commit."""


def extend(shop: Shop, order: dict[str, str], token: str | None = None) -> Answer:
    body = {"token": order["buyer_token"] if token is None else token}
    return shop.door.send("POST", f"/v1/orders/{order['id']}/extend-receipt", body)


def test_buyer_takes_five_days_more_without_a_key(shop: Shop) -> None:
    order = shop.shipped_order()

    answer = extend(shop, order)

    assert (answer.status_code, answer.json()) == (
        200,
        {"id": order["id"], "confirm_by": "2026-03-17T09:00:00.000000Z"},
    )
    event = Event.objects.get(subject_id=order["id"], type="order.confirm_extended")
    assert event.data["by"] == "BUYER"


def test_second_extension_is_refused_whoever_took_the_first(shop: Shop) -> None:
    order, other = shop.shipped_order(), shop.shipped_order()
    extend(shop, order)
    assert shop.post(f"/v1/orders/{other['id']}/extend", {}).status_code == 200

    with nothing_moves():
        problem(extend(shop, order), 409, "extended_already")
        problem(extend(shop, other), 409, "extended_already")


def test_token_of_another_order_is_refused(shop: Shop) -> None:
    order, other = shop.shipped_order(), shop.shipped_order()

    with nothing_moves():
        problem(extend(shop, order, token=other["buyer_token"]), 403, WRONG)
        problem(extend(shop, order, token=shop.key), 403, WRONG)

    assert Order.objects.get(pk=order["id"]).confirm_extended_at is None


def test_extension_is_refused_at_the_deadline(shop: Shop) -> None:
    order, last = shop.shipped_order(), shop.shipped_order()
    shop.time.move_to(shop.sandbox.clock.now + timedelta(days=10) - US)
    assert extend(shop, last).status_code == 200
    shop.time.move_to(shop.sandbox.clock.now + timedelta(days=10))

    with nothing_moves():
        problem(extend(shop, order), 409, "confirmation_deadline_passed")


@pytest.mark.parametrize("stage", ["create_order", "paid_order", "released_order"])
def test_order_that_is_not_on_its_way_is_not_extended(shop: Shop, stage: str) -> None:
    order = getattr(shop, stage)()

    with nothing_moves():
        problem(extend(shop, order), 409, "order_state_conflict")
