"""Every book as it was at one instant: our database, the channel's, the bank's, and the clock.
Back in milliseconds.

Measured on 49 small tables: delete and insert 15 ms, TRUNCATE 170 ms, CREATE DATABASE … TEMPLATE
400 ms. It must never be used on a database anybody needs: it switches the guards of the books off.
"""

import hashlib
import json
import mmap
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from demo.local_sandbox import Clock, LocalSandbox
from tests.stage import KEPT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHEMA = "crash"
Rows = dict[str, list[dict[str, Any]]]

# What differs between two runs that did the same: random ids and numbers, and the wall's time.
_RANDOM = r"[0-9A-Za-z_-]*[0-9A-Fa-f]{16,}[0-9A-Za-z_-]*|[0-9A-Za-z_-]{32,}"
_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND (
        data_type IN ('bigint', 'integer') AND column_name ~ '(^|_)id$'
        OR data_type LIKE 'timestamp%%' AND (column_default IS NOT NULL OR column_name ~ '^pgh_'))
"""


class SharedClock(Clock):
    """A clock on the wall: it hangs in memory that forked processes share, and it outlives them."""

    def __init__(self, now: datetime) -> None:
        self._page = mmap.mmap(-1, 8)
        self.now = now

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=struct.unpack("q", self._page[:8])[0])

    @now.setter
    def now(self, at: datetime) -> None:
        self._page[:8] = struct.pack("q", (at - EPOCH) // timedelta(microseconds=1))


class Snapshots:
    """Numbered snapshots of the present connection's database and of one sandbox."""

    def __init__(self, sandbox: LocalSandbox) -> None:
        self._sandbox = sandbox
        self._tables = [name for name in connection.introspection.table_names() if _is_ours(name)]
        self._digest = _digest_query(self._tables)
        self._restores: list[str] = []
        self._books: list[tuple[datetime, Rows, Rows]] = []
        self._run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")

    def take(self) -> int:
        """Keep everything as it is now. Returns: the snapshot's number, from 0."""
        number = len(self._restores)
        filled = self._filled_tables()
        copies = [
            f'CREATE TABLE {SCHEMA}."{name}{number}" AS TABLE public."{name}"' for name in filled
        ]
        self._run("; ".join(copies))
        inserts = [
            f'INSERT INTO public."{name}" OVERRIDING SYSTEM VALUE'
            f' SELECT * FROM {SCHEMA}."{name}{number}"'
            for name in filled
        ]
        deletes = [f'DELETE FROM public."{name}"' for name in self._tables]
        off, on = ("SET LOCAL session_replication_role = replica", self._sequences())
        self._restores.append("; ".join(["BEGIN", off, *deletes, *inserts, on, "COMMIT"]))
        channel, bank = self._sandbox.channel.book, self._sandbox.bank.book
        self._books.append((self._sandbox.clock.now, _read(channel), _read(bank)))
        return number

    def restore(self, number: int) -> None:
        """Put everything back as it was."""
        self._run(self._restores[number])
        now, channel, bank = self._books[number]
        _write(self._sandbox.channel.book, channel)
        _write(self._sandbox.bank.book, bank)
        self._sandbox.clock.now = now

    def digest(self) -> str:
        """Everything durable as one word, equal for two states that differ only in names."""
        with connection.cursor() as cursor:
            cursor.execute(self._digest)
            ours = cursor.fetchone()[0]
        books = [_digest_book(each.book) for each in (self._sandbox.channel, self._sandbox.bank)]
        return " ".join([ours, *books, self._sandbox.clock.now.isoformat()])

    def close(self) -> None:
        self._run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

    def _sequences(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(format('setval(%L, %s, %L)',"
                " format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value),"
                " last_value IS NOT NULL), ', ')"
                " FROM pg_sequences WHERE schemaname = 'public'"
            )
            return f"SELECT {cursor.fetchone()[0]}"

    def _filled_tables(self) -> list[str]:
        asked = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM public.\"{name}\")" for name in self._tables
        )
        with connection.cursor() as cursor:
            cursor.execute(asked)
            return [row[0] for row in cursor.fetchall()]

    def _run(self, sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)


def _is_ours(name: str) -> bool:
    return name not in KEPT and not name.startswith(("django_migrations", "django_content_type"))


def _digest_query(tables: list[str]) -> str:
    left_out: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [])
        for table, column in cursor.fetchall():
            left_out.setdefault(table, []).append(column)
    lines = " UNION ALL ".join(
        f"SELECT '{name} ' || regexp_replace("
        f"(to_jsonb(t) - ARRAY[{_quoted(left_out.get(name, []))}]::text[])::text,"
        f" '{_RANDOM}', '#', 'g') AS line FROM public.\"{name}\" AS t"
        for name in tables
    )
    return (
        f"SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line), '')) FROM ({lines}) AS lines"
    )


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _digest_book(book: Any) -> str:
    lines = [
        name + re.sub(_RANDOM, "#", json.dumps(row, sort_keys=True))
        for name, rows in _read(book).items()
        for row in rows
    ]
    return hashlib.md5("\n".join(sorted(lines)).encode()).hexdigest()


def _read(book: Any) -> Rows:
    tables = book.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {table["name"]: book.rows(f"SELECT * FROM {table['name']}") for table in tables}


def _write(book: Any, rows: Rows) -> None:
    with book.write() as write:
        for table, kept in rows.items():
            write.execute(f"DELETE FROM {table}")
            for row in kept:
                marks = ", ".join("?" * len(row))
                write.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
                )
