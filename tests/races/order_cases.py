"""Races over an order before its money is released: shipping, canceling, expiring, and money that
arrives.
"""

from collections.abc import Callable
from typing import Any

from escrow import sweeps
from escrow.services import refund as refunds
from orders import sweeps as order_sweeps
from orders.models import CancelReason, Order
from orders.services import extensions, lifecycle, payments
from tests import ground
from tests import world as worlds
from tests.ground import US, facts, order_facts
from tests.races.starting_line import Case, Pair, one_of, one_winner

CREATED = facts("CREATED", 1)
SHIPPED = facts("SHIPPED", 3, "capture")
EXTENDED = facts("SHIPPED", 4, "capture")
REFUNDED = facts("CANCELED", 3, "capture", "refund-asked", refunds=1)
HELD = facts("PAID", 2, "capture")


def ship_and_sweep(*, ship_after: int, sweep_after: int) -> Callable[[worlds.World], Case]:
    """Ship and the deadline sweep, each some microseconds after `ship_by` (by its own clock)."""

    def set_up(world: worlds.World) -> Case:
        order = ground.paid_order(world)
        assert order.ship_by is not None
        deadline = order.ship_by

        def facts_at_last() -> dict[str, Any]:
            # A sweep passes over what somebody works on at that moment; the next one takes it.
            sweeps.cancel_due_shipments(at=deadline + sweep_after * US)
            return order_facts(order.id)

        return Case(
            [
                ("ship", lambda: _ship(order, at=deadline + ship_after * US)),
                ("sweep", lambda: sweeps.cancel_due_shipments(at=deadline + sweep_after * US)),
            ],
            one_of(
                facts_at_last,
                *([SHIPPED] if ship_after <= 0 else []),
                *([REFUNDED] if sweep_after > 0 else []),
            ),
        )

    return set_up


def _ship(order: Order, **at: object) -> Order:
    return lifecycle.ship_order(order_id=order.id, carrier="SF", tracking_number="SF1", **at)  # type: ignore[arg-type]


def ship_and_cancel(world: worlds.World) -> Case:
    order = ground.paid_order(world)
    return Case(
        [("ship", lambda: _ship(order, at=world.now)), ("cancel", lambda: _cancel(order, world))],
        one_winner(lambda: order_facts(order.id), {"ship": SHIPPED, "cancel": REFUNDED}),
    )


def _cancel(order: Order, world: worlds.World) -> Order:
    return refunds.cancel_paid_order(order_id=order.id, reason=CancelReason.PLATFORM, at=world.now)


def cancel_and_deadline(world: worlds.World) -> Case:
    order = ground.paid_order(world)
    assert order.ship_by is not None
    late = order.ship_by + US
    return Case(
        [
            ("cancel", lambda: _cancel(order, world)),
            ("deadline", lambda: refunds.cancel_unshipped_order(order_id=order.id, at=late)),
        ],
        one_winner(lambda: order_facts(order.id), {"cancel": REFUNDED, "deadline": REFUNDED}),
    )


def ship_and_ship(world: worlds.World) -> Case:
    order = ground.paid_order(world)
    return Case(
        [("ship", lambda: _ship(order, at=world.now))],
        one_winner(lambda: order_facts(order.id), {"ship": SHIPPED}),
    )


