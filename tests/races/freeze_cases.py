"""Races over freezes: placing one while the money is about to leave, and lifting one."""

from typing import Any

from escrow.models import Freeze
from escrow.selectors import freezes_in_force
from escrow.services import order_refunds
from escrow.services import release as releases
from payouts.models import Settlement
from payouts.services import cutoff, sending
from tests import disputing, freezing, ground
from tests import world as worlds
from tests.ground import US, facts, order_facts, payout_facts
from tests.races.starting_line import Case, Pair, one_of, one_winner

RELEASED = {**facts("CONFIRMED", 4, "capture", "release", releases=1), "freezes": 0}
REFUNDED = {**facts("CANCELED", 4, "capture", "refund-asked", refunds=1), "freezes": 0}
FROZEN = {**facts("SHIPPED", 4, "capture"), "freezes": 1}  # the clock has told that it stopped
SENT = {"state": "SENDING", "events": 2, "entries": ["payout-sent"]}
WAITING = {"state": "APPROVED", "events": 1, "entries": ["payout-sent"]}


def with_freezes(order_id: str) -> dict[str, Any]:
    return {**order_facts(order_id), "freezes": Freeze.objects.filter(order_id=order_id).count()}


def freeze_and_confirm(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    at = world.now
    return Case(
        [
            ("freeze", lambda: freezing.freeze_order(world, order, at=at)),
            ("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=at)),
        ],
        one_winner(lambda: with_freezes(order.id), {"freeze": FROZEN, "confirm": RELEASED}),
    )


def freeze_and_sweep(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    assert order.confirm_by is not None
    due = order.confirm_by
    return Case(
        [
            ("freeze", lambda: freezing.freeze_order(world, order, at=due - US)),
            ("sweep", lambda: releases.release_due_orders(limit=10, at=due)),
        ],
        one_winner(lambda: with_freezes(order.id), {"freeze": FROZEN, "sweep": RELEASED}),
    )


def freeze_and_refund(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    at = world.now
    refund = order_refunds.refund_order
    return Case(
        [
            ("freeze", lambda: freezing.freeze_order(world, order, at=at)),
            ("refund", lambda: refund(order_id=order.id, reason="odd", at=at)),
        ],
        one_winner(lambda: with_freezes(order.id), {"freeze": FROZEN, "refund": REFUNDED}),
    )


def freeze_and_dispute(world: worlds.World) -> Case:
    """Both may come first; the clock stops once."""
    order = ground.shipped_order(world)
    return Case(
        [
            ("freeze", lambda: freezing.freeze_order(world, order)),
            ("dispute", lambda: disputing.open_dispute(world, order)),
        ],
        one_of(
            lambda: {**with_freezes(order.id), "disputes": order.disputes.count()},
            {**FROZEN, "disputes": 1},
        ),
    )


def freeze_payout_and_send(world: worlds.World) -> Case:
    payout = _approved(world)
    at = world.now
    return Case(
        [
            ("freeze", lambda: freezing.freeze_payout(world, payout, at=at)),
            ("send", lambda: sending.claim_payout(payout_id=payout.id, at=at)),
        ],
        one_winner(lambda: payout_facts(payout.id), {"freeze": WAITING, "send": SENT}),
    )


def freeze_seller_and_send(world: worlds.World) -> Case:
    """A seller may be frozen just after its payout went; which came first, the audit knows."""
    payout = _approved(world)
    at = world.now
    return Case(
        [
            ("freeze", lambda: freezing.freeze_seller(world, at=at)),
            ("send", lambda: sending.claim_payout(payout_id=payout.id, at=at)),
        ],
        one_of(lambda: payout_facts(payout.id), WAITING, SENT),
    )


def freeze_seller_and_cut(world: worlds.World) -> Case:
    """What is cut just before the freeze is not sent; nothing is cut after it."""
    _let_sellers_go()
    ground.released_order(world)
    schedule = ground.schedule(world)

    def found() -> dict[str, Any]:
        return {
            "settlements": Settlement.objects.filter(address=schedule.address).count(),
            "frozen": freezes_in_force().filter(merchant_id=schedule.merchant_id).count(),
        }

    before = found()["settlements"]
    return Case(
        [
            ("freeze", lambda: freezing.freeze_seller(world)),
            ("cut", lambda: cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)),
        ],
        one_of(
            found,
            {"settlements": before, "frozen": 1},
            {"settlements": before + 1, "frozen": 1},
        ),
    )


def lift_and_lift(world: worlds.World) -> Case:
    freeze = freezing.propose(freezing.freeze_in(world, "ACTIVE"))
    assert freeze.order is not None
    order_id = freeze.order.id
    second, third = ground.operator("second"), ground.operator("third")
    lift = freezing.freezes.lift_freeze
    lifted = {**facts("SHIPPED", 5, "capture"), "freezes": 1}
    at = world.now
    return Case(
        [
            ("second", lambda: lift(freeze_id=freeze.id, operator=second, at=at)),
            ("third", lambda: lift(freeze_id=freeze.id, operator=third, at=at)),
        ],
        one_winner(lambda: with_freezes(order_id), {"second": lifted, "third": lifted}),
    )


def _approved(world: worlds.World) -> Any:
    """A payout the reserve covers, of a seller nobody has frozen yet."""
    _let_sellers_go()
    payout = ground.cut_payout(world)
    ground.remit(world, payout.amount_minor)
    return payout


def _let_sellers_go() -> None:
    # A world is raced in again and again, and its seller stays.
    for freeze in freezes_in_force().filter(merchant__isnull=False):
        freezing.lift(freeze)


PAIRS = [
    Pair("freeze order / confirm", freeze_and_confirm),
    Pair("freeze order / automatic release sweep", freeze_and_sweep),
    Pair("freeze order / refund", freeze_and_refund),
    Pair("freeze order / dispute", freeze_and_dispute),
    Pair("freeze payout / send", freeze_payout_and_send),
    Pair("freeze seller / send", freeze_seller_and_send),
    Pair("freeze seller / cutoff", freeze_seller_and_cut),
    Pair("lift / lift", lift_and_lift),
]
