"""Why: once the bank has been asked, nothing brings the money back. What a freeze of a payout, or
of its seller, stops, and that all of it goes on after.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from channels.contract import Status
from common.errors import DomainError
from escrow.models import Freeze, FreezeKind
from escrow.services import order_refunds
from orders.models import Order
from payouts import selectors, sweeps
from payouts.models import Cadence, Payout
from payouts.services import approval, cutoff, sending
from tests import freezing, ground
from tests import world as worlds
from tests.payouts.test_payout_actions import STATES, payout_in
from tests.world import World, audit

HOUR = timedelta(hours=1)
FREEZES = {
    "payout": lambda world, payout: freezing.freeze_payout(world, payout),
    "seller": lambda world, payout: freezing.freeze_seller(world),
}


def approved_payout(world: World) -> Payout:
    """One the bank is about to be sent: the reserve covers it."""
    payout = ground.cut_payout(world)
    ground.remit(world, 10001)
    return payout


def state_of(payout: Payout) -> str:
    return Payout.objects.get(pk=payout.pk).state


@pytest.mark.parametrize("state", STATES)
def test_payout_is_frozen_only_before_the_bank_has_heard_of_it(market: World, state: str) -> None:
    payout = payout_in(market, state)
    if state in ("PENDING", "APPROVED"):
        freeze = freezing.freeze_payout(market, payout)
        assert (freeze.subject, freeze.platform) == (payout.id, market.platform)
        return

    refused = ground.refusal(lambda: freezing.freeze_payout(market, payout))

    assert (refused.code, refused.status) == ("freeze_too_late", 409)
    assert not Freeze.objects.exists()


def test_unknown_payout_is_not_frozen(market: World) -> None:
    unknown = Payout(id="po_none")

    assert ground.refusal(lambda: freezing.freeze_payout(market, unknown)).code == (
        "payout_not_found"
    )


@pytest.mark.parametrize("what", FREEZES)
def test_frozen_payout_is_not_sent_until_the_freeze_is_lifted(market: World, what: str) -> None:
    payout = approved_payout(market)
    freeze = FREEZES[what](market, payout)
    before = ground.trial()
    assert selectors.next_question(platform_id=market.platform.id) is None

    claimed = sending.claim_payout(payout_id=payout.id, at=market.now)
    due = selectors.unsent_payouts().count()

    assert (claimed, due, state_of(payout), ground.trial()) == (None, 0, "APPROVED", before)
    freezing.lift(freeze)
    assert selectors.unsent_payouts().get() == payout
    assert sending.claim_payout(payout_id=payout.id, at=market.now) == 1


@pytest.mark.parametrize("what", FREEZES)
def test_frozen_payout_is_not_approved_until_the_freeze_is_lifted(market: World, what: str) -> None:
    payout = ground.cut_payout(market, approval_above_minor=1)
    freeze = FREEZES[what](market, payout)
    approver = ground.operator("approver")

    refused = ground.refusal(lambda: ground.approve(market, payout, approver))

    assert (refused.code, refused.status) == ("payout_frozen", 409)
    assert freezing.WHY not in refused.sentence
    freezing.lift(freeze)
    assert ground.approve(market, payout, approver).state == "APPROVED"


def refuse(world: World, payout: Payout) -> Payout:
    return approval.refuse_payout(
        payout_id=payout.id, operator=ground.operator("ben"), reason="odd", at=world.now
    )


def test_frozen_payout_is_not_refused(market: World) -> None:
    payout = ground.cut_payout(market, approval_above_minor=1)
    freezing.freeze_payout(market, payout)

    assert ground.refusal(lambda: refuse(market, payout)).code == "payout_frozen"


def test_payout_of_a_frozen_seller_may_be_refused_for_refunds(market: World) -> None:
    payout = ground.cut_payout(market, approval_above_minor=1)
    freezing.freeze_seller(market)

    refuse(market, payout)
    order_refunds.refund_order(order_id=Order.objects.get().id, reason="odd", at=market.now)

    assert state_of(payout) == "FAILED"
    assert market.balance(f"merchant:{market.merchants[0].id}:payable") == 0


def test_failed_payout_of_a_frozen_seller_is_not_replaced(market: World) -> None:
    payout = ground.failed_payout(market)
    freeze = freezing.freeze_seller(market)
    operator = ground.operator("ann")

    def replace() -> Payout:
        return cutoff.replace_payout(payout_id=payout.id, requested_by=operator, at=market.now)

    assert ground.refusal(replace).code == "payout_frozen"
    freezing.lift(freeze)
    assert replace().state == "PENDING"


def test_frozen_seller_sells_and_is_paid_out_after_the_freeze(market: World) -> None:
    freeze = freezing.freeze_seller(market)
    ground.released_order(market)
    schedule = ground.schedule(market)

    cut = cutoff.cut_settlements(schedule_id=schedule.pk, at=market.now)
    swept = sweeps.cut_due_settlements(at=market.now)

    assert (cut, swept) == ([], 0)
    assert market.balance(f"merchant:{market.merchants[0].id}:payable") == 9491
    freezing.lift(freeze)
    assert sweeps.cut_due_settlements(at=market.now) == 1
    assert Payout.objects.get().amount_minor == 9491


def test_cutoff_missed_under_a_freeze_is_made_up_for_at_once(market: World) -> None:
    freeze = freezing.freeze_seller(market)
    ground.released_order(market)
    due = market.now + HOUR
    ground.schedule(market, cadence=Cadence.DAILY, next_cutoff_at=due)
    assert selectors.next_due(platform_id=market.platform.id) is None

    freezing.lift(freeze, at=due + HOUR)

    assert selectors.next_due(platform_id=market.platform.id) == due
    assert sweeps.cut_due_settlements(at=due + HOUR) == 1


def test_freeze_of_one_seller_leaves_the_others_and_the_platform_alone(market: World) -> None:
    other = market.add_merchant()
    worlds.add_payee(market.platform, None, worlds.PAYS, at=market.now)
    freezing.freeze_seller(market)
    ground.released_order(market)
    ground.released_order(market, other)

    sweeps.cut_due_settlements(at=market.now)

    paid = set(Payout.objects.values_list("merchant_id", flat=True))
    assert paid == {other.id, None}


def test_seller_is_paid_when_the_last_freeze_is_lifted(market: World) -> None:
    payout = approved_payout(market)
    first = freezing.freeze_seller(market)
    last = freezing.freeze_payout(market, payout, kind=FreezeKind.RISK)

    freezing.lift(first)
    between = sending.claim_payout(payout_id=payout.id, at=market.now)
    freezing.lift(last)

    assert between is None
    assert sending.claim_payout(payout_id=payout.id, at=market.now) == 1


def test_payout_the_bank_never_got_is_not_sent_again_under_a_freeze(market: World) -> None:
    payout = ground.sent_payout(market)
    ground.answer_payout(market, payout, Status.UNKNOWN)
    freeze = freezing.freeze_seller(market)

    attempt = sending._claim_again(payout_id=payout.id, at=market.now)

    waiting = Payout.objects.get(pk=payout.pk)
    assert (attempt, waiting.state, waiting.attempts) == (None, "UNKNOWN", 1)
    assert waiting.due_at == market.now + HOUR
    freezing.lift(freeze)
    assert sending._claim_again(payout_id=payout.id, at=market.now) == 2


def test_word_of_the_bank_is_booked_under_a_freeze(market: World) -> None:
    payout = ground.sent_payout(market)
    freezing.freeze_seller(market)

    ground.answer_payout(market, payout, Status.SUCCEEDED)

    assert state_of(payout) == "PAID"


@pytest.mark.parametrize("what", ["payout", "seller", None])
def test_selector_says_which_payouts_are_frozen(market: World, what: str | None) -> None:
    payout = approved_payout(market)
    if what:
        freeze = FREEZES[what](market, payout)
        freezing.propose(freeze)

    assert selectors.frozen_payouts().count() == bool(what)


# Through the sweeps, with the sandbox's bank


@pytest.mark.parametrize("what", FREEZES)
def test_bank_hears_of_a_frozen_payout_only_after_the_freeze(world: World, what: str) -> None:
    order, _token = world.create_order()
    world.pay(order)
    world.ship(order)
    world.remit()
    world.confirm(order)
    sweeps.cut_due_settlements(at=world.now)
    payout = Payout.objects.get(merchant=world.merchants[0])
    freeze = FREEZES[what](world, payout)

    world.pass_time(days=3)
    before = (state_of(payout), Payout.objects.get(pk=payout.pk).attempts)
    freezing.lift(freeze, at=world.now)
    world.settle()

    assert before == ("APPROVED", 0)
    assert (state_of(payout), Payout.objects.get(pk=payout.pk).attempts) == ("PAID", 1)


# The audit


def audited(statement: str, *values: Any) -> list[str]:
    """What the audits find when somebody has written this around the services."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement, values)
        found = [each.check for each in audit()]
        transaction.set_rollback(True)
    return found


def test_audit_names_a_frozen_payout_that_was_sent(market: World) -> None:
    payout = approved_payout(market)
    freezing.freeze_payout(market, payout)

    found = audited("UPDATE payouts_payout SET state = 'SENDING' WHERE id = %s", payout.id)

    assert found == ["payouts.frozen_payout_waits"]


def test_audit_names_a_payout_of_a_frozen_seller_that_was_sent(market: World) -> None:
    before = approved_payout(market)
    sending.claim_payout(payout_id=before.id, at=market.now)
    freeze = freezing.freeze_seller(market)
    freezing.lift(freeze)
    after = ground.cut_payout(market)
    ground.remit(market, 10001, number="SBM9")
    sending.claim_payout(payout_id=after.id, at=market.now)

    found = audited(
        "UPDATE escrow_freeze SET state = 'PROPOSED', lifted_at = NULL, lifted_by_id = NULL"
    )

    assert found == ["payouts.frozen_seller_waits"]
    assert isinstance(ground.refusal(lambda: freezing.approve(freeze)), DomainError)
