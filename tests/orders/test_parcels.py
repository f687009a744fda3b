"""Several parcels of one order: none restarts a clock, each may be corrected once."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from notifications.models import Event
from orders.models import MAX_PARCELS, Order, Shipment
from orders.parcels import NewParcel
from orders.services import lifecycle, shipping
from tests import ground
from tests.ground import US
from tests.world import World


def ship(order: Order, world: World, *numbers: str) -> Order:
    first, *further = [NewParcel("SF", number) for number in numbers]
    return lifecycle.ship_order(
        order_id=order.id,
        carrier=first.carrier,
        tracking_number=first.tracking_number,
        further=further,
        at=world.now,
    )


def add(order: Order, world: World, number: str, carrier: str = "SF") -> Shipment:
    return shipping.add_parcel(
        order_id=order.id, carrier=carrier, tracking_number=number, at=world.now
    )


def correct(order: Order, world: World, parcel: Shipment, **changes: str) -> Shipment:
    right = {"carrier": "ZTO", "tracking_number": "Z1", **changes}
    return shipping.correct_parcel(order_id=order.id, shipment_id=parcel.id, **right, at=world.now)


def numbers(order: Order) -> list[tuple[int, str]]:
    return list(order.shipments.order_by("position").values_list("position", "tracking_number"))


def last_event(order: Order) -> tuple[str, dict[str, Any]]:
    event = Event.objects.filter(subject_id=order.id).order_by("-sequence")[0]
    return event.type, event.data


def test_order_ships_in_several_parcels_at_once(market: World) -> None:
    order = ground.paid_order(market)

    shipped = ship(order, market, "A", "B", "C")

    assert numbers(order) == [(1, "A"), (2, "B"), (3, "C")]
    assert (shipped.state, shipped.event_sequence) == ("SHIPPED", order.event_sequence + 1)


def test_further_parcel_restarts_no_clock_and_is_told(market: World) -> None:
    order = ground.shipped_order(market)
    market.sandbox.clock.now += 100 * US

    parcel = add(order, market, "B")

    after = Order.objects.get(pk=order.id)
    assert (after.confirm_by, after.remind_confirm_at, after.shipped_at) == (
        order.confirm_by,
        order.remind_confirm_at,
        order.shipped_at,
    )
    assert (parcel.position, parcel.shipped_at) == (2, market.now)
    assert after.event_sequence == order.event_sequence + 1
    kind, told = last_event(order)
    assert kind == "order.shipment_added"
    assert (told["shipment"], told["carrier"], told["tracking_number"]) == (parcel.id, "SF", "B")


def test_order_has_fifteen_parcels_at_most(market: World) -> None:
    order = ground.paid_order(market)
    fourteen = [f"N{number}" for number in range(1, MAX_PARCELS)]

    too_many = ground.refusal(lambda: ship(order, market, *fourteen, "N15", "N16"))
    ship(order, market, *fourteen)
    add(order, market, "N15")
    one_more = ground.refusal(lambda: add(order, market, "N16"))

    assert (too_many.code, too_many.facts) == (
        "too_many_parcels",
        {"order": order.id, "parcels": 0},
    )
    assert (one_more.code, one_more.facts["parcels"]) == ("too_many_parcels", 15)
    assert len(numbers(order)) == 15


@pytest.mark.parametrize(
    ("carrier", "number", "field"),
    [
        ("", "A", "carrier"),
        ("SF", "", "tracking_number"),
        ("S" * 65, "A", "carrier"),
        ("SF", "1" * 65, "tracking_number"),
    ],
)
@pytest.mark.parametrize("verb", ["ship", "further", "add", "correct"])
def test_parcel_is_refused_when_it_cannot_be_found_by_its_number(
    market: World, verb: str, carrier: str, number: str, field: str
) -> None:
    order = ground.paid_order(market)
    wrong = NewParcel(carrier, number)
    if verb in ("add", "correct"):
        ship(order, market, "GOOD")
    verbs = {
        "ship": lambda: lifecycle.ship_order(
            order_id=order.id, carrier=carrier, tracking_number=number, at=market.now
        ),
        "further": lambda: lifecycle.ship_order(
            order_id=order.id,
            carrier="SF",
            tracking_number="GOOD",
            further=[wrong],
            at=market.now,
        ),
        "add": lambda: add(order, market, number, carrier),
        "correct": lambda: correct(
            order, market, order.shipments.get(), carrier=carrier, tracking_number=number
        ),
    }

    refused = ground.refusal(verbs[verb])

    assert (refused.code, refused.status, refused.facts) == (
        "parcel_invalid",
        422,
        {"field": field},
    )


def test_same_parcel_is_refused(market: World) -> None:
    order = ground.paid_order(market)

    twice = ground.refusal(lambda: ship(order, market, "A", "A"))
    ship(order, market, "A")
    again = ground.refusal(lambda: add(order, market, "A"))
    add(order, market, "A", carrier="ZTO")

    assert (twice.code, again.code) == ("parcel_invalid", "parcel_known")
    assert numbers(order) == [(1, "A"), (2, "A")]


def test_parcel_is_corrected_once_and_the_event_keeps_what_it_was(market: World) -> None:
    order = ground.paid_order(market)
    ship(order, market, "A", "B")
    parcel = order.shipments.get(position=2)

    correct(order, market, parcel)
    again = ground.refusal(lambda: correct(order, market, parcel, tracking_number="Z2"))

    parcel.refresh_from_db()
    assert (parcel.carrier, parcel.tracking_number, parcel.corrected_at) == (
        "ZTO",
        "Z1",
        market.now,
    )
    assert again.code == "parcel_corrected_already"
    kind, told = last_event(order)
    assert kind == "order.shipment_corrected"
    assert {name: told[name] for name in told if "carrier" in name or "tracking" in name} == {
        "carrier": "ZTO",
        "tracking_number": "Z1",
        "old_carrier": "SF",
        "old_tracking_number": "B",
    }
    after = Order.objects.get(pk=order.id)
    assert after.confirm_by is not None
    correct(order, market, order.shipments.get(position=1), tracking_number="Z3")
    assert Order.objects.get(pk=order.id).confirm_by == after.confirm_by


def test_parcel_is_not_corrected_into_one_the_order_has(market: World) -> None:
    order = ground.paid_order(market)
    ship(order, market, "A", "B")
    parcel = order.shipments.get(position=1)

    same = ground.refusal(lambda: correct(order, market, parcel, carrier="SF", tracking_number="A"))
    other = ground.refusal(
        lambda: correct(order, market, parcel, carrier="SF", tracking_number="B")
    )

    assert (same.code, other.code) == ("parcel_known", "parcel_known")


def test_parcel_of_another_order_is_not_found(market: World) -> None:
    order, other = ground.shipped_order(market), ground.shipped_order(market)

    refused = ground.refusal(lambda: correct(order, market, other.shipments.get()))

    assert (refused.code, refused.status) == ("parcel_not_found", 404)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders_shipment SET tracking_number = 'X'",
        "UPDATE orders_shipment SET carrier = 'X', corrected_at = now()",
        "UPDATE orders_shipment SET corrected_at = NULL",
        "UPDATE orders_shipment SET shipped_at = now(), corrected_at = now() WHERE position = 2",
        "DELETE FROM orders_shipment",
        "UPDATE orders_shipment SET position = 16, corrected_at = now() WHERE position = 2",
    ],
)
def test_database_keeps_parcels_as_they_were_sent(market: World, statement: str) -> None:
    order = ground.paid_order(market)
    ship(order, market, "A", "B")
    correct(order, market, order.shipments.get(position=1))

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert numbers(order) == [(1, "Z1"), (2, "B")]


def test_database_takes_no_sixteenth_parcel(market: World) -> None:
    order = ground.shipped_order(market)

    with pytest.raises(DatabaseError, match="shipment_position_in_range"), transaction.atomic():
        Shipment.objects.create(
            order=order, position=16, carrier="SF", tracking_number="X", shipped_at=market.now
        )
