"""Where payees are paid from now on, told to them and to their platform.

It must never decide when an account is in force (`merchants/services/bank_accounts.py` does).
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from ledger.usecases import door, use_case
from merchants import selectors
from merchants.models import BankAccount, BankAccountState, Merchant, Party, Platform, User
from merchants.models import ProposalVerb as Verb
from merchants.services import bank_accounts as steps
from merchants.services import proposals
from notifications import services as notifications

EVENTS: dict[str, str] = {
    BankAccountState.WAITING: "bank_account.waiting",
    BankAccountState.IN_FORCE: "bank_account.in_force",
    BankAccountState.CANCELED: "bank_account.canceled",
}


@use_case()
def add_bank_account(
    *,
    platform: Platform,
    merchant: Merchant | None,
    currency: str,
    holder_name: str,
    bank_code: str,
    account_number: str,
    at: datetime,
    bank_name: str = "",
    party: Party | None = None,
) -> BankAccount:
    """Pay a payee into this account: the first one of a currency from now on, a changed one when
    the platform's cool-off is over. Until then payouts go on to the one in force.

    A change that waits already gives way to the new one.

    Money: none.
    Args: merchant, party: whose account it is; None of both: the platform's own. account_number:
        digits and letters; spaces and dashes are left out.
    Raises: BankAccountInvalid, UnknownCurrency.
    Locks: the payee, then its accounts.
    """
    account = steps.draft_bank_account(
        platform=platform,
        merchant=merchant,
        party=party,
        currency=currency,
        holder_name=holder_name,
        bank_code=bank_code,
        bank_name=bank_name,
        account_number=account_number,
        at=at,
    )
    return _adopt(account.pk, at=at)


def propose_bank_account(
    *,
    platform: Platform,
    merchant: Merchant | None,
    currency: str,
    holder_name: str,
    bank_code: str,
    account_number: str,
    reason: str,
    proposed_by: User,
    at: datetime,
    bank_name: str = "",
    party: Party | None = None,
) -> BankAccount:
    """Keep an account an operator wants a payee to be paid into; another operator approves it.

    The number is sealed at once: the proposal names the row, never the number.

    Money: none. Args: as for `add_bank_account`. Raises: BankAccountInvalid, UnknownCurrency.
    """
    with door():
        account = steps.draft_bank_account(
            platform=platform,
            merchant=merchant,
            party=party,
            currency=currency,
            holder_name=holder_name,
            bank_code=bank_code,
            bank_name=bank_name,
            account_number=account_number,
            at=at,
        )
        proposals.propose_change(
            verb=Verb.BANK_ACCOUNT,
            subject=account.pk,
            platform=platform,
            reason=reason,
            proposed_by=proposed_by,
            at=at,
        )
    return account


@use_case()
def adopt_bank_account(*, account_id: str, at: datetime) -> BankAccount:
    """Do with a proposed account what `add_bank_account` does with one a payee gives itself.

    Money: none. Raises: BankAccountNotFound, BankAccountDecided.
    Locks: the payee, then its accounts.
    """
    return _adopt(account_id, at=at)


@use_case()
def cancel_bank_account(*, account_id: str, at: datetime) -> BankAccount:
    """Take an account back before anything is paid to it. Payouts go on to the one in force.

    Money: none.
    Raises: BankAccountNotFound, BankAccountDecided when its cool-off is over.
    Locks: the payee, then its accounts.
    """
    changes = steps.withdraw_bank_account(account_id=account_id, at=at)
    _tell(changes, at=at)
    return changes[-1].account


@use_case()
def enter_due_account(*, account_id: str, at: datetime) -> None:
    """Let payouts go to a changed account whose cool-off is over.

    Money: none. Idempotent: an account that does not wait until now changes nothing.
    Locks: the payee, then its accounts.
    """
    _tell(steps.enter_due_account(account_id=account_id, at=at), at=at)


def enter_due_accounts(
    *, platform_id: str, merchant_id: str | None, party_id: str | None, at: datetime
) -> None:
    """Step: before a payee is paid, bring in force what is due by then, however late the sweep is.

    Locks: the payee, then its accounts, where something is due.
    """
    assert connection.in_atomic_block
    for account_id in selectors.list_due_bank_accounts(
        platform_id=platform_id, merchant_id=merchant_id, party_id=party_id, at=at
    ):
        _tell(steps.enter_due_account(account_id=account_id, at=at), at=at)


def _adopt(account_id: str, *, at: datetime) -> BankAccount:
    changes = steps.adopt_bank_account(account_id=account_id, at=at)
    _tell(changes, at=at)
    return changes[-1].account


def _tell(changes: Iterable[steps.Change], *, at: datetime) -> None:
    """Write the events of changed accounts. A payee's first account changes nothing for anybody,
    and of an account that was only proposed nobody has heard."""
    for change in changes:
        account, other = change.account, change.other
        if other is None or account.effective_at is None:
            continue
        account.event_sequence += 1
        account.save(update_fields=["event_sequence"])
        notifications.record_event(
            type=EVENTS[account.state],
            platform_id=account.platform_id,
            subject_id=account.pk,
            sequence=account.event_sequence,
            data={
                "bank_account": account.pk,
                "payee": account.payee,
                "merchant": account.merchant_id,
                "party": account.party_id,
                "currency": account.currency,
                "last_four": account.last_four,
                "other": other.pk,
                "other_last_four": other.last_four,
                "effective_at": account.effective_at.isoformat(),
            },
            at=at,
        )
