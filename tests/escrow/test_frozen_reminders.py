"""Why: while the money of an order is frozen, a mail that tells somebody to hurry misleads; once it
is free again, whoever still has time must be reminded.
"""

from datetime import datetime, timedelta

import pytest

from escrow import selectors, sweeps
from notifications.models import Event
from orders.models import Order
from tests import freezing, ground
from tests.ground import US
from tests.world import World

HOUR = timedelta(hours=1)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def reminders(order: Order) -> list[tuple[str, datetime]]:
    rows = Event.objects.filter(subject_id=order.pk, type__endswith="_reminder")
    return list(rows.order_by("sequence").values_list("type", "created_at"))


def sweep(at: datetime) -> int:
    return sweeps.remind_due_shipments(at=at) + sweeps.remind_due_confirmations(at=at)


def test_seller_of_a_frozen_order_is_reminded_once_it_is_lifted(market: World) -> None:
    order = ground.paid_order(market)
    due = order.remind_ship_at
    assert due is not None
    freeze = freezing.freeze_order(market, order)
    before = ground.trial()

    frozen = [sweep(due), sweep(due + HOUR)]
    freezing.lift(freeze, at=due + HOUR)
    lifted = [sweep(due + HOUR + US), sweep(due + 2 * HOUR)]

    assert (frozen, lifted) == ([0, 0], [1, 0])
    assert reminders(order) == [("order.ship_reminder", due + HOUR + US)]
    assert ground.trial() == before


@pytest.mark.parametrize("late", [False, True])
def test_seller_is_not_reminded_when_the_time_to_ship_is_over(market: World, late: bool) -> None:
    order = ground.paid_order(market)
    assert order.ship_by is not None
    freeze = freezing.freeze_order(market, order)
    freezing.lift(freeze, at=order.ship_by)

    sweep(order.ship_by + late * US)

    told = [] if late else [("order.ship_reminder", order.ship_by)]
    assert (reminders(order), fresh(order).remind_ship_at) == (told, None)


def test_buyer_of_an_order_shipped_while_frozen_is_reminded_by_the_term_that_runs_on(
    market: World,
) -> None:
    order = ground.paid_order(market)
    freeze = freezing.freeze_order(market, order)
    market.ship(order)
    due = fresh(order).remind_confirm_at
    assert due is not None

    frozen = sweep(due)
    freezing.lift(freeze, at=due)

    later = fresh(order).remind_confirm_at
    assert later == due + (due - market.now)  # the term stood still since it was shipped
    assert (frozen, sweep(later - US), sweep(later)) == (0, 0, 1)
    assert reminders(order) == [("order.confirm_reminder", later)]


def test_clock_of_a_test_platform_does_not_stop_at_a_frozen_reminder(market: World) -> None:
    order = ground.paid_order(market)
    asked = {"platform_id": market.platform.id, "after": market.now}
    before = selectors.next_due(**asked)
    freeze = freezing.freeze_order(market, order)

    frozen = selectors.next_due(**asked)
    freezing.lift(freeze)

    assert (before, frozen) == (order.remind_ship_at, None)
    assert selectors.next_due(**asked) == order.remind_ship_at
