"""What a replay needs to be alone with: its simulated clock is for its own rows, and nobody else's
clock is for them.

Sweeps know no platform. A worker would sweep the history's rows by today's clock, years after their
deadlines; and a replay would do the work of others that falls due within the simulated time,
against a sandbox that never heard of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError

SLUG_PREFIX = "replay-"
PING_SECONDS = 0.5
_LOCK_KEY = 0x4F4C495354  # any number of our own

_UNFINISHED = """
    SELECT p.name, min(work.due) FROM (
        SELECT platform_id, pay_by AS due FROM orders_order WHERE state = 'CREATED'
        UNION ALL SELECT platform_id, ship_by FROM orders_order WHERE state = 'PAID'
        UNION ALL SELECT platform_id, confirm_by FROM orders_order WHERE state = 'SHIPPED'
        UNION ALL SELECT platform_id, due_at FROM orders_payment WHERE due_at IS NOT NULL
        UNION ALL SELECT platform_id, due_at FROM escrow_refund WHERE due_at IS NOT NULL
        UNION ALL SELECT platform_id, due_at FROM escrow_dispute WHERE due_at IS NOT NULL
        UNION ALL SELECT platform_id, guaranteed_at FROM escrow_debt WHERE state = 'OPEN'
        UNION ALL SELECT platform_id, due_at FROM payouts_payout WHERE due_at IS NOT NULL
        UNION ALL SELECT o.platform_id, r.released_at FROM escrow_releaseline l
            JOIN escrow_release r ON r.id = l.release_id JOIN escrow_hold h ON h.id = r.hold_id
            JOIN orders_order o ON o.id = h.order_id
            WHERE l.settlement_id IS NULL AND l.payee NOT IN ('SERVICE_FEE', 'RESERVE')
        UNION ALL SELECT platform_id, due_at FROM escrow_reserveslice WHERE state = 'HELD'
        UNION ALL SELECT platform_id, next_attempt_at FROM notifications_event
            WHERE relayed_at IS NULL
    ) AS work JOIN merchants_platform p ON p.id = work.platform_id
    WHERE work.due <= %s AND NOT starts_with(p.slug, %s)
    GROUP BY p.name ORDER BY 2 LIMIT 1
"""


class NotAlone(Exception):
    """Its text says who else is there and what to do."""


@contextmanager
def alone(*, until: datetime) -> Iterator[None]:
    """Hold the one place there is for a replay on this database.

    Its connection does not wait for the disk at each commit: a replay that a crash ends is over
    anyway. Work that an interrupted replay left undone is no obstacle: the next one does it.

    Args: until: the end of the simulated time.
    Raises: NotAlone.
    """
    _refuse_worker()
    try:
        if not _ask("SELECT pg_try_advisory_lock(%s)", _LOCK_KEY):
            raise NotAlone("Another replay is running on this database; wait until it has ended.")
        _refuse_unfinished_work(until)
        _ask("SELECT set_config('synchronous_commit', 'off', false)")
        yield
    finally:
        # Gives back the lock and the setting, even when a signal came in the middle of a statement.
        connection.close()


def _ask(statement: str, *values: int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row and row[0]


def _refuse_worker() -> None:
    try:
        answers = current_app.control.ping(timeout=PING_SECONDS)
    except (OperationalError, OSError):
        return  # without a broker no worker is told to sweep
    if answers:
        raise NotAlone(
            "A worker is running and would sweep the history's orders by today's clock; stop it "
            "(and `make demo`) first, or name another database by DATABASE_URL and REDIS_URL."
        )


def _refuse_unfinished_work(until: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_UNFINISHED, [until, SLUG_PREFIX])
        found = cursor.fetchone()
    if found is not None:
        name, due = found
        raise NotAlone(
            f"The platform {name} has unfinished work due at {due:%Y-%m-%d %H:%M} UTC, within the "
            f"time of this history (until {until:%Y-%m-%d %H:%M}); let a worker finish it, or name "
            "another database."
        )
