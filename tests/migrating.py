"""Makes the migrated database once, for every worker and every run of the same code to copy.

It must never make another schema than `manage.py migrate` does: it leaves out only what Django
computes for nothing.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django_fsm
import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

from settlement_site.environment import BASE_DIR

PREFIX = "migrated_"
LOCK = 5_272  # any number that nothing else locks


def migrated_database(connection: BaseDatabaseWrapper) -> str:
    """Run all migrations into a database of its own, unless this code has one already.

    Returns: its name. Idempotent; whoever comes meanwhile waits.
    """
    name = PREFIX + _code_hash()
    quote = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")  # to migrate takes long
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        found = {row[0] for row in cursor.fetchall()}
        for old in found - {name}:
            cursor.execute(f"DROP DATABASE {quote(old)}")
        if name not in found:
            draft = _make_draft(connection)
            cursor.execute(f"ALTER DATABASE {quote(draft)} RENAME TO {quote(name)}")
    return name


@contextlib.contextmanager
def database_beside(name: str) -> Iterator[None]:
    """Have another migrated database beside the tests' own, for as long as the block lasts."""
    quoted = connection.ops.quote_name(name)
    template = connection.ops.quote_name(migrated_database(connection))
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")  # of a run that was killed
        cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE {template}")
    yield
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {quoted}")


@contextlib.contextmanager
def connected_to(name: str) -> Iterator[None]:
    """Have this thread's queries go to another database for a while."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _make_draft(connection: BaseDatabaseWrapper) -> str:
    """Migrate from zero under another name, so that a kill leaves no half of one."""
    draft = PREFIX + "draft"
    alias = connection.alias
    with pytest.MonkeyPatch.context() as patch:
        for names in (connection.settings_dict, settings.DATABASES[alias]):
            patch.setitem(names, "NAME", names["NAME"])  # which Django changes to the draft's
        patch.setitem(connection.settings_dict["TEST"], "NAME", draft)
        with _no_needless_models():
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
    return draft


def _code_hash() -> str:
    """Sum up everything a migration can depend on: our code and the versions of all other."""
    digest = hashlib.sha256((BASE_DIR / "requirements.txt").read_bytes())
    folders = [Path(config.path) for config in _our_apps()]
    for folder in sorted([*folders, BASE_DIR / "common", BASE_DIR / "settlement_site"]):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _our_apps() -> list[AppConfig]:
    return [each for each in apps.get_app_configs() if Path(each.path).parent == BASE_DIR]


@contextlib.contextmanager
def _no_needless_models() -> Iterator[None]:
    """Keep Django from building the models of the past anew where nothing asks for them.

    A new constraint, index or trigger changes no field, yet each one builds a hundred models anew;
    and each state field of each of those listens to every model built after it. Without both a
    migration from zero takes 13 seconds of CPU time, not 43, and pg_dump shows no difference.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_fsm, "class_prepared", _Deaf)
        for change in ("_append_option", "_remove_option"):
            _without_reload(patch, ProjectState, change, state_at=0, label_at=1)
        for operation in (AddTrigger, RemoveTrigger):
            _without_reload(patch, operation, "state_forwards", state_at=2, label_at=1)
        yield


class _Deaf:
    @staticmethod
    def connect(receiver: Any) -> None:
        """Collect no transitions: the models of the past have no methods."""


def _without_reload(
    patch: pytest.MonkeyPatch, owner: type, name: str, *, state_at: int, label_at: int
) -> None:
    """Args: state_at, label_at: which arguments are the state and the label of the app."""
    real = getattr(owner, name)
    ours = {config.label for config in _our_apps()}

    def change(*args: Any, **kwargs: Any) -> Any:
        if args[label_at] not in ours:  # what others migrate may look at its models' constraints
            return real(*args, **kwargs)
        state = args[state_at]
        state.reload_model = lambda *args, **kwargs: None
        try:
            real(*args, **kwargs)
        finally:
            del state.reload_model
        return None

    patch.setattr(owner, name, change)
