"""Why: by two routes a buyer can be paid twice or never. Every phase against every move, and what
each leaves behind.
"""

import pytest

from channels.contract import Status
from tests import ground, rerouting
from tests.rerouting import PHASES
from tests.world import World

FAILED, DONE = "FAILED", "SUCCEEDED"
SENT = ("SENDING", "UNKNOWN", "PARKED")
# move -> phase -> the state of the bank refund and of the refund it leads to
MOVES: dict[str, dict[str, tuple[str, str]]] = {
    "propose": {each: (each, FAILED) for each in ("FAILED", "RETURNED", "DROPPED")},
    "ask_channel_again": {each: (each, "PENDING") for each in ("FAILED", "RETURNED", "DROPPED")},
    "approve": {"PROPOSED": ("APPROVED", FAILED)},
    "drop": dict.fromkeys(("PROPOSED", "APPROVED"), ("DROPPED", FAILED)),
    "claim": {"APPROVED": ("SENDING", FAILED)},
    "channel_pays": {
        "PROPOSED": ("DROPPED", DONE),
        "APPROVED": ("DROPPED", DONE),
        **{each: (each, DONE) for each in PHASES if each not in ("PROPOSED", "APPROVED")},
        "SENDING+CHANNEL": ("SENDING", DONE),
        "PAID+CHANNEL": ("PAID", DONE),
    },
    "bank_pays": {
        **dict.fromkeys((*SENT, "PAID", "SENDING+CHANNEL", "PAID+CHANNEL"), ("PAID", DONE)),
        "RETURNED": ("RETURNED", FAILED),
    },
    "bank_refuses": {
        **dict.fromkeys((*SENT, "FAILED"), ("FAILED", FAILED)),
        "SENDING+CHANNEL": ("FAILED", DONE),
        "PROPOSED": ("PROPOSED", FAILED),
        "APPROVED": ("APPROVED", FAILED),
        "DROPPED": ("DROPPED", FAILED),
        "RETURNED": ("RETURNED", FAILED),
    },
    "bank_returns": {
        **dict.fromkeys((*SENT, "PAID", "RETURNED"), ("RETURNED", FAILED)),
        "SENDING+CHANNEL": ("RETURNED", DONE),
        "PAID+CHANNEL": ("RETURNED", DONE),
    },
    "bank_is_silent": {
        "PROPOSED": ("PROPOSED", FAILED),
        "APPROVED": ("APPROVED", FAILED),
        "SENDING": ("UNKNOWN", FAILED),
        "UNKNOWN": ("UNKNOWN", FAILED),
        "PARKED": ("PARKED", FAILED),
        "PAID": ("PAID", DONE),
        "FAILED": ("FAILED", FAILED),
        "RETURNED": ("RETURNED", FAILED),
        "DROPPED": ("DROPPED", FAILED),
        "SENDING+CHANNEL": ("UNKNOWN", DONE),
        "PAID+CHANNEL": ("PAID", DONE),
    },
    "say_outcome": {"PARKED": ("PARKED", FAILED)},
    "confirm_outcome": {},  # nobody has said anything; see test_bank_refunds.py
}
CODES = {
    "approve": "bank_refund_state_conflict",
    "drop": "bank_refund_state_conflict",
    "bank_pays": "payout_contradiction",
    "bank_refuses": "payout_contradiction",
    "bank_returns": "payout_contradiction",
    "say_outcome": "payout_not_parked",
    "confirm_outcome": "payout_not_parked",
}


@pytest.mark.parametrize("move", MOVES)
def test_move_leads_on_where_it_is_allowed(market: World, move: str) -> None:
    reached = {}
    for phase in MOVES[move]:
        found = rerouting.in_phase(market, phase)
        rerouting.moves(market, found)[move]()
        reached[phase] = rerouting.phase_of(found)

    assert reached == MOVES[move]


@pytest.mark.parametrize("phase", PHASES)
def test_move_is_refused_everywhere_else(market: World, phase: str) -> None:
    found = rerouting.in_phase(market, phase)
    before = rerouting.phase_of(found)
    others = [move for move in MOVES if phase not in MOVES[move] and move != "claim"]

    refused = {move: ground.refusal(rerouting.moves(market, found)[move]).code for move in others}

    assert refused == {move: code_of(phase, move, before[1]) for move in others}
    assert rerouting.phase_of(found) == before


def code_of(phase: str, move: str, refund_state: str) -> str:
    if move in ("propose", "ask_channel_again"):
        return "refund_not_refused" if refund_state == DONE else "refund_rerouted"
    if move == "confirm_outcome" and phase == "PARKED":
        return "outcome_not_claimed"
    return CODES[move]


def test_nothing_is_sent_that_is_not_approved_or_was_sent(market: World) -> None:
    for phase in PHASES:
        if phase == "APPROVED":
            continue
        found = rerouting.in_phase(market, phase)
        before = rerouting.phase_of(found), ground.trial()

        assert rerouting.claim(market, found) is None
        assert (rerouting.phase_of(found), ground.trial()) == before


def test_bank_that_is_still_at_it_ends_the_silence(market: World) -> None:
    found = rerouting.in_phase(market, "UNKNOWN")

    rerouting.bank_says(market, found, Status.PENDING)

    assert rerouting.phase_of(found) == ("SENDING", "FAILED")
