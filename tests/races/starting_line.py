"""Sixteen connections that start at once, and a judge: how a race is run.

A race knows nothing of what it races over; the cases (`order_cases.py` and its neighbors) say that.
It must never pass a loser that was saved by the database alone: a unique key or a trigger is the
last guard, not a clean refusal.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import close_old_connections, connection

from common.errors import DomainError
from ledger.errors import LedgerRefusal
from tests import world as worlds
from tests.races import locks_off

CONNECTIONS = 16
PATIENCE_SECONDS = 30.0
SWEEP_LOGS = ("orders.sweeps", "escrow.sweeps", "payouts.sweeps")

Facts = Mapping[str, Any]
Contender = tuple[str, Callable[[], Any]]


@dataclass
class Outcome:
    """What became of one contender. `errors` holds what it raised and what a sweep swallowed and
    logged.
    """

    label: str
    value: Any = None
    errors: list[BaseException] = field(default_factory=list)

    @property
    def won(self) -> bool:
        return bool(self.value) and not self.errors


@dataclass
class Case:
    """One race, set up and ready. `judge` says what is wrong with the outcomes; contenders take
    turns up to 16.
    """

    contenders: Sequence[Contender]
    judge: Callable[[Sequence[Outcome]], list[str]]


@dataclass(frozen=True)
class Pair:
    """A pair of competing transitions, by name; `set_up` makes a new case in a world."""

    name: str
    set_up: Callable[[worlds.World], Case]


def run(pair: Pair, world: worlds.World, racers: "Racers", *, locks: bool) -> list[str]:
    """Race once. Returns: what is wrong; empty when one won, the others were refused and the books
    are right.
    """
    case = pair.set_up(world)
    chosen = [case.contenders[i % len(case.contenders)] for i in range(CONNECTIONS)]
    outcomes = racers.race(chosen, locks=locks)
    unclean = [
        f"{each.label}: {_said(error)}"
        for each in outcomes
        for error in each.errors
        if _unclean(error)
    ]
    return [*unclean, *case.judge(outcomes), *(found.sentence for found in worlds.audit())]


def one_winner(
    facts: Callable[[], Facts], expected: Mapping[str, Facts]
) -> Callable[[Sequence[Outcome]], list[str]]:
    """Judge: exactly one contender won, and the facts are those its label stands for."""

    def judge(outcomes: Sequence[Outcome]) -> list[str]:
        winners = [outcome.label for outcome in outcomes if outcome.won]
        if len(winners) != 1:
            return [f"{len(winners)} winners: {sorted(winners)}"]
        wanted, found = expected.get(winners[0]), facts()
        return [] if found == wanted else [f"{winners[0]} won: {found} instead of {wanted}"]

    return judge


def one_of(facts: Callable[[], Facts], *allowed: Facts) -> Callable[[Sequence[Outcome]], list[str]]:
    """Judge where losing is a documented no-op: the facts are one of `allowed`."""

    def judge(outcomes: Sequence[Outcome]) -> list[str]:
        found = facts()
        return [] if found in allowed else [f"{found} is none of {allowed}"]

    return judge


def _unclean(error: BaseException) -> bool:
    return not isinstance(error, DomainError) or isinstance(error, LedgerRefusal)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


class Racers:
    """A thread and a database connection per contender, kept from race to race. Close it before the
    database goes.
    """

    def __init__(self, size: int = CONNECTIONS) -> None:
        self._size = size
        self._tasks: list[queue.SimpleQueue[Callable[[], None] | None]] = []
        self._threads: list[threading.Thread] = []
        self._swallowed = _Swallowed()
        for name in SWEEP_LOGS:
            logging.getLogger(name).addHandler(self._swallowed)
        for number in range(size):
            tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
            thread = threading.Thread(
                target=_work_off, args=(tasks,), name=f"racer-{number}", daemon=True
            )
            self._tasks.append(tasks)
            self._threads.append(thread)
            thread.start()

    def race(self, contenders: Sequence[Contender], *, locks: bool) -> list[Outcome]:
        """Let all start at the same moment. Returns: their outcomes, in order."""
        assert len(contenders) == self._size
        start = threading.Barrier(self._size)
        gate = None if locks else locks_off.Gate(self._size)
        outcomes = [Outcome(label) for label, _ in contenders]
        done = threading.Semaphore(0)

        def entry(outcome: Outcome, verb: Callable[[], Any]) -> Callable[[], None]:
            def compete() -> None:
                try:
                    self._compete(outcome, verb, start=start, gate=gate)
                finally:
                    done.release()

            return compete

        with locks_off.plain_reads() if gate else locks_off.nothing():
            for tasks, outcome, (_, verb) in zip(self._tasks, outcomes, contenders, strict=True):
                tasks.put(entry(outcome, verb))
            for _ in outcomes:
                assert done.acquire(timeout=PATIENCE_SECONDS), "a contender hangs"
        return outcomes

    def _compete(
        self,
        outcome: Outcome,
        verb: Callable[[], Any],
        *,
        start: threading.Barrier,
        gate: locks_off.Gate | None,
    ) -> None:
        self._swallowed.collect(outcome.errors)
        try:
            connection.ensure_connection()
            start.wait(PATIENCE_SECONDS)
            with gate.before_writes() if gate else locks_off.nothing():
                outcome.value = verb()
        except Exception as error:
            outcome.errors.append(error)
        finally:
            self._swallowed.collect(None)

    def close(self) -> None:
        for tasks in self._tasks:
            tasks.put(None)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        for name in SWEEP_LOGS:
            logging.getLogger(name).removeHandler(self._swallowed)


def _work_off(tasks: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := tasks.get()) is not None:
        task()
        close_old_connections()
    connection.close()


class _Swallowed(logging.Handler):
    """Sees what a sweep logs and goes on after: per thread, the errors of the contender that runs
    there.
    """

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self._here = threading.local()

    def collect(self, errors: list[BaseException] | None) -> None:
        self._here.errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        errors = getattr(self._here, "errors", None)
        if errors is not None and record.exc_info and record.exc_info[1]:
            errors.append(record.exc_info[1])
