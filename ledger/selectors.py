"""Questions to the books: balances, statements, the trial balance. Nothing here writes or locks.

Every answer is of one snapshot: one statement, or a checkpoint (which never changes) and one
statement. Balances are in the account's normal side: what we owe and what we own are positive.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from ledger import chart
from ledger.models import FIRST_GUARDED_ID, JournalEntry

# Debits less credits. A guarded account has them stored (row and waiting credits). A hot account
# has its checkpoint, an unchanging fact, and the postings later than its mark, which the primary
# key (entry_id, leg) finds as a range. Two statements, so that the planner sees the mark: behind a
# sub-select it would guess a third of all postings, and read all.
_STORED = """
    SELECT a.id, CASE WHEN a.id >= 100000
        THEN -(SELECT b.balance_minor FROM ledger_guardedbalance AS b WHERE b.account_id = a.id)
             - coalesce((SELECT sum(w.amount_minor) FROM ledger_waitingcredit AS w
                         WHERE w.account_id = a.id), 0)
        ELSE coalesce((SELECT c.balance_minor FROM ledger_hotcheckpoint AS c
                       WHERE c.account_id = a.id), 0)
    END, (SELECT coalesce(max(through_entry_id), 0) FROM ledger_hotcheckpoint)
    FROM ledger_account AS a WHERE a.address = %s AND a.currency = %s
"""
_LATER = """
    SELECT coalesce(sum(amount_minor), 0) FROM ledger_posting
    WHERE entry_id > %s AND account_id = %s
"""

_SUBJECT_BALANCE = """
    SELECT coalesce(sum(p.amount_minor), 0)
    FROM ledger_journalentry AS e JOIN ledger_posting AS p ON p.entry_id = e.id
    WHERE e.subject = %s AND p.account_id = (
        SELECT a.id FROM ledger_account AS a WHERE a.address = %s AND a.currency = %s
    )
"""

_STATEMENT = """
    SELECT entry_id, event_at, kind, reference, subject, amount_minor, balance_minor
    FROM (
        SELECT e.id AS entry_id, p.leg, e.event_at, e.kind, e.reference, e.subject,
               p.amount_minor * %(sign)s AS amount_minor,
               sum(p.amount_minor * %(sign)s)
                   OVER (ORDER BY e.event_at, e.id, p.leg) AS balance_minor
        FROM ledger_posting AS p JOIN ledger_journalentry AS e ON e.id = p.entry_id
        WHERE p.account_id = (
            SELECT a.id FROM ledger_account AS a
            WHERE a.address = %(address)s AND a.currency = %(currency)s
        ) AND (%(guarded)s = false OR p.account_id >= 100000)
    ) AS line
    WHERE event_at >= coalesce(%(since)s::timestamptz, '-infinity')
      AND event_at < coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY event_at, entry_id, leg
"""

_CHECKPOINTS = "SELECT account_id, balance_minor, through_entry_id FROM ledger_hotcheckpoint"

_TRIAL_BALANCE = """
    SELECT a.currency, a.account_class_id, count(*), sum(part.amount_minor)::bigint
    FROM (
        SELECT b.account_id, -b.balance_minor - coalesce(
            (SELECT sum(w.amount_minor) FROM ledger_waitingcredit AS w
             WHERE w.account_id = b.account_id), 0
        ) AS amount_minor
        FROM ledger_guardedbalance AS b
        UNION ALL
        SELECT hot.id, coalesce(known.balance_minor, 0) + coalesce(later.amount_minor, 0)
        FROM ledger_account AS hot
        LEFT JOIN unnest(%s::bigint[], %s::bigint[]) AS known (id, balance_minor)
            ON known.id = hot.id
        LEFT JOIN (
            SELECT account_id, sum(amount_minor) AS amount_minor FROM ledger_posting
            WHERE entry_id > %s AND account_id < 100000 GROUP BY account_id
        ) AS later ON later.account_id = hot.id
        WHERE hot.id < 100000
    ) AS part JOIN ledger_account AS a ON a.id = part.account_id
    GROUP BY a.currency, a.account_class_id
"""

_HELD = """
    SELECT a.currency, e.subject, -sum(p.amount_minor)::bigint
    FROM ledger_posting AS p
    JOIN ledger_journalentry AS e ON e.id = p.entry_id
    JOIN ledger_account AS a ON a.id = p.account_id
    WHERE p.account_id = ANY (ARRAY(SELECT id FROM ledger_account WHERE account_class_id = 'held'))
      AND (%(currency)s::text IS NULL OR a.currency = %(currency)s)
    GROUP BY a.currency, e.subject HAVING sum(p.amount_minor) <> 0
    ORDER BY a.currency, e.subject
