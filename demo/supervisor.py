"""Runs several programs as one: all are there, or none is. It must never leave one behind.

Output goes to one file per program. A program that ends by itself ends the others; they are stopped
in reverse order, first asked and then, after a grace period, forced, always with everything they
have started themselves.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

GRACE_SECONDS = 15.0
POLL_SECONDS = 0.1
TAIL_LINES, LINE_LENGTH = 5, 160
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # Source: Linux prctl(2)


class ProgramEnded(Exception):
    """One of the programs ended although nobody asked it to, or did not get ready in time."""


@dataclass
class Program:
    """One running program, the leader of its own process group."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path


class Supervisor:
    """Starts programs, watches them, and stops them all however its `with` block is left."""

    def __init__(self, *, log_directory: Path, grace_seconds: float = GRACE_SECONDS) -> None:
        self.log_directory = log_directory
        self.grace_seconds = grace_seconds
        self.programs: list[Program] = []
        self._parent_watch = _parent_watch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()

    def start(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> Program:
        """Start one program; its output goes to `<log directory>/<name>.log`, anew each time."""
        self.log_directory.mkdir(parents=True, exist_ok=True)
        log = self.log_directory / f"{name}.log"
        with log.open("wb") as output, signals_deferred():
            popen = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we then stop them in order
                preexec_fn=self._parent_watch,  # safe: we have one thread, and it is one call
            )
            program = Program(name=name, popen=popen, log=log)
            self.programs.append(program)
        return program

    def check(self) -> None:
        """Raises: ProgramEnded when a program is no longer there, with the end of its output."""
        for program in self.programs:
            code = program.popen.poll()
            if code is not None:
                raise ProgramEnded(
                    f"{program.name} ended by itself ({_how_it_ended(code)});"
                    f" see {program.log}.{_tail(program.log)}"
                )

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait for a condition while all programs live. Raises: ProgramEnded."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProgramEnded(
                    f"{what} was not ready within {seconds:.0f} seconds; see {self.log_directory}."
                )
            time.sleep(POLL_SECONDS)

    def watch(self) -> None:
        """Watch until a program ends by itself.

        Raises: ProgramEnded, or whatever a signal handler raises.
        """
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def stop_all(self) -> None:
        """Stop every program, the last started first.

        Idempotent. A second Ctrl-C cannot interrupt it.
        """
        with signals_deferred():
            for program in reversed(self.programs):
                self._stop(program)
            self.programs.clear()

    def _stop(self, program: Program) -> None:
        if program.popen.poll() is None:
            program.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                program.popen.wait(timeout=self.grace_seconds)
        # The whole group: what it has started and failed to stop. It is gone when nothing is left;
        # macOS says PermissionError of a group of zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(program.popen.pid, signal.SIGKILL)
        program.popen.wait()


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold back the signals that stop us until the block is done, then let the first through."""
    received: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before: dict[int, Any] = {number: signal.signal(number, remember) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])


def _parent_watch() -> Callable[[], None] | None:
    """Make the kernel stop a program whose supervisor was killed outright. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

    return ask


def _how_it_ended(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "".join(f"\n    {line[:LINE_LENGTH]}" for line in lines)
