"""What operators decide: two persons, one service each, with who and why in the audit row."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import Error as DatabaseError
from django.db import transaction
from django.test import Client

from api import inbound
from channels.models import InboxState
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import BankAccount, CommissionPlan, Proposal, User
from payouts.models import Payout, PayoutSchedule
from payouts.services import bank_accounts
from tests import ground
from tests.admin.conftest import (
    flagged_notification,
    parked_payout,
    pending_payout,
    replaced_payout,
    url,
)
from tests.signing import sign_in
from tests.world import World

WHY = "asked for by phone"


def post(client: Client, name: str, key: Any, **fields: Any) -> Any:
    return client.post(url(name, key), {"reason": WHY, **fields})


def last_audit(row: Any) -> dict[str, str]:
    kept = row.audit.order_by("pgh_id").last()
    return dict(kept.pgh_context)


def test_payout_is_approved_with_actor_and_reason(
    signed_in: Client, operator: User, market: World
) -> None:
    payout = pending_payout(market)
    assert signed_in.get(url("payouts_payout_approve", payout.pk)).status_code == 200

    answer = post(signed_in, "payouts_payout_approve", payout.pk)

    assert answer.status_code == 302
    assert answer["Location"] == url("payouts_payout_change", payout.pk)
    payout.refresh_from_db()
    assert (payout.state, payout.approved_by) == ("APPROVED", operator)
    assert last_audit(payout) == {"actor": f"operator:{operator.pk}", "reason": WHY}


def test_payout_is_approved_by_the_clock_of_its_platform(signed_in: Client, market: World) -> None:
    payout = pending_payout(market)
    merchants.move_clock(platform_id=market.platform.id, offset=timedelta(days=15))

    with time_machine.travel(market.now, tick=False):
        post(signed_in, "payouts_payout_approve", payout.pk)

    payout.refresh_from_db()
    assert payout.approved_at == payout.due_at == market.now + timedelta(days=15)


def test_nothing_is_decided_without_a_reason(signed_in: Client, market: World) -> None:
    payout = pending_payout(market)

    for action in ("approve", "refuse"):
        assert signed_in.post(url(f"payouts_payout_{action}", payout.pk), {}).status_code == 200

    payout.refresh_from_db()
    assert payout.state == "PENDING"


def test_approval_by_the_requester_is_refused_and_by_another_works(
    signed_in: Client, operator: User, second: User, market: World
) -> None:
    payout = replaced_payout(market, operator)
    sentence = "You asked for this payout; another operator has to approve it."
    before = ground.trial()

    shown = signed_in.get(url("payouts_payout_approve", payout.pk)).content.decode()
    refused = post(signed_in, "payouts_payout_approve", payout.pk)

    assert sentence in shown
    assert "disabled" in shown
    assert sentence in signed_in.get(url("payouts_payout_change", payout.pk)).content.decode()
    assert (refused.status_code, sentence in refused.content.decode()) == (200, True)
    payout.refresh_from_db()
    assert (payout.state, payout.approved_by) == ("PENDING", None)
    assert ground.trial() == before

    assert post(sign_in(second), "payouts_payout_approve", payout.pk).status_code == 302
    payout.refresh_from_db()
    assert (payout.state, payout.approved_by) == ("APPROVED", second)


def test_refused_payout_gives_the_money_back(signed_in: Client, market: World) -> None:
    payout = pending_payout(market)
    address = f"merchant:{payout.merchant_id}:payable"
    assert books.balance(address=address, currency="CNY") == 0

    assert post(signed_in, "payouts_payout_refuse", payout.pk).status_code == 302

    payout.refresh_from_db()
    assert (payout.state, payout.failure_message) == ("FAILED", WHY)
    assert books.balance(address=address, currency="CNY") == payout.amount_minor
    assert last_audit(payout)["reason"] == WHY


def test_decision_that_comes_too_late_is_refused_with_its_sentence(
    signed_in: Client, market: World
) -> None:
    payout = ground.sent_payout(market)
    before = ground.trial()

    for action in ("approve", "refuse"):
        assert signed_in.get(url(f"payouts_payout_{action}", payout.pk)).status_code == 403
        answer = post(signed_in, f"payouts_payout_{action}", payout.pk)
        assert "only a PENDING one can be decided" in answer.content.decode()

    assert ground.trial() == before


def test_failed_payout_is_replaced_once(signed_in: Client, operator: User, market: World) -> None:
    failed = ground.failed_payout(market)

    assert post(signed_in, "payouts_payout_replace", failed.pk).status_code == 302
    again = post(signed_in, "payouts_payout_replace", failed.pk)

    new = Payout.objects.exclude(pk=failed.pk).get()
    assert (new.state, new.requested_by, new.needs_approval) == ("PENDING", operator, True)
    assert "was replaced already" in again.content.decode()


def test_outcome_of_a_parked_payout_takes_two_persons(
    signed_in: Client, operator: User, second: User, market: World
) -> None:
    payout = parked_payout(market)
    fields = {"outcome": "PAID", "evidence": "statement line 7"}

    early = post(signed_in, "payouts_payout_confirm", payout.pk, outcome="PAID")
    assert "Nobody has claimed" in early.content.decode()
    assert post(signed_in, "payouts_payout_claim", payout.pk, **fields).status_code == 302
    own = post(signed_in, "payouts_payout_confirm", payout.pk, outcome="PAID")
    assert "another operator has to confirm it" in own.content.decode()
    payout.refresh_from_db()
    assert (payout.state, payout.claimed_by) == ("UNKNOWN", operator)

    other = sign_in(second)
    shown = other.get(url("payouts_payout_confirm", payout.pk)).content.decode()
    assert "statement line 7" in shown
    assert post(other, "payouts_payout_confirm", payout.pk, outcome="PAID").status_code == 302

    payout.refresh_from_db()
    assert (payout.state, payout.outcome_confirmed_by) == ("PAID", second)
    assert last_audit(payout) == {"actor": f"operator:{second.pk}", "reason": WHY}


def test_schedule_is_changed_by_a_second_person(
    signed_in: Client, second: User, market: World
) -> None:
    schedule = ground.schedule(market)
    fields = {"cadence": "WEEKLY", "weekday": 4, "minimum_minor": 501, "approval_above_minor": ""}

    wrong = post(
        signed_in, "payouts_payoutschedule_edit", schedule.pk, **{**fields, "minimum_minor": 0}
    )
    answer = post(signed_in, "payouts_payoutschedule_edit", schedule.pk, **fields)
    proposal = Proposal.objects.get()
    unchanged = PayoutSchedule.objects.get(pk=schedule.pk)
    done = post(sign_in(second), "merchants_proposal_approve", proposal.pk)

    assert (wrong.status_code, answer.status_code, done.status_code) == (200, 302, 302)
    assert unchanged.minimum_minor == schedule.minimum_minor
    changed = PayoutSchedule.objects.get(pk=schedule.pk)
    assert (changed.cadence, changed.weekday, changed.minimum_minor) == ("WEEKLY", 4, 501)
    assert changed.approval_above_minor is None
    assert changed.next_cutoff_at > schedule.next_cutoff_at
    assert last_audit(changed) == {"actor": f"operator:{second.pk}", "reason": WHY}


def test_proposed_change_is_dropped_and_never_done(
    signed_in: Client, second: User, market: World
) -> None:
    schedule = ground.schedule(market)
    fields = {"cadence": "WEEKLY", "weekday": 4, "minimum_minor": 501, "approval_above_minor": ""}
    post(signed_in, "payouts_payoutschedule_edit", schedule.pk, **fields)
    proposal = Proposal.objects.get()

    dropped = post(signed_in, "merchants_proposal_drop", proposal.pk)
    refused = post(sign_in(second), "merchants_proposal_approve", proposal.pk)

    assert (dropped.status_code, refused.status_code) == (302, 200)
    assert Proposal.objects.get().state == "DROPPED"
    assert PayoutSchedule.objects.get(pk=schedule.pk).minimum_minor == schedule.minimum_minor


def test_plan_holds_back_more_or_less_by_a_second_person(
    signed_in: Client, second: User, market: World
) -> None:
    plan = CommissionPlan.objects.get(platform=market.platform)
    fields = {"reserve_bps": 1500, "reserve_days": 30}
    required = {"required_reserve_bps": 1000, "required_reserve_days": 14}

    post(signed_in, "merchants_commissionplan_set_reserve", plan.pk, **fields, **required)
    plan.refresh_from_db()
    before = plan.reserve_bps
    done = post(sign_in(second), "merchants_proposal_approve", Proposal.objects.get().pk)

    plan.refresh_from_db()
    assert (before, done.status_code) == (0, 302)
    assert (plan.reserve_bps, plan.reserve_days) == (1500, 30)
    assert (plan.required_reserve_bps, plan.required_reserve_days) == (1000, 14)


def test_bank_account_is_changed_by_a_second_person_and_then_waits(
    signed_in: Client, operator: User, second: User, market: World
) -> None:
    cooloff = {"hours": 24, "reason": WHY}
    signed_in.post(url("merchants_platform_set_cooloff", market.platform.pk), cooloff)
    post(sign_in(second), "merchants_proposal_approve", Proposal.objects.get().pk)
    fields = {"platform": market.platform.pk, "merchant": market.merchants[0].pk}
    fields |= {"currency": "CNY", "holder_name": "Garden", "bank_code": "102", "reason": WHY}
    fields |= {"account_number": "6222999900001111"}
    create = url("merchants_bankaccount_create")

    signed_in.post(create, fields)
    proposal = Proposal.objects.get(verb="BANK_ACCOUNT")
    account = BankAccount.objects.get(pk=proposal.subject)
    own = post(signed_in, "merchants_proposal_approve", proposal.pk)
    unchanged = BankAccount.objects.get(pk=account.pk).state
    done = post(sign_in(second), "merchants_proposal_approve", proposal.pk)

    assert (own.status_code, unchanged, done.status_code) == (200, "PROPOSED", 302)
    account.refresh_from_db()
    assert account.state == "WAITING"
    assert "6222999900001111" not in str(Proposal.objects.values())
    assert last_audit(account) == {"actor": f"operator:{second.pk}", "reason": WHY}
    signed_in.post(url("merchants_bankaccount_cancel", account.pk), {"reason": WHY})
    account.refresh_from_db()
    assert account.state == "CANCELED"


def test_proposed_bank_account_goes_with_its_proposal(
    signed_in: Client, second: User, market: World
) -> None:
    account = bank_accounts.propose_bank_account(
        platform=market.platform,
        merchant=market.merchants[0],
        currency="CNY",
        holder_name="Garden",
        bank_code="102",
        account_number="6222999900001111",
        reason=WHY,
        proposed_by=second,
        at=market.now,
    )

    dropped = post(signed_in, "merchants_proposal_drop", Proposal.objects.get().pk)

    account = BankAccount.objects.get(pk=account.pk)
    assert (dropped.status_code, account.state) == (302, "CANCELED")
    assert Proposal.objects.get().state == "DROPPED"


def test_database_refuses_one_person_and_any_change_of_a_proposal(
    signed_in: Client, operator: User, market: World
) -> None:
    schedule = ground.schedule(market)
    fields = {"cadence": "WEEKLY", "weekday": 4, "minimum_minor": 501, "approval_above_minor": ""}
    post(signed_in, "payouts_payoutschedule_edit", schedule.pk, **fields)
    rows = Proposal.objects.all()

    for attempt in (
        lambda: rows.update(state="DONE", decided_by=operator, decided_at=market.now),
        lambda: rows.update(arguments={"minimum_minor": 1}),
        lambda: rows.update(subject="other"),
        lambda: rows.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()

    assert rows.get().state == "PROPOSED"


@pytest.mark.parametrize("state", [InboxState.FLAGGED, InboxState.ORPHAN])
def test_message_is_applied_again(
    signed_in: Client, operator: User, market: World, state: str
) -> None:
    message = flagged_notification(state)

    answer = post(signed_in, "channels_inboundnotification_retry", message.pk)

    assert answer.status_code == 302
    message.refresh_from_db()
    assert (message.state, message.due_at is not None) == ("RECEIVED", True)
    assert last_audit(message) == {"actor": f"operator:{operator.pk}", "reason": WHY}


def test_applied_message_is_not_applied_again(signed_in: Client, market: World) -> None:
    message = flagged_notification(InboxState.APPLIED)
    before = ground.trial()

    assert signed_in.get(url("channels_inboundnotification_retry", message.pk)).status_code == 403
    answer = post(signed_in, "channels_inboundnotification_retry", message.pk)

    assert "only a FLAGGED or ORPHAN one" in answer.content.decode()
    message.refresh_from_db()
    assert (message.state, message.due_at) == ("APPLIED", None)
    assert inbound.apply_due_notifications(at=market.now) == 0
    assert ground.trial() == before


def test_actions_are_closed_to_staff_without_the_right(market: World) -> None:
    payout = pending_payout(market)
    message = flagged_notification()
    client = sign_in(User.objects.create_user("clerk", "c@example.com", "long", is_staff=True))

    for action in ("approve", "refuse", "replace", "claim", "confirm"):
        assert post(client, f"payouts_payout_{action}", payout.pk).status_code == 403
    schedule = ground.schedule(market)
    assert post(client, "payouts_payoutschedule_edit", schedule.pk).status_code == 403
    assert post(client, "channels_inboundnotification_retry", message.pk).status_code == 403

    payout.refresh_from_db()
    assert payout.state == "PENDING"


def test_missing_rows_are_not_found(signed_in: Client, market: World) -> None:
    for name in ("payouts_payout_approve", "payouts_payout_refuse", "payouts_payout_claim"):
        assert post(signed_in, name, "po_missing").status_code == 404
    assert post(signed_in, "channels_inboundnotification_retry", 0).status_code == 404
    assert post(signed_in, "payouts_payoutschedule_edit", 0).status_code == 404