"""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting of an account. Amounts in minor units, positive in the account's normal side."""

    entry_id: int
    event_at: datetime
    kind: str
    reference: str
    subject: str
    amount_minor: int
    balance_minor: int  # after this line


@dataclass(frozen=True, slots=True)
class TrialLine:
    """All accounts of one class in one currency. One of the two columns is zero."""

    currency: str
    account_class: str
    kind: chart.Kind
    accounts: int
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Minor units in the class's normal side; negative when it stands on the other."""
        amount = self.debit_minor - self.credit_minor
        return amount if chart.BY_CODE[self.account_class].side is chart.Side.DEBIT else -amount


@dataclass(frozen=True, slots=True)
class HeldBalance:
    """What is still held for one order. Minor units, positive."""

    currency: str
    subject: str
    balance_minor: int


def balance(*, address: str, currency: str) -> int:
    """Read an account's balance.

    Returns: minor units in its normal side; 0 for an account not opened yet.
    """
    rows = _rows(_STORED, (address, currency))
    if not rows:
        return 0
    account_id, amount_minor, mark = rows[0]
    if account_id < FIRST_GUARDED_ID:
        amount_minor += int(_rows(_LATER, (mark, account_id))[0][0])
    return _sign(address) * int(amount_minor)


def subject_balance(*, subject: str, address: str, currency: str) -> int:
    """Read the part of an account that belongs to one subject, such as an order's held money.

    Returns: minor units in the account's normal side.
    """
    return _sign(address) * int(_rows(_SUBJECT_BALANCE, (subject, address, currency))[0][0])


def subject_entries(subject: str) -> QuerySet[JournalEntry]:
    """An order's (or payout's) journal, oldest first, with its postings and their accounts."""
    entries = JournalEntry.objects.filter(subject=subject).order_by("id")
    return entries.prefetch_related("postings__account")


def entries_of(entry_ids: Iterable[int | None]) -> QuerySet[JournalEntry]:
    """Find entries by their ids, and their reversals, oldest first, with postings and accounts."""
    ids = [entry_id for entry_id in entry_ids if entry_id is not None]
    entries = JournalEntry.objects.filter(Q(pk__in=ids) | Q(reverses_id__in=ids)).order_by("id")
    return entries.prefetch_related("postings__account")


def statement(
    *, address: str, currency: str, since: datetime | None = None, until: datetime | None = None
) -> list[StatementLine]:
    """List an account's postings with the running balance, by when they happened.

    Args: since, until: aware instants, since included, until not; the balance counts all before.
    """
    facts = {
        "sign": _sign(address),
        "address": address,
        "currency": currency,
        "guarded": chart.class_of(address).guarded,
        "since": since,
        "until": until,
    }
    return [
        StatementLine(entry_id, event_at, kind, reference, subject, int(amount), int(after))
        for entry_id, event_at, kind, reference, subject, amount, after in _rows(_STATEMENT, facts)
    ]


def trial_balance() -> list[TrialLine]:
    """Every class of accounts in every currency.

    Returns: by currency, then in the chart's order.
    """
    order = [each.code for each in chart.CLASSES]
    checkpoints = _rows(_CHECKPOINTS, None)
    known_ids = [account_id for account_id, _, _ in checkpoints]
    known_balances = [balance_minor for _, balance_minor, _ in checkpoints]
    mark = max((through for _, _, through in checkpoints), default=0)
    lines = [
        TrialLine(
            currency, code, chart.BY_CODE[code].kind, accounts, max(amount, 0), max(-amount, 0)
        )
        for currency, code, accounts, amount in _rows(
            _TRIAL_BALANCE, (known_ids, known_balances, mark)
        )
    ]
    return sorted(lines, key=lambda line: (line.currency, order.index(line.account_class)))


def free_own_funds(*, currency: str) -> int:
    """The operator's own funds that lie in the system and front nobody's debt: fees earned and
    top-ups, less channel fees and losses, less what payees owe. Minor units; may be below zero."""
    return own_funds_in(line for line in trial_balance() if line.currency == currency)


def own_funds_in(lines: Iterable[TrialLine]) -> int:
    """The same, out of the trial balance of one currency. Below zero, customers' money stands in
    for what is missing."""
    ours = (*chart.OWN_FUNDS, *chart.RECEIVABLES)
    return sum(line.credit_minor - line.debit_minor for line in lines if line.account_class in ours)


def held_balances(*, currency: str | None = None) -> list[HeldBalance]:
    """List every order whose held money is not zero, by currency and order."""
    return [HeldBalance(*row) for row in _rows(_HELD, {"currency": currency})]


def _sign(address: str) -> int:
    return 1 if chart.class_of(address).side is chart.Side.DEBIT else -1


def _rows(sql: str, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
