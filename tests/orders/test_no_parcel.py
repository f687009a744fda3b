"""What is not carried needs no parcel, and is confirmed sooner."""

from datetime import timedelta

import pytest

from escrow import receipts
from escrow.models import Release
from escrow.services import release as releases
from orders.models import Order
from orders.parcels import NewParcel
from orders.services import lifecycle
from tests import ground
from tests.world import World

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def paid(market: World, delivery: str) -> Order:
    order, _token = market.create_order(delivery=delivery)
    ground.capture(ground.make_payment(market, order))
    return order


@pytest.mark.parametrize(("delivery", "days"), [("COURIER", 10), ("PICKUP", 2), ("VIRTUAL", 2)])
def test_shipped_order_is_confirmed_after_the_term_of_its_delivery(
    market: World, delivery: str, days: int
) -> None:
    order = paid(market, delivery)
    parcel = {"carrier": "SF", "tracking_number": "1"} if delivery == "COURIER" else {}

    shipped = lifecycle.ship_order(order_id=order.id, at=market.now, **parcel)

    assert shipped.confirm_by == market.now + days * DAY
    due = [shipped.confirm_by - SECOND, shipped.confirm_by, shipped.confirm_by + SECOND]
    assert [releases.release_due_orders(limit=9, at=at) for at in due] == [0, 1, 0]


@pytest.mark.parametrize("delivery", ["PICKUP", "VIRTUAL"])
def test_order_without_a_parcel_is_released_with_a_receipt(market: World, delivery: str) -> None:
    order = paid(market, delivery)

    lifecycle.ship_order(order_id=order.id, at=market.now)
    releases.confirm_receipt(order_id=order.id, at=market.now)

    assert order.shipments.count() == 0
    assert receipts.make_receipt(Release.objects.get(hold__order=order))


def test_courier_needs_a_parcel(market: World) -> None:
    order = paid(market, "COURIER")

    bare = ground.refusal(lambda: lifecycle.ship_order(order_id=order.id, at=market.now))
    half = ground.refusal(
        lambda: lifecycle.ship_order(order_id=order.id, at=market.now, carrier="SF")
    )

    assert [(each.code, each.facts["field"]) for each in (bare, half)] == [
        ("parcel_invalid", "carrier"),
        ("parcel_invalid", "tracking_number"),
    ]
    assert Order.objects.get(pk=order.id).state == "PAID"


def test_half_a_parcel_is_refused_for_virtual_goods_too(market: World) -> None:
    order = paid(market, "VIRTUAL")

    refused = ground.refusal(
        lambda: lifecycle.ship_order(order_id=order.id, at=market.now, tracking_number="1")
    )

    assert (refused.code, refused.facts["field"]) == ("parcel_invalid", "carrier")


def test_parcels_are_kept_where_they_are_named(market: World) -> None:
    one, several = paid(market, "PICKUP"), paid(market, "VIRTUAL")

    lifecycle.ship_order(order_id=one.id, at=market.now, carrier="Locker", tracking_number="17")
    lifecycle.ship_order(order_id=several.id, at=market.now, further=[NewParcel("SF", "2")])

    assert [str(each) for each in (one.shipments.get(), several.shipments.get())] == [
        "Locker 17",
        "SF 2",
    ]
