"""Why: a service left running, or stopped under somebody's feet, is found only by the next person.

Each test starts real programs against a directory of its own; none may touch the servers of this
checkout.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from settlement_site import embedded
from settlement_site import servers as shared
from settlement_site.environment import BASE_DIR, BadSetting

# A program that uses the services, then does what each line it reads says, and ends at the end of
# its input.
PROGRAM = """
import os, sys
from settlement_site import embedded
embedded.exit_on_termination()
embedded.start()
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""
ASK_DATABASE = "with embedded.embedded_postgres.connect() as c: c.execute('SELECT 1')\n"
ASK_VALKEY = "embedded.embedded_valkey.client().ping()\n"
RAISE = "raise ValueError('on purpose')\n"
FORK_AND_END = "pid = os.fork()\nif not pid: sys.exit()\nos.waitpid(pid, 0)\n"

Start = Callable[[], "subprocess.Popen[str]"]


def environment(var: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return {**kept, "HOLDFAST_VAR": str(var), "PYTHONPATH": str(BASE_DIR)}


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("var", numbered=False)


@pytest.fixture
def start(var: Path) -> Iterator[Start]:
    """Start a program that uses the services of `var`; what still runs after the test is ended."""
    started: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=environment(var),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield run

    for program in started:
        program.kill()
        program.communicate()
    for server in servers(var):
        server.kill()


def is_ready(program: "subprocess.Popen[str]") -> bool:
    assert program.stdout
    return program.stdout.readline() == "ready\n"


def tell(program: "subprocess.Popen[str]", line: str) -> str:
    assert program.stdin
    assert program.stdout
    program.stdin.write(line)
    program.stdin.flush()
    return program.stdout.readline()


def servers(var: Path) -> list[psutil.Process]:
    """The PostgreSQL server and the Valkey that run on `var`, without PostgreSQL's own children."""
    found = []
    for process in psutil.process_iter(["name", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        ours = any(str(var) in word for word in words)
        if ours and process.info["name"] in ("postgres", "valkey-server"):
            found.append(process)
    return found


def test_services_start_and_stop_with_the_program(var: Path, start: Start) -> None:
    program = start()

    assert is_ready(program)
    assert tell(program, ASK_DATABASE) == "done\n"
    assert tell(program, ASK_VALKEY) == "done\n"
    assert sorted(server.name() for server in servers(var)) == ["postgres", "valkey-server"]

    program.communicate()
    assert program.returncode == 0
    assert servers(var) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_services_stop_when_the_program_gets_a_signal(
    var: Path, start: Start, number: int, code: int
) -> None:
    program = start()
    assert is_ready(program)

    program.send_signal(number)
    program.communicate()

    assert program.returncode == code
    assert servers(var) == []


def test_services_stop_when_the_program_raises(var: Path, start: Start) -> None:
    program = start()
    assert is_ready(program)

    program.communicate(RAISE)

    assert program.returncode == 1
    assert servers(var) == []


def test_services_stay_while_another_program_uses_them(var: Path, start: Start) -> None:
    first, second = start(), start()
    assert is_ready(first)
    assert is_ready(second)

    first.communicate()
    assert tell(second, ASK_DATABASE) == "done\n"
    assert tell(second, ASK_VALKEY) == "done\n"

    second.communicate()
    assert servers(var) == []


def test_services_stay_when_a_forked_child_ends(start: Start) -> None:
    program = start()
    assert is_ready(program)

    program_line = f"exec({FORK_AND_END!r})\n"
    tell(program, program_line)

    assert tell(program, ASK_DATABASE) == "done\n"


def test_servers_left_by_a_killed_program_are_taken_over(var: Path, start: Start) -> None:
    killed = start()
    assert is_ready(killed)
    killed.kill()
    killed.communicate()
    left = {server.pid for server in servers(var)}
    assert len(left) == 2

    program = start()

    assert is_ready(program)
    assert {server.pid for server in servers(var)} == left
    program.communicate()
    assert servers(var) == []


def test_services_start_again_when_everything_was_killed(var: Path, start: Start) -> None:
    killed = start()
    assert is_ready(killed)
    for process in (killed, *servers(var)):
        process.kill()
    killed.communicate()

    program = start()

    assert is_ready(program)
    assert tell(program, ASK_DATABASE) == "done\n"


def test_postgres_starts_when_its_old_process_number_is_in_use_again(
    var: Path, start: Start
) -> None:
    start().communicate()
    stale = var / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{var / 'postgres'}\n1\n5432\n\n\n\nready\n")

    program = start()

    assert is_ready(program)


def test_services_start_once_when_four_programs_start_at_once(
    tmp_path: Path, start: Start, var: Path
) -> None:
    programs = [start() for _ in range(4)]

    assert [is_ready(program) for program in programs] == [True] * 4
    assert len(servers(var)) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_postgres_runs_as_an_ordinary_user_when_we_are_root(
    tmp_path: Path, var: Path, start: Start
) -> None:
    # pytest's directories are closed to everybody but root, and stay so.
    before = [parent.stat().st_mode for parent in var.parents]
    program = start()
    assert is_ready(program)

    users = {server.name(): server.username() for server in servers(var)}

    assert users["postgres"] == shared.SERVER_USER
    assert [parent.stat().st_mode for parent in var.parents] == before


def test_sockets_move_to_a_short_directory_when_the_path_is_too_long(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + "\nprint(embedded.servers.socket_directory())"],
        env=environment(deep),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == "ready"
    assert lines[1].startswith("/tmp/holdfast-")
    assert servers(deep) == []
    Path(lines[1]).rmdir()


@pytest.mark.parametrize("arguments", [["--help"], ["migrate", "--help"], ["check"], ["version"]])
def test_nothing_starts_for_a_command_that_needs_no_database(
    tmp_path: Path, arguments: list[str]
) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment(tmp_path),
        capture_output=True,
        check=False,
    )

    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_forget_refuses_while_a_program_uses_the_services(var: Path, start: Start) -> None:
    program = start()
    assert is_ready(program)

    done = forget(var)

    assert done.returncode == 1
    assert done.stderr == f"{var} is in use; stop the programs that use it first.\n"
    assert tell(program, ASK_DATABASE) == "done\n"


def test_forget_deletes_everything_when_nobody_uses_it(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "log").mkdir(parents=True)

    done = forget(var)

    assert done.returncode == 0, done.stderr
    assert not var.exists()


def forget(var: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "settlement_site.embedded", "forget"],
        cwd=BASE_DIR,
        env=environment(var),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db
def test_another_version_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "POSTGRES_VERSIONS", range(90, 92))

    with pytest.raises(BadSetting) as refusal:
        embedded._refuse_other_postgres()

    assert refusal.value.code == (
        "Holdfast cannot start: set DATABASE_URL to a PostgreSQL of version 90 to 91."
    )
