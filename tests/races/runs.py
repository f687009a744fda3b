"""Every pair, many times: what the tests and the table of `python -m tests.races` share."""

import os
from dataclasses import dataclass, field

from tests import ground
from tests.races import (
    bank_refund_cases,
    dispute_cases,
    freeze_cases,
    order_cases,
    payout_cases,
    people_cases,
    refund_cases,
    release_cases,
    starting_line,
)
from tests.races.starting_line import Pair, Racers

PAIRS: list[Pair] = [
    *order_cases.PAIRS,
    *release_cases.PAIRS,
    *refund_cases.PAIRS,
    *dispute_cases.PAIRS,
    *payout_cases.PAIRS,
    *freeze_cases.PAIRS,
    *bank_refund_cases.PAIRS,
    *people_cases.PAIRS,
]
TWIN_PERCENT = 95  # of the repeats with the locks off must fail


def repeats(default: int) -> int:
    """How often each pair is raced: RACE_REPEATS, or `default`."""
    return int(os.environ.get("RACE_REPEATS", default))


@dataclass
class Tally:
    """What came of the repeats of one pair."""

    repeats: int = 0
    broken: int = 0
    complaints: list[str] = field(default_factory=list)

    def add(self, complaints: list[str]) -> None:
        self.repeats += 1
        self.broken += bool(complaints)
        self.complaints += complaints[:1]

    @property
    def broken_percent(self) -> float:
        return 100 * self.broken / self.repeats


def race(pair: Pair, racers: Racers, *, count: int, locks: bool) -> Tally:
    """Race a pair `count` times. A broken round leaves wrong books, so the next one starts from
    empty ones.
    """
    tally = Tally()
    world = None
    for _ in range(count):
        world = world or ground.open_world()
        complaints = starting_line.run(pair, world, racers, locks=locks)
        tally.add(complaints)
        if complaints:
            world = None
    return tally
