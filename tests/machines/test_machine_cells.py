"""Why: a state nobody thought of is where money is lost. Every state of every machine against every
act and every transition, generated from the machines, so that a new one without a cell fails.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django_fsm import TransitionNotAllowed

from common.errors import DomainError
from docs.build import _machines
from escrow.models import Dispute
from orders.models import Order
from tests import cells, disputing, freezing, ground, rerouting
from tests.account_cells import BANK_ACCOUNT
from tests.cells import Machine, state_of
from tests.debit_cells import DEBIT_REQUEST
from tests.desk_cells import CORRECTION, JOB, PROPOSAL
from tests.escrow import test_dispute_cells as disputes
from tests.escrow import test_freezes as freezes
from tests.orders import test_order_actions as orders
from tests.payouts import test_bank_refund_cells as bank_refunds
from tests.payouts import test_payout_actions as payouts
from tests.reserve_cells import RESERVE
from tests.world import World

MACHINES = (*cells.MACHINES, RESERVE, DEBIT_REQUEST, PROPOSAL, CORRECTION, JOB, BANK_ACCOUNT)

CELLS = [
    pytest.param(machine, case, act, id=f"{machine.model.__name__}-{case}-{act}")
    for machine in MACHINES
    for case in machine.cases
    for act in machine.acts
]


@pytest.mark.parametrize(("machine", "case", "act"), CELLS)
def test_act_leads_where_it_may_and_nowhere_else(
    market: World, machine: Machine, case: str, act: str
) -> None:
    row = machine.make(market, case)
    verb, leads = machine.acts[act]
    before, trial = _kept(row), ground.trial()

    try:
        verb(market, row)
        refused = None
    except DomainError as refusal:
        refused = refusal

    after = machine.model.objects.get(pk=row.pk)
    if case in leads:
        assert (after.state, refused) == (leads[case], None)
    else:
        assert (_kept(after), ground.trial()) == (before, trial)
        assert refused is None or refused.code != DomainError.code


def _kept(row: Any) -> tuple[str, int]:
    """The state of a row, and how often it was told of."""
    return row.state, getattr(row, "event_sequence", 0)


# The machines themselves


def order_in(world: World, state: str) -> Order:
    return ground.order_in(world, state)


def dispute_in(world: World, state: str) -> Dispute:
    return disputing.dispute_in(
        world, next(phase for phase in disputing.PHASES if state_of(phase) == state)
    )


MAKERS: dict[str, Callable[[World, str], Any]] = {
    "Order": order_in,
    "Dispute": dispute_in,
    "Payout": payouts.payout_in,
    "Freeze": freezing.freeze_in,
    "BankRefund": rerouting.in_phase,
    **{machine.model.__name__: machine.make for machine in MACHINES},
}
KNOWN = {model.__name__: (model, field) for model, field in _machines()}
STATES = [(name, state) for name, (_, field) in KNOWN.items() for state, _ in field.flatchoices]


def transitions(name: str) -> set[tuple[str, str, str]]:
    model, field = KNOWN[name]
    return {
        (str(each.source), str(each.target), each.method.__name__)
        for each in field.get_all_transitions(model)
    }


@pytest.mark.parametrize(("name", "state"), STATES)
def test_transition_is_allowed_where_the_machine_says_so_and_the_database_agrees(
    market: World, name: str, state: str
) -> None:
    row = MAKERS[name](market, state)
    moves = transitions(name)
    verbs = {verb for _, _, verb in moves}
    allowed = {verb for source, _, verb in moves if source == state}

    refused = {verb for verb in verbs - allowed if _is_refused(getattr(row, verb))}
    targets = {target for of, target in STATES if of == name and target != state}
    moved = {target for target in targets if _database_lets(row, target)}

    assert row.state == state
    assert refused == verbs - allowed
    assert moved == {target for source, target, _ in moves if source == state}


def _is_refused(verb: Callable[[], None]) -> bool:
    try:
        verb()
    except TransitionNotAllowed:
        return True
    return False


def _database_lets(row: Any, target: str) -> bool:
    """Whether the state graph of the table, or a guard that keeps decided rows as they are, lets a
    raw UPDATE pass; another guard may stop it after.
    """
    table = row._meta.db_table
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET state = %s WHERE id = %s", [target, row.pk])
            transaction.set_rollback(True)
    except DatabaseError as error:
        return not any(said in str(error) for said in ("may not go from", "Cannot update rows"))
    return True


# What the tables cover


def _of(*tables: dict[str, str]) -> set[tuple[str, str]]:
    return {(state_of(a), state_of(b)) for table in tables for a, b in table.items()}


# The moves that the cells of other files make, by the same tables.
TRIED = {
    **{machine.model.__name__: machine.moves() for machine in MACHINES},
    "Order": _of(
        *(moves for _, moves in orders.ACTIONS.values()),
        *(moves for _, moves in orders.SWEEPS.values()),
        {"CREATED": "PAID"},  # test_order_payments.py: money for a payment in any state
    ),
    "Freeze": _of(*freezes.MOVES.values()),
    "BankRefund": {("UNKNOWN", "SENDING")}  # the bank is at it: test_bank_refund_cells.py
    | {
        (phase.split("+")[0].replace("PARKED", "UNKNOWN"), target.replace("PARKED", "UNKNOWN"))
        for leads in bank_refunds.MOVES.values()
        for phase, (target, _refund) in leads.items()
    },
    "Dispute": _of(*disputes.MOVES.values(), *disputes.MORE_MOVES.values()),
    "Payout": _of(*payouts.WORDS.values(), *(moves for _, moves, _ in payouts.ACTIONS.values()))
    | {("APPROVED", "SENDING")},  # test_payout_is_claimed_only_when_approved
}


TRIED["Refund"] |= {("SUCCEEDED", "FAILED")}  # the bank returns it: test_bank_refund_cells.py


@pytest.mark.parametrize("name", KNOWN)
def test_every_state_and_every_move_has_a_cell(name: str) -> None:
    moves = {(source, target) for source, target, _ in transitions(name)}

    assert moves - TRIED[name] == set()
    for machine in MACHINES:
        if machine.model.__name__ == name:
            states = {state for of, state in STATES if of == name}
            assert {state_of(case) for case in machine.cases} == states
            assert {case for _, leads in machine.acts.values() for case in leads} <= set(
                machine.cases
            )
