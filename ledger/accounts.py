"""Opening and locking accounts ahead of an entry. It must never post."""

from collections.abc import Iterable

from django.db import connection

from ledger import chart, selectors
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


def lock_payables(*, addresses: Iterable[str], currency: str) -> dict[str, int]:
    """Lock what payees are owed, so that nobody else takes it before the caller's transaction ends.

    Returns: by address, what there is to take, minor units; more may be credited meanwhile.
    Locks: the guarded balances, by account id.
    """
    accounts = open_accounts(addresses=addresses, currency=currency)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id FROM ledger_guardedbalance WHERE account_id = ANY (%s)"
            " ORDER BY account_id FOR NO KEY UPDATE",
            ([*accounts.values()],),
        )
    return {address: selectors.balance(address=address, currency=currency) for address in accounts}
