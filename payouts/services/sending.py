"""Paying through the bank. Intent first: SENDING is committed before the bank is called, under
the payout's id, which never changes; no answer is the state UNKNOWN, left only by a query, a
notification or two persons (rules R1 to R4).
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from channels import contract, registry
from common.errors import DomainError
from ledger import entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants import clocks
from merchants import services as merchants
from payouts import events
from payouts.locks import lock_payout
from payouts.models import Payout, PayoutState
from payouts.services import freezing
from payouts.services.cover import reserve_covers

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
QUERY_EVERY = timedelta(minutes=1)
UNKNOWN_EVERY = timedelta(seconds=30)
COVER_EVERY = timedelta(seconds=30)
FROZEN_EVERY = timedelta(hours=1)
Status = contract.Status


class PayoutMismatch(DomainError):
    """The bank says another amount or currency than we asked for. Nothing is booked."""

    code = "payout_mismatch"
    status = 422


class PayoutContradiction(DomainError):
    """The bank takes back a final answer. Nothing is booked; a person must look."""

    code = "payout_contradiction"


@use_case()
def claim_payout(*, payout_id: str, at: datetime) -> int | None:
    """Take an approved payout for sending, if the reserve covers it.

    Money that is still on its way from a channel to the reserve cannot be paid out: such a
    payout waits. So does a frozen one, and the sweep does not ask again before that is lifted.

    Returns: the number of the attempt, or None when there is nothing to send now.
    Locks: the payout, its seller, then the reserve account, so that two claims cannot both count
        the same money.
    """
    payout = lock_payout(payout_id)
    if payout.state != PayoutState.APPROVED or freezing.is_frozen(payout):
        return None
    if not reserve_covers(
        rail=payout.rail, amount_minor=payout.amount_minor, currency=payout.currency
    ):
        payout.due_at = at + COVER_EVERY
        payout.save(update_fields=["due_at"])
        return None
    payout.send(at=at, lease_until=at + LEASE)
    events.record_payout_event(payout, "payout.sent", at=at)
    payout.save(
        update_fields=[
            "state",
            "due_at",
            "attempts",
            "first_sent_at",
            "last_sent_at",
            "event_sequence",
        ]
    )
    return payout.attempts


def submit_payout(*, payout_id: str, attempt: int, at: datetime) -> Payout:
    """Call the bank for a claimed payout and keep its answer.

    The claim is read again right before the call, so a sender that slept through its lease calls
    nobody.
    """
    payout = Payout.objects.select_related("bank_account").get(pk=payout_id)
    if payout.state not in Payout.OPEN or payout.attempts != attempt:
        return payout
    answer = registry.get_rail(payout.rail).send_payout(
        contract.PayoutRequest(
            reference=payout.id,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            holder_name=payout.holder_name,
            bank_code=payout.bank_account.bank_code,
            account_number=merchants.read_account_number(bank_account=payout.bank_account),
            remark=payout.settlement_id,
            notify_url=f"{settings.PUBLIC_URL}/v1/inbound/rails/{payout.rail}",
        )
    )
    return record_payout_answer(payout_id=payout_id, answer=answer, at=at)


def query_payout(*, payout_id: str, at: datetime) -> Payout:
    """Ask the bank what became of a payout.

    "Never heard of it" is believed only after the bank's finality window. Then a bank that
    executes a reference once is sent the same reference again; for any other bank the payout is
    parked for two persons (rule R4).
    """
    payout = Payout.objects.get(pk=payout_id)
    rail = registry.get_rail(payout.rail)
    answer = rail.query_payout(reference=payout.id)
    if answer.status != Status.NOT_FOUND:
        return record_payout_answer(payout_id=payout_id, answer=answer, at=at)
    assert payout.last_sent_at is not None
    if at < payout.last_sent_at + timedelta(seconds=rail.finality_seconds):
        return _ask_again(payout_id=payout_id, due_at=at + UNKNOWN_EVERY)
    if not rail.remembers_references:
        return _park(payout_id=payout_id, at=at)
    attempt = _claim_again(payout_id=payout_id, at=at)
    return submit_payout(payout_id=payout_id, attempt=attempt, at=at) if attempt else payout


@use_case()
def _ask_again(*, payout_id: str, due_at: datetime) -> Payout:
    payout = lock_payout(payout_id)
    if payout.state in Payout.OPEN:
        payout.due_at = due_at
        payout.save(update_fields=["due_at"])
    return payout


@use_case()
def _park(*, payout_id: str, at: datetime) -> Payout:
    payout = lock_payout(payout_id)
    if payout.state in Payout.OPEN and payout.parked_at is None:
        if payout.state == PayoutState.SENDING:
            payout.lose_sight()
        payout.parked_at = at
        payout.due_at = None
        events.record_payout_event(payout, "payout.unknown", at=at)
        payout.save(update_fields=["state", "parked_at", "due_at", "event_sequence"])
    return payout


@use_case()
def _claim_again(*, payout_id: str, at: datetime) -> int | None:
    payout = lock_payout(payout_id)
    if payout.state not in Payout.OPEN:
        return None
    if freezing.is_frozen(payout):  # the bank never had it, and does not get it now
        payout.due_at = at + FROZEN_EVERY
        payout.save(update_fields=["due_at"])
        return None
    if payout.state == PayoutState.UNKNOWN:
        payout.regain_sight()
    payout.attempts += 1
    payout.last_sent_at = at
    payout.due_at = at + LEASE
    payout.save(update_fields=["state", "attempts", "last_sent_at", "due_at"])
    return payout.attempts


@use_case()
def record_payout_answer(*, payout_id: str, answer: contract.Answer, at: datetime) -> Payout:
    """Keep what the bank says about a payout, from an answer, a query or a notification.

    Money: paid: Dr payout in transit / Cr reserve; failed: the reversal of the payout's entry;
        returned: the reversal of both.
    Raises: PayoutNotFound, PayoutMismatch, PayoutContradiction. Idempotent: the same answer
        twice changes nothing.
    Locks: the payout, then the payee's guarded account.
    """
    payout = lock_payout(payout_id)
    if answer.status in (Status.SUCCEEDED, Status.RETURNED):
        _check_amount(payout, answer)
    if payout.state == PayoutState.APPROVED or payout.state == PayoutState.PENDING:
        raise PayoutContradiction(
            f"The bank speaks of payout {payout.id}, which was never sent.", payout=payout.id
        )
    if payout.state in Payout.OPEN:
        _record_open(payout, answer, at=at)
    elif payout.state == PayoutState.PAID and answer.status == Status.RETURNED:
        _return(payout, answer, at=at)
    elif _contradicts(payout, answer):
        raise PayoutContradiction(
            f"Payout {payout.id} is {payout.state}, the bank now says {answer.status}."
        )
    payout.save()
    return payout


def _check_amount(payout: Payout, answer: contract.Answer) -> None:
    if (answer.amount_minor, answer.currency) != (payout.amount_minor, payout.currency):
        raise PayoutMismatch(
            f"The bank says {answer.amount_minor} {answer.currency}, payout {payout.id} is for "
            f"{payout.amount_minor} {payout.currency}.",
            payout=payout.id,
        )


def _contradicts(payout: Payout, answer: contract.Answer) -> bool:
    final = {
        PayoutState.PAID: (Status.FAILED, Status.RETURNED),
        PayoutState.FAILED: (Status.SUCCEEDED, Status.RETURNED),
    }
    return answer.status in final.get(PayoutState(payout.state), ())


def _record_open(payout: Payout, answer: contract.Answer, *, at: datetime) -> None:
    if answer.status in (Status.SUCCEEDED, Status.RETURNED):
        told_at = answer.event_at
        book_paid(
            payout,
            provider_reference=answer.provider_reference,
            paid_at=at if told_at is None else clocks.now_of(payout.platform, now=told_at),
            at=at,
        )
        if answer.status == Status.RETURNED:
            payout.save()  # paid, then returned: the state graph takes one step at a time
            _return(payout, answer, at=at)
    elif answer.status == Status.FAILED:
        book_failed(payout, code=answer.code or "refused_by_bank", message=answer.message, at=at)
    elif answer.status == Status.PENDING:
        if payout.state == PayoutState.UNKNOWN:
            payout.regain_sight()
        payout.parked_at = None
        payout.due_at = at + QUERY_EVERY
    else:
        if payout.state == PayoutState.SENDING:
            payout.lose_sight()
        payout.due_at = None if payout.parked_at else at + UNKNOWN_EVERY


def book_paid(payout: Payout, *, provider_reference: str, paid_at: datetime, at: datetime) -> None:
    """Step: the bank has paid. The caller has locked the payout and saves it.

    Money: Dr payout in transit / Cr reserve.
    """
    assert connection.in_atomic_block
    draft = entries.payout_paid(
        payout_id=payout.id,
        rail=payout.rail,
        custodian=registry.get_rail(payout.rail).custodian,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
    )
    payout.paid_entry_id = ledger.post(draft=draft, at=paid_at)
    payout.pay(at=at, provider_reference=provider_reference)
    events.record_payout_event(payout, "payout.paid", at=at)


def book_failed(payout: Payout, *, code: str, message: str, at: datetime) -> None:
    """Step: the bank has not paid and never will. The caller has locked the payout and saves it.

    Money: the reversal of Dr payable / Cr payout in transit.
    """
    assert connection.in_atomic_block
    ledger.reverse(entry_id=payout.sent_entry_id, at=at)
    payout.fail(code=code, message=message)
    events.record_payout_event(payout, "payout.failed", at=at)


def _return(payout: Payout, answer: contract.Answer, *, at: datetime) -> None:
    assert payout.paid_entry_id is not None
    ledger.reverse(entry_id=payout.paid_entry_id, at=at)
    ledger.reverse(entry_id=payout.sent_entry_id, at=at)
    payout.return_to_sender(at=at, code=answer.code or "returned_by_bank", message=answer.message)
    events.record_payout_event(payout, "payout.returned", at=at)
