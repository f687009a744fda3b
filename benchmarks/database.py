"""A database of its own for the benchmark, and one for its peer, on the configured server. Both
are dropped after."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from django.db import connection
from django.test.utils import setup_databases, teardown_databases

NAME = "bench_holdfast"
PEER = "bench_hordak"


@contextmanager
def bench_database() -> Iterator[str]:
    """Point Django at a fresh, migrated database for the block. Yields: the URL of an empty
    database for the peer."""
    connection.settings_dict["TEST"] = {**connection.settings_dict.get("TEST", {}), "NAME": NAME}
    old = setup_databases(verbosity=0, interactive=False)
    try:
        _recreate_peer()
        yield _url(PEER)
    finally:
        _drop_peer()
        teardown_databases(old, verbosity=0)


def _url(name: str) -> str:
    config = connection.settings_dict
    user = f"{quote(config['USER'])}:{quote(config['PASSWORD'])}@" if config["USER"] else ""
    host = config["HOST"]
    if host.startswith("/"):
        return f"postgres://{user}/{name}?host={host}"
    return f"postgres://{user}{host}:{config['PORT'] or 5432}/{name}"


def _recreate_peer() -> None:
    _drop_peer()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {PEER}")


def _drop_peer() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {PEER}")
