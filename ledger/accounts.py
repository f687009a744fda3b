"""Opening and locking accounts ahead of an entry. It must never post."""

from collections.abc import Iterable

from django.db import connection

from ledger import chart
from ledger.errors import refusals


def open_accounts(*, addresses: Iterable[str], currency: str) -> dict[str, int]:
    """Find accounts, opening the missing ones. Returns: account id by address."""
    assert connection.in_atomic_block, "open_accounts belongs to the caller's transaction"
    wanted = sorted(set(addresses))
    classes = [chart.class_of(address).code for address in wanted]
    with refusals(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.address, ledger_account_id(w.address, %s, w.class)"
            " FROM (SELECT * FROM unnest(%s::text[], %s::text[]) AS w (address, class) ORDER BY 1)"
            " AS w",
            (currency, wanted, classes),
        )
        return {address: int(account_id) for address, account_id in cursor.fetchall()}


def lock_account(*, address: str, currency: str) -> int:
    """Lock one account's row until the caller's transaction ends; posting to it does not wait
    for this.

    It serialises those who decide on the account's balance and call this first. Returns: the
    account's id.
    """
    account_id = open_accounts(addresses=[address], currency=currency)[address]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ledger_account WHERE id = %s FOR NO KEY UPDATE", (account_id,)
        )
    return account_id
