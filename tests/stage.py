"""A database that is really written to and quickly emptied, and a world on it: for tests that need
many of both.

It must never be used outside tests: emptying switches the guards of the books off for one
statement.
"""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from demo.local_sandbox import Clock, open_sandbox
from tests import world as worlds

# Written by the migrations: these stay.
KEPT = (
    "ledger_accountclass",
    "ledger_route",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
)


def empty_database() -> None:
    """Delete every row that no migration wrote. A hundred times faster than TRUNCATE on small
    tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(_emptying())


@functools.cache
def _emptying() -> str:
    """Return the statements; the tables stay the same for the whole run.

    They are sent as one, so that a failure takes back the first as well.
    """
    names = [name for name in connection.introspection.table_names() if _is_emptied(name)]
    return ";".join(
        [
            "SET session_replication_role = replica",  # no trigger and no foreign key asks
            *(f"DELETE FROM {connection.ops.quote_name(name)}" for name in names),
            "SET session_replication_role = origin",
        ]
    )


def _is_emptied(name: str) -> bool:
    return name not in KEPT and not name.startswith(("django_migrations", "django_content_type"))


@contextlib.contextmanager
def open_world(folder: Path, **sandbox: Any) -> Iterator[worlds.World]:
    """An empty database with one platform, paid out to its own account, and one seller."""
    empty_database()
    with open_sandbox(folder, clock=Clock(worlds.START), **sandbox) as local:
        platform = worlds.make_platform(at=worlds.START)
        world = worlds.World(local, platform)
        worlds.add_payee(platform, None, worlds.PAYS, at=worlds.START)
        world.add_merchant()
        yield world


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Stands in for pytest-django's own: real commits, emptied before and after."""
    with django_db_blocker.unblock():
        empty_database()
        yield
        empty_database()


@pytest.fixture
def world(transactional_db: None, tmp_path: Path) -> Iterator[worlds.World]:
    """A world at `START`. The bank executes a reference once."""
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def forgetful_world(
    transactional_db: None, tmp_path: Path, settings: Any
) -> Iterator[worlds.World]:
    """A world whose bank executes whatever it is sent, as often as it is sent."""
    rail = worlds.RAIL
    settings.RAILS = {rail: {**settings.RAILS[rail], "remembers_references": False}}
    with open_world(tmp_path, remembers_references=False) as opened:
        yield opened


@pytest.fixture(autouse=True)
def books_are_right(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test that had a world, every audit is empty."""
    if not {"world", "forgetful_world"} & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    assert worlds.audit() == []
