"""The durable book of one sandbox service: a SQLite file in WAL mode, money in integer minor units.

Every change is one short write; nothing foreign (sleep, HTTP) may ever happen inside one.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.wire import iso

Row = dict[str, Any]

SHARED_TABLES = """
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY, operation TEXT NOT NULL, fault TEXT NOT NULL, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, url TEXT NOT NULL,
    body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL,                          -- NULL: acknowledged, lost or given up
    outcome TEXT NOT NULL DEFAULT 'DUE'); -- DUE, ACKNOWLEDGED, LOST, GIVEN_UP
CREATE INDEX IF NOT EXISTS notices_due ON notices (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, at REAL NOT NULL);
"""
_INHERITED: list[sqlite3.Connection] = []  # a forked child must never close its parent's connection


class Book:
    """One connection per thread and process: the book survives threads, forks and kill -9."""

    def __init__(self, path: str | Path, tables: str) -> None:
        self.path = str(path)
        self._local = threading.local()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._connection().executescript("PRAGMA journal_mode=WAL;" + SHARED_TABLES + tables)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a write that commits at the end of the block and is undone by an exception."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return [dict(row) for row in self._connection().execute(sql, values)]

    def row(self, sql: str, *values: Any) -> Row | None:
        found = self._connection().execute(sql, values).fetchone()
        return dict(found) if found else None

    def total(self, table: str, where: str, *values: Any, column: str = "amount_minor") -> int:
        """Sum a money column; `table`, `where` and `column` are ours, never a caller's text."""
        sql = f"SELECT coalesce(sum({column}), 0) AS total FROM {table} WHERE {where}"  # noqa: S608
        found = self.row(sql, *values)
        return int(found["total"]) if found else 0

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None and self._local.pid == os.getpid():
            connection.close()
        self._local.connection = None

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.pid != os.getpid():
            _INHERITED.append(connection)
            connection = None
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection, self._local.pid = connection, os.getpid()
        return connection


def number(prefix: str) -> str:
    """A provider's own number for something."""
    return f"{prefix}{secrets.token_hex(10).upper()}"


def answer(row: Row) -> Row:
    """What the outside is told of a payment, refund or payout; no code before a decision."""
    names = ("reference", "provider_reference", "status", "amount_minor", "currency")
    told = {name: row[name] for name in names}
    code = "" if row["status"] == "PENDING" else row["code"]
    return told | {"code": code, "event_at": iso(row["event_at"])}


def insert(connection: sqlite3.Connection, table: str, **columns: Any) -> None:
    """Insert one row; `table` and the column names are ours, never a caller's text."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    connection.execute(sql, tuple(columns.values()))
