"""A platform in test mode moves its own clock: what is due on the way happens, at its own instant
and in order, for that platform alone.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pghistory
import pytest
import time_machine
from django.db import connection, transaction

from api import clock
from api.clock import Fired
from demo import clockwork
from escrow import sweeps as escrow_sweeps
from escrow import tasks as escrow_tasks
from escrow.models import Hold, Refund
from ledger import selectors as books
from merchants.models import Platform
from notifications.models import Event
from orders.models import Order, OrderState, Payment
from orders.services import payments
from payouts.models import Cadence, Payout, PayoutSchedule
from tests import world as worlds
from tests.api.timekeeper import DAY, HOUR, US, advance, clock_of, shipped, story
from tests.world import START, World


def test_shipped_order_is_confirmed_released_and_paid_out_on_the_way(
    world: World, beside: World
) -> None:
    PayoutSchedule.objects.filter(merchant=None).update(cadence=Cadence.DAILY)
    order, other = shipped(world), shipped(beside)

    report = advance(world, days=15)

    midnight = 10 * DAY + 7 * HOUR  # in Shanghai, after the confirmation
    assert story(report) == [
        ("order.confirm_reminder", 8 * DAY),
        ("order.confirmed", 10 * DAY),
        ("payout.created", 10 * DAY),
        ("payout.sent", 10 * DAY),
        ("payout.created", midnight),
        ("payout.sent", midnight),
    ]
    assert (report.started_at, report.reached_at) == (START, START + 15 * DAY)
    assert (report.complete, report.left_behind) == (True, ())
    assert clock_of(world) == START + 15 * DAY
    order.refresh_from_db()
    assert order.confirmed_at == order.confirm_by == START + 10 * DAY
    assert _untouched(beside, other)


def _untouched(beside: World, order: Order) -> bool:
    """Whether nothing has happened on the platform beside since its order was shipped."""
    order.refresh_from_db()
    last = Event.objects.filter(platform=beside.platform).latest("id")
    return (
        clock_of(beside) == beside.now
        and order.state == OrderState.SHIPPED
        and order.remind_confirm_at == START + 8 * DAY
        and last.type == "order.shipped"
    )


def test_fired_events_say_what_they_are_about(world: World) -> None:
    order = shipped(world)

    (fired,) = advance(world, days=9).fired

    event = Event.objects.latest("id")
    assert fired == Fired(event.public_id, "order.confirm_reminder", order.id, START + 8 * DAY)


def test_deadlines_that_are_missed_fire_right_after_their_instant(world: World) -> None:
    unpaid, _token = world.create_order()
    late, _token = world.create_order()
    world.pay(late)

    report = advance(world, days=4)

    assert story(report) == [
        ("order.expired", HOUR / 2 + US),
        ("order.ship_reminder", 2 * DAY),
        ("refund.created", 3 * DAY + US),
        ("order.canceled", 3 * DAY + US),
    ]
    assert [Order.objects.get(pk=each.pk).state for each in (unpaid, late)] == [
        OrderState.EXPIRED,
        OrderState.CANCELED,
    ]


def test_what_is_exactly_due_at_the_target_fires(world: World) -> None:
    shipped(world)

    first = clock.advance(world.platform.id, by=8 * DAY - US, now=world.now)
    second = clock.advance_to(world.platform.id, to=START + 8 * DAY, now=world.now)

    assert (story(first), story(second)) == ([], [("order.confirm_reminder", 8 * DAY)])


def test_what_is_overdue_fires_at_the_present_time(world: World) -> None:
    shipped(world)
    world.sandbox.clock.move_to(START + 9 * DAY)  # while no sweep ran

    report = advance(world, hours=1)

    assert story(report) == [("order.confirm_reminder", 9 * DAY)]


def test_words_from_outside_happen_by_the_clock_of_their_platform(world: World) -> None:
    shipped(world)
    advance(world, days=15)

    world.sandbox.tick()  # the bank tells what became of the payouts, by the real clock

    paid = Event.objects.filter(type="payout.paid")
    assert {event.created_at for event in paid} == {START + 15 * DAY}
    for payout in Payout.objects.all():
        assert payout.paid_at == START + 15 * DAY
        assert [entry.event_at for entry in books.subject_entries(payout.id)] == [
            START + 10 * DAY,
            START + 15 * DAY,
        ]


def test_money_that_comes_after_the_clock_was_moved_is_paid_by_that_clock(world: World) -> None:
    advance(world, days=15)
    at = clock_of(world)
    order, _token = _order_at(world, at)
    payment = _payment_at(world, order, at)

    told = world.sandbox.channel.book.row("SELECT expires_at FROM payments")
    world.buyer_pays(payment)

    assert datetime.fromtimestamp(told["expires_at"], tz=UTC) == START + HOUR / 2
    order.refresh_from_db()
    assert (order.state, order.paid_at, order.ship_by) == (OrderState.PAID, at, at + 3 * DAY)
    assert Hold.objects.get().held_at == at
    assert story(advance(world, days=1)) == []


def _order_at(world: World, at: datetime) -> tuple[Order, str]:
    """An order placed by the platform's clock, as its door does."""
    real, world.sandbox.clock.now = world.now, at
    try:
        return world.create_order()
    finally:
        world.sandbox.clock.now = real


