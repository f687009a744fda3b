"""Races over a shipped order that somebody disputes: opening against confirming, and the moves of
both sides against each other and against their deadline.
"""

from collections.abc import Callable
from typing import Any

from escrow import sweeps
from escrow.models import Dispute
from escrow.services import release as releases
from escrow.services.disputes import chargebacks, deadlines, deciding
from tests import disputing, ground
from tests import world as worlds
from tests.ground import US, facts, order_facts
from tests.races.starting_line import Case, Pair, one_of, one_winner

# An order in dispute has told that its clock stopped; once it is over, that it went on.
FROZEN = facts("SHIPPED", 4, "capture")
RELEASED = facts("CONFIRMED", 4, "capture", "release", releases=1)
REFUNDED = facts("CANCELED", 6, "capture", "refund-asked", refunds=1)
PARTED = facts("CONFIRMED", 6, "capture", "refund-asked", "release", releases=1, refunds=1)
CHARGED = facts("CANCELED", 4, "capture", "chargeback")
TAKEN_BACK = facts("CONFIRMED", 4, "capture", "release", "clawback", "chargeback", releases=1)


def with_dispute(order_id: str) -> dict[str, Any]:
    """The facts of an order and the states of its disputes."""
    disputes = Dispute.objects.filter(order_id=order_id).order_by("pk")
    return {**order_facts(order_id), "disputes": [each.state for each in disputes]}


def dispute_and_confirm(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    at = world.now
    return Case(
        [
            ("dispute", lambda: disputing.open_dispute(world, order)),
            ("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=at)),
        ],
        one_of(
            lambda: with_dispute(order.id),
            {**FROZEN, "disputes": ["OPEN"]},
            # Whoever comes just after the confirmation disputes released money.
            {**RELEASED, "disputes": ["OPEN"]},
        ),
    )


def dispute_and_sweep(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    assert order.confirm_by is not None
    due = order.confirm_by
    return Case(
        [
            # The last instant at which a term that runs can be stopped.
            ("dispute", lambda: disputing.open_dispute(world, order, at=due - US)),
            ("sweep", lambda: releases.release_due_orders(limit=10, at=due)),
        ],
        one_of(
            lambda: with_dispute(order.id),
            {**FROZEN, "disputes": ["OPEN"]},
            {**RELEASED, "disputes": ["OPEN"]},
        ),
    )


def moves_at_once(
    phase: str, expected: dict[str, dict[str, Any]]
) -> Callable[[worlds.World], Case]:
    """Several moves that are all allowed in a phase: one of them is made."""

    def set_up(world: worlds.World) -> Case:
        dispute = disputing.dispute_in(world, phase)
        moves = disputing.moves(dispute)
        return Case(
            [(name, moves[name]) for name in expected],
            one_winner(
                lambda: with_dispute(dispute.order_id),
                expected,
            ),
        )

    return set_up


def offer_and_deadline(world: worlds.World) -> Case:
    """The buyer accepts at the very deadline, and the sweep runs just after it."""
    dispute = disputing.dispute_in(world, "ANSWERED/BUYER")
    assert dispute.due_at is not None
    accept = disputing.moves(dispute, at=dispute.due_at)["accept_offer"]
    late = dispute.due_at + US
    return Case(
        [
            ("accept", accept),
            ("sweep", lambda: deadlines.lapse_deadline(dispute_id=dispute.id, at=late)),
        ],
        one_winner(
            lambda: with_dispute(dispute.order_id),
            {name: {**PARTED, "disputes": ["RESOLVED"]} for name in ("accept", "sweep")},
        ),
    )


def approve_and_undecided(world: worlds.World) -> Case:
    """A second operator approves at the very deadline, and the sweep runs just after it."""
    dispute = disputing.dispute_in(world, "ANSWERED/OPERATOR")
    disputing.moves(dispute)["propose"]()
    assert dispute.due_at is not None
    due, second = dispute.due_at, ground.operator("second")
    approve = deciding.approve_decision
    return Case(
        [
            ("approve", lambda: approve(dispute_id=dispute.id, operator=second, at=due)),
            ("sweep", lambda: sweeps.lapse_due_disputes(at=due + US)),
        ],
        one_of(
            lambda: _after_sweep(dispute, due + US),
            {**PARTED, "disputes": ["RESOLVED"]},
            {**REFUNDED, "disputes": ["RESOLVED"]},
        ),
    )


def _after_sweep(dispute: Dispute, at: Any) -> dict[str, Any]:
    # A sweep passes over what somebody works on at that moment; the next one takes it.
    sweeps.lapse_due_disputes(at=at)
    return with_dispute(dispute.order_id)


def dispute_and_dispute(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    return Case(
        [("dispute", lambda: disputing.open_dispute(world, order))],
        one_winner(lambda: with_dispute(order.id), {"dispute": {**FROZEN, "disputes": ["OPEN"]}}),
    )


def chargeback_and_confirm(world: worlds.World) -> Case:
    """The channel takes the money back while the buyer confirms: out of what is held, or from the
    payees."""
    order = ground.shipped_order(world)
    payment_id = order.payment_parts.get().payment_id
    number, at = f"SBC-{world.count}", world.now
    return Case(
        [
            (
                "chargeback",
                lambda: chargebacks.record_chargeback(
                    payment_id=payment_id,
                    provider_reference=number,
                    amount_minor=10001,
                    currency="CNY",
                    at=at,
                ),
            ),
            ("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=at)),
        ],
        one_of(
            lambda: with_dispute(order.id),
            {**CHARGED, "disputes": ["RESOLVED"]},
            {**TAKEN_BACK, "disputes": ["RESOLVED"]},
        ),
    )


PAIRS = [
    Pair("dispute / confirm", dispute_and_confirm),
    Pair("dispute / automatic release sweep", dispute_and_sweep),
    Pair("dispute / dispute", dispute_and_dispute),
    Pair(
        "seller accepts / buyer withdraws",
        moves_at_once(
            "OPEN/MERCHANT",
            {
                "accept": {**REFUNDED, "disputes": ["RESOLVED"]},
                "withdraw": {**FROZEN, "events": 5, "disputes": ["WITHDRAWN"]},
            },
        ),
    ),
    Pair("offer accepted / deadline", offer_and_deadline),
    Pair("decision approved / deadline", approve_and_undecided),
    Pair("chargeback / confirm", chargeback_and_confirm),
]
