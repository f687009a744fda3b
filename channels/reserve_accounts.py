"""Where the reserve account of each custodian is, for those who pay into it, by
settings.RESERVE_ACCOUNTS.

It must never guess: a custodian that is not listed has no account anybody could be told of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class ReserveAccount:
    """What a payer fills in at its own bank."""

    account_name: str
    account_number: str  # or IBAN
    bank_name: str
    bank_code: str = ""  # BIC, or the number of the branch; empty where none is needed


def find_reserve_account(custodian: str) -> ReserveAccount | None:
    """Return the account of a custodian; None: it is not configured."""
    listed: Mapping[str, Mapping[str, str]] = settings.RESERVE_ACCOUNTS
    found = listed.get(custodian)
    return None if found is None else ReserveAccount(**found)
