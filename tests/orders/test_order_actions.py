"""Every state of an order against everything one can do to it, and every deadline to the
microsecond.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from escrow import sweeps
from escrow import sweeps as escrow_sweeps
from escrow.services import order_refunds
from escrow.services import refund as refunds
from escrow.services import release as releases
from orders import sweeps as order_sweeps
from orders.models import CancelReason, ConfirmedBy, Order, OrderState
from orders.services import extensions, lifecycle, payments, shipping
from tests import ground
from tests.ground import US
from tests.world import World

CONFLICT = "order_state_conflict"
STATES = ["CREATED", "PAID", "SHIPPED", "CONFIRMED", "EXPIRED", "CANCELED", "VOID"]
LATE = timedelta(days=60)


def _ship(order: Order, world: World) -> Any:
    return lifecycle.ship_order(
        order_id=order.id, carrier="SF", tracking_number="SF1", at=world.now
    )


def _refund_whole(order: Order, world: World) -> Any:
    return order_refunds.refund_order(order_id=order.id, reason="broken", at=world.now)


def _refund_part(order: Order, world: World) -> Any:
    return order_refunds.refund_order(
        order_id=order.id, amount_minor=1, reason="broken", at=world.now
    )


def _confirm(order: Order, world: World) -> Any:
    return releases.confirm_receipt(order_id=order.id, at=world.now)


def _release_slowly(order: Order, world: World) -> Any:
    return releases.release_order_slowly(
        order_id=order.id, confirmed_by=ConfirmedBy.OPERATOR, at=world.now
    )


def _cancel_paid(order: Order, world: World) -> Any:
    return refunds.cancel_paid_order(order_id=order.id, reason=CancelReason.MERCHANT, at=world.now)


def _cancel_unpaid(order: Order, world: World) -> Any:
    return lifecycle.cancel_unpaid_order(
        order_id=order.id, reason=CancelReason.PLATFORM, at=world.now
    )


def _add_parcel(order: Order, world: World) -> Any:
    return shipping.add_parcel(order_id=order.id, carrier="SF", tracking_number="SF2", at=world.now)


def _correct_parcel(order: Order, world: World) -> Any:
    parcel = order.shipments.first()
    return shipping.correct_parcel(
        order_id=order.id,
        shipment_id=parcel.id if parcel else "shp_none",
        carrier="SF",
        tracking_number="SF2",
        at=world.now,
    )


def _extend_shipping(order: Order, world: World) -> Any:
    return extensions.extend_shipping(
        order_id=order.id,
        ship_by=world.now + timedelta(days=4),
        by=extensions.By.MERCHANT,
        at=world.now,
    )


def _extend_confirmation(order: Order, world: World) -> Any:
    return extensions.extend_confirmation(order_id=order.id, by=extensions.By.BUYER, at=world.now)


def _pay(order: Order, world: World) -> Any:
    return ground.make_payment(world, order)


ACTIONS: dict[str, tuple[Callable[[Order, World], Any], dict[str, str]]] = {
    "ship": (_ship, {"PAID": "SHIPPED"}),
    "confirm": (_confirm, {"SHIPPED": "CONFIRMED"}),
    "release slowly": (_release_slowly, {"SHIPPED": "CONFIRMED"}),
    "cancel paid": (_cancel_paid, {"PAID": "CANCELED"}),
    "cancel unpaid": (_cancel_unpaid, {"CREATED": "CANCELED"}),
    "refund whole": (
        _refund_whole,
        {"PAID": "CANCELED", "SHIPPED": "CANCELED", "CONFIRMED": "CONFIRMED"},
    ),
    "refund a part": (
        _refund_part,
        {"PAID": "PAID", "SHIPPED": "SHIPPED", "CONFIRMED": "CONFIRMED"},
    ),
    "add a parcel": (_add_parcel, {"SHIPPED": "SHIPPED"}),
    "correct a parcel": (_correct_parcel, {"SHIPPED": "SHIPPED"}),
    "extend shipping": (_extend_shipping, {"PAID": "PAID"}),
    "extend confirmation": (_extend_confirmation, {"SHIPPED": "SHIPPED"}),
    "start a payment": (_pay, {"CREATED": "CREATED"}),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_order_moves_or_refuses_by_its_state(market: World, state: str, action: str) -> None:
    act, moves = ACTIONS[action]
    order = ground.order_in(market, state)

    if state in moves:
        act(order, market)
    else:
        refused = ground.refusal(lambda: act(order, market))

    after = Order.objects.get(pk=order.id)
    if state in moves:
        assert after.state == moves[state]
    else:
        assert refused.code == CONFLICT
        assert refused.facts == {"order": order.id, "state": order.state}
        assert (after.state, after.event_sequence) == (order.state, order.event_sequence)


SWEEPS: dict[str, tuple[Callable[..., int], dict[str, str]]] = {
    "expire": (order_sweeps.expire_due_orders, {"CREATED": "EXPIRED"}),
    "cancel unshipped": (sweeps.cancel_due_shipments, {"PAID": "CANCELED"}),
    "release unconfirmed": (sweeps.release_due_confirmations, {"SHIPPED": "CONFIRMED"}),
}


@pytest.mark.parametrize("name", SWEEPS)
@pytest.mark.parametrize("state", STATES)
def test_late_sweep_moves_only_its_own_state_and_only_once(
    market: World, state: str, name: str
) -> None:
    sweep, moves = SWEEPS[name]
    order = ground.order_in(market, state)

    done = [sweep(at=market.now + LATE), sweep(at=market.now + LATE)]

    assert done == ([1, 0] if state in moves else [0, 0])
    assert Order.objects.get(pk=order.id).state == moves.get(state, order.state)


@pytest.mark.parametrize("late", [False, True])
def test_order_expires_a_microsecond_after_pay_by(market: World, late: bool) -> None:
    order = ground.order_in(market, "CREATED")

    done = order_sweeps.expire_due_orders(at=order.pay_by + late * US)

    assert done == late
    assert Order.objects.get(pk=order.id).state == ("EXPIRED" if late else "CREATED")


def test_payment_starts_until_pay_by_and_not_at_it(market: World) -> None:
    order = ground.order_in(market, "CREATED")
    start = payments.create_payment
    request = {
        "platform_id": market.platform.id,
        "order_ids": [order.id],
        "channel": "sandbox",
        "return_url": "",
    }

    payment = start(**request, at=order.pay_by - US)
    refused = ground.refusal(lambda: start(**request, at=order.pay_by))

    assert payment.expires_at == order.pay_by
    assert refused.code == "payment_deadline_passed"


def test_order_ships_at_ship_by(market: World) -> None:
    order = ground.order_in(market, "PAID")

    lifecycle.ship_order(order_id=order.id, carrier="SF", tracking_number="SF1", at=order.ship_by)

    assert Order.objects.get(pk=order.id).state == OrderState.SHIPPED


def test_order_does_not_ship_a_microsecond_after_ship_by(market: World) -> None:
    order = ground.order_in(market, "PAID")
    late = order.ship_by + US

    refused = ground.refusal(
        lambda: lifecycle.ship_order(
            order_id=order.id, carrier="SF", tracking_number="SF1", at=late
        )
    )

    assert refused.code == "shipping_deadline_passed"
    assert refused.facts == {"ship_by": order.ship_by.isoformat()}


@pytest.mark.parametrize("late", [False, True])
def test_unshipped_order_is_refunded_a_microsecond_after_ship_by(market: World, late: bool) -> None:
    order = ground.order_in(market, "PAID")

    done = sweeps.cancel_due_shipments(at=order.ship_by + late * US)

    assert done == late
    assert Order.objects.get(pk=order.id).state == ("CANCELED" if late else "PAID")


@pytest.mark.parametrize("early", [True, False])
def test_unconfirmed_order_is_released_at_confirm_by(market: World, early: bool) -> None:
    order = ground.order_in(market, "SHIPPED")

    done = sweeps.release_due_confirmations(at=order.confirm_by - early * US)

    after = Order.objects.get(pk=order.id)
    assert done == (not early)
    assert (after.state, after.confirmed_by) == (
        ("SHIPPED", "") if early else ("CONFIRMED", "AUTOMATIC")
    )


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("kind", ["ship", "confirm"])
def test_reminder_is_written_once_at_its_instant(market: World, kind: str, early: bool) -> None:
    order = ground.order_in(market, "PAID" if kind == "ship" else "SHIPPED")
    due = order.remind_ship_at if kind == "ship" else order.remind_confirm_at
    sweep = (
        escrow_sweeps.remind_due_shipments
        if kind == "ship"
        else escrow_sweeps.remind_due_confirmations
    )
    assert due is not None

    done = [sweep(at=due - early * US), sweep(at=due - early * US)]

    assert done == ([0, 0] if early else [1, 0])
    assert Order.objects.get(pk=order.id).event_sequence == order.event_sequence + (not early)


def test_confirm_by_waits_for_the_expected_delivery(market: World) -> None:
    expected = market.now + timedelta(days=30)
    order, _token = market.create_order(expected_delivery_at=expected)
    ground.capture(ground.make_payment(market, order))

    market.ship(order)

    assert Order.objects.get(pk=order.id).confirm_by == expected + timedelta(days=3)


def test_ship_by_of_the_order_replaces_the_term_of_the_platform(market: World) -> None:
    ship_by = market.now + timedelta(hours=1)
    order, _token = market.create_order(ship_by=ship_by)

    ground.capture(ground.make_payment(market, order))

    assert Order.objects.get(pk=order.id).ship_by == ship_by


ALLOWED = {
    ("CREATED", "PAID"),
    ("CREATED", "EXPIRED"),
    ("CREATED", "CANCELED"),
    ("PAID", "SHIPPED"),
    ("PAID", "CANCELED"),
    ("SHIPPED", "CONFIRMED"),
    ("SHIPPED", "CANCELED"),
}


@pytest.mark.parametrize("source", [state for state in STATES if state != "VOID"])
def test_database_refuses_every_other_move_of_an_order(market: World, source: str) -> None:
    order = ground.order_in(market, source)

    refused = {
        target for target in OrderState.values if target != source and _is_refused(order, target)
    }

    assert refused == {target for target in OrderState.values if target != source} - {
        target for state, target in ALLOWED if state == source
    }


def _is_refused(order: Order, target: str) -> bool:
    """Whether the state graph refuses a raw UPDATE; every other column is given what the target
    asks for.
    """
    instants = ("paid_at", "ship_by", "shipped_at", "confirm_by", "confirmed_at")
    columns = ", ".join(f"{name} = now()" for name in instants)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE orders_order SET state = %s, {columns}, confirmed_by = 'BUYER'"
                " WHERE id = %s",
                [target, order.id],
            )
            transaction.set_rollback(True)
    except DatabaseError:
        return True
    return False
