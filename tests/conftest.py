"""Gives tests a database.

It must start it only when a test asks for one, and never weaken any other database.
"""

import gc
import os
import secrets
import signal
from collections.abc import Iterator

import pytest
import pytest_django
from django.db import connection, connections
from django.db.backends.postgresql.introspection import DatabaseIntrospection

from settlement_site import embedded
from tests.migrating import migrated_database

# Tables with BEFORE TRUNCATE triggers refuse the flush between transaction tests. (tgtype: bit 5 is
# TRUNCATE)
TRUNCATE_GUARDS = """
    SELECT tgrelid::regclass::text, tgname FROM pg_trigger
    WHERE NOT tgisinternal AND tgtype & 32 <> 0 AND tgrelid::regclass::text NOT LIKE 'pg_%'
    ORDER BY 1, 2
"""

# Drawn before there are workers: they must agree on which of many cases this run tries.
os.environ.setdefault("DRAW_SEED", str(secrets.randbelow(10**6)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"cases drawn: again with DRAW_SEED={os.environ['DRAW_SEED']}")


def pytest_collection_finish() -> None:
    """Spare the collector of cyclic garbage what lives as long as the run: a sixth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def _servers(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the services on first need, and do not wait for the disk: tests may lose data."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    embedded.start(judge=False)
    for each in connections.all():
        each.settings_dict["OPTIONS"]["options"] += " -c synchronous_commit=off"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    _servers: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Have the test database copied from a migrated one."""
    with django_db_blocker.unblock():
        for each in connections.all():
            each.settings_dict["TEST"]["TEMPLATE"] = migrated_database(each)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """Let the flush between transaction tests empty all but what the migrations wrote."""
    with django_db_blocker.unblock():
        _switch_truncate_guards("DISABLE")
        written_by_migrations = _tables_with_rows()
    patch = pytest.MonkeyPatch()
    all_names = DatabaseIntrospection.django_table_names

    def names_without_reference(
        self: DatabaseIntrospection, *args: bool, **kwargs: bool
    ) -> list[str]:
        return [
            name for name in all_names(self, *args, **kwargs) if name not in written_by_migrations
        ]

    patch.setattr(DatabaseIntrospection, "django_table_names", names_without_reference)
    yield
    patch.undo()


@pytest.fixture
def truncate_guards(transactional_db: None) -> Iterator[None]:
    """Switch the guards against TRUNCATE on for one test, as they are in production."""
    _switch_truncate_guards("ENABLE")
    yield
    _switch_truncate_guards("DISABLE")


def _switch_truncate_guards(verb: str) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(TRUNCATE_GUARDS)
        for table, trigger in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} {verb} TRIGGER {quote(trigger)}")


def _tables_with_rows() -> set[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        found = set()
        for name in names:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {connection.ops.quote_name(name)})")
            if cursor.fetchone()[0]:
                found.add(name)
    return found
