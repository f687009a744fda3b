"""Starts a PostgreSQL and a Valkey of our own under var/ when DATABASE_URL or REDIS_URL is not set.

All programs of one checkout share them; whoever ends last stops them. Importing this module must
start nothing: settings.py only asks where the sockets will be.
"""

import atexit
import fcntl
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import IO

import psycopg

from settlement_site import embedded_postgres, embedded_valkey, servers
from settlement_site.environment import VAR_DIR, BadSetting

POSTGRES_VERSIONS = range(15, 19)  # what the test suite is run against
ECHO_SECONDS = 2  # `make`, `timeout` and a terminal may each pass on one and the same signal


@dataclass
class Use:
    """This program's share in the servers: a lock that the kernel drops when the program dies."""

    pid: int
    lock: IO[str]


_use: Use | None = None


def start(*, judge: bool = True) -> None:
    """Make sure the database and the broker are there, for as long as this program runs.

    Args: judge: whether a database given by URL is tried first; tests make one of their own.
    Raises: BadSetting (one sentence, no traceback).
    Idempotent: per program and its forked children.
    """
    global _use
    if _use is None and not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _make_directories()
        with _locked("start.lock"):
            _use = Use(pid=os.getpid(), lock=_open_lock("users.lock"))
            fcntl.flock(_use.lock, fcntl.LOCK_SH)
            atexit.register(_leave)
            for server in _our_servers():
                server.start()
    if judge and os.environ.get("DATABASE_URL"):
        _refuse_other_postgres()


def exit_on_termination() -> None:
    """Let SIGTERM and SIGHUP end the program like an exception, so that exit functions run."""
    asked_at = -ECHO_SECONDS * 1.0

    def leave(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_at
        again, asked_at = time.monotonic() - asked_at < ECHO_SECONDS, time.monotonic()
        if not again:
            sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)


def forget() -> None:
    """Delete everything under var/. Raises: SystemExit while a program is using it."""
    if not VAR_DIR.exists():
        return
    _make_directories()
    with _locked("start.lock"), _open_lock("users.lock") as users:
        if not _is_alone(users):
            raise SystemExit(f"{VAR_DIR} is in use; stop the programs that use it first.")
        for server in _our_servers():
            server.stop()
        shutil.rmtree(servers.socket_directory(), ignore_errors=True)
        shutil.rmtree(VAR_DIR)


def _our_servers() -> list[ModuleType]:
    """List the servers that no URL has taken the place of."""
    ours = [("DATABASE_URL", embedded_postgres), ("REDIS_URL", embedded_valkey)]
    return [server for name, server in ours if not os.environ.get(name)]


def _leave() -> None:
    """Stop the servers if no other program uses them.

    A forked child never does: it shares its parent's lock.
    """
    if _use is None or _use.pid != os.getpid():
        return
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    with _locked("start.lock"):
        if _is_alone(_use.lock):
            for server in _our_servers():
                server.stop()
        _use.lock.close()


def _is_alone(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock(name: str) -> IO[str]:
    return (servers.LOCKS / name).open("a")


@contextmanager
def _locked(name: str) -> Iterator[None]:
    with _open_lock(name) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_directories() -> None:
    sockets = servers.socket_directory()
    try:
        for directory in (servers.LOGS, servers.LOCKS):
            directory.mkdir(parents=True, exist_ok=True)
        sockets.mkdir(mode=0o700, exist_ok=True)
    except OSError as refusal:
        raise BadSetting(
            f"{refusal.filename} cannot be made; set HOLDFAST_VAR to a directory of yours,"
            " or DATABASE_URL and REDIS_URL to your own servers."
        ) from None
    owners = {os.geteuid(), servers.server_user_id()}
    if sockets.is_symlink() or sockets.stat().st_uid not in owners:
        raise BadSetting(
            f"{sockets} belongs to another user; set HOLDFAST_VAR to a directory of yours."
        )
    servers.give_to_server(sockets)


def _refuse_other_postgres() -> None:
    from django.db import connection

    try:
        with psycopg.connect(**connection.get_connection_params()) as trial:
            version = trial.info.server_version // 10_000
    except psycopg.Error as refusal:
        said = (str(refusal).strip().splitlines() or ["no reason given"])[-1]
        raise BadSetting(f"DATABASE_URL does not lead to a database ({said}).") from None
    if version not in POSTGRES_VERSIONS:
        first, last = POSTGRES_VERSIONS[0], POSTGRES_VERSIONS[-1]
        raise BadSetting(f"set DATABASE_URL to a PostgreSQL of version {first} to {last}.")


if __name__ == "__main__":
    if sys.argv[1:] != ["forget"]:
        raise SystemExit("usage: python -m settlement_site.embedded forget")
    forget()
