"""Why: a refund the channel refuses is still the buyer's money. It goes by the bank when two
persons say so; and when both pay, the books say so.
"""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from api import inbound
from channels.contract import Notification, Status, Subject
from demo import clockwork
from demo.local_sandbox import CHANNEL, RAIL
from escrow.models import BankRefund, Refund
from escrow.services import bank_refunds as escrow
from escrow.services import refund as refunds
from notifications.models import Event
from payouts.services import bank_refunds as payouts
from payouts.services import sending
from tests import ground, rerouting
from tests.rerouting import approve, bank_says, channel_says, claim, fresh, propose, refused_refund
from tests.world import World, audit

OF_CHANNEL, OF_RAIL = f"refund:{CHANNEL}:in_transit", f"refund:{RAIL}:in_transit"
NAMES = {
    "channel": f"channel:{CHANNEL}:receivable",
    "by channel": OF_CHANNEL,
    "by bank": OF_RAIL,
    "reserve": f"reserve:{RAIL}",
    "loss": "loss:writeoff",
}


def balances(world: World) -> dict[str, int]:
    found = {name: world.balance(address) for name, address in NAMES.items()}
    return {name: amount for name, amount in found.items() if amount}


def told(refund_id: str) -> list[str]:
    rows = Event.objects.filter(subject_id=refund_id).order_by("sequence")
    return list(rows.values_list("type", flat=True))


def test_refused_refund_is_paid_by_the_bank(market: World) -> None:
    refund = refused_refund(market)
    assert balances(market) == {"by channel": 10001, "reserve": 10001}

    found = propose(market, refund)
    assert balances(market) == {"by channel": 10001, "reserve": 10001}
    approve(market, found)
    assert balances(market) == {"by bank": 10001, "reserve": 10001}
    assert claim(market, found) == 1
    bank_says(market, found, Status.SUCCEEDED, provider_reference="SBT1")

    after = fresh(found)
    assert (after.state, after.provider_reference, after.last_four) == ("PAID", "SBT1", "0001")
    assert (after.refund.state, after.refund.done_entry_id) == ("SUCCEEDED", after.paid_entry_id)
    assert balances(market) == {}
    assert told(refund.id) == [
        "refund.created",
        "refund.failed",
        "refund.rerouted",
        "refund.succeeded",
    ]
    facts = Event.objects.get(subject_id=refund.id, type="refund.succeeded").data
    assert (facts["route"], facts["bank_refund"]) == ("BANK", found.id)


def test_account_number_is_sealed(market: World) -> None:
    found = propose(market, refused_refund(market))

    kept = bytes(BankRefund.objects.values_list("account_number", flat=True).get())
    assert b"6222" not in kept
    assert escrow.read_account_number(bank_refund=fresh(found)) == "6222000000000001"


def test_account_number_that_is_none_is_refused(market: World) -> None:
    refund = refused_refund(market)

    refused = ground.refusal(lambda: propose(market, refund, account_number="12"))

    assert refused.code == "bank_account_invalid"
    assert not BankRefund.objects.exists()


def test_proposer_cannot_approve_not_even_past_the_service(market: World) -> None:
    found = propose(market, refused_refund(market))

    refused = ground.refusal(lambda: approve(market, found, "ann"))
    with pytest.raises(DatabaseError, match="bankrefund_two_persons"), transaction.atomic():
        BankRefund.objects.update(approved_by=ground.operator("ann"))

    assert refused.code == "second_person_needed"
    assert rerouting.phase_of(found) == ("PROPOSED", "FAILED")


def test_database_lets_nothing_go_without_a_second_person(market: World) -> None:
    rerouting.in_phase(market, "APPROVED")

    with pytest.raises(DatabaseError, match="approved_by_a_person"), transaction.atomic():
        BankRefund.objects.update(approved_by=None)


def test_database_lets_one_go_at_a_time(market: World) -> None:
    second = fresh(rerouting.in_phase(market, "PROPOSED"))
    second.pk = f"brf_{second.pk[:3:-1]}"

    with pytest.raises(DatabaseError, match="bankrefund_live_once"), transaction.atomic():
        second.save(force_insert=True)


@pytest.mark.parametrize("phase", ["PROPOSED", "APPROVED"])
def test_channel_that_pays_after_all_stops_what_is_not_sent(market: World, phase: str) -> None:
    found = rerouting.in_phase(market, phase)

    channel_says(market, found.refund, Status.SUCCEEDED)

    after = fresh(found)
    assert (after.state, after.failure_code) == ("DROPPED", "channel_paid_after_all")
    assert after.refund.state == "SUCCEEDED"
    assert balances(market) == {"channel": -10001, "reserve": 10001}
    assert claim(market, found) is None


