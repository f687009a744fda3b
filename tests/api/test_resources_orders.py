"""Why: five hundred orders are created or none; a parcel is named, added and mended as often as is
said and no more; and more time is given once.
"""

from typing import Any

import pytest

from notifications.models import Event
from orders.models import Order
from tests.api.shop import Shop, all_rows, nothing_moves, pointers, problem

BULK = "/v1/orders/bulk"
PARCEL = {"carrier": "SF Express", "tracking_number": "SF2002"}


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def bodies(shop: Shop, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"orders": [shop.order_body(**each) for each in changes]}


# Many at once


def test_orders_are_answered_in_the_order_asked_for(shop: Shop) -> None:
    asked = bodies(shop, {}, {"reference": "a-17"}, {"shipping_minor": 3})

    answer = shop.post(BULK, asked)

    made = answer.json()["data"]
    assert answer.status_code == 201
    assert [each["reference"] for each in made] == [each["reference"] for each in asked["orders"]]
    shown = {"id", "reference", "buyer_token", "confirm_url", "buyer_url"}
    assert [set(each) for each in made] == [shown] * 3
    read = [shop.get(f"/v1/orders/{each['id']}").json() for each in made]
    assert [each["amount_minor"] for each in read] == [10001, 10001, 9004]
    events = Event.objects.filter(subject_id__in=[each["id"] for each in made])
    assert {(each.type, each.sequence) for each in events} == {("order.created", 1)}
    assert events.count() == 3


def test_buyers_of_a_bulk_confirm_with_their_own_tokens(shop: Shop) -> None:
    first, second = shop.post(BULK, bodies(shop, {}, {})).json()["data"]
    shop.pay(first, second)
    for order in (first, second):
        shop.ship(order)

    problem(shop.confirm(first, token=second["buyer_token"]), 403, "buyer_token_invalid")

    assert shop.confirm(first).status_code == 200
    assert shop.confirm(second).status_code == 200


def test_bulk_replayed_gives_the_same_tokens(shop: Shop) -> None:
    asked = bodies(shop, {}, {})

    first, again = (shop.post(BULK, asked, Idempotency_Key="bulk-1") for _ in range(2))

    assert again.content == first.content
    assert Order.objects.count() == 2


def test_wrong_orders_are_named_by_their_place_and_none_is_created(shop: Shop, rival: Shop) -> None:
    known = shop.create_order()
    asked = bodies(
        shop,
        {},
        {"merchant": "mer_0"},
        {"merchant": rival.merchants[0].id},
        {"reference": known["reference"]},
        {"currency": "XXX"},
        {"lines": [{"title": "Free", "amount_minor": 0}], "shipping_minor": 0},
        {"reference": "order-2"},
    )
    before = all_rows()

    found = problem(shop.post(BULK, asked), 422, "orders_refused")

    assert pointers(found) == [
        ("#/orders/1/merchant", "merchant_unavailable"),
        ("#/orders/2/merchant", "merchant_unavailable"),
        ("#/orders/3", "order_reference_taken"),
        ("#/orders/4", "currency_unknown"),
        ("#/orders/5/lines", "order_invalid"),
        ("#/orders/6", "order_reference_taken"),
    ]
    assert found["detail"] == "6 of the orders cannot be created, so none was."
    assert found["errors"][1]["detail"] == found["errors"][0]["detail"]
    assert "facts" not in found
    assert all_rows() == before


def test_wrong_shape_is_named_down_to_the_field(shop: Shop) -> None:
    asked = bodies(shop, {}, {"lines": [{"title": "Tea", "amount_minor": 1.5}]}, {})
    asked["orders"][2]["paid_at"] = "2026-03-02T09:00:00Z"

    with nothing_moves():
        found = problem(shop.post(BULK, asked), 422, "request_invalid")

    assert pointers(found) == [
        ("#/orders/1/lines/0/amount_minor", "invalid"),
        ("#/orders/2/paid_at", "unknown"),
    ]


@pytest.mark.parametrize("length", [0, 501])
def test_bulk_of_none_or_too_many_is_refused(shop: Shop, length: int) -> None:
    line = {"title": "T", "amount_minor": 1}
    order = {"merchant": shop.merchants[0].id, "currency": "CNY", "lines": [line]}
    asked = {"orders": [order | {"reference": f"{number}"} for number in range(length)]}

    found = problem(shop.post(BULK, asked), 422, "request_invalid")

    assert [pointer for pointer, _code in pointers(found)] == ["#/orders"]
    assert not Order.objects.exists()


