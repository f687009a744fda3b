"""Paying refused refunds to buyers' banks, as payouts are paid: SENDING is committed before the
bank is called, under an id that never changes; no answer is UNKNOWN, left only by a query, a
notification or two persons (rules R1 to R4).
"""

from datetime import datetime, timedelta

from django.conf import settings

from channels import contract, registry
from escrow.locks import lock_bank_refund
from escrow.models import BankOutcome, BankRefund, BankRefundState
from escrow.services import bank_refunds as escrow
from ledger.usecases import use_case
from merchants import clocks
from merchants.models import User
from payouts.models import NOT_PAID_CODE
from payouts.services.approval import (
    EvidenceMissing,
    OutcomeNotClaimed,
    PayoutNotParked,
    SamePerson,
)
from payouts.services.cover import reserve_covers
from payouts.services.sending import (
    COVER_EVERY,
    LEASE,
    QUERY_EVERY,
    UNKNOWN_EVERY,
    PayoutContradiction,
    PayoutMismatch,
)

Status = contract.Status


@use_case()
def claim_bank_refund(*, bank_refund_id: str, at: datetime) -> int | None:
    """Take an approved bank refund for sending, if the reserve covers it. It is dropped when the
    buyer has got the money by a chargeback since.

    Returns: the number of the attempt, or None when there is nothing to send now.
    Locks: the refund, its bank refund, then the reserve account.
    """
    found = lock_bank_refund(bank_refund_id)
    if found.state != BankRefundState.APPROVED or escrow.drop_if_charged_back(found, at=at):
        return None
    if not reserve_covers(
        rail=found.rail, amount_minor=found.amount_minor, currency=found.currency
    ):
        found.due_at = at + COVER_EVERY
        found.save(update_fields=["due_at"])
        return None
    found.send(at=at, lease_until=at + LEASE)
    found.save(update_fields=["state", "due_at", "attempts", "last_sent_at"])
    return found.attempts


def submit_bank_refund(*, bank_refund_id: str, attempt: int, at: datetime) -> BankRefund:
    """Call the bank for a claimed bank refund and keep its answer.

    The claim is read again right before the call, so a sender that slept through its lease calls
    nobody.
    """
    found = BankRefund.objects.get(pk=bank_refund_id)
    if found.state not in BankRefund.OPEN or found.attempts != attempt:
        return found
    answer = registry.get_rail(found.rail).send_payout(
        contract.PayoutRequest(
            reference=found.id,
            amount_minor=found.amount_minor,
            currency=found.currency,
            holder_name=found.holder_name,
            bank_code=found.bank_code,
            account_number=escrow.read_account_number(bank_refund=found),
            remark=found.refund_id,
            notify_url=f"{settings.PUBLIC_URL}/v1/inbound/rails/{found.rail}",
        )
    )
    return record_bank_answer(bank_refund_id=bank_refund_id, answer=answer, at=at)


def query_bank_refund(*, bank_refund_id: str, at: datetime) -> BankRefund:
    """Ask the bank what became of a bank refund.

    "Never heard of it" is believed only after the bank's finality window; then it is sent again to
    a bank that executes a reference once, and parked for two persons at any other (rule R4).
    """
    found = BankRefund.objects.get(pk=bank_refund_id)
    rail = registry.get_rail(found.rail)
    answer = rail.query_payout(reference=found.id)
    if answer.status != Status.NOT_FOUND:
        return record_bank_answer(bank_refund_id=bank_refund_id, answer=answer, at=at)
    assert found.last_sent_at is not None
    final = at >= found.last_sent_at + timedelta(seconds=rail.finality_seconds)
    attempt = _take_not_found(
        bank_refund_id=bank_refund_id,
        final=final,
        resend=rail.remembers_references,
        at=at,
    )
    if attempt is None:
        return BankRefund.objects.get(pk=bank_refund_id)
    return submit_bank_refund(bank_refund_id=bank_refund_id, attempt=attempt, at=at)


@use_case()
def _take_not_found(*, bank_refund_id: str, final: bool, resend: bool, at: datetime) -> int | None:
    """Wait, park, or claim again. Returns: the number of the attempt to be made now, if any."""
    found = lock_bank_refund(bank_refund_id)
    if found.state not in BankRefund.OPEN or found.parked_at:
        return None
    if not final:
        found.due_at = at + UNKNOWN_EVERY
        found.save(update_fields=["due_at"])
        return None
    if not resend:
        if found.state == BankRefundState.SENDING:
            found.lose_sight()
        found.parked_at, found.due_at = at, None
        found.save(update_fields=["state", "parked_at", "due_at"])
        return None
    if found.state == BankRefundState.UNKNOWN:
        found.regain_sight()
    found.attempts += 1
    found.last_sent_at, found.due_at = at, at + LEASE
    found.save(update_fields=["state", "attempts", "last_sent_at", "due_at"])
    return found.attempts


