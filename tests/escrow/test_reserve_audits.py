"""Why: somebody who goes around every trigger must not change what is held back of a seller without
the audits saying so. 10001 fen: of the seller's 9491, 15 % is 1424 held back.
"""

import pytest
from django.db import connection, transaction

from escrow.models import ReserveSlice
from escrow.services import order_refunds, reserves
from merchants import services as merchants
from merchants.models import CommissionPlan
from tests import ground
from tests.world import World, audit

SLICES, BOOKED = "escrow.reserve_is_its_slices", "escrow.slice_is_booked"


@pytest.fixture
def kept(market: World) -> ReserveSlice:
    """A slice of 1424 of a released order."""
    plan = CommissionPlan.objects.get()
    merchants.set_plan_reserve(plan_id=plan.pk, reserve_bps=1500, reserve_days=30, at=market.now)
    ground.released_order(market)
    return ReserveSlice.objects.get()


def found_after(statement: str) -> list[tuple[str, str]]:
    """Act as a superuser who switches every trigger off, look, and take it back."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)
        found = [(each.check, each.row) for each in audit()]
        transaction.set_rollback(True)
    return found


def reserve_of(kept: ReserveSlice) -> str:
    return f"merchant:{kept.merchant_id}:reserve"


def test_audits_name_the_slice_that_was_made_smaller(kept: ReserveSlice) -> None:
    assert audit() == []

    found = found_after("UPDATE escrow_reserveslice SET amount_minor = amount_minor - 1")

    assert (SLICES, reserve_of(kept)) in found
    assert (BOOKED, kept.id) in found


def test_audits_name_the_seller_whose_slice_is_gone(kept: ReserveSlice) -> None:
    assert audit() == []

    found = found_after("DELETE FROM escrow_reserveslice")

    assert (SLICES, reserve_of(kept)) in found


def test_audits_name_the_slice_that_was_taken_by_nothing(kept: ReserveSlice) -> None:
    assert audit() == []

    found = found_after("UPDATE escrow_reserveslice SET taken_minor = 7")

    assert (SLICES, reserve_of(kept)) in found
    assert (BOOKED, kept.id) in found


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM escrow_releaseline WHERE freed_slice_id IS NOT NULL",
        "UPDATE escrow_releaseline SET amount_minor = amount_minor + 1"
        " WHERE freed_slice_id IS NOT NULL",
        "UPDATE escrow_reserveslice SET freed_entry_id = NULL",
        "UPDATE ledger_journalentry SET reference = 'reserve-freed:other'"
        " WHERE kind = 'reserve-freed'",
    ],
    ids=["line_deleted", "line_raised", "entry_forgotten", "entry_of_another"],
)
def test_audit_names_the_slice_that_was_not_freed_as_booked(
    market: World, kept: ReserveSlice, statement: str
) -> None:
    assert reserves.free_slice(slice_id=kept.id, at=kept.due_at) == 1424
    assert audit() == []

    found = found_after(statement)

    assert (BOOKED, kept.id) in found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE escrow_reservetaking SET amount_minor = amount_minor - 1",
        "DELETE FROM escrow_reservetaking",
        "UPDATE ledger_journalentry SET reference = 'clawback-reserve:other'"
        " WHERE kind = 'clawback-reserve'",
    ],
    ids=["lowered", "deleted", "entry_of_another"],
)
def test_audit_names_the_slice_whose_taking_is_not_as_booked(
    market: World, kept: ReserveSlice, statement: str
) -> None:
    order_refunds.refund_order(
        order_id=kept.release.hold.order_id, amount_minor=10001, reason="broken", at=market.now
    )
    kept.refresh_from_db()
    assert (kept.state, kept.taken_minor) == ("TAKEN", 1424)
    assert audit() == []

    found = found_after(statement)

    assert (BOOKED, kept.id) in found
