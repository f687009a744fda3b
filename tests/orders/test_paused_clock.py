"""A clock that stands still moves the date by exactly the pause, and nothing happens meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from escrow import sweeps
from escrow import sweeps as escrow_sweeps
from escrow.models import Hold
from escrow.selectors import next_due
from escrow.services import release as releases
from ledger.usecases import use_case
from notifications.models import Event
from orders import locks
from orders.models import Order
from orders.services import clock, extensions
from tests import ground
from tests.ground import US
from tests.world import World

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@use_case()
def pause(order: Order, *, at: datetime) -> Order:
    locked = locks.lock_order(order.id)
    clock.pause_clock(locked, at=at)
    return locked


@use_case()
def resume(order: Order, *, at: datetime) -> Order:
    locked = locks.lock_order(order.id)
    clock.resume_clock(locked, at=at)
    return locked


def kept(order: Order) -> Order:
    return Order.objects.get(pk=order.id)


def write(order: Order, columns: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order SET {columns} WHERE id = %s", [order.id])


def test_resumed_order_is_due_later_by_the_pause(market: World) -> None:
    order = ground.shipped_order(market)
    stopped = market.now + 3 * DAY + 7 * SECOND
    going = stopped + 2 * DAY + 11 * SECOND + US

    pause(order, at=stopped)
    resume(order, at=going)

    after = kept(order)
    moved = going - stopped
    assert after.confirm_by == order.confirm_by + moved
    assert after.remind_confirm_at == order.remind_confirm_at + moved
    assert (after.paused_at, after.paused_for) == (None, moved)
    due = [after.confirm_by - SECOND, after.confirm_by, after.confirm_by + SECOND]
    assert [sweeps.release_due_confirmations(at=at) for at in due] == [0, 1, 0]


def test_reminder_comes_later_by_the_pause(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=order.remind_confirm_at - SECOND)
    assert escrow_sweeps.remind_due_confirmations(at=order.confirm_by) == 0

    after = resume(order, at=order.remind_confirm_at + 3 * SECOND)

    assert after.remind_confirm_at == order.remind_confirm_at + 4 * SECOND
    due = [after.remind_confirm_at - SECOND, after.remind_confirm_at, after.remind_confirm_at + US]
    assert [escrow_sweeps.remind_due_confirmations(at=at) for at in due] == [0, 1, 0]


def test_two_pauses_add_up(market: World) -> None:
    order = ground.shipped_order(market)

    for start in (market.now + DAY, market.now + 4 * DAY):
        pause(order, at=start)
        resume(order, at=start + DAY + SECOND)

    after = kept(order)
    assert after.confirm_by == order.confirm_by + 2 * DAY + 2 * SECOND
    assert after.paused_for == 2 * DAY + 2 * SECOND


def test_a_pause_of_no_time_moves_nothing(market: World) -> None:
    order = ground.shipped_order(market)

    pause(order, at=market.now)
    resume(order, at=market.now)

    assert (kept(order).confirm_by, kept(order).remind_confirm_at) == (
        order.confirm_by,
        order.remind_confirm_at,
    )


def test_paused_order_is_not_swept_by_any_path(market: World) -> None:
    order = ground.shipped_order(market)
    long_after = order.confirm_by + 300 * DAY

    pause(order, at=market.now + DAY)

    assert sweeps.release_due_confirmations(at=long_after) == 0
    assert sweeps._release_one_by_one(at=long_after, platform_id=None) == 0
    assert sweeps.release_due_confirmations(at=long_after, platform_id=market.platform.id) == 0
    assert escrow_sweeps.remind_due_confirmations(at=long_after) == 0
    assert releases.release_due_order(order_id=order.id, at=long_after) is False
    assert next_due(platform_id=market.platform.id) is None
    assert ground.order_facts(order.id) == ground.facts("SHIPPED", 4, "capture")


def test_paused_order_is_not_confirmed_by_the_buyer(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=market.now)

    fast = ground.refusal(lambda: releases.confirm_receipt(order_id=order.id, at=market.now))
    slow = ground.refusal(
        lambda: releases.release_order_slowly(
            order_id=order.id, confirmed_by="BUYER", at=market.now
        )
    )

    assert {fast.code, slow.code} == {"clock_paused"}
    assert fast.facts == {"order": order.id, "paused_at": market.now.isoformat()}
    assert ground.order_facts(order.id)["state"] == "SHIPPED"


@pytest.mark.parametrize("early", [SECOND, US, timedelta(0), -SECOND])
def test_clock_is_paused_before_confirm_by_and_not_at_it(market: World, early: Any) -> None:
    order = ground.shipped_order(market)
    at = order.confirm_by - early

    if early > timedelta(0):
        pause(order, at=at)
        assert kept(order).paused_at == at
    else:
        assert ground.refusal(lambda: pause(order, at=at)).code == "confirmation_deadline_passed"
        assert kept(order).paused_at is None


def test_order_paused_at_the_last_second_is_due_a_second_after_it_goes_on(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=order.confirm_by - SECOND)
    going = order.confirm_by + 40 * DAY

    after = resume(order, at=going)

    assert (after.confirm_by, after.remind_confirm_at) == (going + SECOND, None)
    assert sweeps.release_due_confirmations(at=going + SECOND - US) == 0
    assert sweeps.release_due_confirmations(at=going + SECOND) == 1


def test_clock_stops_once_and_goes_on_once(market: World) -> None:
    order = ground.shipped_order(market)

    running = ground.refusal(lambda: resume(order, at=market.now))
    pause(order, at=market.now)
    stopped = ground.refusal(lambda: pause(order, at=market.now + SECOND))

    assert (running.code, stopped.code) == ("clock_not_paused", "clock_paused")
    assert kept(order).paused_at == market.now


@pytest.mark.parametrize("state", ["CREATED", "PAID", "CONFIRMED", "CANCELED", "EXPIRED"])
def test_only_the_clock_of_a_shipped_order_is_paused(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    assert ground.refusal(lambda: pause(order, at=market.now)).code == "order_state_conflict"
    assert ground.refusal(lambda: resume(order, at=market.now)).code == "order_state_conflict"


def test_extension_waits_until_the_clock_runs(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=market.now)

    def extend() -> Order:
        return extensions.extend_confirmation(order_id=order.id, by="BUYER", at=market.now + DAY)

    assert ground.refusal(extend).code == "clock_paused"
    resume(order, at=market.now + DAY)
    assert extend().confirm_by == order.confirm_by + DAY + 5 * DAY


def test_pause_and_its_end_are_told(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=market.now + DAY)
    resume(order, at=market.now + 3 * DAY)

    stopped, going = Event.objects.filter(subject_id=order.id).order_by("sequence")[3:]

    assert (stopped.type, stopped.data["paused_at"]) == (
        "order.clock_paused",
        "2026-03-03T09:00:00.000000+00:00",
    )
    assert (going.type, going.data["before"], going.data["confirm_by"]) == (
        "order.clock_resumed",
        "2026-03-12T09:00:00.000000+00:00",
        "2026-03-14T09:00:00.000000+00:00",
    )
    assert list(kept(order).audit.values_list("paused_at", flat=True))[-2:] == [
        market.now + DAY,
        None,
    ]


AUTOMATIC = "state = 'CONFIRMED', confirmed_at = now(), confirmed_by = 'AUTOMATIC'"


def test_database_confirms_no_paused_order(market: World) -> None:
    order = ground.shipped_order(market)
    pause(order, at=market.now)

    for by in ("AUTOMATIC", "BUYER", "OPERATOR"):
        with pytest.raises(DatabaseError, match="stands still"):
            write(order, AUTOMATIC.replace("AUTOMATIC", by))
    with pytest.raises(DatabaseError, match="moves by the pause"):
        write(order, f"{AUTOMATIC}, paused_at = NULL")
    assert Hold.objects.get(order=order).state == "HELD"


@pytest.mark.parametrize(
    ("paused", "columns"),
    [
        (False, "paused_at = now(), confirm_by = confirm_by + interval '1 second'"),
        (False, "paused_for = interval '1 second'"),
        (False, "paused_for = interval '1 second', confirm_by = confirm_by + interval '1 second'"),
        (True, "paused_at = paused_at + interval '1 second'"),
        (True, "paused_at = NULL, confirm_by = confirm_by + interval '1 second'"),
        (True, "paused_at = NULL, paused_for = interval '1 second'"),
        (
            True,
            "paused_at = NULL, paused_for = interval '-1 second',"
            " confirm_by = confirm_by - interval '1 second'",
        ),
        (True, "confirm_by = confirm_by + interval '1 day', confirm_extended_at = now()"),
    ],
)
def test_database_refuses_a_clock_that_lies(market: World, paused: bool, columns: str) -> None:
    order = ground.shipped_order(market)
    if paused:
        pause(order, at=market.now)

    with pytest.raises(DatabaseError, match=r"moves by the pause|may move once"):
        write(order, columns)


def test_release_sweep_walks_the_index_of_running_orders(market: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef('order_due_confirmation'::regclass),"
            " pg_get_functiondef('escrow_release_due_orders'::regproc)"
        )
        index, function = cursor.fetchone()

    assert "paused_at IS NULL" in index
    assert function.count("o.state = 'SHIPPED' AND o.paused_at IS NULL AND o.confirm_by") == 2
