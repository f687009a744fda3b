"""Why: what is booked by hand is where money goes missing in other houses: two persons, a reason,
evidence, and no way into the money of customers, whatever the code says.
"""

from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import transaction

from escrow.models import Correction
from escrow.services import corrections
from ledger import selectors as books
from ledger import services as ledger
from ledger.manual_entries import correction as draft_of
from ledger.models import JournalEntry
from tests import ground
from tests import world as worlds
from tests.world import CHANNEL, RAIL, World

RESERVE, LOSS = f"reserve:{RAIL}", "loss:writeoff"
CHANNEL_OWES = f"channel:{CHANNEL}:receivable"


def propose(world: World, **changes: Any) -> Correction:
    said: dict[str, Any] = {
        "debit_address": LOSS,
        "credit_address": RESERVE,
        "currency": "CNY",
        "amount_minor": 10001,
        "reason": "fee of the bank",
        "evidence": "statement of 23 November, line 4",
        "proposed_by": ground.operator("first"),
        "at": world.now,
    }
    return corrections.propose_correction(**{**said, **changes})


def approve(found: Correction, by: str = "second") -> Correction:
    return corrections.approve_correction(
        correction_id=found.pk, approved_by=ground.operator(by), at=found.proposed_at
    )


def test_entry_by_hand_is_booked_by_a_second_person(world: World) -> None:
    ground.released_order(world)
    found = propose(world)
    before = ground.trial()

    posted = approve(found)

    entry = JournalEntry.objects.get(pk=posted.entry_id)
    assert (posted.state, posted.decided_by) == ("POSTED", ground.operator("second"))
    assert (entry.reference, entry.kind) == (f"correction:{found.pk}", "correction")
    legs = {each.account.address: each.amount_minor for each in entry.postings.all()}
    assert legs == {LOSS: 10001, RESERVE: -10001}
    assert ground.trial() != before
    assert [each.pk for each in books.subject_entries(found.pk)] == [entry.pk]
    assert worlds.audit() == []


def test_own_money_is_topped_up_by_hand_under_the_kind_of_a_top_up(world: World) -> None:
    found = propose(world, debit_address=RESERVE, credit_address="own:topup")

    posted = approve(found)

    assert JournalEntry.objects.get(pk=posted.entry_id).reference == f"topup:{found.pk}"


def test_own_proposal_is_not_booked_and_may_be_taken_back(world: World) -> None:
    found = propose(world)
    before = ground.trial()

    with pytest.raises(corrections.SecondBookkeeper):
        approve(found, by="first")
    dropped = corrections.drop_correction(
        correction_id=found.pk, dropped_by=ground.operator("first"), at=world.now
    )

    assert (dropped.state, dropped.entry_id) == ("DROPPED", None)
    assert ground.trial() == before


def test_nothing_is_decided_twice(world: World) -> None:
    found = propose(world)
    approve(found)
    before = ground.trial()

    for decide in (
        lambda: approve(found, by="third"),
        lambda: corrections.drop_correction(
            correction_id=found.pk, dropped_by=ground.operator("third"), at=world.now
        ),
    ):
        with pytest.raises(corrections.CorrectionDecided):
            decide()
    with pytest.raises(corrections.CorrectionNotFound):
        approve(Correction(pk="cor_0", proposed_at=world.now))

    assert ground.trial() == before


@pytest.mark.parametrize(
    ("debit", "credit"),
    [
        ("held", RESERVE),
        (RESERVE, "held"),
        (RESERVE, "fee:service"),
        (LOSS, "merchant:mer_1:payable"),
        (f"unidentified:{RAIL}", "own:topup"),
        (f"unidentified:{RAIL}", f"fee:channel:{CHANNEL}"),
        (RESERVE, RESERVE),
        ("nowhere", RESERVE),
    ],
)
def test_entry_by_hand_reaches_no_customers_money_and_no_income(
    world: World, debit: str, credit: str
) -> None:
    before = ground.trial()

    with pytest.raises(corrections.CorrectionInvalid):
        propose(world, debit_address=debit, credit_address=credit)

    assert not Correction.objects.exists()
    assert ground.trial() == before


def test_books_refuse_a_route_that_the_service_would_let_through(world: World) -> None:
    order = ground.paid_order(world)
    before = ground.trial()
    stolen = draft_of(
        correction_id=order.id,
        debit_address="held",
        credit_address=RESERVE,
        amount_minor=10001,
        currency="CNY",
    )

    with pytest.raises(ledger.ForbiddenRoute), transaction.atomic():
        ledger.post(draft=stolen, at=world.now)

    assert ground.trial() == before


@pytest.mark.parametrize(
    "wrong",
    [{"amount_minor": 0}, {"amount_minor": -1}, {"reason": " "}, {"evidence": ""}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_proposal_without_amount_reason_or_evidence_is_refused(
    world: World, wrong: dict[str, Any]
) -> None:
    with pytest.raises(corrections.CorrectionInvalid):
        propose(world, **wrong)

    assert not Correction.objects.exists()


def test_database_refuses_the_same_person_a_change_and_a_deletion(world: World) -> None:
    found = propose(world)
    first, second = ground.operator("first"), ground.operator("second")
    entry = approve(propose(world, amount_minor=3)).entry_id
    spare = {"decided_at": world.now, "state": "POSTED"}
    rows = Correction.objects.filter(pk=found.pk)
    approved = Correction.objects.filter(entry_id=entry)
    JournalEntry.objects.get(pk=entry)

    for attempt in (
        lambda: rows.update(**spare, decided_by=first),
        lambda: rows.update(**spare, decided_by=second),  # without an entry
        lambda: rows.update(amount_minor=20002),
        lambda: rows.update(evidence="none"),
        lambda: rows.delete(),
        lambda: approved.update(state="PROPOSED"),
        lambda: approved.update(decided_by=first),
        lambda: approved.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()

    found.refresh_from_db()
    assert (found.state, found.amount_minor) == ("PROPOSED", 10001)


def test_accounts_offered_are_exactly_those_that_a_proposal_may_name(world: World) -> None:
    debits, credits = corrections.addresses(side="D"), corrections.addresses(side="C")

    assert RESERVE in debits
    assert CHANNEL_OWES in credits
    assert "own:topup" not in debits
    for address in (*debits, *credits):
        assert not address.startswith(("held", "merchant", "platform", "party", "fee:service"))
