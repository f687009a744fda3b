"""Why: a program left behind holds its port, and the next start fails for no visible reason."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo import ports
from demo.supervisor import ProgramEnded, Supervisor, signals_deferred
from settlement_site.environment import BASE_DIR

WAITS = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\n"
    "while True: signal.pause()",
]
# Starts a child that ignores being asked, and tells its number.
PARENT = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
    "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
    "print(child.pid, flush=True); signal.pause()",
]
FAILS = [sys.executable, "-c", "import sys; print('no database'); sys.exit(3)"]
NOTES_ITS_END = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(open({path!r}, 'a').write({name!r})))\n"
    "print('up', flush=True); signal.pause()"
)
# Supervises two programs, tells their numbers, and watches.
SUPERVISED = f"""
import pathlib, sys
from demo.supervisor import Supervisor
from settlement_site import embedded
embedded.exit_on_termination()
with Supervisor(log_directory=pathlib.Path(sys.argv[1]), grace_seconds=5) as supervisor:
    programs = [supervisor.start(name, {WAITS!r}) for name in ("first", "second")]
    supervisor.wait_until(
        lambda: all("up" in each.log.read_text() for each in programs), what="both", seconds=20
    )
    print(*[program.popen.pid for program in programs], flush=True)
    supervisor.watch()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(log_directory=tmp_path / "log", grace_seconds=5) as supervisor:
        yield supervisor


def wait_for(supervisor: Supervisor, name: str, text: str) -> str:
    log = supervisor.log_directory / f"{name}.log"
    supervisor.wait_until(lambda: text in log.read_text(), what=name, seconds=20)
    return log.read_text()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(*pids: int) -> bool:
    deadline = time.monotonic() + 10
    while not all(is_gone(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
    return True


def test_stop_all_stops_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("1", "2", "3"):
        source = NOTES_ITS_END.format(path=str(order), name=name)
        supervisor.start(name, [sys.executable, "-c", source])
        wait_for(supervisor, name, "up")

    supervisor.stop_all()

    assert order.read_text() == "321"
    assert supervisor.programs == []


def test_stop_all_kills_a_program_that_does_not_listen(tmp_path: Path) -> None:
    with Supervisor(log_directory=tmp_path, grace_seconds=0.1) as supervisor:
        program = supervisor.start("stubborn", STUBBORN)
        wait_for(supervisor, "stubborn", "up")

    assert program.popen.returncode == -signal.SIGKILL


def test_stop_all_leaves_no_grandchild(supervisor: Supervisor) -> None:
    supervisor.start("parent", PARENT)
    grandchild = int(wait_for(supervisor, "parent", "\n"))

    supervisor.stop_all()

    assert all_gone(grandchild)


def test_watch_tells_which_program_ended_and_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start("waits", WAITS)
    supervisor.start("fails", FAILS)

    with pytest.raises(ProgramEnded) as ended:
        supervisor.watch()

    log = supervisor.log_directory / "fails.log"
    assert str(ended.value) == f"fails ended by itself (exit code 3); see {log}.\n    no database"


def test_watch_tells_the_signal_a_program_died_of(supervisor: Supervisor) -> None:
    program = supervisor.start("waits", WAITS)
    program.popen.kill()

    with pytest.raises(ProgramEnded, match=r"waits ended by itself \(signal SIGKILL\)"):
        supervisor.watch()


def test_wait_until_gives_up_after_its_time(supervisor: Supervisor) -> None:
    with pytest.raises(ProgramEnded, match="web was not ready within 0 seconds"):
        supervisor.wait_until(lambda: False, what="web", seconds=0)


def test_start_hands_the_environment_on(supervisor: Supervisor) -> None:
    command = [
        sys.executable,
        "-c",
        "import os, signal; print(os.environ['SANDBOX_URL'], flush=True); signal.pause()",
    ]

    supervisor.start("child", command, environment={"SANDBOX_URL": "http://127.0.0.1:8001"})

    assert wait_for(supervisor, "child", "\n") == "http://127.0.0.1:8001\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)]
)
def test_a_signal_to_the_supervisor_leaves_nothing_behind(
    tmp_path: Path, number: int, code: int
) -> None:
    supervising, pids = supervise(tmp_path)

    supervising.send_signal(number)
    supervising.communicate()

    assert supervising.returncode == code
    assert all(is_gone(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    supervising, pids = supervise(tmp_path)

    supervising.kill()
    supervising.communicate()

    assert all_gone(*pids)


def supervise(tmp_path: Path) -> tuple["subprocess.Popen[str]", list[int]]:
    supervising = subprocess.Popen(
        [sys.executable, "-c", SUPERVISED, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(BASE_DIR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert supervising.stdout
    return supervising, [int(word) for word in supervising.stdout.readline().split()]


def test_signals_deferred_lets_the_signal_through_after_the_block() -> None:
    reached_the_end = False

    def be_interrupted() -> None:
        nonlocal reached_the_end
        with signals_deferred():
            signal.raise_signal(signal.SIGINT)
            reached_the_end = True

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()

    assert reached_the_end


def test_first_free_port_skips_the_taken_ones() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        taken = listening.getsockname()[1]

        found = ports.first_free(taken, taken=[taken + 1])

    assert not taken <= found <= taken + 1
    assert ports.is_free(found)
