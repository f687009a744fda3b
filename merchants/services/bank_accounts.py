"""Where payees are paid. An account number is sealed on arrival and opened for a payout only.

A changed account waits for a cool-off, and payouts go on to the one in force. Nothing here tells
anybody: the use cases in `payouts/services/bank_accounts.py` do, in the same database transaction.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import encryption, selectors
from merchants.models import BankAccount, BankAccountState, Merchant, Party, Platform, kind_of
from merchants.services.checks import check_row

# Source: ISO 13616 (IBAN, at most 34); card-like Chinese accounts have 16 to 19 digits.
_NUMBER = re.compile(r"^[0-9A-Z]{6,34}$")


class BankAccountInvalid(DomainError):
    code = "bank_account_invalid"
    status = 422


class BankAccountNotFound(DomainError):
    code = "bank_account_not_found"
    status = 404


class BankAccountDecided(DomainError):
    """The account does not wait any more: it is in force, or was canceled."""

    code = "bank_account_decided"


class CooloffInvalid(DomainError):
    """A cool-off is 1 to 720 hours; in test mode also none."""

    code = "cooloff_invalid"
    status = 422


@dataclass(frozen=True, slots=True)
class Change:
    """An account whose state has changed, and the one it stands beside or in whose place it is."""

    account: BankAccount
    other: BankAccount | None


def draft_bank_account(
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
    """Step: seal and keep an account that nothing is paid to yet.

    Args: merchant, party: whose account it is; None of both: the platform's own. account_number:
        digits and letters; spaces and dashes are left out.
    Raises: BankAccountInvalid, UnknownCurrency.
    """
    assert connection.in_atomic_block
    number = check_account_number(account_number)
    if merchant is not None and merchant.platform_id != platform.pk:
        raise BankAccountInvalid(
            "This seller is not a seller of the platform.", fields=["merchant"]
        )
    if party is not None and party.platform_id != platform.pk:
        raise BankAccountInvalid("This party is no party of the platform.", fields=["party"])
    account = BankAccount(
        platform=platform,
        payee=kind_of(merchant=merchant, party=party),
        merchant=merchant,
        party=party,
        currency=currency,
        holder_name=holder_name,
        bank_code=bank_code,
        bank_name=bank_name,
        account_number_hash=encryption.search_hash(number),
        last_four=number[-4:],
        created_at=at,
    )
    _number_field().seal(account, number)
    check_row(account, BankAccountInvalid)
    account.save(force_insert=True)
    return account


def adopt_bank_account(*, account_id: str, at: datetime) -> list[Change]:
    """Step: bring a kept account in force: the payee's first of its currency at once, another one
    when the platform's cool-off is over. A change that waits already gives way to it.

    Returns: what has changed, in order, the account itself last.
    Raises: BankAccountNotFound, BankAccountDecided. Locks: the payee, then its accounts.
    """
    account, known = _lock_accounts(account_id)
    if account.state != BankAccountState.PROPOSED:
        raise _decided(account)
    changes = _enter_due(known, at=at)
    in_force, waiting = _standing(known)
    if waiting is not None:
        changes.append(_cancel(waiting, beside=in_force))
    cooloff = account.platform.account_cooloff
    if in_force is None or not cooloff:
        return [*changes, _enter(account, instead_of=in_force, at=at)]
    account.wait(until=at + cooloff)
    account.save(update_fields=["state", "effective_at"])
    return [*changes, Change(account, in_force)]


def withdraw_bank_account(*, account_id: str, at: datetime) -> list[Change]:
    """Step: cancel an account before anything is paid to it; the one in force stays.

    Returns: what has changed, the account itself last.
    Raises: BankAccountNotFound, BankAccountDecided also when its cool-off is over at `at`.
    Locks: the payee, then its accounts.
    """
    account, known = _lock_accounts(account_id)
    if not account.waits(at=at):
        raise _decided(account)
    in_force, _waiting = _standing(known)
    return [_cancel(account, beside=in_force)]


def enter_due_account(*, account_id: str, at: datetime) -> list[Change]:
    """Step: let payouts go to a changed account whose cool-off is over at `at`.

    Idempotent: an account that does not wait, or not until now, changes nothing.
    Returns: what has changed.
    Raises: BankAccountNotFound. Locks: the payee, then its accounts.
    """
    _account, known = _lock_accounts(account_id)
    return _enter_due(known, at=at)


@use_case()
def set_account_cooloff(*, platform_id: str, hours: int | None, at: datetime) -> Platform:
    """Say how long changed accounts of a platform's payees wait. What waits already is not moved.

    Args: hours: 1 to 720, in test mode also 0; None: a day on a live platform, else none. at: not
        kept; the audit row says when.
    Raises: CooloffInvalid. Locks: the platform.
    """
    platform = Platform.objects.select_for_update(of=("self",), no_key=True).get(pk=platform_id)
    platform.account_cooloff_hours = hours
    check_row(platform, CooloffInvalid)
    platform.save(update_fields=["account_cooloff_hours"])
    return platform


def check_account_number(account_number: str) -> str:
    """Return an account number without spaces and dashes. Raises: BankAccountInvalid."""
    number = selectors.compact_number(account_number)
    if not _NUMBER.match(number):
        raise BankAccountInvalid(
            "An account number has 6 to 34 digits or letters.", fields=["account_number"]
        )
    return number


def read_account_number(*, bank_account: BankAccount) -> str:
    """Open an account number, to be handed to the bank and kept nowhere.

    Raises: SealBroken when the row was tampered with, EncryptionKeyMissing.
    """
    return _number_field().open(bank_account)


def _number_field() -> encryption.SealedField:
    field = BankAccount._meta.get_field("account_number")
    assert isinstance(field, encryption.SealedField)
    return field


def _lock_accounts(account_id: str) -> tuple[BankAccount, list[BankAccount]]:
    """Lock an account and the others of its payee and currency.

    Returns: the account, and all that wait or are in force.
    """
    assert connection.in_atomic_block, "locks need a database transaction around them"
    found = BankAccount.objects.filter(pk=account_id).first()
    if found is None:
        raise BankAccountNotFound(f"There is no bank account {account_id}.", account=account_id)
    # The payee first, FOR NO KEY UPDATE: orders that merely point at it need not wait.
    payee = found.merchant or found.party or found.platform
    type(payee).objects.select_for_update(of=("self",), no_key=True).get(pk=payee.pk)
    rows = BankAccount.objects.select_for_update(of=("self",)).select_related("platform")
    account = rows.get(pk=account_id)
    standing = rows.filter(
        platform_id=account.platform_id,
        merchant_id=account.merchant_id,
        party_id=account.party_id,
        currency=account.currency,
        state__in=[BankAccountState.WAITING, BankAccountState.IN_FORCE],
    )
    return account, [account if row.pk == account.pk else row for row in standing.order_by("pk")]


def _standing(known: list[BankAccount]) -> tuple[BankAccount | None, BankAccount | None]:
    """The account in force and the one that waits, each if there is one."""
    by_state = {row.state: row for row in known}
    return by_state.get(BankAccountState.IN_FORCE), by_state.get(BankAccountState.WAITING)


def _enter_due(known: list[BankAccount], *, at: datetime) -> list[Change]:
    in_force, waiting = _standing(known)
    if waiting is None or waiting.waits(at=at):
        return []
    return [_enter(waiting, instead_of=in_force, at=at)]


def _enter(account: BankAccount, *, instead_of: BankAccount | None, at: datetime) -> Change:
    if instead_of is not None:
        instead_of.leave()
        instead_of.save(update_fields=["state"])
    account.enter(at=at)
    account.save(update_fields=["state", "effective_at"])
    return Change(account, instead_of)


def _cancel(account: BankAccount, *, beside: BankAccount | None) -> Change:
    account.cancel()
    account.save(update_fields=["state"])
    return Change(account, beside)


def _decided(account: BankAccount) -> BankAccountDecided:
    return BankAccountDecided(
        "This bank account does not wait any more; see which one is in force.",
        account=account.pk,
        state=account.state,
    )