def test_buyer_paid_twice_is_a_loss_and_is_told(market: World) -> None:
    found = rerouting.in_phase(market, "PAID+CHANNEL")

    channel_says(market, found.refund, Status.SUCCEEDED)  # told twice, booked once

    assert balances(market) == {"channel": -10001, "loss": 10001}
    assert told(found.refund_id)[-2:] == ["refund.succeeded", "refund.paid_twice"]


def test_loss_is_booked_before_the_bank_has_said_that_it_paid(market: World) -> None:
    found = rerouting.in_phase(market, "SENDING+CHANNEL")
    assert balances(market) == {
        "channel": -10001,
        "by bank": 10001,
        "reserve": 10001,
        "loss": 10001,
    }
    assert "refund.paid_twice" not in told(found.refund_id)

    bank_says(market, found, Status.SUCCEEDED)

    assert balances(market) == {"channel": -10001, "loss": 10001}
    assert told(found.refund_id)[-1] == "refund.paid_twice"


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        ("SENDING+CHANNEL", Status.FAILED),
        ("SENDING+CHANNEL", Status.RETURNED),
        ("PAID+CHANNEL", Status.RETURNED),
    ],
)
def test_loss_is_gone_when_the_bank_has_not_paid(market: World, phase: str, status: Status) -> None:
    found = rerouting.in_phase(market, phase)

    bank_says(market, found, status)

    assert balances(market) == {"channel": -10001, "reserve": 10001}
    assert fresh(found).refund.state == "SUCCEEDED"
    channel_says(market, found.refund, Status.SUCCEEDED)
    assert balances(market) == {"channel": -10001, "reserve": 10001}


def test_returned_refund_is_owed_again_and_goes_to_another_account(market: World) -> None:
    found = rerouting.in_phase(market, "RETURNED")
    assert fresh(found).refund.state == "FAILED"
    assert balances(market) == {"by channel": 10001, "reserve": 10001}

    second = propose(market, found.refund, account_number="6222000000000009")
    approve(market, second)
    assert claim(market, second) == 1
    bank_says(market, second, Status.SUCCEEDED)

    assert rerouting.phase_of(second) == ("PAID", "SUCCEEDED")
    assert balances(market) == {}


def test_channel_is_asked_again_under_the_same_reference(market: World) -> None:
    refund = refused_refund(market)

    escrow.ask_channel_again(refund_id=refund.id, at=market.now)

    again = Refund.objects.get(pk=refund.pk)
    assert (again.state, again.due_at, again.failure_code) == ("PENDING", market.now, "")
    assert refunds.claim_refund(refund_id=refund.id, at=market.now)
    channel_says(market, refund, Status.SUCCEEDED)
    assert balances(market) == {"channel": -10001, "reserve": 10001}
    assert "refund.asked_again" in told(refund.id)


def test_bank_refund_waits_for_the_reserve_and_counts_there(market: World) -> None:
    found = propose(market, refused_refund(market))
    approve(market, found)
    payout = ground.cut_payout(market)
    ground.remit(market, 9490)  # one fen too little for both

    assert sending.claim_payout(payout_id=payout.id, at=market.now) == 1
    assert claim(market, found) is None
    ground.remit(market, 511, number="SBM-more")
    assert claim(market, found) == 1
    assert fresh(found).due_at == market.now + sending.LEASE


def test_payout_waits_for_a_bank_refund_that_is_being_paid(market: World) -> None:
    rerouting.in_phase(market, "SENDING")
    payout = ground.cut_payout(market)
    ground.remit(market, 9490)

    assert sending.claim_payout(payout_id=payout.id, at=market.now) is None


def test_parked_refund_ends_by_two_persons(market: World) -> None:
    found = rerouting.in_phase(market, "PARKED")
    moves = rerouting.moves(market, found)
    moves["say_outcome"]()

    own = ground.refusal(
        lambda: payouts.confirm_bank_outcome(
            bank_refund_id=found.id,
            outcome="PAID",
            operator=ground.operator("ann"),
            at=market.now,
        )
    )
    moves["confirm_outcome"]()

    assert own.code == "second_person_needed"
    after = fresh(found)
    assert (after.state, after.outcome_confirmed_by, after.evidence) == (
        "PAID",
        ground.operator("ben"),
        "line 7",
    )
    assert balances(market) == {}


def test_parked_refund_that_was_not_paid_is_owed_again(market: World) -> None:
    found = rerouting.in_phase(market, "PARKED")
    key = {"bank_refund_id": found.id, "outcome": "NOT_PAID", "at": market.now}
    payouts.claim_bank_outcome(evidence="a letter", operator=ground.operator("ann"), **key)

    payouts.confirm_bank_outcome(operator=ground.operator("ben"), **key)

    assert rerouting.phase_of(found) == ("FAILED", "FAILED")
    assert balances(market) == {"by channel": 10001, "reserve": 10001}


