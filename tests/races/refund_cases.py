"""Races over money that goes back to the buyer: refunds against each other, against the release,
against what the channel takes back, and against what is being paid out.
"""

from collections.abc import Callable, Sequence
from typing import Any

from channels.contract import Status
from escrow.models import Debt, Dispute, Hold, Refund, RefundShare
from escrow.services import order_refunds as refunds
from escrow.services import release as releases
from escrow.services.disputes import chargebacks
from escrow.services.remittance import record_topup
from orders.models import Order
from payouts.models import Payout, PayoutSchedule
from payouts.services import cutoff, sending
from tests import ground
from tests import world as worlds
from tests.ground import facts, order_facts
from tests.races.starting_line import Case, Outcome, Pair, one_of, one_winner

WHOLE, MOST = 10001, 6001  # minor units of the order: all of it, and more than half
SHARE = 625  # sixteen of them leave one minor unit

GIVEN_BACK = {
    **facts("CANCELED", 4, "capture", "refund-asked", refunds=1),
    "given_back": WHOLE,
    "charged_back": 0,
}
TAKEN_BACK = {
    **facts("CONFIRMED", 4, "capture", "release", "clawback", "refund-asked", releases=1),
    "refunds": 1,
    "given_back": WHOLE,
    "charged_back": 0,
}
CHARGED = {
    **facts("CANCELED", 4, "capture", "chargeback"),
    "given_back": WHOLE,
    "charged_back": WHOLE,
}
CHARGED_AFTER = {
    **facts("CONFIRMED", 4, "capture", "release", "clawback", "chargeback", releases=1),
    "given_back": WHOLE,
    "charged_back": WHOLE,
}


def money_facts(order_id: str) -> dict[str, Any]:
    """The facts of an order, and what of it went back to the buyer by whatever way."""
    charged = Dispute.objects.filter(order_id=order_id, kind="CHARGEBACK")
    return {
        **order_facts(order_id),
        "given_back": Hold.objects.get(order_id=order_id).refunded_minor,
        "charged_back": sum(charged.values_list("resolved_minor", flat=True)),
    }


def refunding(world: worlds.World, order: Order, amount_minor: int) -> Callable[[], Refund]:
    at = world.now
    return lambda: refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=at
    )


def charging(
    world: worlds.World, order: Order, amount_minor: int, number: str
) -> Callable[[], list[Dispute]]:
    payment_id, at = order.payment_parts.get().payment_id, world.now
    return lambda: chargebacks.record_chargeback(
        payment_id=payment_id,
        provider_reference=f"{number}-{payment_id}",
        amount_minor=amount_minor,
        currency="CNY",
        at=at,
    )


def everything_twice(state: str, expected: dict[str, Any]) -> Callable[[worlds.World], Case]:
    """Sixteen refunds of all that is left: one is made."""

    def set_up(world: worlds.World) -> Case:
        order = ground.order_in(world, state)
        return Case(
            [("refund", refunding(world, order, WHOLE))],
            one_winner(lambda: money_facts(order.id), {"refund": expected}),
        )

    return set_up


def more_than_half_twice(world: worlds.World) -> Case:
    """Each alone would do; together they are more than the order."""
    order = ground.shipped_order(world)
    part = facts("SHIPPED", 3, "capture", "refund-asked", refunds=1)
    return Case(
        [("refund", refunding(world, order, MOST))],
        one_winner(
            lambda: money_facts(order.id),
            {"refund": {**part, "given_back": MOST, "charged_back": 0}},
        ),
    )


def sixteen_parts(state: str) -> Callable[[worlds.World], Case]:
    """Sixteen refunds that all fit: all are made, and each payee has given exactly its part."""

    def set_up(world: worlds.World) -> Case:
        order = ground.order_in(world, state)

        def judge(outcomes: Sequence[Outcome]) -> list[str]:
            won = sum(outcome.won for outcome in outcomes)
            given: dict[str, int] = dict.fromkeys(("MERCHANT", "PLATFORM", "SERVICE_FEE"), 0)
            for share in RefundShare.objects.filter(refund__hold__order=order):
                given[share.payee] += share.amount_minor
            hold = Hold.objects.get(order=order)
            found = (won, hold.refunded_minor, given)
            wanted = (16, 10000, {"MERCHANT": 9490, "PLATFORM": 450, "SERVICE_FEE": 60})
            return [] if found == wanted else [f"{found} instead of {wanted}"]

        return Case([("refund", refunding(world, order, SHARE))], judge)

    return set_up


