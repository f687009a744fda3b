"""More time, once: every deadline to the microsecond, and what the database refuses by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction

from escrow import sweeps
from escrow import sweeps as escrow_sweeps
from escrow.services import release as releases
from notifications import services as notifications
from notifications.models import Event
from orders.models import Order
from orders.services import extensions
from orders.services.extensions import MAX_SHIP_EXTENSION, By
from tests import ground
from tests.ground import US
from tests.world import World

DAY = timedelta(days=1)


def extend_confirmation(order: Order, *, by: str = By.BUYER, at: Any) -> Order:
    return extensions.extend_confirmation(order_id=order.id, by=by, at=at)


def extend_shipping(order: Order, *, ship_by: Any, by: str = By.MERCHANT, at: Any) -> Order:
    return extensions.extend_shipping(order_id=order.id, ship_by=ship_by, by=by, at=at)


def last_event(order: Order) -> Event:
    return Event.objects.filter(subject_id=order.id).order_by("-sequence")[0]


@pytest.mark.parametrize("by", [By.BUYER, By.PLATFORM])
def test_confirmation_is_extended_by_what_was_frozen(market: World, by: str) -> None:
    order = ground.shipped_order(market)
    market.platform.confirm_extension_seconds = 1
    market.platform.save(update_fields=["confirm_extension_seconds"])

    extend_confirmation(order, by=by, at=market.now)

    after = Order.objects.get(pk=order.id)
    assert (order.confirm_by, order.remind_confirm_at) == (
        market.now + 10 * DAY,
        market.now + 8 * DAY,
    )
    assert (after.confirm_by, after.remind_confirm_at) == (
        market.now + 15 * DAY,
        market.now + 13 * DAY,
    )
    assert after.confirm_extended_at == market.now
    event = last_event(order)
    assert (event.type, event.sequence) == ("order.confirm_extended", after.event_sequence)
    assert (event.data["by"], event.data["before"]) == (by, "2026-03-12T09:00:00.000000+00:00")
    assert event.data["confirm_by"] == "2026-03-17T09:00:00.000000+00:00"


@pytest.mark.parametrize("late", [False, True])
def test_confirmation_is_extended_before_confirm_by_and_not_at_it(
    market: World, late: bool
) -> None:
    order = ground.shipped_order(market)
    at = order.confirm_by - (not late) * US

    if late:
        refused = ground.refusal(lambda: extend_confirmation(order, at=at))
        assert refused.code == "confirmation_deadline_passed"
        assert refused.facts == {"confirm_by": order.confirm_by.isoformat()}
    else:
        extend_confirmation(order, at=at)

    longer = timedelta(0) if late else 5 * DAY
    assert Order.objects.get(pk=order.id).confirm_by == order.confirm_by + longer


def test_confirmation_is_extended_once(market: World) -> None:
    order = ground.shipped_order(market)
    extend_confirmation(order, at=market.now)

    refused = ground.refusal(lambda: extend_confirmation(order, by=By.PLATFORM, at=market.now))

    after = Order.objects.get(pk=order.id)
    assert (refused.code, refused.status) == ("extended_already", 409)
    assert refused.facts == {"order": order.id, "confirm_by": after.confirm_by.isoformat()}
    assert after.confirm_by == order.confirm_by + 5 * DAY


def test_extended_order_is_released_at_its_new_deadline(market: World) -> None:
    order = ground.shipped_order(market)
    after = extend_confirmation(order, at=market.now)

    done = [
        sweeps.release_due_confirmations(at=moment)
        for moment in (order.confirm_by, after.confirm_by - US, after.confirm_by)
    ]

    assert done == [0, 0, 1]


def test_order_extended_meanwhile_is_not_due(market: World) -> None:
    """What one sweep has found due, the buyer may have extended before it comes to it."""
    order = ground.shipped_order(market)
    extend_confirmation(order, at=order.confirm_by - US)

    early = releases.release_due_order(order_id=order.id, at=order.confirm_by)
    late = releases.release_due_order(order_id=order.id, at=order.confirm_by + 5 * DAY)

    assert (early, late) == (False, True)
    assert Order.objects.get(pk=order.id).confirmed_by == "AUTOMATIC"


def test_reminder_comes_again_before_the_new_deadline(market: World) -> None:
    order = ground.shipped_order(market)
    first = order.remind_confirm_at
    assert escrow_sweeps.remind_due_confirmations(at=first) == 1

    extend_confirmation(order, at=first + DAY)

    moved = first + 5 * DAY
    done = [escrow_sweeps.remind_due_confirmations(at=at) for at in (moved - US, moved, moved)]
    assert done == [0, 1, 0]


def test_reminder_is_left_out_when_it_would_come_with_the_extension(market: World) -> None:
    market.platform.confirm_extension_seconds = 3600
    order = ground.shipped_order(market)

    extend_confirmation(order, at=order.confirm_by - timedelta(hours=1))

    assert Order.objects.get(pk=order.id).remind_confirm_at is None


@pytest.mark.parametrize("by", [By.MERCHANT, By.PLATFORM])
def test_shipping_is_extended_to_the_new_deadline(market: World, by: str) -> None:
    order = ground.paid_order(market)
    until = order.ship_by + 2 * DAY

    extend_shipping(order, ship_by=until, by=by, at=order.ship_by)

    after = Order.objects.get(pk=order.id)
    assert (after.ship_by, after.remind_ship_at) == (until, until - DAY)
    assert (after.ship_extended_at, after.event_sequence) == (
        order.ship_by,
        order.event_sequence + 1,
    )
    event = last_event(order)
    assert (event.type, event.data["by"]) == ("order.ship_extended", by)
    assert event.data["ship_by"] == until.isoformat(timespec="microseconds")
    assert sweeps.cancel_due_shipments(at=until) == 0
    assert sweeps.cancel_due_shipments(at=until + US) == 1


@pytest.mark.parametrize(
    ("moved", "allowed"),
    [
        (timedelta(0), False),
        (-US, False),
        (US, True),
        (MAX_SHIP_EXTENSION, True),
        (MAX_SHIP_EXTENSION + US, False),
    ],
)
def test_shipping_is_extended_by_fifteen_days_at_most(
    market: World, moved: timedelta, allowed: bool
) -> None:
    order = ground.paid_order(market)
    until = order.ship_by + moved

    if allowed:
        extend_shipping(order, ship_by=until, at=market.now)
    else:
        refused = ground.refusal(lambda: extend_shipping(order, ship_by=until, at=market.now))
        assert (refused.code, refused.status) == ("extension_invalid", 422)
        assert refused.facts["field"] == "ship_by"

    assert Order.objects.get(pk=order.id).ship_by == (until if allowed else order.ship_by)


def test_shipping_is_not_extended_after_ship_by_nor_twice(market: World) -> None:
    order = ground.paid_order(market)
    until = order.ship_by + DAY

    late = ground.refusal(lambda: extend_shipping(order, ship_by=until, at=order.ship_by + US))
    extend_shipping(order, ship_by=until, at=order.ship_by)
    again = ground.refusal(
        lambda: extend_shipping(order, ship_by=until + DAY, by=By.PLATFORM, at=order.ship_by)
    )

    assert (late.code, again.code) == ("shipping_deadline_passed", "extended_already")
    assert again.facts == {"order": order.id, "ship_by": until.isoformat()}


def test_both_sides_are_told_of_the_new_date(market: World) -> None:
    order = ground.paid_order(market)
    extend_shipping(order, ship_by=order.ship_by + DAY, at=market.now)
    market.ship(order)
    extend_confirmation(order, at=market.now)
    mail.outbox.clear()

    notifications.relay_due_events(at=market.now)

    told = sorted((each.to[0], each.subject) for each in mail.outbox)
    assert [one for one in told if "until" in one[1] or "will be" in one[1]] == [
        (
            "buyer@example.com",
            "Your order order-1 will be shipped by 2026-03-06 17:01 (Asia/Shanghai)",
        ),
        (
            "buyer@example.com",
            "Your order order-1: you have until 2026-03-17 17:00 (Asia/Shanghai) to confirm",
        ),
        (
            "seller1@example.com",
            "Order order-1: the buyer has until 2026-03-17 17:00 (Asia/Shanghai) to confirm",
        ),
        (
            "seller1@example.com",
            "Order order-1: you may ship until 2026-03-06 17:01 (Asia/Shanghai)",
        ),
    ]


LATER = {
    "PAID": "ship_by = ship_by + interval '1 day', ship_extended_at = now()",
    "SHIPPED": "confirm_by = confirm_by + interval '1 day', confirm_extended_at = now()",
}
REFUSED = {
    "moved without saying": {
        "PAID": "ship_by = ship_by + interval '1 day'",
        "SHIPPED": "confirm_by = confirm_by + interval '1 day'",
    },
    "moved back": {
        "PAID": "ship_by = ship_by - interval '1 day', ship_extended_at = now()",
        "SHIPPED": "confirm_by = confirm_by - interval '1 day', confirm_extended_at = now()",
    },
    "said without moving": {
        "PAID": "ship_extended_at = now()",
        "SHIPPED": "confirm_extended_at = now()",
    },
    "in another state": {"PAID": LATER["SHIPPED"], "SHIPPED": LATER["PAID"]},
}


def write(order: Order, columns: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order SET {columns} WHERE id = %s", [order.id])


@pytest.mark.parametrize("state", ["PAID", "SHIPPED"])
@pytest.mark.parametrize("case", REFUSED)
def test_database_refuses_other_changes_of_a_deadline(market: World, case: str, state: str) -> None:
    order = ground.order_in(market, state)

    with pytest.raises(DatabaseError, match="may move once"):
        write(order, REFUSED[case][state])


@pytest.mark.parametrize("state", ["PAID", "SHIPPED"])
def test_database_lets_a_deadline_move_once(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    write(order, LATER[state])

    with pytest.raises(DatabaseError, match="may move once"):
        write(order, LATER[state])
    with pytest.raises(DatabaseError, match="may move once"):
        write(order, "ship_extended_at = NULL, confirm_extended_at = NULL")
