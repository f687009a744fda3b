"""Brings `ledger_accountclass` and `ledger_route` up to chart.CLASSES and entries.ROUTES.

Migrations call it; a new class or entry kind needs a new migration that calls it again. It must
only ever add: the audit names a row that the lists do not have.
"""

from django.db import connection

from ledger import chart, entries

_INSERT_CLASS = """
    INSERT INTO ledger_accountclass (code, pattern, kind, side, guarded, customers, meaning)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (code) DO NOTHING
"""
_INSERT_ROUTE = """
    INSERT INTO ledger_route (kind, account_class_id, side)
    VALUES (%s, %s, %s) ON CONFLICT (kind, account_class_id, side) DO NOTHING
"""


def class_rows() -> list[tuple[str, str, str, str, bool, bool, str]]:
    """The rows `ledger_accountclass` must hold, by code."""
    return sorted(
        (
            each.code,
            each.pattern,
            each.kind.value,
            each.side.value,
            each.guarded,
            each.customers,
            each.meaning,
        )
        for each in chart.CLASSES
    )


def route_rows() -> list[tuple[str, str, str]]:
    """The (kind, account class, side) rows `ledger_route` must hold, sorted."""
    return sorted(
        (kind.value, code, side) for kind, routes in entries.ROUTES.items() for code, side in routes
    )


def seed() -> None:
    """Add the classes and routes the database does not have yet.

    Idempotent: by primary and unique key.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('holdfast.seeding', 'on', true)")
        cursor.executemany(_INSERT_CLASS, class_rows())
        cursor.executemany(_INSERT_ROUTE, route_rows())
        cursor.execute("SELECT set_config('holdfast.seeding', 'off', true)")
