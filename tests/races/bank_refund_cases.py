"""Races between the two routes of a refund: the channel pays after all while persons or the sweep
let the bank pay.
"""

from typing import Any

from channels.contract import Status
from escrow.models import BankRefund
from escrow.services import bank_refunds as escrow
from ledger import selectors as books
from tests import rerouting
from tests import world as worlds
from tests.races.starting_line import Case, Pair, one_of, one_winner

ASKED = ["capture", "refund-asked"]
STOPPED = {
    "states": ("DROPPED", "SUCCEEDED"),
    "events": 5,
    "entries": [*ASKED, "refund-done", "refund-rerouted", "refund-rerouted"],
}


def route_facts(bank_refund_id: str) -> dict[str, Any]:
    """What both routes are in, what was told, and how often money moved."""
    found = BankRefund.objects.select_related("refund__hold").get(pk=bank_refund_id)
    kinds = [entry.kind for entry in books.subject_entries(found.refund.order_id)]
    return {
        "states": rerouting.phase_of(found),
        "events": found.refund.event_sequence,
        "entries": sorted(kinds),
    }


def approve_and_channel(world: worlds.World) -> Case:
    found = rerouting.in_phase(world, "PROPOSED")
    return Case(
        [
            ("approve", lambda: rerouting.approve(world, found)),
            ("channel", lambda: rerouting.channel_says(world, found.refund, Status.SUCCEEDED)),
        ],
        one_of(
            lambda: route_facts(found.id),
            STOPPED,
            {
                "states": ("DROPPED", "SUCCEEDED"),
                "events": 3,
                "entries": [*ASKED, "refund-done"],
            },
        ),
    )


def claim_and_channel(world: worlds.World) -> Case:
    """Sent first: the buyer may be paid twice, and the books say so."""
    found = rerouting.in_phase(world, "APPROVED")
    return Case(
        [
            ("claim", lambda: rerouting.claim(world, found)),
            ("channel", lambda: rerouting.channel_says(world, found.refund, Status.SUCCEEDED)),
        ],
        one_of(
            lambda: route_facts(found.id),
            STOPPED,
            {
                "states": ("SENDING", "SUCCEEDED"),
                "events": 4,
                "entries": [*ASKED, "refund-doubled", "refund-rerouted"],
            },
        ),
    )


def approve_and_approve(world: worlds.World) -> Case:
    found = rerouting.in_phase(world, "PROPOSED")
    approved = {
        "states": ("APPROVED", "FAILED"),
        "events": 3,
        "entries": [*ASKED, "refund-rerouted"],
    }
    return Case(
        [("approve", lambda: rerouting.approve(world, found))],
        one_winner(lambda: route_facts(found.id), {"approve": approved}),
    )


def propose_and_ask_again(world: worlds.World) -> Case:
    """One person reroutes, another asks the channel again: never both."""
    refund = rerouting.refused_refund(world)

    def taken() -> dict[str, Any]:
        refund.refresh_from_db()
        return {"state": refund.state, "routes": refund.bank_refunds.count()}

    again = escrow.ask_channel_again
    return Case(
        [
            ("propose", lambda: rerouting.propose(world, refund)),
            ("again", lambda: again(refund_id=refund.id, at=world.now)),
        ],
        one_winner(
            taken,
            {
                "propose": {"state": "FAILED", "routes": 1},
                "again": {"state": "PENDING", "routes": 0},
            },
        ),
    )


PAIRS = [
    Pair("approve bank refund / channel pays after all", approve_and_channel),
    Pair("claim bank refund / channel pays after all", claim_and_channel),
    Pair("approve bank refund / approve bank refund", approve_and_approve),
    Pair("propose bank refund / ask channel again", propose_and_ask_again),
]
