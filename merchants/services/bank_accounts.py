"""Where payees are paid. An account number is sealed on arrival and opened for a payout only."""

import re
from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import encryption, selectors
from merchants.models import BankAccount, Merchant, Party, Platform, kind_of
from merchants.services.checks import check_row

# Source: ISO 13616 (IBAN, at most 34); card-like Chinese accounts have 16 to 19 digits.
_NUMBER = re.compile(r"^[0-9A-Z]{6,34}$")


class BankAccountInvalid(DomainError):
    code = "bank_account_invalid"
    status = 422


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
    """Pay a payee into this account from now on.

    Changing an account is adding another: the old row of that currency is kept and deactivated.

    Args: merchant, party: whose account it is; None of both: the platform's own. account_number:
        digits and letters; spaces and dashes are left out.
    Raises: BankAccountInvalid, UnknownCurrency.
    Locks: the payee.
    """
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
    _lock_payee(platform, merchant, party)
    BankAccount.objects.filter(
        platform=platform, merchant=merchant, party=party, currency=currency, active=True
    ).update(active=False)
    account.save(force_insert=True)
    return account


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


def _lock_payee(platform: Platform, merchant: Merchant | None, party: Party | None) -> None:
    # FOR NO KEY UPDATE: orders that merely point at the payee need not wait.
    payee = merchant or party or platform
    type(payee).objects.select_for_update(of=("self",), no_key=True).get(pk=payee.pk)
