"""What the embedded PostgreSQL and Valkey share: where they live, how to wait for one and end it.

It must never end a program that is not one of those two servers.
"""

import hashlib
import os
import pwd
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from settlement_site.environment import VAR_DIR

SERVER_USER = (
    "nobody"  # PostgreSQL refuses root; this user exists on every machine, so none is made
)
SOCKET_PATH_LIMIT = 103  # bytes; Source: sockaddr_un has 108 on Linux, 104 on macOS, one is the NUL
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.05

# The servers of this checkout carry this name in their command lines.
NAME = "holdfast-" + hashlib.sha256(os.fsencode(VAR_DIR)).hexdigest()[:12]

LOGS = VAR_DIR / "log"
LOCKS = VAR_DIR / "run"


def socket_directory() -> Path:
    """Say where the sockets are: under var/, or in a short directory when that path is too long."""
    wanted = VAR_DIR / "run" / "sockets"
    if len(os.fsencode(wanted / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return wanted
    return Path("/tmp") / f"{NAME}-{os.geteuid()}"  # noqa: S108 (checked to be ours before use)


def server_user_id() -> int:
    """Say whose the files of PostgreSQL are: ours, or an ordinary user's when we are root."""
    return pwd.getpwnam(SERVER_USER).pw_uid if os.geteuid() == 0 else os.geteuid()


def give_to_server(path: Path) -> None:
    """Make PostgreSQL the owner of a file or directory of ours."""
    if os.geteuid() == 0:
        os.chown(path, server_user_id(), -1)


def wait_until(condition: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait for a condition. Returns: whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def has_ended(server: psutil.Process) -> bool:
    """Tell whether a server is gone.

    A zombie is: where process 1 does not reap, as in many containers, it stays listed for ever.
    """
    try:
        return not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end(server: psutil.Process, *signals: int) -> None:
    """Send each signal in turn until the server has ended."""
    for number in signals:
        if has_ended(server):
            return
        try:
            server.send_signal(number)
        except psutil.NoSuchProcess:
            return
        wait_until(lambda: has_ended(server), seconds=PATIENCE_SECONDS / 2)
