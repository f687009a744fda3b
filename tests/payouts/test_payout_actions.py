"""Payouts: every state against every action and every word of the bank, and what the database
refuses by itself.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from channels.contract import Answer, Status
from merchants.models import BankAccount
from payouts.models import Payout, PayoutState
from payouts.services import approval, cutoff, sending
from tests import ground
from tests.world import World

STATES = list(PayoutState.values)


def payout_in(world: World, state: str) -> Payout:
    """A payout in a state, by services only."""
    if state in ("PENDING", "APPROVED"):
        payout = ground.cut_payout(world, approval_above_minor=1)
        if state == "APPROVED":
            ground.approve(world, payout, ground.operator("ann"))
    else:
        payout = ground.sent_payout(world)
        for status in BANK_SAYS.get(state, ()):
            tell(world, payout, status)
    payout.refresh_from_db()
    assert payout.state == state
    return payout


BANK_SAYS = {
    "PAID": [Status.SUCCEEDED],
    "FAILED": [Status.FAILED],
    "UNKNOWN": [Status.UNKNOWN],
    "RETURNED": [Status.SUCCEEDED, Status.RETURNED],
}


def tell(world: World, payout: Payout, status: Status, **changes: object) -> Payout:
    money = {"amount_minor": payout.amount_minor, "currency": payout.currency}
    said = {**(money if status in (Status.SUCCEEDED, Status.RETURNED) else {}), **changes}
    told = Answer(status=status, reference=payout.id, provider_reference="SBT1", **said)  # type: ignore[arg-type]
    return sending.record_payout_answer(payout_id=payout.id, answer=told, at=world.now)


CONTRADICTION = "payout_contradiction"
WORDS: dict[Status, dict[str, str]] = {
    Status.SUCCEEDED: {
        "PENDING": CONTRADICTION,
        "APPROVED": CONTRADICTION,
        "SENDING": "PAID",
        "UNKNOWN": "PAID",
        "PAID": "PAID",
        "FAILED": CONTRADICTION,
        "RETURNED": "RETURNED",
    },
    Status.FAILED: {
        "PENDING": CONTRADICTION,
        "APPROVED": CONTRADICTION,
        "SENDING": "FAILED",
        "UNKNOWN": "FAILED",
        "PAID": CONTRADICTION,
        "FAILED": "FAILED",
        "RETURNED": "RETURNED",
    },
    Status.RETURNED: {
        "PENDING": CONTRADICTION,
        "APPROVED": CONTRADICTION,
        "SENDING": "RETURNED",
        "UNKNOWN": "RETURNED",
        "PAID": "RETURNED",
        "FAILED": CONTRADICTION,
        "RETURNED": "RETURNED",
    },
    Status.PENDING: {
        "PENDING": CONTRADICTION,
        "APPROVED": CONTRADICTION,
        "SENDING": "SENDING",
        "UNKNOWN": "SENDING",
        "PAID": "PAID",
        "FAILED": "FAILED",
        "RETURNED": "RETURNED",
    },
    Status.UNKNOWN: {
        "PENDING": CONTRADICTION,
        "APPROVED": CONTRADICTION,
        "SENDING": "UNKNOWN",
        "UNKNOWN": "UNKNOWN",
        "PAID": "PAID",
        "FAILED": "FAILED",
        "RETURNED": "RETURNED",
    },
}


@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("state", STATES)
def test_word_of_the_bank_moves_a_payout_or_contradicts_it(
    market: World, state: str, status: Status
) -> None:
    payout = payout_in(market, state)
    wanted = WORDS[status][state]

    if wanted == CONTRADICTION:
        assert ground.refusal(lambda: tell(market, payout, status)).code == CONTRADICTION
    else:
        tell(market, payout, status)

    after = Payout.objects.get(pk=payout.pk)
    assert after.state == (state if wanted == CONTRADICTION else wanted)
    assert market.balance("payout:sandbox-bank:in_transit") == (
        after.amount_minor if after.state in ("PENDING", "APPROVED", "SENDING", "UNKNOWN") else 0
    )
    assert market.balance(f"merchant:{payout.merchant_id}:payable") == (
        after.amount_minor if after.state in ("FAILED", "RETURNED") else 0
    )


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.RETURNED])
@pytest.mark.parametrize(
    "wrong", [{"amount_minor": 9490}, {"currency": "USD"}, {"amount_minor": 0}]
)
def test_word_about_another_amount_is_refused(
    market: World, status: Status, wrong: dict[str, object]
) -> None:
    payout = payout_in(market, "SENDING")

    refused = ground.refusal(lambda: tell(market, payout, status, **wrong))

    assert (refused.code, refused.status) == ("payout_mismatch", 422)
    assert Payout.objects.get(pk=payout.pk).state == "SENDING"


def test_word_about_an_unknown_payout_is_refused(market: World) -> None:
    told = Answer(status=Status.FAILED, reference="po_none")

    refused = ground.refusal(
        lambda: sending.record_payout_answer(payout_id="po_none", answer=told, at=market.now)
    )

    assert (refused.code, refused.status) == ("payout_not_found", 404)


def _approve(payout: Payout, world: World) -> Any:
    return ground.approve(world, payout, ground.operator("ben"))


def _refuse(payout: Payout, world: World) -> Any:
    ben = ground.operator("ben")
    return approval.refuse_payout(payout_id=payout.id, operator=ben, reason="odd", at=world.now)


def _replace(payout: Payout, world: World) -> Any:
    return cutoff.replace_payout(
        payout_id=payout.id, requested_by=ground.operator("ben"), at=world.now
    )


ACTIONS: dict[str, tuple[Callable[[Payout, World], Any], dict[str, str], str]] = {
    "approve": (_approve, {"PENDING": "APPROVED"}, "payout_state_conflict"),
    "refuse": (_refuse, {"PENDING": "FAILED"}, "payout_state_conflict"),
    "replace": (_replace, {"FAILED": "FAILED", "RETURNED": "RETURNED"}, "payout_not_replaceable"),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_person_moves_a_payout_or_is_refused_by_its_state(
    market: World, state: str, action: str
) -> None:
    act, moves, code = ACTIONS[action]
    payout = payout_in(market, state)

    if state in moves:
        act(payout, market)
    else:
        refused = ground.refusal(lambda: act(payout, market))

    after = Payout.objects.get(pk=payout.pk)
    assert after.state == moves.get(state, state)
    assert state in moves or refused.code == code
    assert Payout.objects.filter(merchant=payout.merchant_id).count() == 1 + (
        action == "replace" and state in moves
    )


@pytest.mark.parametrize("state", STATES)
def test_payout_is_claimed_only_when_approved(market: World, state: str) -> None:
    payout = payout_in(market, state)
    if state == "APPROVED":
        ground.remit(market, 10001)

    claimed = sending.claim_payout(payout_id=payout.id, at=market.now)

    assert claimed == (1 if state == "APPROVED" else None)


def test_replacement_needs_a_second_person(market: World) -> None:
    ann = ground.operator("ann")
    replacement = cutoff.replace_payout(
        payout_id=payout_in(market, "FAILED").id, requested_by=ann, at=market.now
    )

    refused = ground.refusal(lambda: ground.approve(market, replacement, ann))
    ground.approve(market, replacement, ground.operator("ben"))

    assert (refused.code, refused.status) == ("second_person_needed", 403)
    assert Payout.objects.get(pk=replacement.pk).state == "APPROVED"


def test_database_refuses_the_same_person_twice(market: World) -> None:
    ann = ground.operator("ann")
    replacement = cutoff.replace_payout(
        payout_id=payout_in(market, "FAILED").id, requested_by=ann, at=market.now
    )

    with pytest.raises(DatabaseError, match="payout_two_persons"), transaction.atomic():
        Payout.objects.filter(pk=replacement.pk).update(approved_by=ann)


def test_refusal_of_a_payout_says_why(market: World) -> None:
    payout = payout_in(market, "PENDING")

    refused = ground.refusal(
        lambda: approval.refuse_payout(
            payout_id=payout.id, operator=ground.operator("ben"), reason=" ", at=market.now
        )
    )

    assert (refused.code, refused.status) == ("reason_missing", 422)


def test_replacement_is_refused_without_a_bank_account(market: World) -> None:
    payout = payout_in(market, "RETURNED")
    BankAccount.objects.filter(pk=payout.bank_account_id).update(state="REPLACED")

    refused = ground.refusal(lambda: _replace(payout, market))

    assert refused.code == "bank_account_missing"


def test_payout_waits_until_the_reserve_covers_it(market: World) -> None:
    payout = payout_in(market, "APPROVED")
    ground.remit(market, payout.amount_minor - 1, number="SBM-a")

    short = sending.claim_payout(payout_id=payout.id, at=market.now)
    payout.refresh_from_db()
    ground.remit(market, 1, number="SBM-b")
    covered = sending.claim_payout(payout_id=payout.id, at=market.now)

    assert (short, covered) == (None, 1)
    assert payout.due_at == market.now + sending.COVER_EVERY


def test_payout_underway_counts_against_the_reserve(market: World) -> None:
    first, second = ground.cut_payout(market), ground.cut_payout(market)
    ground.remit(market, 2 * first.amount_minor - 1)

    claimed = [sending.claim_payout(payout_id=each.id, at=market.now) for each in (first, second)]

    assert claimed == [1, None]


MOVES = {
    ("PENDING", "APPROVED"),
    ("PENDING", "FAILED"),
    ("APPROVED", "SENDING"),
    ("SENDING", "PAID"),
    ("SENDING", "FAILED"),
    ("SENDING", "UNKNOWN"),
    ("UNKNOWN", "SENDING"),
    ("UNKNOWN", "PAID"),
    ("UNKNOWN", "FAILED"),
    ("PAID", "RETURNED"),
}


@pytest.mark.parametrize("source", STATES)
def test_database_refuses_every_other_move_of_a_payout(market: World, source: str) -> None:
    payout = payout_in(market, source)

    moved = {target for target in STATES if target != source and _moves(payout, target)}

    assert moved == {target for state, target in MOVES if state == source}


def _moves(payout: Payout, target: str) -> bool:
    """Whether a raw UPDATE gets past the state graph, given the columns the target asks for."""
    columns = "paid_at = now(), paid_entry_id = sent_entry_id, needs_approval = false"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE payouts_payout SET state = %s, {columns} WHERE id = %s",
                [target, payout.pk],
            )
            transaction.set_rollback(True)
    except DatabaseError as error:
        if "may not go from" not in str(error):
            raise
        return False
    return True


def test_lease_of_a_claim_is_over_after_a_minute(market: World) -> None:
    payout = payout_in(market, "SENDING")

    assert payout.due_at == market.now + timedelta(minutes=1)
