"""Balances of payees day by day, out of the postings. It must never decide about money.

One statement, and so one snapshot: what was before the first day is added up, then each day's
moves, and a window adds them to running balances.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from ledger import chart
from ledger.routes import EntryKind

# The postings of guarded accounts have an index of their own (`ledger_posting_guarded`), which also
# has the amounts; what became of a payout stands under its own subject.
_DAYS = """
WITH own AS MATERIALIZED (
    SELECT a.id, a.currency, a.account_class_id = 'merchant_reserve' AS is_reserve
    FROM ledger_account AS a WHERE a.address = ANY (%(addresses)s) AND a.id >= 100000
), moved AS MATERIALIZED (
    SELECT own.currency, own.is_reserve, e.kind, e.subject, e.event_at, p.amount_minor
    FROM own JOIN ledger_posting AS p ON p.account_id = own.id AND p.account_id >= 100000
    JOIN ledger_journalentry AS e ON e.id = p.entry_id
    WHERE e.event_at <= %(until)s
), paid AS (
    SELECT e.currency, e.event_at, p.amount_minor
    FROM (SELECT DISTINCT subject FROM moved WHERE kind = %(sent)s) AS payout
    JOIN ledger_journalentry AS e ON e.subject = payout.subject AND e.kind = %(paid)s
    JOIN ledger_posting AS p ON p.entry_id = e.id
    JOIN ledger_account AS a ON a.id = p.account_id AND a.account_class_id = 'payout_in_transit'
    WHERE e.event_at <= %(until)s
), part AS (
    SELECT currency, event_at,
           CASE WHEN is_reserve THEN 0 ELSE -amount_minor END AS available,
           CASE WHEN is_reserve THEN -amount_minor ELSE 0 END AS reserved,
           CASE WHEN kind = %(sent)s THEN amount_minor ELSE 0 END AS in_transit,
           0 AS paid
    FROM moved
    UNION ALL
    SELECT currency, event_at, 0, 0, -amount_minor, amount_minor FROM paid
), by_day AS (
    SELECT currency, greatest((event_at AT TIME ZONE %(zone)s)::date, %(first)s - 1) AS day,
           sum(available) AS available, sum(reserved) AS reserved, sum(in_transit) AS in_transit,
           sum(paid) AS paid
    FROM part GROUP BY 1, 2
), shown AS (
    SELECT known.currency, days.day::date AS day, coalesce(by_day.paid, 0)::bigint AS paid,
           coalesce(sum(by_day.available) OVER upto, 0)::bigint AS available,
           coalesce(sum(by_day.reserved) OVER upto, 0)::bigint AS reserved,
           coalesce(sum(by_day.in_transit) OVER upto, 0)::bigint AS in_transit
    FROM (SELECT DISTINCT currency FROM by_day) AS known
    CROSS JOIN generate_series(%(first)s - 1, %(last)s::timestamp, '1 day') AS days (day)
    LEFT JOIN by_day ON by_day.currency = known.currency AND by_day.day = days.day
    WINDOW upto AS (PARTITION BY known.currency ORDER BY days.day)
)
SELECT currency, day, available, reserved, in_transit, paid FROM shown WHERE day >= %(first)s
ORDER BY currency, day
"""


@dataclass(frozen=True, slots=True)
class DayBalance:
    """What some payees together had at the end of a day, and were paid on it. Minor units; a day
    on which more came back from banks than was paid has `paid_minor` below zero."""

    currency: str
    day: date
    available_minor: int  # released, on no payout
    reserved_minor: int  # held back of releases for some days
    in_transit_minor: int  # on a payout that is not known to be paid
    paid_minor: int  # paid by banks on that day, less what came back on it


def list_day_balances(
    *, addresses: Collection[str], first: date, last: date, zone: str, until: datetime
) -> list[DayBalance]:
    """Say what payees had at the end of each day, all of them added up.

    Args: addresses: of payable, commission and reserve accounts; others are left out. first, last:
        days of `zone`, both included. until: the last day ends here.
    Returns: by currency and day, without gaps; no currency in which nothing ever moved.
    """
    guarded = [each for each in addresses if chart.class_of(each).guarded]
    with connection.cursor() as cursor:
        cursor.execute(
            _DAYS,
            {
                "addresses": guarded,
                "first": first,
                "last": last,
                "zone": zone,
                "until": until,
                "sent": EntryKind.PAYOUT_SENT,
                "paid": EntryKind.PAYOUT_PAID,
            },
        )
        return [DayBalance(*row) for row in cursor.fetchall()]
