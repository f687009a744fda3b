"""People decide about payouts: approve, refuse, and say what became of one the bank gives no
answer for.

Two persons always: whoever asked for a payout cannot approve it, in code and in the database.
"""

from datetime import datetime

from common.errors import DomainError
from ledger import services as ledger
from ledger.usecases import use_case
from merchants.models import User
from payouts import events
from payouts.locks import lock_payout
from payouts.models import NOT_PAID_CODE, Outcome, Payout, PayoutState
from payouts.services import freezing, sending


class PayoutStateConflict(DomainError):
    code = "payout_state_conflict"


class SamePerson(DomainError):
    """A second person is needed."""

    code = "second_person_needed"
    status = 403


class ReasonMissing(DomainError):
    code = "reason_missing"
    status = 422


class PayoutNotParked(DomainError):
    """The bank has not been given up on: what it says will decide."""

    code = "payout_not_parked"


class EvidenceMissing(DomainError):
    code = "evidence_missing"
    status = 422


class OutcomeNotClaimed(DomainError):
    """Nobody has said what became of the payout, so there is nothing to confirm."""

    code = "outcome_not_claimed"


@use_case()
def approve_payout(*, payout_id: str, operator: User, at: datetime) -> Payout:
    """Let a payout go to the bank.

    Raises: PayoutNotFound, PayoutStateConflict, SamePerson, PayoutFrozen.
    Locks: the payout, its seller.
    """
    payout = _lock_pending(payout_id)
    if payout.requested_by_id == operator.pk:
        raise SamePerson(
            "You asked for this payout; another operator has to approve it.", payout=payout.id
        )
    freezing.require_unfrozen(payout)
    payout.approved_by = operator
    payout.approve(at=at)
    events.record_payout_event(payout, "payout.approved", at=at)
    payout.save(update_fields=["state", "approved_by", "approved_at", "due_at", "event_sequence"])
    return payout


@use_case()
def refuse_payout(*, payout_id: str, operator: User, reason: str, at: datetime) -> Payout:
    """Stop a payout that waits for approval and give the money back to the payee's payable.

    Money: the reversal of Dr payable / Cr payout in transit.
    A frozen seller's payout may be refused, so that its money is there for refunds; a payout that
    is frozen itself stays as it is.

    Raises: PayoutNotFound, PayoutStateConflict, ReasonMissing, PayoutFrozen.
    Locks: the payout, the payee's guarded account.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the payout is refused; the seller will ask.")
    payout = _lock_pending(payout_id)
    if freezing.is_payout_frozen(payout):
        raise freezing.refusal(payout)
    ledger.reverse(entry_id=payout.sent_entry_id, at=at)
    payout.fail(code="approval_refused", message=reason[:200])
    events.record_payout_event(payout, "payout.refused", at=at)
    payout.save(
        update_fields=[
            "state",
            "failure_code",
            "failure_message",
            "due_at",
            "parked_at",
            "event_sequence",
        ]
    )
    return payout


@use_case()
def claim_outcome(
    *, payout_id: str, outcome: str, evidence: str, operator: User, at: datetime
) -> Payout:
    """Write down what one person found out about a parked payout. A second person has to confirm
    it.

    Money: none yet.
    Args: outcome: PAID or NOT_PAID. evidence: where it can be read, such as the bank's statement
        line.
    Raises: PayoutNotFound, PayoutNotParked, EvidenceMissing.
    Idempotent: a later claim replaces an earlier one. Locks: the payout.
    """
    assert outcome in Outcome.values, outcome
    if not evidence.strip():
        raise EvidenceMissing("Say where the bank's word can be read: a statement line, a letter.")
    payout = _lock_parked(payout_id)
    payout.claimed_outcome = outcome
    payout.claimed_by = operator
    payout.claimed_at = at
    payout.evidence = evidence[:200]
    payout.save(update_fields=["claimed_outcome", "claimed_by", "claimed_at", "evidence"])
    return payout


@use_case()
def confirm_outcome(*, payout_id: str, outcome: str, operator: User, at: datetime) -> Payout:
    """Let what one person found out about a parked payout be true, as the second person.

    Money: PAID: Dr payout in transit / Cr reserve; NOT_PAID: the reversal of Dr payable / Cr
        payout in transit.
    Args: outcome: what this person has read too; it must be what the first one claimed.
    Raises: PayoutNotFound, PayoutNotParked, OutcomeNotClaimed, SamePerson.
    Locks: the payout, then the payee's guarded account.
    """
    payout = _lock_parked(payout_id)
    if payout.claimed_outcome != outcome:
        raise OutcomeNotClaimed(
            f"Nobody has claimed that payout {payout.id} is {outcome}.",
            claimed=payout.claimed_outcome,
        )
    if payout.claimed_by_id == operator.pk:
        raise SamePerson(
            "You said so yourself; another operator has to confirm it.", payout=payout.id
        )
    payout.outcome_confirmed_by = operator
    if outcome == Outcome.PAID:
        sending.book_paid(payout, provider_reference="", paid_at=at, at=at)
    else:
        sending.book_failed(payout, code=NOT_PAID_CODE, message=payout.evidence, at=at)
    payout.save()
    return payout


def _lock_parked(payout_id: str) -> Payout:
    payout = lock_payout(payout_id)
    if payout.state != PayoutState.UNKNOWN or payout.parked_at is None:
        raise PayoutNotParked(
            f"Payout {payout.id} is {payout.state}; the bank's own answer decides about it.",
            state=payout.state,
        )
    return payout


def _lock_pending(payout_id: str) -> Payout:
    payout = lock_payout(payout_id)
    if payout.state != PayoutState.PENDING:
        raise PayoutStateConflict(
            f"Payout {payout.id} is {payout.state}; only a PENDING one can be decided.",
            state=payout.state,
        )
    return payout
