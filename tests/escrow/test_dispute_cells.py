"""Why: a dispute is where two sides try everything. Every phase against every move, and what each
leaves behind.
"""

import pytest
from django.db import DatabaseError, connection, transaction

from common.errors import DomainError
from escrow.models import CLOSED, Dispute, DisputeState
from escrow.services.disputes import chargebacks
from tests import disputing, ground
from tests.disputing import PHASES
from tests.world import World

# move -> the phases it is allowed in, and the phase it leads to
MOVES = {
    "accept": {"OPEN/MERCHANT": "RESOLVED/"},
    "offer": {"OPEN/MERCHANT": "ANSWERED/BUYER"},
    "contest": {"OPEN/MERCHANT": "ANSWERED/OPERATOR"},
    "accept_offer": {"ANSWERED/BUYER": "RESOLVED/"},
    "decline_offer": {"ANSWERED/BUYER": "ANSWERED/OPERATOR"},
    "withdraw": {phase: "WITHDRAWN/" for phase in PHASES if phase.startswith(("OPEN", "ANSWERED"))},
    "send_back": {"RETURNING/BUYER": "RETURNING/MERCHANT"},
    "receive_return": {"RETURNING/MERCHANT": "RESOLVED/"},
    "refuse_return": {"RETURNING/MERCHANT": "RETURNING/OPERATOR"},
    "propose": {phase: phase for phase in PHASES if phase.endswith("OPERATOR")},
    "approve": {},  # nobody has proposed anything; see below
    "evidence": {phase: phase for phase in PHASES if not phase.endswith("/")},
    "lapse": {
        "OPEN/MERCHANT": "OPEN/OPERATOR",
        "OPEN/OPERATOR": "RESOLVED/",
        "ANSWERED/BUYER": "RESOLVED/",
        "ANSWERED/OPERATOR": "RESOLVED/",
        "RETURNING/BUYER": "RESOLVED/",
        "RETURNING/MERCHANT": "RESOLVED/",
        "RETURNING/OPERATOR": "RESOLVED/",
    },
}
CELLS = [(phase, move) for phase in PHASES for move in MOVES]
ALLOWED = [(phase, move) for phase, move in CELLS if phase in MOVES[move]]
REFUSED = [(p, m) for p, m in CELLS if (p, m) not in ALLOWED and m != "lapse"]


def phase_of(dispute: Dispute) -> str:
    now = disputing.fresh(dispute)
    return f"{now.state}/{now.waits_for}"


@pytest.mark.parametrize(("phase", "move"), ALLOWED)
def test_move_leads_on_where_it_is_allowed(market: World, phase: str, move: str) -> None:
    dispute = disputing.dispute_in(market, phase)

    disputing.moves(dispute)[move]()

    assert phase_of(dispute) == MOVES[move][phase]
    after = disputing.fresh(dispute)
    frozen = after.order.hold.state == "FROZEN"
    assert frozen is (after.state not in CLOSED)


@pytest.mark.parametrize(("phase", "move"), REFUSED)
def test_move_is_refused_everywhere_else(market: World, phase: str, move: str) -> None:
    dispute = disputing.dispute_in(market, phase)
    steps = dispute.steps.count()

    refused = ground.refusal(disputing.moves(dispute)[move])

    wanted = "decision_not_proposed" if phase.endswith("OPERATOR") else "dispute_state_conflict"
    assert (refused.code, refused.status) == (
        wanted if move == "approve" else "dispute_state_conflict",
        409,
    )
    assert phase_of(dispute) == phase
    assert dispute.steps.count() == steps


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase.endswith("OPERATOR")])
def test_proposed_decision_is_carried_out_once_approved(market: World, phase: str) -> None:
    dispute = disputing.dispute_in(market, phase)
    moves = disputing.moves(dispute)
    moves["propose"]()

    moves["approve"]()

    after = disputing.fresh(dispute)
    assert (after.state, after.resolution, after.resolved_minor, after.resolved_by) == (
        DisputeState.RESOLVED,
        "PARTIAL",
        3333,
        "OPERATOR",
    )


# The same with goods that go back first, and what ends a dispute from outside.
MORE_MOVES = {
    "accept_offer with a return": {"ANSWERED/BUYER": "RETURNING/BUYER"},
    "decision with a return": dict.fromkeys(
        ("OPEN/OPERATOR", "ANSWERED/OPERATOR"), "RETURNING/BUYER"
    ),
    "chargeback": {phase: "WITHDRAWN/" for phase in PHASES if not phase.endswith("/")},
}
MORE_CELLS = [(phase, move) for move, leads in MORE_MOVES.items() for phase in PHASES]


@pytest.mark.parametrize(("phase", "move"), MORE_CELLS)
def test_return_or_chargeback_leads_on_where_it_may(market: World, phase: str, move: str) -> None:
    dispute = disputing.dispute_in(market, phase)
    if move.startswith("accept_offer") and phase == "ANSWERED/BUYER":
        dispute = disputing.offer(disputing.open_dispute(market), needs_return=True)
    before, trial = phase_of(dispute), ground.trial()

    refused = _try(market, dispute, move)

    wanted = MORE_MOVES[move].get(phase)
    assert phase_of(dispute) == (wanted or before)
    assert (refused is None) == (
        wanted is not None or (phase == "WITHDRAWN/" and move == "chargeback")
    )
    assert refused is None or ground.trial() == trial


def _try(world: World, dispute: Dispute, move: str) -> DomainError | None:
    at = disputing.fresh(dispute).steps.latest("position").at
    acts = {
        "accept_offer with a return": disputing.moves(dispute)["accept_offer"],
        "decision with a return": lambda: disputing.decide(dispute, 3333, needs_return=True),
        "chargeback": lambda: chargebacks.record_chargeback(
            payment_id=dispute.order.payment_parts.get().payment_id,
            provider_reference="SBC1",
            amount_minor=10001,
            currency="CNY",
            at=at,
        ),
    }
    try:
        acts[move]()
    except DomainError as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("state", "to"),
    [("OPEN/MERCHANT", "RESOLVED"), ("RESOLVED/", "OPEN"), ("WITHDRAWN/", "ANSWERED")],
)
def test_database_refuses_a_move_by_hand(market: World, state: str, to: str) -> None:
    dispute = disputing.dispute_in(market, state)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE escrow_dispute SET state = %s WHERE id = %s", [to, dispute.id])

    assert phase_of(dispute) == state


def test_database_refuses_a_second_open_dispute(market: World) -> None:
    dispute = disputing.open_dispute(market)
    dispute.pk, dispute._state.adding = "dsp_second", True

    with pytest.raises(DatabaseError, match="dispute_open_once"), transaction.atomic():
        dispute.save(force_insert=True)