def refund_and_confirm(world: worlds.World) -> Case:
    """Refunded out of what is held, or taken back from the payees: once."""
    order = ground.shipped_order(world)
    at = world.now
    return Case(
        [
            ("refund", refunding(world, order, WHOLE)),
            ("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=at)),
        ],
        one_of(lambda: money_facts(order.id), GIVEN_BACK, TAKEN_BACK),
    )


def refund_and_sweep(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    assert order.confirm_by is not None
    due = order.confirm_by
    return Case(
        [
            ("refund", refunding(world, order, WHOLE)),
            ("sweep", lambda: releases.release_due_orders(limit=10, at=due)),
        ],
        one_of(lambda: money_facts(order.id), GIVEN_BACK, TAKEN_BACK),
    )


def refund_and_chargeback(state: str, *expected: dict[str, Any]) -> Callable[[worlds.World], Case]:
    """The platform refunds all while the channel takes all back: one of them does."""

    def set_up(world: worlds.World) -> Case:
        order = ground.order_in(world, state)
        return Case(
            [
                ("refund", refunding(world, order, WHOLE)),
                ("chargeback", charging(world, order, WHOLE, "SBC1")),
            ],
            one_of(lambda: money_facts(order.id), *expected),
        )

    return set_up


def two_chargebacks(world: worlds.World) -> Case:
    """Two chargebacks that are together more than the order, each told eight times."""
    order = ground.released_order(world)
    taken = {**CHARGED_AFTER, "given_back": MOST, "charged_back": MOST}
    return Case(
        [
            ("one", charging(world, order, MOST, "SBC1")),
            ("two", charging(world, order, MOST, "SBC2")),
        ],
        one_of(lambda: money_facts(order.id), taken),
    )


def crossed_chargebacks(world: worlds.World) -> Case:
    """Two released carts of the same two sellers, the other way round: neither waits for the
    other for ever.
    """
    one, two = world.add_merchant(), world.add_merchant()
    carts = [
        [world.create_order(seller)[0] for seller in cart] for cart in ([one, two], [two, one])
    ]
    for cart in carts:
        ground.capture(ground.make_payment(world, *cart))
        for order in cart:
            world.ship(order)
            releases.confirm_receipt(order_id=order.id, at=world.now)
    orders = [order for cart in carts for order in cart]
    left, right = (charging(world, cart[0], 2 * WHOLE, "SBC1") for cart in carts)
    return Case(
        [("left", left), ("right", right)],
        one_of(
            lambda: {"orders": [money_facts(order.id) for order in orders]},
            {"orders": [CHARGED_AFTER] * 4},
        ),
    )


def back_and_cutoff(
    taking: Callable[[worlds.World, Order], Callable[[], Any]],
) -> Callable[[worlds.World], Case]:
    """One of a seller's two orders goes back while both are cut: deducted from the payout, or owed
    after it.
    """

    def set_up(world: worlds.World) -> Case:
        seller, order = _seller_with_order(world)
        ground.released_order(world, seller)
        schedule = PayoutSchedule.objects.get(merchant=seller)
        at = world.now
        return Case(
            [
                ("back", taking(world, order)),
                ("cut", lambda: cutoff.cut_settlements(schedule_id=schedule.pk, at=at)),
            ],
            one_of(
                lambda: _paid_and_owed(world, seller, order),
                {"paid": 9491, "owed": 0, "given_back": WHOLE},
                {"paid": 2 * 9491, "owed": 9491, "given_back": WHOLE},
            ),
        )

    return set_up


def refund_and_payout_failed(world: worlds.World) -> Case:
    """The payout fails while its order is refunded: the seller gives what came back, or owes."""
    seller, order = _seller_with_order(world)
    schedule = PayoutSchedule.objects.get(merchant=seller)
    (payout,) = cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)
    assert sending.claim_payout(payout_id=payout.id, at=world.now)
    return Case(
        [
            ("refund", refunding(world, order, WHOLE)),
            ("failed", lambda: ground.answer_payout(world, payout, Status.FAILED)),
        ],
        one_of(
            lambda: _paid_and_owed(world, seller, order),
            {"paid": 0, "owed": 0, "given_back": WHOLE},
            {"paid": 0, "owed": 9491, "given_back": WHOLE},
        ),
    )


def _seller_with_order(world: worlds.World) -> tuple[Any, Order]:
    """A new seller, so that no debt of an earlier round is in the way, with a released order; and
    own funds and a reserve that cover everything.
    """
    seller = world.add_merchant()
    PayoutSchedule.objects.filter(merchant=seller).update(next_cutoff_at=world.now)
    record_topup(
        custodian=worlds.RAIL,
        bank_reference=f"T{seller.id}",
        amount_minor=20000,
        currency="CNY",
        at=world.now,
    )
    return seller, ground.released_order(world, seller)


def _paid_and_owed(world: worlds.World, seller: Any, order: Order) -> dict[str, int]:
    payouts = Payout.objects.filter(merchant=seller).exclude(state="FAILED")
    debts = Debt.objects.filter(merchant=seller)
    return {
        "paid": sum(payouts.values_list("amount_minor", flat=True)),
        "owed": sum(debts.values_list("amount_minor", flat=True)),
        "given_back": Hold.objects.get(order=order).refunded_minor,
    }


PAIRS = [
    Pair("refund all / refund all, held", everything_twice("SHIPPED", GIVEN_BACK)),
    Pair("refund all / refund all, released", everything_twice("CONFIRMED", TAKEN_BACK)),
    Pair("refund more than half / again", more_than_half_twice),
    Pair("sixteen partial refunds, held", sixteen_parts("SHIPPED")),
    Pair("sixteen partial refunds, released", sixteen_parts("CONFIRMED")),
    Pair("refund / confirm", refund_and_confirm),
    Pair("refund / automatic release sweep", refund_and_sweep),
    Pair("refund / chargeback, held", refund_and_chargeback("SHIPPED", GIVEN_BACK, CHARGED)),
    Pair(
        "refund / chargeback, released",
        refund_and_chargeback("CONFIRMED", TAKEN_BACK, CHARGED_AFTER),
    ),
    Pair("chargeback / another chargeback, released", two_chargebacks),
    Pair("chargebacks of two released carts, crossed", crossed_chargebacks),
    Pair(
        "refund / cut settlements",
        back_and_cutoff(lambda world, order: refunding(world, order, WHOLE)),
    ),
    Pair(
        "chargeback / cut settlements",
        back_and_cutoff(lambda world, order: charging(world, order, WHOLE, "SBC1")),
    ),
    Pair("refund / payout failed", refund_and_payout_failed),
]
