"""Entries by hand, by two persons: what the bank or a channel did that no other service books.

Both accounts must be on the routes of a correction or of a top-up (`ledger/routes.py`), which the
database refuses to leave too. It must never touch the money of a buyer, seller, party or platform.
"""

from datetime import datetime

from django.conf import settings

from common.errors import DomainError
from common.money import MAX_AMOUNT_MINOR, exponent
from escrow.models import Correction, CorrectionState
from ledger import chart, entries, manual_entries
from ledger import services as ledger
from ledger.routes import ROUTES, C, D, EntryKind
from ledger.usecases import use_case
from merchants.models import User

BY_HAND = (EntryKind.CORRECTION, EntryKind.TOPUP)


class CorrectionInvalid(DomainError):
    """No entry by hand may touch these accounts so, or something is missing."""

    code = "correction_invalid"
    status = 422


class CorrectionNotFound(DomainError):
    code = "correction_not_found"
    status = 404


class CorrectionDecided(DomainError):
    """Somebody has decided about it already."""

    code = "correction_decided"


class SecondBookkeeper(DomainError):
    """Another operator than the one who proposed it has to approve an entry by hand."""

    code = "correction_needs_second_person"
    status = 403


@use_case()
def propose_correction(
    *,
    debit_address: str,
    credit_address: str,
    currency: str,
    amount_minor: int,
    reason: str,
    evidence: str,
    proposed_by: User,
    at: datetime,
) -> Correction:
    """Say what should be booked by hand. Nothing is, until another person approves it.

    Money: none.
    Args: amount_minor: minor units of `currency`, 0 < x <= 10^15. evidence: where it can be read.
    Raises: CorrectionInvalid, UnknownCurrency.
    """
    exponent(currency)
    if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
        raise CorrectionInvalid("The amount is one minor unit or more.", field="amount_minor")
    if not reason.strip() or not evidence.strip():
        raise CorrectionInvalid("Say why, and where it can be read.", field="evidence")
    kind_of(debit_address=debit_address, credit_address=credit_address)
    return Correction.objects.create(
        debit_address=debit_address,
        credit_address=credit_address,
        currency=currency,
        amount_minor=amount_minor,
        reason=reason,
        evidence=evidence,
        proposed_by=proposed_by,
        proposed_at=at,
    )


@use_case()
def approve_correction(*, correction_id: str, approved_by: User, at: datetime) -> Correction:
    """Book a proposed entry as the second person.

    Money: Dr the one account / Cr the other one, as proposed.
    Raises: CorrectionNotFound, CorrectionDecided, SecondBookkeeper, InsufficientBalance.
    Idempotent: the entry's reference is the proposal's id; a second approval is refused.
    Locks: the proposal, then the guarded accounts it touches.
    """
    correction = _lock_proposed(correction_id)
    if correction.proposed_by_id == approved_by.pk:
        raise SecondBookkeeper("You proposed it yourself; another operator has to approve it.")
    correction.post(entry_id=ledger.post(draft=_draft(correction), at=at), at=at)
    correction.decided_by = approved_by
    correction.save()
    return correction


@use_case()
def drop_correction(*, correction_id: str, dropped_by: User, at: datetime) -> Correction:
    """Turn a proposed entry down, or take the own proposal back.

    Money: none. Raises: CorrectionNotFound, CorrectionDecided. Locks: the proposal.
    """
    correction = _lock_proposed(correction_id)
    correction.drop(at=at)
    correction.decided_by = dropped_by
    correction.save()
    return correction


def kind_of(*, debit_address: str, credit_address: str) -> EntryKind:
    """Find the kind of an entry by hand between two accounts. Raises: CorrectionInvalid."""
    try:
        debited = chart.class_of(debit_address).code
        credited = chart.class_of(credit_address).code
    except ValueError as unknown:
        raise CorrectionInvalid(str(unknown), field="debit_address") from None
    for kind in BY_HAND:
        if {(debited, D), (credited, C)} <= ROUTES[kind] and debit_address != credit_address:
            return kind
    raise CorrectionInvalid(
        f"No entry by hand may debit {debit_address} and credit {credit_address}.",
        field="credit_address",
    )


def addresses(*, side: str) -> list[str]:
    """List the accounts that an entry by hand may touch on one side, of the channels and rails set
    up here. Returns: their addresses, sorted. Args: side: D or C.
    """
    channels = list(settings.CHANNELS)
    custodians = {str(each["custodian"]) for each in settings.CHANNELS.values()}
    custodians |= {str(each["custodian"]) for each in settings.RAILS.values()}
    known = {
        "reserve": map(chart.reserve, custodians),
        "unidentified": map(chart.unidentified, custodians),
        "channel_receivable": map(chart.channel_receivable, channels),
        "channel_fee": map(chart.channel_fee, channels),
        "own_topup": [chart.OWN_TOPUP],
        "loss_writeoff": [chart.WRITEOFF],
    }
    codes = {code for kind in BY_HAND for code, of in ROUTES[kind] if of == side}
    return sorted(address for code in codes for address in known[code])


def _draft(correction: Correction) -> entries.Draft:
    debit, credit = correction.debit_address, correction.credit_address
    if kind_of(debit_address=debit, credit_address=credit) == EntryKind.TOPUP:
        return entries.topup(
            topup_id=correction.id,
            custodian=debit.partition(":")[2],
            amount_minor=correction.amount_minor,
            currency=correction.currency,
        )
    return manual_entries.correction(
        correction_id=correction.id,
        debit_address=debit,
        credit_address=credit,
        amount_minor=correction.amount_minor,
        currency=correction.currency,
    )


def _lock_proposed(correction_id: str) -> Correction:
    rows = Correction.objects.select_for_update(of=("self",))
    correction = rows.filter(pk=correction_id).first()
    if correction is None:
        raise CorrectionNotFound(f"There is no entry by hand {correction_id}.")
    if correction.state != CorrectionState.PROPOSED:
        raise CorrectionDecided(
            f"Entry {correction_id} is {correction.state} already.", state=correction.state
        )
    return correction
