"""One flow with one bank: rehearse it, then kill it at a point, go on, and look whether all is right.

The struck process is a fork that opens its own connection and really dies by SIGKILL; what is left of it is what
PostgreSQL and the two sandbox books hold. The survivor then lets time pass, rings the sweeps, plays the flow
again from its first step and asks every invariant.
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from django.db import connection

from tests.faults.invariants import Outcome, broken_rules, outcome_of
from tests.faults.points import Meter, metered
from tests.faults.snapshots import SharedClock, Snapshots
from tests.flows.market import Market
from tests.flows.scenarios import Flow
from tests.flows.stagecraft import open_market
from tests.stage import empty_database
from tests.world import START

SURVIVED = 3
_KEPT: list[object] = []  # a fork must never close the connection it has inherited


@dataclass(frozen=True, order=True)
class Point:
    """The `number`th point of step `step`, both as the rehearsal counted them."""

    step: int
    number: int


@dataclass
class Verdict:
    """What became of one strike. `broken` is empty when everything held."""

    where: str
    killed: bool
    broken: list[str] = field(default_factory=list)


@dataclass
class Stage:
    """A rehearsed flow. `labels[step]` says what each point of the step is; `ending` is its right outcome."""

    flow: Flow
    market: Market
    snapshots: Snapshots
    labels: list[list[str]]
    ending: Outcome | None
    troubles: list[str]

    @property
    def points(self) -> list[Point]:
        return [
            Point(step, number)
            for step, labels in enumerate(self.labels)
            for number in range(1, len(labels) + 1)
        ]

    def strike(self, point: Point) -> Verdict:
        """Kill the flow at `point`, then recover and judge."""
        verdict = self._kill_at(point)
        if verdict.killed:
            verdict.broken += self._recover()
        return verdict

    def strike_twice(self, point: Point, dice: Random) -> Verdict:
        """Kill the flow at `point`, kill the recovery too, then recover and judge."""
        verdict = self._kill_at(point)
        if not verdict.killed:
            return verdict
        reach = len(self.points) - self.points.index(point)
        second = dice.randint(1, max(1, reach))

        def recover() -> None:
            self.market.come_back()
            self.flow.play(self.market)

        # The second point may lie behind the recovery's end; then the flow is over and is judged as it is.
        died, said = self._die(recover, fatal=second)
        verdict.where += f", then at point {second} of the recovery"
        if not died and said:
            verdict.broken.append(said)
        verdict.broken += self._recover()
        return verdict

    def _kill_at(self, point: Point) -> Verdict:
        self.snapshots.restore(point.step)
        step = self.flow.steps[point.step]
        label = self.labels[point.step][point.number - 1]
        died, said = self._die(lambda: step(self.market), fatal=point.number)
        where = f"step {point.step + 1} point {point.number}: {label}"
        return Verdict(where, died, [] if died else [f"was not killed {said}"])

    def _die(self, act: Callable[[], None], *, fatal: int) -> tuple[bool, str]:
        """Let a fork act until it dies. Returns: whether it died as it should, else what it said."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            _act_and_die(act, Meter(fatal=fatal), self.market, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            backend, _, said = pipe.read().partition("\n")
        _, status = os.waitpid(child, 0)
        _end_backend(int(backend))
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, said.strip()

    def _recover(self) -> list[str]:
        try:
            self.market.come_back()
            self.flow.play(self.market)
            return broken_rules(self.market, wanted=self.ending)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return [f"recovery: {type(error).__name__}: {error} ({last.filename}:{last.lineno})"]


def _act_and_die(act: Callable[[], None], meter: Meter, market: Market, pipe: int) -> None:
    """The fork's whole life. Never returns."""
    try:
        _KEPT.append(connection.connection)
        connection.connection = None
        connection.ensure_connection()
        os.write(pipe, f"{connection.connection.info.backend_pid}\n".encode())
        with metered(meter, market.sandbox):
            act()
    except BaseException:
        os.write(pipe, traceback.format_exc()[-3000:].encode())
    os._exit(SURVIVED)


def _end_backend(backend: int) -> None:
    """Wait until the server has noticed the death and let go of every lock, as it does within moments."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])


@contextlib.contextmanager
def open_stage(flow: Flow, folder: Path, *, forgetful: bool) -> Iterator[Stage]:
    """Rehearse a flow in the present database, which is emptied: count its points and keep every step's beginning."""
    empty_database()
    folder.mkdir(parents=True, exist_ok=True)
    with open_market(flow, folder, forgetful=forgetful, clock=SharedClock(START)) as market:
        snapshots = Snapshots(market.sandbox)
        labels = []
        troubles: list[str] = []
        ending: Outcome | None = None
        try:
            for step in flow.steps:
                snapshots.take()
                meter = Meter()
                with metered(meter, market.sandbox):
                    step(market)
                labels.append(meter.labels)
            troubles = broken_rules(market, wanted=None)
            ending = outcome_of(market)
        except Exception as error:
            troubles = [f"rehearsal: {type(error).__name__}: {error}"]
        try:
            yield Stage(flow, market, snapshots, labels, ending, troubles)
        finally:
            snapshots.close()
            empty_database()
