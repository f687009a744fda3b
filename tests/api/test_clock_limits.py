"""Who may move a clock and how far; rows that cannot be worked off; crashes; two movers at once."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from api import clock
from api.clock import AdvanceReport, LeftBehind
from escrow import sweeps as escrow_sweeps
from escrow.services import refund as refunds
from merchants import clocks
from merchants import services as merchants
from merchants.models import Mode
from notifications.models import Event
from orders.models import Order, OrderState
from payouts import sweeps as payout_sweeps
from payouts.models import Payout, PayoutSchedule
from tests.api.timekeeper import DAY, HOUR, US, advance, clock_of, shipped, story
from tests.world import START, World


def test_live_platform_is_refused(world: World) -> None:
    live = merchants.create_platform(name="Live", slug="live", mode=Mode.LIVE, at=START)

    for move in (
        lambda: clock.advance(live.id, by=DAY, now=START),
        lambda: clock.advance_to(live.id, to=START + DAY, now=START),
    ):
        with pytest.raises(clocks.LivePlatform):
            move()

    live.refresh_from_db()
    assert live.clock_offset == timedelta(0)


@pytest.mark.parametrize("by", [timedelta(0), -DAY, timedelta(milliseconds=999), 90 * DAY + US])
def test_steps_are_bounded(world: World, by: timedelta) -> None:
    with pytest.raises(clock.ClockStepInvalid) as refusal:
        clock.advance(world.platform.id, by=by, now=world.now)

    assert (refusal.value.code, refusal.value.status) == ("clock_step_invalid", 422)
    assert clock_of(world) == START


def test_clock_stops_ten_years_ahead(world: World) -> None:
    merchants.move_clock(platform_id=world.platform.id, offset=3600 * DAY)

    for move in (
        lambda: advance(world, days=51),
        lambda: clock.advance_to(world.platform.id, to=START + 3700 * DAY, now=START),
    ):
        with pytest.raises(clock.ClockStepInvalid):
            move()

    assert clock_of(world) == START + 3600 * DAY
    assert advance(world, days=50).complete


def test_clock_never_moves_inside_a_transaction(world: World) -> None:
    with pytest.raises(AssertionError), transaction.atomic():
        advance(world, days=1)

    assert clock_of(world) == START


# What cannot be worked off, and what waits


def test_row_that_cannot_be_worked_off_is_left_behind_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, _token = world.create_order()
    world.pay(bad)
    world.sandbox.clock.move_to(START + HOUR)
    good, _token = world.create_order()
    world.pay(good)
    real = refunds.cancel_unshipped_order

    def fail(*, order_id: str, at: datetime) -> bool:
        if order_id == bad.id:
            raise ValueError("a bad row")
        return real(order_id=order_id, at=at)

    monkeypatch.setattr(refunds, "cancel_unshipped_order", fail)
    report = advance(world, days=5)
    monkeypatch.undo()

    assert report.complete
    assert report.left_behind == (LeftBehind("escrow", START + 3 * DAY + US),)
    assert [Order.objects.get(pk=each.pk).state for each in (bad, good)] == [
        OrderState.PAID,
        OrderState.CANCELED,
    ]
    assert ("order.canceled", 3 * DAY + HOUR + US) in story(report)
    assert story(advance(world, seconds=1))[-1] == ("order.canceled", 5 * DAY + HOUR)


def test_waiting_for_the_outside_takes_few_steps(world: World) -> None:
    """An approved payout that the reserve does not cover asks every thirty seconds."""
    order, _token = world.create_order()
    world.pay(order)
    world.ship(order)
    advance(world, days=11)
    before = world.platform.audit.count()

    report = advance(world, days=90)

    assert report.complete
    assert story(report) == []
    assert world.platform.audit.count() - before < 25
    assert Payout.objects.filter(state="APPROVED").count() == 2
    world.remit()
    assert [event for event, _at in story(advance(world, hours=1))] == ["payout.sent"] * 2


def test_money_below_its_minimum_takes_few_steps(world: World) -> None:
    PayoutSchedule.objects.update(minimum_minor=10**9)
    shipped(world)

    report = advance(world, days=90)

    assert [event for event, _at in story(report)] == ["order.confirm_reminder", "order.confirmed"]
    assert world.platform.audit.count() < 50


def test_many_orders_at_one_instant_are_worked_off_in_batches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sweeps in (clock.orders, escrow_sweeps, payout_sweeps):
        monkeypatch.setattr(sweeps, "BATCH", 2)
    orders = [world.create_order()[0] for _ in range(7)]

    report = advance(world, hours=1)

    assert story(report) == [("order.expired", HOUR / 2 + US)] * len(orders)
    assert report.left_behind == ()


def test_call_with_too_much_to_do_ends_early_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "MOST_STEPS", 1)
    shipped(world)

    first = advance(world, days=15)
    monkeypatch.undo()
    second = clock.advance_to(world.platform.id, to=first.target_at, now=world.now)

    assert (first.complete, first.reached_at) == (False, START + 8 * DAY)
    assert (second.complete, second.started_at) == (True, START + 8 * DAY)
    assert story(second)[0] == ("order.confirmed", 10 * DAY)


def test_second_call_to_the_same_target_moves_nothing(world: World) -> None:
    shipped(world)
    target = START + 9 * DAY
    first = clock.advance_to(world.platform.id, to=target, now=world.now)

    world.sandbox.clock.move_to(START + HOUR)
    second = clock.advance_to(world.platform.id, to=target, now=world.now)

    assert len(first.fired) == 1
    assert (second.fired, second.reached_at, second.complete) == ((), target + HOUR, True)


# Crashes and races


class Killed(BaseException):
    """Stands for the end of the program."""


def on_sweep(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], *, at: datetime = START
) -> None:
    """Do something once, when the moving clock has reached an instant."""
    done: list[bool] = []

    def look(**now: Any) -> int:
        if not done and now["at"] >= at:
            done.append(True)
            act()
        return 0

    monkeypatch.setattr(clock, "SWEEPS", (look, *clock.SWEEPS))


def test_crash_on_the_way_leaves_a_clock_that_can_be_moved_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> None:
        raise Killed

    shipped(world)
    on_sweep(monkeypatch, die, at=START + 10 * DAY)

    with pytest.raises(Killed):
        advance(world, days=15)
    stopped_at = clock_of(world)
    report = clock.advance_to(world.platform.id, to=START + 15 * DAY, now=world.now)

    assert stopped_at == START + 10 * DAY
    assert story(report)[0] == ("order.confirmed", 10 * DAY)
    assert clock_of(world) == START + 15 * DAY
    assert Event.objects.filter(type="order.confirm_reminder").count() == 1


def elsewhere(act: Callable[[], Any]) -> Any:
    """Do something in another database session. Returns: what it returned or raised."""
    said: list[Any] = []

    def run() -> None:
        try:
            said.append(act())
        except Exception as error:
            said.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return said[0]


def test_second_mover_is_refused_while_the_first_one_moves(
    world: World, beside: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []

    def meanwhile() -> None:
        monkeypatch.undo()
        said.append(elsewhere(lambda: advance(world, days=30)))
        said.append(elsewhere(lambda: advance(beside, days=1)))

    shipped(world)
    on_sweep(monkeypatch, meanwhile, at=START + 8 * DAY)
    report = advance(world, days=15)

    refused, free = said
    assert isinstance(refused, clocks.ClockIsMoving)
    assert (refused.code, refused.status) == ("clock_is_moving", 409)
    assert free.complete
    assert report.complete
    assert clock_of(world) == START + 15 * DAY
    assert advance(world, days=1).complete


def test_sweeps_leave_out_a_platform_whose_clock_is_moving(
    world: World, beside: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    swept: list[str | None] = []

    def sweep(*, at: datetime, platform_id: str | None = None) -> int:
        swept.append(platform_id)
        return 0

    shipped(world)
    advance(beside, days=1)
    on_sweep(
        monkeypatch,
        lambda: said.append(elsewhere(lambda: clocks.sweep_every_clock(sweep, now=world.now))),
        at=START + 8 * DAY,
    )
    advance(world, days=15)
    clocks.sweep_every_clock(sweep, now=world.now)

    assert said == [0]
    assert swept[:2] == [None, beside.platform.id]
    assert set(swept[2:]) == {None, world.platform.id, beside.platform.id}


def test_race_of_movers_moves_the_clock_once_for_each_winner(world: World) -> None:
    barrier = threading.Barrier(8)
    outcomes: list[Any] = []

    def run() -> None:
        try:
            barrier.wait(30)
            outcomes.append(advance(world, days=1))
        except clocks.ClockIsMoving as refused:
            outcomes.append(refused)
        finally:
            connection.close()

    shipped(world)
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    won = [each for each in outcomes if isinstance(each, AdvanceReport)]
    assert len(outcomes) == 8
    assert won
    assert clock_of(world) == START + len(won) * DAY