def _payment_at(world: World, order: Order, at: datetime) -> Payment:
    payment = payments.create_payment(
        platform_id=world.platform.id,
        order_ids=[order.id],
        channel=worlds.CHANNEL,
        return_url="",
        at=at,
    )
    return payments.submit_payment(payment_id=payment.id, at=at)


def test_answers_to_questions_are_paid_by_the_clock_of_their_platform(world: World) -> None:
    advance(world, days=15)
    at = clock_of(world)
    order, _token = _order_at(world, at)
    payment = _payment_at(world, order, at)
    world.sandbox.channel.pay(payment.id)  # and the notification is lost

    report = advance(world, minutes=5)

    assert ("order.paid", 15 * DAY + timedelta(minutes=5)) in story(report)
    order.refresh_from_db()
    assert order.paid_at == START + 15 * DAY + timedelta(minutes=5)


def test_refund_is_done_by_the_clock_of_its_platform(world: World) -> None:
    order, _token = world.create_order()
    world.pay(order)
    advance(world, days=4)

    world.sandbox.tick()

    refund = Refund.objects.get()
    assert (refund.state, refund.succeeded_at) == ("SUCCEEDED", START + 4 * DAY)


def test_ordinary_sweeps_leave_a_moved_platform_alone(world: World, beside: World) -> None:
    order, other = shipped(world), shipped(beside)
    advance(world, days=5)
    world.sandbox.clock.move_to(START + 12 * DAY)

    clockwork.run_sweeps(at=world.now)

    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.state, other.state) == (OrderState.SHIPPED, OrderState.CONFIRMED)
    assert order.remind_confirm_at == START + 8 * DAY


def test_release_falls_back_order_by_order_for_the_same_platforms(
    world: World, beside: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, other = shipped(world), shipped(beside)
    advance(world, days=1)
    monkeypatch.setattr(escrow_sweeps.releases, "release_due_orders", _refuse)

    escrow_sweeps.release_due_confirmations(at=START + 20 * DAY)
    states = [Order.objects.get(pk=each.pk).state for each in (order, other)]
    escrow_sweeps.release_due_confirmations(at=START + 20 * DAY, platform_id=world.platform.id)
    order.refresh_from_db()

    assert states == [OrderState.SHIPPED, OrderState.CONFIRMED]
    assert order.state == OrderState.CONFIRMED


def _refuse(**_: Any) -> int:
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT 1 / 0")
    raise AssertionError("the database divides by zero")


def test_moved_platform_is_swept_by_its_own_clock(world: World, beside: World) -> None:
    order, other = shipped(world), shipped(beside)
    advance(world, days=5)

    with time_machine.travel(START + 5 * DAY - US, tick=False):
        early = escrow_tasks.release_due_confirmations()
    with time_machine.travel(START + 5 * DAY, tick=False):
        due = escrow_tasks.release_due_confirmations()

    order.refresh_from_db()
    assert (early, due, order.confirmed_at) == (0, 1, START + 10 * DAY)
    other.refresh_from_db()
    assert other.state == OrderState.SHIPPED


def test_clock_rings_every_sweep_that_a_deadline_waits_for() -> None:
    live_by_the_real_clock = ("api.", "notifications.", "portal.")

    assert list(clock.SWEEPS) == [
        sweep
        for name, sweep in clockwork.SWEEPS.items()
        if not name.startswith(live_by_the_real_clock)
    ]


def test_platform_knows_who_moved_its_clock(world: World) -> None:
    with pghistory.context(actor=f"platform:{world.platform.id}"):
        advance(world, days=1)

    last = Platform.objects.get().audit.order_by("pgh_id").last()
    assert last.clock_offset == DAY
    assert last.pgh_context["actor"] == f"platform:{world.platform.id}"
