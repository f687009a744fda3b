"""The harness must find every bug we know how to make. Quick: it stops at the first point that
breaks.

Each run looks for some of them, drawn anew; DRAW_SEED= draws the same again, BUGS=all looks for all
of them, as `make crash` does.
"""

import os
from pathlib import Path
from random import Random

import pytest

from tests.faults.seeded_aftersales import AFTERSALES_BUGS
from tests.faults.seeded_bugs import BUGS, SeededBug
from tests.faults.strike import open_stage
from tests.flows import journal
from tests.flows.scenarios import BY_NAME, Flow
from tests.flows.test_golden import GOLDEN

SEED = os.environ["DRAW_SEED"]  # tests/conftest.py
ALL_BUGS = [*BUGS, *AFTERSALES_BUGS]
DRAWN = ALL_BUGS if os.environ.get("BUGS") == "all" else Random(SEED).sample(ALL_BUGS, 8)
pytestmark = pytest.mark.usefixtures("transactional_db")


def find(bug: SeededBug, folder: Path) -> tuple[int, list[str]]:
    """Strike until something breaks. Returns: after how many strikes, and what broke."""
    dice = Random(bug.name)
    with (
        bug.patch(),
        open_stage(BY_NAME[bug.flow], folder, forgetful=bug.forgetful, shortest_leg=40) as stage,
    ):
        if bug.without_crash:
            return 0, stage.troubles or _differences(stage.flow)
        assert stage.troubles == []
        points = [point for point in stage.points if stage.legs[point.leg].step == bug.step]
        dice.shuffle(points)
        for count, point in enumerate(points, start=1):
            verdict = stage.strike(point, dice)
            if verdict.broken:
                return count, [verdict.where, *verdict.broken]
    return len(points), []


def _differences(flow: Flow) -> list[str]:
    """What the books say that the golden ones do not."""
    golden = (GOLDEN / f"{flow.name}.txt").read_text(encoding="utf-8").splitlines()
    return [
        line for line in journal.read_journal().text(flow.title).splitlines() if line not in golden
    ]


@pytest.mark.parametrize("bug", DRAWN, ids=lambda bug: bug.name.replace(" ", "_"))
def test_seeded_bug_is_found(bug: SeededBug, tmp_path: Path) -> None:
    count, broken = find(bug, tmp_path)

    assert broken, f"{bug.name} was not found at any of {count} points"
    print(f"{bug.name}: found after {count} strikes: {broken[:4]}")
