"""The only doors through which money moves: `post`, `post_all` and `reverse`.

It must never decide what an entry means (that is `ledger.entries`), and never write a row any other
way than by the SQL functions of `ledger/sql/posting.sql`.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from ledger import chart, entries
from ledger.errors import (
    AlreadyPosted,
    BooksAreAppendOnly,
    ForbiddenRoute,
    InsufficientBalance,
    LedgerRefusal,
    UnbalancedEntry,
    UnknownAccount,
    UnknownEntry,
    WrongMirror,
    refusals,
)
from ledger.prepared import prepared_cursor

__all__ = [
    "AlreadyPosted",
    "BooksAreAppendOnly",
    "ForbiddenRoute",
    "InsufficientBalance",
    "LedgerRefusal",
    "UnbalancedEntry",
    "UnknownAccount",
    "UnknownEntry",
    "WrongMirror",
    "checkpoint_hot_accounts",
    "post",
    "post_all",
    "reverse",
]

_POST = "SELECT ledger_post(%s, %s, %s, %s, %s, %s::text[], %s::text[], %s::bigint[])"
_POST_MANY = """
    SELECT ledger_post_many(%s::text[], %s::text[], %s::text[], %s::text[], %s,
                            %s::integer[], %s::text[], %s::text[], %s::bigint[])
"""
_REVERSE = "SELECT ledger_reverse(%s, %s)"

# A poster that sits on its entry longer than this is waited for by the next checkpoint, not by this
# one: while the lock is asked for, everybody else who posts stands behind it.
_CHECKPOINT_LOCK_TIMEOUT = "500ms"


def post(*, draft: entries.Draft, at: datetime) -> int:
    """Write one entry with all its postings.

    Money: as the draft says; `ledger.entries` has one function per business event.
    Args: at: when the fact happened (aware).
    Returns: the id of the entry.
    Raises: AlreadyPosted, InsufficientBalance, UnbalancedEntry, ForbiddenRoute, UnknownAccount.
        Each leaves the transaction spent: roll back, or call inside a savepoint.
    Idempotent: no; a second post of the same reference raises AlreadyPosted.
    Locks: the guarded accounts it touches, by id, until the transaction ends.
    """
    assert connection.in_atomic_block, "post belongs to the caller's transaction"
    addresses = [leg.address for leg in draft.legs]
    with refusals(), prepared_cursor() as cursor:
        cursor.execute(
            _POST,
            (
                draft.kind.value,
                draft.reference,
                draft.subject,
                draft.currency,
                at,
                addresses,
                _class_codes(addresses),
                [leg.amount_minor for leg in draft.legs],
            ),
        )
        return int(cursor.fetchone()[0])


def post_all(*, drafts: Iterable[entries.Draft], at: datetime) -> list[int]:
    """Write many entries in one statement: all of them or none.

    Args: at: when the facts happened (aware).
    Returns: one entry id per draft, in order.
    Raises: as `post`.
    Locks: the guarded accounts of all entries, by id; it cannot deadlock as single posts might.
    """
    assert connection.in_atomic_block, "post_all belongs to the caller's transaction"
    wanted = list(drafts)
    if not wanted:
        return []
    legs = [(position, leg) for position, draft in enumerate(wanted, start=1) for leg in draft.legs]
    addresses = [leg.address for _, leg in legs]
    if len({position for position, _ in legs}) < len(wanted):
        raise UnbalancedEntry("An entry without legs cannot be posted.")
    with refusals(), connection.cursor() as cursor:
        cursor.execute(
            _POST_MANY,
            (
                [draft.kind.value for draft in wanted],
                [draft.reference for draft in wanted],
                [draft.subject for draft in wanted],
                [draft.currency for draft in wanted],
                at,
                [position for position, _ in legs],
                addresses,
                _class_codes(addresses),
                [leg.amount_minor for _, leg in legs],
            ),
        )
        return [int(entry_id) for entry_id in cursor.fetchone()[0]]


def reverse(*, entry_id: int, at: datetime) -> int:
    """Undo an entry by its exact mirror: same kind and subject, reference `reversal:<original>`.

    Returns: the id of the new entry.
    Raises: UnknownEntry; AlreadyPosted when it is reversed already; WrongMirror for the reversal of
        a reversal; InsufficientBalance when a payee has been paid out meanwhile.
    Locks: as `post`.
    """
    assert connection.in_atomic_block, "reverse belongs to the caller's transaction"
    with refusals(), connection.cursor() as cursor:
        cursor.execute(_REVERSE, (entry_id, at))
        reversal_id = cursor.fetchone()[0]
    if reversal_id is None:
        raise UnknownEntry(f"There is no entry {entry_id}.", entry_id=entry_id)
    return int(reversal_id)


def checkpoint_hot_accounts(*, at: datetime) -> int:
    """Add up the hot accounts' postings so far, so that a balance adds up only what came later.

    Entry ids are given before commit, so "the highest id" may hide a lower one that is still to be
    committed. A SHARE lock on the entries, held only while the highest id is read, waits for every
    open poster and so makes the mark safe; the adding up then runs without it.

    Returns: the mark, the highest entry id that is added up; 0 for empty books.
    Raises: OperationalError when a poster stays open too long; the next run will do.
    Idempotent: a second run only moves the mark further.
    Locks: journal entries (SHARE, at most half a second), then the checkpoint rows.
    """
    mark = _read_safe_mark()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # the first run adds up all there is
        # One at a time: a slower run with a lower mark must find the higher one and leave it.
        cursor.execute("LOCK TABLE ledger_hotcheckpoint IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT coalesce(max(through_entry_id), 0) FROM ledger_hotcheckpoint")
        last_mark = int(cursor.fetchone()[0])
        if mark > last_mark:
            cursor.execute(_ADVANCE_CHECKPOINTS, {"last": last_mark, "mark": mark, "at": at})
    return max(mark, last_mark)


# Every hot account gets the new mark, also one without a posting or opened meanwhile: readers may
# then take an account without a row to have nothing at or below the highest mark.
_ADVANCE_CHECKPOINTS = """
    INSERT INTO ledger_hotcheckpoint AS c (account_id, through_entry_id, balance_minor, taken_at)
    SELECT a.id, %(mark)s, coalesce(later.amount_minor, 0), %(at)s
    FROM ledger_account AS a LEFT JOIN (
        SELECT account_id, sum(amount_minor)::bigint AS amount_minor
        FROM ledger_posting
        WHERE entry_id > %(last)s AND entry_id <= %(mark)s AND account_id < 100000
        GROUP BY account_id
    ) AS later ON later.account_id = a.id
    WHERE a.id < 100000
    ON CONFLICT (account_id) DO UPDATE
    SET through_entry_id = excluded.through_entry_id, taken_at = excluded.taken_at,
        balance_minor = c.balance_minor + excluded.balance_minor
"""


def _read_safe_mark() -> int:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_CHECKPOINT_LOCK_TIMEOUT}'")
        cursor.execute("LOCK TABLE ledger_journalentry IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM ledger_journalentry")
        return int(cursor.fetchone()[0])


def _class_codes(addresses: list[str]) -> list[str]:
    try:
        return [chart.class_of(address).code for address in addresses]
    except ValueError as error:
        raise UnknownAccount(f"{error}.") from None