def test_five_hundred_orders_fit_into_one_request(shop: Shop) -> None:
    asked = bodies(shop, *({} for _ in range(500)))

    answer = shop.post(BULK, asked)

    assert answer.status_code == 201
    assert len({each["buyer_token"] for each in answer.json()["data"]}) == 500
    assert Order.objects.count() == 500


def test_five_hundred_wrong_orders_are_told_only_in_part(shop: Shop) -> None:
    asked = bodies(shop, *({"merchant": "mer_0"} for _ in range(500)))

    found = problem(shop.post(BULK, asked), 422, "orders_refused")

    assert found["detail"] == "500 of the orders cannot be created, so none was."
    assert len(found["errors"]) == 50


# Parcels


def parcels(answer: Any) -> list[tuple[str, str]]:
    return [(each["carrier"], each["tracking_number"]) for each in answer.json()["shipments"]]


def test_order_is_shipped_in_several_parcels(shop: Shop) -> None:
    order = shop.paid_order()
    body = PARCEL | {"further": [PARCEL | {"carrier": "EMS"}, PARCEL | {"tracking_number": "SF3"}]}

    answer = shop.post(f"/v1/orders/{order['id']}/ship", body)

    assert parcels(answer) == [("SF Express", "SF2002"), ("EMS", "SF2002"), ("SF Express", "SF3")]
    assert answer.json()["status"] == "shipped"


def test_further_parcel_moves_no_deadline(shop: Shop) -> None:
    order = shop.shipped_order()
    before = shop.get(f"/v1/orders/{order['id']}").json()
    shop.wait(hours=5)

    answer = shop.post(f"/v1/orders/{order['id']}/parcels", PARCEL)

    assert answer.status_code == 201
    assert parcels(answer) == [("SF Express", "SF1001"), ("SF Express", "SF2002")]
    assert answer.json()["deadlines"] == before["deadlines"]
    assert answer.json()["shipped_at"] == before["shipped_at"]


def test_order_has_fifteen_parcels_at_most(shop: Shop) -> None:
    order = shop.paid_order()
    further = [PARCEL | {"tracking_number": f"SF{number}"} for number in range(15)]
    path = f"/v1/orders/{order['id']}"

    found = problem(
        shop.post(f"{path}/ship", PARCEL | {"further": further}), 422, "request_invalid"
    )
    assert pointers(found) == [("#/further", "max_length")]
    assert shop.post(f"{path}/ship", PARCEL | {"further": further[1:]}).status_code == 200

    with nothing_moves():
        problem(shop.post(f"{path}/parcels", further[0]), 409, "too_many_parcels")


@pytest.mark.parametrize("stage", ["create_order", "paid_order", "released_order"])
def test_parcel_of_an_order_not_on_its_way_is_refused(shop: Shop, stage: str) -> None:
    order = getattr(shop, stage)()
    path = f"/v1/orders/{order['id']}/parcels"

    with nothing_moves():
        problem(shop.post(path, PARCEL), 409, "order_state_conflict")
        problem(shop.post(f"{path}/shp_0/correct", PARCEL), 409, "order_state_conflict")


def test_known_parcel_is_not_added_twice(shop: Shop) -> None:
    order = shop.paid_order()
    path = f"/v1/orders/{order['id']}"

    found = problem(
        shop.post(f"{path}/ship", PARCEL | {"further": [PARCEL]}), 422, "parcel_invalid"
    )
    assert pointers(found) == [("#/tracking_number", "parcel_invalid")]
    shop.post(f"{path}/ship", PARCEL)
    problem(shop.post(f"{path}/parcels", PARCEL), 409, "parcel_known")

    assert parcels(shop.get(path)) == [("SF Express", "SF2002")]


