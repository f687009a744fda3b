"""Why: the platform pays for a seller only after the seller itself was asked and had its time; a
guarantee that overtakes the request takes the platform's money for a debt that was being paid.
"""

from datetime import timedelta
from typing import Any

import pytest

from escrow import sweeps
from escrow.models import DebitRequest, Debt
from escrow.services import debit_requests, debts
from merchants import services as merchants
from merchants.models import CommissionPlan
from tests import ground, owing
from tests.world import World

TERM = timedelta(days=14)
DAY = timedelta(days=1)


def guaranteed_debt(world: World, *, days: int) -> Debt:
    merchants.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=days, at=world.now)
    debt = owing.seller_in_debt(world)
    world.add_merchant()
    for _ in range(2):  # commission of 900 to pay with
        ground.released_order(world, world.merchants[-1])
    return debt


def steps(debt: Debt) -> list[tuple[str, int]]:
    return list(debt.steps.order_by("id").values_list("kind", "amount_minor"))


@pytest.mark.parametrize(
    ("days", "asked", "guaranteed"),
    [(0, 0, 14), (7, 0, 14), (14, 0, 14), (15, 1, 15), (28, 14, 28), (60, 14, 60)],
)
def test_seller_has_its_term_before_the_guarantee_begins(
    world: World, days: int, asked: int, guaranteed: int
) -> None:
    debt = guaranteed_debt(world, days=days)

    assert debt.request_at == debt.created_at + asked * DAY
    assert debt.guaranteed_at == debt.created_at + guaranteed * DAY


def test_guarantee_shorter_than_the_term_pays_after_it(world: World) -> None:
    debt = guaranteed_debt(world, days=7)
    sweeps.request_due_debits(at=world.now + ground.US)
    due = DebitRequest.objects.get(debt=debt).due_at
    before = ground.trial()

    early = debts.guarantee_debt(debt_id=debt.pk, at=world.now + 7 * DAY + ground.US)
    last = debts.guarantee_debt(debt_id=debt.pk, at=due - ground.US)
    between = ground.trial()
    paid = debts.guarantee_debt(debt_id=debt.pk, at=due)

    assert (early, last, between, paid) == (0, 0, before, 900)
    assert steps(debt) == [("GUARANTEED", 900)]


def test_request_by_a_person_puts_the_guarantee_off(world: World) -> None:
    debt = guaranteed_debt(world, days=28)
    asked_at = world.now + 13 * DAY + 15 * timedelta(hours=1)
    operator = ground.operator("first")

    request = debit_requests.request_debit(debt_id=debt.pk, asked_by=operator, at=asked_at)

    debt.refresh_from_db()
    assert debt.guaranteed_at == world.now + 28 * DAY  # the seller's term ends before
    assert request.due_at < debt.guaranteed_at
    later = guaranteed_debt(world, days=15)
    debit_requests.request_debit(debt_id=later.pk, asked_by=operator, at=world.now + 10 * DAY)
    later.refresh_from_db()
    assert later.guaranteed_at == world.now + 24 * DAY


def test_guarantee_waits_for_a_request_that_is_late(world: World) -> None:
    debt = guaranteed_debt(world, days=7)
    late = debt.created_at + 90 * DAY  # no clockwork ran in between
    before = ground.trial()

    refused = debts.guarantee_debt(debt_id=debt.pk, at=late)
    sweeps.request_due_debits(at=late)
    asked = debts.guarantee_debt(debt_id=debt.pk, at=late + TERM - ground.US)
    between = ground.trial()
    paid = debts.guarantee_debt(debt_id=debt.pk, at=late + TERM)

    assert (refused, asked, between, paid) == (0, 0, before, 900)


def test_term_of_a_request_is_a_setting(world: World, settings: Any) -> None:
    settings.DEBIT_REQUEST_TERM_DAYS = 5
    debt = guaranteed_debt(world, days=7)

    sweeps.request_due_debits(at=debt.created_at + 2 * DAY + ground.US)

    request = DebitRequest.objects.get(debt=debt)
    assert request.due_at == debt.created_at + 7 * DAY + ground.US
    assert Debt.objects.get(pk=debt.pk).guaranteed_at == request.due_at