@use_case()
def record_bank_answer(*, bank_refund_id: str, answer: contract.Answer, at: datetime) -> BankRefund:
    """Keep what the bank says about a bank refund, from an answer, a query or a notification.

    Money: paid: Dr refund in transit with the rail / Cr reserve; failed: the reversal of what moved
        it there; returned: the reversal of both.
    Raises: BankRefundNotFound, PayoutMismatch, PayoutContradiction. Idempotent: the same answer
        twice changes nothing. Locks: the refund, then its bank refund.
    """
    found = lock_bank_refund(bank_refund_id)
    if answer.status in (Status.SUCCEEDED, Status.RETURNED):
        _check_amount(found, answer)
    if found.state in BankRefund.OPEN:
        _record_open(found, answer, at=at)
    elif found.state == BankRefundState.PAID and answer.status == Status.RETURNED:
        _return(found, answer, at=at)
    elif _contradicts(found, answer):
        raise PayoutContradiction(
            f"Bank refund {found.id} is {found.state}, the bank now says {answer.status}."
        )
    found.save()
    return found


@use_case()
def claim_bank_outcome(
    *, bank_refund_id: str, outcome: str, evidence: str, operator: User, at: datetime
) -> BankRefund:
    """Write down what one person found out about a parked bank refund. Money: none yet.

    Raises: BankRefundNotFound, PayoutNotParked, EvidenceMissing.
    Idempotent: a later claim replaces an earlier one. Locks: the refund, then its bank refund.
    """
    assert outcome in BankOutcome.values, outcome
    if not evidence.strip():
        raise EvidenceMissing("Say where the bank's word can be read: a statement line, a letter.")
    found = _lock_parked(bank_refund_id)
    found.claimed_outcome, found.claimed_by = outcome, operator
    found.evidence = evidence[:200]
    found.save(update_fields=["claimed_outcome", "claimed_by", "evidence"])
    return found


@use_case()
def confirm_bank_outcome(
    *, bank_refund_id: str, outcome: str, operator: User, at: datetime
) -> BankRefund:
    """Let what one person found out about a parked bank refund be true, as the second person.

    Money: PAID: Dr refund in transit with the rail / Cr reserve; NOT_PAID: the reversal of what
        moved it there.
    Raises: BankRefundNotFound, PayoutNotParked, OutcomeNotClaimed, SamePerson.
    Locks: the refund, then its bank refund.
    """
    found = _lock_parked(bank_refund_id)
    if found.claimed_outcome != outcome:
        raise OutcomeNotClaimed(
            f"Nobody has claimed that bank refund {found.id} is {outcome}.",
            claimed=found.claimed_outcome,
        )
    if found.claimed_by_id == operator.pk:
        raise SamePerson(
            "You said so yourself; another operator has to confirm it.", bank_refund=found.id
        )
    found.outcome_confirmed_by = operator
    if outcome == BankOutcome.PAID:
        _book_paid(found, provider_reference="", paid_at=at, at=at)
    else:
        escrow.book_failed(found, code=NOT_PAID_CODE, message=found.evidence, at=at)
    found.save()
    return found


def _record_open(found: BankRefund, answer: contract.Answer, *, at: datetime) -> None:
    if answer.status in (Status.SUCCEEDED, Status.RETURNED):
        told_at = answer.event_at
        paid_at = at if told_at is None else clocks.now_of(found.platform, now=told_at)
        _book_paid(found, provider_reference=answer.provider_reference, paid_at=paid_at, at=at)
        if answer.status == Status.RETURNED:
            found.save()  # paid, then returned: the state graph takes one step at a time
            _return(found, answer, at=at)
    elif answer.status == Status.FAILED:
        code = answer.code or "refused_by_bank"
        escrow.book_failed(found, code=code, message=answer.message, at=at)
    elif answer.status == Status.PENDING:
        if found.state == BankRefundState.UNKNOWN:
            found.regain_sight()
        found.parked_at, found.due_at = None, at + QUERY_EVERY
    else:
        if found.state == BankRefundState.SENDING:
            found.lose_sight()
        found.due_at = None if found.parked_at else at + UNKNOWN_EVERY


def _book_paid(
    found: BankRefund, *, provider_reference: str, paid_at: datetime, at: datetime
) -> None:
    escrow.book_paid(
        found,
        custodian=registry.get_rail(found.rail).custodian,
        provider_reference=provider_reference,
        paid_at=paid_at,
        at=at,
    )


def _return(found: BankRefund, answer: contract.Answer, *, at: datetime) -> None:
    code = answer.code or "returned_by_bank"
    escrow.book_returned(found, code=code, message=answer.message, at=at)


def _check_amount(found: BankRefund, answer: contract.Answer) -> None:
    if (answer.amount_minor, answer.currency) != (found.amount_minor, found.currency):
        raise PayoutMismatch(
            f"The bank says {answer.amount_minor} {answer.currency}, bank refund {found.id} is "
            f"for {found.amount_minor} {found.currency}.",
            bank_refund=found.id,
        )


def _contradicts(found: BankRefund, answer: contract.Answer) -> bool:
    told = (Status.SUCCEEDED, Status.RETURNED)
    never_sent = found.state in (
        BankRefundState.PROPOSED,
        BankRefundState.APPROVED,
        BankRefundState.DROPPED,
    )
    if found.state == BankRefundState.PAID:
        return answer.status == Status.FAILED
    if found.state == BankRefundState.FAILED or never_sent:
        return answer.status in told
    return False


def _lock_parked(bank_refund_id: str) -> BankRefund:
    found = lock_bank_refund(bank_refund_id)
    if found.state != BankRefundState.UNKNOWN or found.parked_at is None:
        raise PayoutNotParked(
            f"Bank refund {found.id} is {found.state}; the bank's own answer decides about it.",
            state=found.state,
        )
    return found
