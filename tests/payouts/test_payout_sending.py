"""Payouts against a bank that fails, sends money back, hangs, forgets, and contradicts itself."""

from datetime import timedelta

import pytest

from channels.models import InboundNotification, InboxState
from payouts import sweeps
from payouts.models import Payout
from payouts.services import sending
from tests import world as worlds
from tests.world import World

SECONDS = timedelta(seconds=1)


def released(world: World, *, account_number: str = worlds.PAYS) -> Payout:
    """A seller's payout, cut and covered, not yet sent."""
    seller = (
        world.merchants[0]
        if account_number == worlds.PAYS
        else world.add_merchant(account_number=account_number)
    )
    order, _token = world.create_order(seller)
    world.pay(order)
    world.ship(order)
    world.remit()
    world.confirm(order)
    sweeps.cut_due_settlements(at=world.now)
    return Payout.objects.get(merchant=seller)


def send(world: World) -> None:
    sweeps.send_due_payouts(at=world.now)


def query(world: World, payout: Payout, *, after: timedelta = sending.LEASE) -> Payout:
    world.sandbox.clock.move_to(world.now + after)
    sweeps.query_due_payouts(at=world.now)
    payout.refresh_from_db()
    return payout


@pytest.mark.parametrize(
    ("account", "state", "code"),
    [
        (worlds.PAYS, "PAID", ""),
        (worlds.FAILS, "FAILED", "ACCOUNT_CLOSED"),
        (worlds.RETURNS, "RETURNED", "RETURNED_BY_BENEFICIARY_BANK"),
        (worlds.WAITS, "SENDING", ""),
    ],
)
def test_payout_ends_as_the_bank_decides(world: World, account: str, state: str, code: str) -> None:
    payout = released(world, account_number=account)

    send(world)
    for _ in range(3):
        world.sandbox.tick()

    payout.refresh_from_db()
    assert (payout.state, payout.failure_code) == (state, code)
    assert world.balance("payout:sandbox-bank:in_transit") == 450 + (
        payout.amount_minor if state == "SENDING" else 0
    ) - (450 if Payout.objects.get(merchant=None).state == "PAID" else 0)


@pytest.mark.parametrize(
    "fault", ["timeout_before", "timeout_after", "error_before", "error_after", "torn"]
)
def test_payout_without_an_answer_is_unknown_and_paid_once(world: World, fault: str) -> None:
    payout = released(world)
    world.sandbox.bank.faults.add(operation="payout", fault=fault, times=2)

    send(world)
    payout.refresh_from_db()
    state = payout.state
    world.pass_time(minutes=10)

    payout.refresh_from_db()
    assert (state, payout.state) == ("UNKNOWN", "PAID")
    assert set(world.sandbox.bank.executions().values()) == {1}


def test_forgotten_reference_is_asked_again_only_after_the_finality_window(world: World) -> None:
    payout = released(world)
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_before", times=2)
    send(world)
    states = [
        query(world, payout, after=30 * SECONDS).attempts,
        query(world, payout, after=29 * SECONDS).attempts,
    ]

    resent = query(world, payout, after=31 * SECONDS)

    assert (states, resent.attempts) == ([1, 1], 2)
    assert resent.state == "SENDING"


def test_bank_that_forgets_is_never_sent_the_same_payout_twice(forgetful_world: World) -> None:
    world = forgetful_world
    payout = released(world)
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_before", times=2)
    send(world)

    parked = query(world, payout, after=61 * SECONDS)
    later = query(world, payout, after=timedelta(days=3))

    assert (parked.state, parked.due_at) == ("UNKNOWN", None)
    assert parked.parked_at is not None
    assert later.attempts == 1
    assert world.sandbox.bank.executions() == {}


def test_bank_that_forgets_is_believed_when_it_knows_the_payout(forgetful_world: World) -> None:
    world = forgetful_world
    payout = released(world)
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_after", times=2)
    send(world)

    world.pass_time(minutes=5)

    payout.refresh_from_db()
    assert (payout.state, payout.parked_at) == ("PAID", None)
    assert set(world.sandbox.bank.executions().values()) == {1}


def test_bank_that_takes_back_its_word_is_flagged(world: World) -> None:
    payout = released(world)
    send(world)
    world.sandbox.bank.faults.add(operation="notify_payout", fault="wrong_amount", times=2)

    world.sandbox.tick()

    payout.refresh_from_db()
    assert payout.state == "SENDING"
    notes = InboundNotification.objects.filter(state=InboxState.FLAGGED).values_list(
        "note", flat=True
    )
    assert [note.split(":")[0] for note in notes] == ["payout_mismatch"] * 2
    world.pass_time(minutes=5)
    payout.refresh_from_db()
    assert payout.state == "PAID"


def test_returned_payout_whose_first_word_was_lost_is_booked_in_both_steps(world: World) -> None:
    """RETURNED told of a payout we thought was underway skipped a step of the state
    graph for ever.
    """
    payout = released(world, account_number=worlds.RETURNS)
    world.sandbox.bank.faults.add(operation="notify_payout", fault="drop", times=9)
    send(world)
    for _ in range(3):
        world.sandbox.tick()

    query(world, payout)

    assert payout.state == "RETURNED"
    assert world.balance(f"merchant:{payout.merchant_id}:payable") == payout.amount_minor