def test_parcel_is_corrected_once(shop: Shop) -> None:
    order = shop.shipped_order()
    (parcel,) = shop.get(f"/v1/orders/{order['id']}").json()["shipments"]
    path = f"/v1/orders/{order['id']}/parcels/{parcel['id']}/correct"

    answer = shop.post(path, PARCEL)

    assert parcels(answer) == [("SF Express", "SF2002")]
    assert answer.json()["shipments"][0]["id"] == parcel["id"]
    event = Event.objects.get(subject_id=order["id"], type="order.shipment_corrected")
    assert event.data["old_tracking_number"] == "SF1001"
    with nothing_moves():
        again = shop.post(path, {"carrier": "EMS", "tracking_number": "EM1"})
        problem(again, 409, "parcel_corrected_already")


# More time


def test_buyer_is_given_more_time_once(shop: Shop) -> None:
    order = shop.shipped_order()
    path = f"/v1/orders/{order['id']}/extend"

    answer = shop.post(path)

    assert answer.json()["deadlines"]["confirm_by"] == "2026-03-17T09:00:00.000000Z"
    with nothing_moves():
        problem(shop.post(path), 409, "extended_already")


def test_seller_is_given_more_time_once(shop: Shop) -> None:
    order = shop.paid_order()
    path = f"/v1/orders/{order['id']}/extend"

    answer = shop.post(path, {"ship_by": "2026-03-07T17:00:00+08:00"})

    assert answer.json()["deadlines"]["ship_by"] == "2026-03-07T09:00:00.000000Z"
    with nothing_moves():
        again = shop.post(path, {"ship_by": "2026-03-08T09:00:00Z"})
        problem(again, 409, "extended_already")
    shop.wait(days=4)
    assert shop.ship(order).status_code == 200


@pytest.mark.parametrize(
    "ship_by", ["2026-03-05T09:00:00Z", "2026-03-05T08:59:59Z", "2026-03-20T09:00:01Z"]
)
def test_seller_is_given_fifteen_days_more_at_most(shop: Shop, ship_by: str) -> None:
    order = shop.paid_order()

    with nothing_moves():
        answer = shop.post(f"/v1/orders/{order['id']}/extend", {"ship_by": ship_by})
        found = problem(answer, 422, "extension_invalid")

    assert pointers(found) == [("#/ship_by", "extension_invalid")]
    latest = {"ship_by": "2026-03-20T09:00:00Z"}
    assert shop.post(f"/v1/orders/{order['id']}/extend", latest).status_code == 200


@pytest.mark.parametrize(
    ("stage", "body"),
    [
        ("create_order", {}),
        ("paid_order", {}),
        ("released_order", {}),
        ("create_order", {"ship_by": "2026-03-07T09:00:00Z"}),
        ("shipped_order", {"ship_by": "2026-03-07T09:00:00Z"}),
    ],
)
def test_order_in_another_state_is_given_no_time(shop: Shop, stage: str, body: dict) -> None:
    order = getattr(shop, stage)()

    with nothing_moves():
        answer = shop.post(f"/v1/orders/{order['id']}/extend", body)
        problem(answer, 409, "order_state_conflict")


@pytest.mark.parametrize(
    ("stage", "body", "code"),
    [
        ("shipped_order", {}, "confirmation_deadline_passed"),
        ("paid_order", {"ship_by": "2026-03-14T09:00:00Z"}, "shipping_deadline_passed"),
    ],
)
def test_deadline_that_has_passed_is_not_moved(
    shop: Shop, stage: str, body: dict, code: str
) -> None:
    order = getattr(shop, stage)()
    shop.wait(days=11)

    with nothing_moves():
        problem(shop.post(f"/v1/orders/{order['id']}/extend", body), 409, code)


@pytest.mark.parametrize("delivery", ["PICKUP", "VIRTUAL"])
def test_order_that_nobody_carries_ships_without_a_parcel(shop: Shop, delivery: str) -> None:
    order = shop.create_order(delivery=delivery)
    shop.pay(order)

    found = shop.post(f"/v1/orders/{order['id']}/ship", {})

    assert (found.status_code, found.json()["shipments"]) == (200, [])
    assert found.json()["deadlines"]["confirm_by"] == "2026-03-04T09:00:00.000000Z"


def test_courier_without_a_parcel_is_refused_by_field(shop: Shop) -> None:
    order = shop.paid_order()

    with nothing_moves():
        found = problem(shop.post(f"/v1/orders/{order['id']}/ship", {}), 422, "parcel_invalid")

    assert [pointer for pointer, _code in pointers(found)] == ["#/carrier"]
