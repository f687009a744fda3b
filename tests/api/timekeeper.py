"""What tests of the test clock share: moving it, reading it, and an order that waits for it."""

from datetime import datetime, timedelta

from api import clock
from api.clock import AdvanceReport
from merchants import clocks
from orders.models import Order
from tests.world import START, World

DAY, HOUR, US = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


def advance(world: World, **by: float) -> AdvanceReport:
    return clock.advance(world.platform.id, by=timedelta(**by), now=world.now)


def clock_of(world: World) -> datetime:
    world.platform.refresh_from_db()
    return clocks.now_of(world.platform, now=world.now)


def shipped(world: World) -> Order:
    """An order that is paid, remitted and shipped now."""
    order, _token = world.create_order()
    world.pay(order)
    world.remit()
    order.refresh_from_db()
    world.ship(order)
    order.refresh_from_db()
    return order


def story(report: AdvanceReport) -> list[tuple[str, timedelta]]:
    """What fired, and how long after the start."""
    return [(fired.type, fired.at - START) for fired in report.fired]