def extend_and_extend(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    by, at = extensions.By.BUYER, world.now
    return Case(
        [
            (
                "extend",
                lambda: extensions.extend_confirmation(order_id=order.id, by=by, at=at),
            )
        ],
        one_winner(lambda: order_facts(order.id), {"extend": EXTENDED}),
    )


def expire_and_cancel(world: worlds.World) -> Case:
    order, _token = world.create_order()
    late = order.pay_by + US
    cancel = lifecycle.cancel_unpaid_order
    return Case(
        [
            ("expire", lambda: payments.expire_order(order_id=order.id, at=late)),
            ("cancel", lambda: cancel(order_id=order.id, reason=CancelReason.PLATFORM, at=late)),
        ],
        one_winner(
            lambda: order_facts(order.id),
            {"expire": facts("EXPIRED", 2), "cancel": facts("CANCELED", 2)},
        ),
    )


def capture_and_expire(world: worlds.World) -> Case:
    order, _token = world.create_order()
    payment = ground.make_payment(world, order)
    late = order.pay_by + US
    return Case(
        [
            ("capture", lambda: ground.capture(payment)),
            ("expire", lambda: order_sweeps.expire_due_orders(at=late)),
        ],
        one_of(lambda: order_facts(order.id), HELD, facts("EXPIRED", 2, surpluses=1)),
    )


def capture_and_cancel(world: worlds.World) -> Case:
    order, _token = world.create_order()
    payment = ground.make_payment(world, order)
    cancel = lifecycle.cancel_unpaid_order
    return Case(
        [
            ("capture", lambda: ground.capture(payment)),
            (
                "cancel",
                lambda: cancel(order_id=order.id, reason=CancelReason.PLATFORM, at=world.now),
            ),
        ],
        one_of(lambda: order_facts(order.id), HELD, facts("CANCELED", 2, surpluses=1)),
    )


def capture_and_capture(world: worlds.World) -> Case:
    order, _token = world.create_order()
    payment = ground.make_payment(world, order)
    return Case(
        [("capture", lambda: ground.capture(payment))], one_of(lambda: order_facts(order.id), HELD)
    )


def second_capture_twice(world: worlds.World) -> Case:
    """The channel captured a paid payment again and says so sixteen times."""
    order = ground.paid_order(world)
    payment = order.payment_parts.get().payment
    return Case(
        [("again", lambda: ground.capture(payment, number="SBP2"))],
        one_of(lambda: order_facts(order.id), {**HELD, "surpluses": 1}),
    )


def two_payments(world: worlds.World) -> Case:
    """Two payments of one order succeed at once: one is held, the other is surplus."""
    order, _token = world.create_order()
    left, right = ground.make_payment(world, order), ground.make_payment(world, order)
    return Case(
        [("left", lambda: ground.capture(left)), ("right", lambda: ground.capture(right))],
        one_of(lambda: order_facts(order.id), {**HELD, "surpluses": 1}),
    )


def crossed_carts(world: worlds.World) -> Case:
    """Two carts of the same two new sellers, the other way round: their accounts are opened at the
    same time.
    """
    one, two = world.add_merchant(), world.add_merchant()
    left, right = (
        [world.create_order(seller)[0] for seller in cart] for cart in ([one, two], [two, one])
    )
    payments_of = [ground.make_payment(world, *cart) for cart in (left, right)]
    orders = [*left, *right]
    return Case(
        [
            ("left", lambda: ground.capture(payments_of[0])),
            ("right", lambda: ground.capture(payments_of[1])),
        ],
        one_of(
            lambda: {"orders": [order_facts(order.id) for order in orders]}, {"orders": [HELD] * 4}
        ),
    )


PAIRS = [
    Pair("ship / deadline sweep, both at ship_by", ship_and_sweep(ship_after=0, sweep_after=0)),
    Pair(
        "ship at ship_by / deadline sweep 1 µs after", ship_and_sweep(ship_after=0, sweep_after=1)
    ),
    Pair(
        "ship / deadline sweep, both 1 µs after ship_by",
        ship_and_sweep(ship_after=1, sweep_after=1),
    ),
    Pair("ship / ship", ship_and_ship),
    Pair("ship / cancel by the platform", ship_and_cancel),
    Pair("cancel by the platform / by the deadline", cancel_and_deadline),
    Pair("extend / extend", extend_and_extend),
    Pair("expire / cancel unpaid", expire_and_cancel),
    Pair("capture / expire", capture_and_expire),
    Pair("capture / cancel unpaid", capture_and_cancel),
    Pair("capture / same capture", capture_and_capture),
    Pair("second capture / same second capture", second_capture_twice),
    Pair("two payments of one order", two_payments),
    Pair("two carts of the same new sellers, crossed", crossed_carts),
]
