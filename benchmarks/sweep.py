"""Benchmark (b): the release sweep against the very rows it writes, inserted by bare set-based
SQL without guards.

The bare side inserts the rows the sweep has just written, with one INSERT … SELECT per table, into
tables of the same columns and indexes that have no trigger, no check and no foreign key.
"""

import time

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.seed import Books
from escrow import sweeps

ORDERS = 10_000
WRITTEN = (
    "ledger_journalentry",
    "ledger_posting",
    "escrow_release",
    "escrow_releaseline",
    "notifications_event",
    "orders_orderaudit",
)
CHANGED = ("orders_order", "escrow_hold")


def measure(books: Books, *, rounds: int) -> list[float]:
    """Returns: one ratio per round, bare seconds over the sweep's."""
    ratios = []
    sweeps.release_due_confirmations(at=timezone.now())  # what benchmark (a) left over
    for _ in range(rounds):
        orders = books.add_orders(ORDERS)
        marks = _marks()
        start = time.perf_counter()
        released = sweeps.release_due_confirmations(at=timezone.now())
        ours = time.perf_counter() - start
        assert released == len(orders), (released, len(orders))
        bare = _insert_bare(marks, orders)
        print(
            f"(b) sweep {ORDERS / ours:8.0f} orders/s,"
            f" bare SQL {ORDERS / bare:8.0f}/s, ratio {bare / ours:.2f}"
        )
        ratios.append(bare / ours)
    return ratios


def _marks() -> dict[str, str]:
    """The conditions that single out what the sweep is about to write."""
    conditions = {}
    for table in WRITTEN:
        key = {"ledger_posting": "entry_id", "orders_orderaudit": "pgh_id"}.get(table, "id")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT max({key}) FROM {table}")
            last = cursor.fetchone()[0]
        conditions[table] = f"{key} > '{last}'" if last is not None else "true"
    return conditions


def _insert_bare(marks: dict[str, str], orders: list[str]) -> float:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE released AS SELECT unnest(%s::text[]) AS id", [orders])
        for table, condition in marks.items():
            cursor.execute(
                f"CREATE TABLE bare_source_{table} AS SELECT * FROM {table} WHERE {condition}"
            )
            cursor.execute(
                f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"
            )
        for table in CHANGED:
            key = "id" if table == "orders_order" else "order_id"
            cursor.execute(
                f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"
            )
            cursor.execute(
                f"INSERT INTO bare_{table} SELECT * FROM {table} WHERE {key} = ANY (%s)", [orders]
            )
        cursor.execute("CHECKPOINT")
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in WRITTEN:
            cursor.execute(f"INSERT INTO bare_{table} SELECT * FROM bare_source_{table}")
        cursor.execute(
            "UPDATE bare_orders_order"
            " SET state = 'CONFIRMED', confirmed_at = now(), event_sequence = 4"
        )
        cursor.execute(
            "UPDATE bare_escrow_hold"
            " SET state = 'RELEASED', released_minor = amount_minor, closed_at = now()"
        )
    seconds = time.perf_counter() - start
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE released")
        for table in WRITTEN:
            cursor.execute(f"DROP TABLE bare_source_{table}, bare_{table}")
        for table in CHANGED:
            cursor.execute(f"DROP TABLE bare_{table}")
    return seconds