def test_amount_that_is_not_ours_is_refused(market: World) -> None:
    found = rerouting.in_phase(market, "SENDING")

    refused = ground.refusal(lambda: bank_says(market, found, Status.SUCCEEDED, amount_minor=10002))

    assert refused.code == "payout_mismatch"
    assert rerouting.phase_of(found) == ("SENDING", "FAILED")


def test_notification_of_the_bank_finds_the_refund(market: World) -> None:
    found = rerouting.in_phase(market, "SENDING")
    answer = rerouting.answer(Status.SUCCEEDED, reference=found.id, amount_minor=10001)

    inbound._act("rails/sandbox-bank", Notification("e1", Subject.PAYOUT, answer), at=market.now)

    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")
    unknown = rerouting.answer(Status.SUCCEEDED, reference="brf_0", amount_minor=1)
    refused = ground.refusal(
        lambda: inbound._act(
            "rails/sandbox-bank", Notification("e2", Subject.PAYOUT, unknown), at=market.now
        )
    )
    assert refused.code == "bank_refund_not_found"


def test_audit_finds_a_state_its_entries_do_not_say(market: World) -> None:
    found = rerouting.in_phase(market, "APPROVED")
    assert audit() == []

    with transaction.atomic():
        BankRefund.objects.filter(pk=found.pk).update(state="DROPPED")
        wrong = {violation.check for violation in audit()}
        transaction.set_rollback(True)

    assert wrong == {"escrow.refunds_in_transit", "escrow.bank_refund_is_booked"}


# With the sandbox


@pytest.fixture
def sold(world: World) -> Refund:
    """A canceled order whose refund the sandbox channel refuses."""
    order, _token = world.create_order()
    world.pay(order)
    world.remit()
    world.sandbox.channel.faults.add(operation="refund", fault="fail_later", times=1)
    refunds.cancel_paid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    world.settle()
    refund = Refund.objects.get()
    assert refund.state == "FAILED"
    return refund


def test_sandbox_bank_pays_the_buyer_once(world: World, sold: Refund) -> None:
    found = propose(world, sold)
    approve(world, found)

    world.settle()

    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")
    assert world.sandbox.bank.executions() == {found.id: 1}
    assert clockwork.next_due_at() is None or clockwork.next_due_at() > world.now


def test_bank_that_answers_nothing_is_asked_and_has_paid_once(world: World, sold: Refund) -> None:
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_after", times=1)
    world.sandbox.bank.faults.add(operation="notify_payout", fault="drop", times=9)
    found = propose(world, sold)
    approve(world, found)

    world.settle()
    assert rerouting.phase_of(found)[0] == "UNKNOWN"
    world.pass_time(minutes=2)
    world.settle()

    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")
    assert world.sandbox.bank.executions() == {found.id: 1}


def test_sender_that_died_before_the_call_is_followed_by_one_that_calls(
    world: World, sold: Refund
) -> None:
    found = propose(world, sold)
    approve(world, found)
    assert claim(world, found) == 1  # and the process is gone

    world.run_until(world.now + timedelta(minutes=3))

    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")
    assert fresh(found).attempts == 2
    assert world.sandbox.bank.executions() == {found.id: 1}


def test_sender_that_died_after_the_call_has_paid_once(
    world: World, sold: Refund, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = propose(world, sold)
    approve(world, found)
    world.sandbox.bank.faults.add(operation="notify_payout", fault="drop", times=9)
    with monkeypatch.context() as dying:
        dying.setattr(payouts, "record_bank_answer", lambda **_answer: found)
        payouts.submit_bank_refund(
            bank_refund_id=found.id, attempt=claim(world, found) or 0, at=world.now
        )
    assert rerouting.phase_of(found) == ("SENDING", "FAILED")

    world.run_until(world.now + timedelta(minutes=3))

    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")
    assert fresh(found).attempts == 1
    assert world.sandbox.bank.executions() == {found.id: 1}


def test_closed_account_leaves_the_refund_to_be_sent_again(world: World, sold: Refund) -> None:
    found = propose(world, sold, account_number="6222000000000002")
    approve(world, found)

    world.settle()

    assert rerouting.phase_of(found) == ("FAILED", "FAILED")
    assert fresh(found).failure_code == "ACCOUNT_CLOSED"


def test_forgetful_bank_is_not_sent_it_again(forgetful_world: World) -> None:
    world = forgetful_world
    order, _token = world.create_order()
    world.pay(order)
    world.remit()
    world.sandbox.channel.faults.add(operation="refund", fault="fail_later", times=1)
    refunds.cancel_paid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    world.settle()
    world.sandbox.bank.faults.add(operation="payout", fault="timeout_before", times=1)
    found = propose(world, Refund.objects.get())
    approve(world, found)

    world.settle()
    world.run_until(world.now + timedelta(minutes=5))

    assert rerouting.phase_of(found) == ("PARKED", "FAILED")
    assert world.sandbox.bank.executions() == {}
