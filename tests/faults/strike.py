"""One flow with one bank: rehearse it, then kill it at a point, go on, and look whether all is
right.

The struck process is a fork that opens its own connection and really dies by SIGKILL; what is left
of it is what PostgreSQL and the two sandbox books hold. The survivor then lets time pass, rings
the sweeps, plays the flow again from its first step and asks every invariant.

Most points leave behind what a neighbor left: a death anywhere in a transaction undoes all of it.
What is left is therefore compared as a whole (`Snapshots.digest`); a state that was recovered and
judged before is not recovered again, but for one in twenty, drawn by the dice, so that the
comparison itself is tested.
"""

import contextlib
import gc
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
from tests.flows.market import Look, Market
from tests.flows.scenarios import Flow
from tests.flows.stagecraft import open_market
from tests.stage import empty_database
from tests.world import START

SURVIVED = 3
SHORTEST_LEG = 8  # points; a longer one makes its points dearer, a shorter one needs more snapshots
RECOVERED_AGAIN = 0.05  # of the points whose remains are known
_KEPT: list[object] = []  # a fork must never close the connection it has inherited


@dataclass
class Leg:
    """A stretch of a step, from a snapshot to the next one. `labels` says what each of its points
    is.
    """

    snapshot: int
    step: int
    labels: list[str]


@dataclass(frozen=True, order=True)
class Point:
    """The `number`th point of leg `leg`, both as the rehearsal counted them, the number from 1."""

    leg: int
    number: int


@dataclass
class Verdict:
    """What became of one strike. `broken` is empty when everything held."""

    where: str
    killed: bool
    broken: list[str] = field(default_factory=list)
    twice: bool = False  # whether the recovery was killed too
    known: bool = False  # its remains were those of an earlier point, whose verdict this is


@dataclass
class Stage:
    """A rehearsed flow. `ending` is its right outcome, `judged` the verdicts by what the dead had
    left.
    """

    flow: Flow
    market: Market
    snapshots: Snapshots
    legs: list[Leg]
    ending: Outcome | None
    troubles: list[str]
    judged: dict[str, list[str]] = field(default_factory=dict)

    @property
    def points(self) -> list[Point]:
        return [
            Point(position, number)
            for position, leg in enumerate(self.legs)
            for number in range(1, len(leg.labels) + 1)
        ]

    def strike(self, point: Point, dice: Random) -> Verdict:
        """Kill the flow at `point`, then recover and judge."""
        verdict = self._kill_at(point)
        if verdict.killed:
            remains = self.snapshots.digest()
            verdict.known = remains in self.judged and dice.random() > RECOVERED_AGAIN
            if not verdict.known:
                self.judged[remains] = self._recover()
            verdict.broken += self.judged[remains]
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

        # The second point may lie behind the recovery's end; then the flow is judged as it is.
        died, said = self._die(recover, fatal=second)
        verdict.twice = died
        verdict.where += f", then at point {second} of the recovery"
        if not died and said:
            verdict.broken.append(said)
        verdict.broken += self._recover()
        return verdict

    def _kill_at(self, point: Point) -> Verdict:
        leg = self.legs[point.leg]
        self.snapshots.restore(leg.snapshot)
        step = self.flow.steps[leg.step]
        died, said = self._die(lambda: step(self.market), fatal=point.number)
        label = leg.labels[point.number - 1]
        where = f"step {leg.step + 1}, leg {point.leg} point {point.number}: {label}"
        return Verdict(where, died, [] if died else [f"was not killed {said}"])

    def _die(self, act: Callable[[], None], *, fatal: int) -> tuple[bool, str]:
        """Let a fork act until it dies. Returns: whether it was killed, else what it said."""
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
            said = f"recovery: {type(error).__name__}: {error} ({last.filename}:{last.lineno})"
            return [said, *broken_rules(self.market, wanted=None)]


def _act_and_die(act: Callable[[], None], meter: Meter, market: Market, pipe: int) -> None:
    """The fork's whole life. Never returns."""
    gc.disable()
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
    """Wait until the server has noticed the death and let go of every lock, as it does within
    moments.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])


@contextlib.contextmanager
def open_stage(
    flow: Flow, folder: Path, *, forgetful: bool, shortest_leg: int = SHORTEST_LEG
) -> Iterator[Stage]:
    """Rehearse a flow in the present database, which is emptied: count its points and keep where
    its legs begin.

    Args: shortest_leg: in points; whoever strikes only a few wants longer legs, which are made
    sooner.
    """
    empty_database()
    folder.mkdir(parents=True, exist_ok=True)
    with open_market(flow, folder, forgetful=forgetful, clock=SharedClock(START)) as market:
        stage = Stage(flow, market, Snapshots(market.sandbox), [], None, [])
        try:
            _rehearse(stage, shortest_leg)
        except Exception as error:
            said = f"rehearsal: {type(error).__name__}: {error}"
            stage.troubles = [said, *broken_rules(market, wanted=None)]
        gc.collect()
        # So that a fork does not copy what it never touches. Nothing is thawed: the next stage
        # would collect anew what lives as long as the run (tests/conftest.py).
        gc.freeze()
        try:
            yield stage
        finally:
            stage.snapshots.close()
            empty_database()


def _rehearse(stage: Stage, shortest_leg: int) -> None:
    meter = Meter()

    def begin_leg(step: int) -> None:
        stage.legs.append(Leg(stage.snapshots.take(), step, meter.labels))

    def pause() -> None:
        if len(meter.labels) >= shortest_leg:
            meter.labels = []
            with Look():
                begin_leg(stage.legs[-1].step)

    stage.market.on_pause = pause
    with metered(meter, stage.market.sandbox):
        for number, step in enumerate(stage.flow.steps):
            meter.labels = []
            with Look():
                begin_leg(number)
            step(stage.market)
    stage.market.on_pause = _do_nothing
    stage.troubles = broken_rules(stage.market, wanted=None)
    stage.ending = outcome_of(stage.market)


def _do_nothing() -> None:
    pass
