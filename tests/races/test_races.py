"""Sixteen connections on every pair of competing transitions (H3), and the same with the locks off,
which must fail.
"""

from collections.abc import Iterator

import pytest

from tests.races import runs
from tests.races.starting_line import Pair, Racers
from tests.stage import transactional_db

__all__ = ["transactional_db"]
REPEATS = 2


@pytest.fixture(scope="module")
def racers(django_db_setup: None) -> Iterator[Racers]:
    started = Racers()
    yield started
    started.close()


@pytest.fixture(params=runs.PAIRS, ids=lambda pair: pair.name)
def pair(request: pytest.FixtureRequest) -> Pair:
    chosen: Pair = request.param
    return chosen


def test_pair_has_one_winner(pair: Pair, racers: Racers, transactional_db: None) -> None:
    tally = runs.race(pair, racers, count=runs.repeats(REPEATS), locks=True)

    assert tally.complaints == []


def test_pair_breaks_with_the_locks_off(pair: Pair, racers: Racers, transactional_db: None) -> None:
    tally = runs.race(pair, racers, count=runs.repeats(REPEATS), locks=False)

    assert tally.broken_percent >= runs.TWIN_PERCENT
