"""A payout nobody knows the fate of: two persons say what became of it, and only they can."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from channels.contract import Answer, Status
from demo import clockwork
from ledger import chart
from merchants.models import User
from payouts.models import NOT_PAID_CODE, Outcome, Payout, PayoutState
from payouts.services import approval, cutoff, sending
from tests import ground
from tests.world import World

PAID, NOT_PAID = Outcome.PAID, Outcome.NOT_PAID
IN_TRANSIT = chart.payout_in_transit("sandbox-bank")
RESERVE = chart.reserve("sandbox-bank")


@pytest.fixture
def ann(forgetful_world: World) -> User:
    return ground.operator("ann")


@pytest.fixture
def ben(forgetful_world: World) -> User:
    return ground.operator("ben")


@pytest.fixture
def parked(forgetful_world: World) -> Payout:
    """A payout of 94.91 the forgetful bank has never heard of, past its finality window."""
    world = forgetful_world
    order, _token = world.create_order()
    world.pay(order)
    world.remit()
    world.ship(order)
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_before", times=2)
    world.confirm(order)
    world.pass_time(minutes=5)
    payout = Payout.objects.get(merchant=world.merchants[0])
    assert payout.state == PayoutState.UNKNOWN
    assert payout.parked_at is not None
    return payout


def claim(world: World, payout: Payout, person: User, outcome: str) -> Payout:
    return approval.claim_outcome(
        payout_id=payout.id,
        outcome=outcome,
        evidence="statement line 7",
        operator=person,
        at=world.now,
    )


def confirm(world: World, payout: Payout, person: User, outcome: str) -> Payout:
    return approval.confirm_outcome(
        payout_id=payout.id, outcome=outcome, operator=person, at=world.now
    )


def money(world: World) -> list[int]:
    payable = chart.merchant_payable(world.merchants[0].id)
    return [world.balance(address) for address in (payable, IN_TRANSIT, RESERVE)]


def test_not_paid_gives_the_money_back_when_the_second_person_agrees(
    forgetful_world: World, parked: Payout, ann: User, ben: User
) -> None:
    claim(forgetful_world, parked, ann, NOT_PAID)
    assert money(forgetful_world) == [0, 9941, 10001]

    done = confirm(forgetful_world, parked, ben, NOT_PAID)

    assert money(forgetful_world) == [9491, 450, 10001]
    assert (done.state, done.failure_code, done.parked_at) == ("FAILED", NOT_PAID_CODE, None)
    replaced = cutoff.replace_payout(payout_id=parked.id, requested_by=ann, at=forgetful_world.now)
    assert replaced.id != parked.id
    claim_and_confirm_the_platform(forgetful_world, ann, ben)


def test_paid_takes_it_out_of_the_reserve_when_the_second_person_agrees(
    forgetful_world: World, parked: Payout, ann: User, ben: User
) -> None:
    world = forgetful_world
    claim(world, parked, ann, PAID)

    done = confirm(world, parked, ben, PAID)

    assert money(world) == [0, 450, 510]
    assert (done.state, done.paid_at, done.parked_at) == ("PAID", world.now, None)


def claim_and_confirm_the_platform(world: World, ann: User, ben: User) -> None:
    other = Payout.objects.get(merchant__isnull=True)
    claim(world, other, ann, NOT_PAID)
    confirm(world, other, ben, NOT_PAID)
    assert money(world)[2] == 10001


def test_first_person_cannot_confirm(forgetful_world: World, parked: Payout, ann: User) -> None:
    claim(forgetful_world, parked, ann, NOT_PAID)

    with pytest.raises(approval.SamePerson):
        confirm(forgetful_world, parked, ann, NOT_PAID)

    assert money(forgetful_world) == [0, 9941, 10001]


@pytest.mark.parametrize("claimed", [None, PAID])
def test_second_person_cannot_confirm_what_nobody_claimed(
    forgetful_world: World, parked: Payout, ann: User, ben: User, claimed: str | None
) -> None:
    if claimed:
        claim(forgetful_world, parked, ann, claimed)

    with pytest.raises(approval.OutcomeNotClaimed):
        confirm(forgetful_world, parked, ben, NOT_PAID)

    assert money(forgetful_world) == [0, 9941, 10001]


def test_claim_needs_evidence(forgetful_world: World, parked: Payout, ann: User) -> None:
    with pytest.raises(approval.EvidenceMissing):
        approval.claim_outcome(
            payout_id=parked.id, outcome=PAID, evidence=" ", operator=ann, at=forgetful_world.now
        )

    parked.refresh_from_db()
    assert parked.claimed_outcome == ""


def test_the_banks_own_word_still_decides_while_two_persons_look(
    forgetful_world: World, parked: Payout, ann: User, ben: User
) -> None:
    world = forgetful_world
    claim(world, parked, ann, NOT_PAID)
    told = Answer(Status.SUCCEEDED, parked.id, "SBT1", parked.amount_minor, parked.currency)
    sending.record_payout_answer(payout_id=parked.id, answer=told, at=world.now)

    with pytest.raises(approval.PayoutNotParked):
        confirm(world, parked, ben, NOT_PAID)

    assert money(world) == [0, 450, 510]


def test_parked_payout_is_left_alone_by_every_sweep(forgetful_world: World, parked: Payout) -> None:
    later = forgetful_world.now + timedelta(days=3)

    clockwork.run_sweeps(at=later)

    parked.refresh_from_db()
    assert (parked.state, parked.attempts) == ("UNKNOWN", 1)
    assert forgetful_world.sandbox.bank.executions() == {}


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("outcome_confirmed_by_id = claimed_by_id", "payout_outcome_two_persons"),
        (f"failure_code = '{NOT_PAID_CODE}'", "payout_given_up_by_two_persons"),
    ],
)
def test_database_wants_two_persons(
    forgetful_world: World, parked: Payout, ann: User, column: str, rule: str
) -> None:
    claim(forgetful_world, parked, ann, NOT_PAID)

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        connection.cursor().execute(
            f"UPDATE payouts_payout SET {column} WHERE id = %s", [parked.id]
        )
