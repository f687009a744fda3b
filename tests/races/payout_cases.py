"""Races over released money: cutting, deciding, sending, answering and replacing payouts."""

from typing import Any

from channels.contract import Status
from escrow.models import ReleaseLine
from payouts.models import Outcome, Payout, Settlement
from payouts.services import approval, cutoff, sending
from tests import ground
from tests import world as worlds
from tests.ground import payout_facts
from tests.races.starting_line import Case, Pair, one_of, one_winner

SENT = ["payout-sent"]
PAID = {"state": "PAID", "events": 3, "entries": ["payout-paid", "payout-sent"]}
FAILED = {"state": "FAILED", "events": 3, "entries": ["payout-sent", "reversal:payout-sent"]}
RETURNED = {
    "state": "RETURNED",
    "events": 4,
    "entries": ["payout-paid", "payout-sent", "reversal:payout-paid", "reversal:payout-sent"],
}


def cut_and_cut(world: worlds.World) -> Case:
    ground.released_order(world)
    schedule = ground.schedule(world)

    def cut() -> dict[str, Any]:
        open_lines = ReleaseLine.objects.filter(
            address=schedule.address, settlement_id__isnull=True
        ).count()
        return {
            "open": open_lines,
            "settlements": Settlement.objects.filter(address=schedule.address).count(),
        }

    settlements = cut()["settlements"] + 1
    return Case(
        [("cut", lambda: cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now))],
        one_winner(cut, {"cut": {"open": 0, "settlements": settlements}}),
    )


def approve_and_refuse(world: worlds.World) -> Case:
    payout = ground.cut_payout(world, approval_above_minor=1)
    ann, ben = ground.operator("ann"), ground.operator("ben")
    refuse = approval.refuse_payout
    return Case(
        [
            ("approve", lambda: ground.approve(world, payout, ann)),
            (
                "refuse",
                lambda: refuse(payout_id=payout.id, operator=ben, reason="odd", at=world.now),
            ),
        ],
        one_winner(
            lambda: payout_facts(payout.id),
            {
                "approve": {"state": "APPROVED", "events": 2, "entries": SENT},
                "refuse": {
                    "state": "FAILED",
                    "events": 2,
                    "entries": ["payout-sent", "reversal:payout-sent"],
                },
            },
        ),
    )


def claim_and_claim(world: worlds.World) -> Case:
    payout = ground.cut_payout(world)
    ground.remit(world, payout.amount_minor)
    sent = {"state": "SENDING", "events": 2, "entries": SENT}
    return Case(
        [("claim", lambda: sending.claim_payout(payout_id=payout.id, at=world.now))],
        one_winner(lambda: payout_facts(payout.id), {"claim": sent}),
    )


def two_payouts_one_cover(world: worlds.World) -> Case:
    """Two payouts, and a reserve that covers one of them."""
    left, right = ground.cut_payout(world), ground.cut_payout(world)
    _cover(world, left.amount_minor)

    def states() -> dict[str, Any]:
        rows = Payout.objects.filter(pk__in=[left.id, right.id])
        return {"states": sorted(rows.values_list("state", flat=True))}

    one = {"states": ["APPROVED", "SENDING"]}
    return Case(
        [
            ("left", lambda: sending.claim_payout(payout_id=left.id, at=world.now)),
            ("right", lambda: sending.claim_payout(payout_id=right.id, at=world.now)),
        ],
        one_winner(states, {"left": one, "right": one}),
    )


def _cover(world: worlds.World, amount_minor: int) -> None:
    """Let the reserve hold exactly this much on top of what the bank may be paying."""
    owed = sum(Payout.objects.filter(state__in=Payout.OPEN).values_list("amount_minor", flat=True))
    missing = amount_minor + owed - world.balance("reserve:sandbox-bank")
    assert missing >= 0, "earlier rounds left too much in the reserve"
    if missing:
        ground.remit(world, missing)


def paid_and_failed(world: worlds.World) -> Case:
    payout = ground.sent_payout(world)
    return Case(
        [
            ("paid", lambda: ground.answer_payout(world, payout, Status.SUCCEEDED)),
            ("failed", lambda: ground.answer_payout(world, payout, Status.FAILED)),
        ],
        one_of(lambda: payout_facts(payout.id), PAID, FAILED),
    )


def paid_and_paid(world: worlds.World) -> Case:
    payout = ground.sent_payout(world)
    return Case(
        [("paid", lambda: ground.answer_payout(world, payout, Status.SUCCEEDED))],
        one_of(lambda: payout_facts(payout.id), PAID),
    )


def returned_twice(world: worlds.World) -> Case:
    payout = ground.sent_payout(world)
    ground.answer_payout(world, payout, Status.SUCCEEDED)
    return Case(
        [("returned", lambda: ground.answer_payout(world, payout, Status.RETURNED))],
        one_of(lambda: payout_facts(payout.id), RETURNED),
    )


def outcome_and_bank(world: worlds.World) -> Case:
    """A second person confirms that a parked payout was paid, the bank says that it failed."""
    payout = ground.sent_payout(world)
    ground.park(world, payout)
    ann, ben = ground.operator("ann"), ground.operator("ben")
    paid = {"payout_id": payout.id, "outcome": Outcome.PAID, "at": world.now}
    approval.claim_outcome(**paid, evidence="statement 7, line 3", operator=ann)
    return Case(
        [
            ("persons", lambda: approval.confirm_outcome(**paid, operator=ben)),
            ("bank", lambda: ground.answer_payout(world, payout, Status.FAILED)),
        ],
        one_of(lambda: payout_facts(payout.id), {**PAID, "events": 4}, {**FAILED, "events": 4}),
    )


def replace_and_replace(world: worlds.World) -> Case:
    return _replace(world, ground.failed_payout(world))


def replace_old_and_newer(world: worlds.World) -> Case:
    """A payout failed, its replacement failed too, and somebody replaces each of them at once."""
    old = ground.failed_payout(world)
    replace = cutoff.replace_payout
    newer = replace(payout_id=old.id, requested_by=ground.operator("ann"), at=world.now)
    ground.approve(world, newer, ground.operator("ben"))
    assert sending.claim_payout(payout_id=newer.id, at=world.now)
    return _replace(world, old, ground.fail(world, newer))


def _replace(world: worlds.World, *payouts: Payout) -> Case:
    operator = ground.operator("ann")
    settlement = payouts[0].settlement_id
    rows = Payout.objects.filter(settlement=settlement)
    wanted = {"payouts": rows.count() + 1, "pending": 1}

    def count() -> dict[str, Any]:
        return {"payouts": rows.count(), "pending": rows.filter(state="PENDING").count()}

    def replace(payout: Payout) -> Any:
        return lambda: cutoff.replace_payout(
            payout_id=payout.id, requested_by=operator, at=world.now
        )

    return Case(
        [("replace", replace(payout)) for payout in payouts], one_winner(count, {"replace": wanted})
    )


PAIRS = [
    Pair("cut settlements / cut settlements", cut_and_cut),
    Pair("approve / refuse", approve_and_refuse),
    Pair("claim payout / claim payout", claim_and_claim),
    Pair("two payouts / a reserve for one", two_payouts_one_cover),
    Pair("payout paid / payout failed", paid_and_failed),
    Pair("payout paid / same answer", paid_and_paid),
    Pair("payout returned / same answer", returned_twice),
    Pair("parked payout: two persons / the bank", outcome_and_bank),
    Pair("replace payout / replace payout", replace_and_replace),
    Pair("replace old payout / replace newer payout", replace_old_and_newer),
]
