"""The harness must find every bug we know how to make. Quick: it stops at the first point that
breaks.
"""

from pathlib import Path
from random import Random

import pytest

from tests.faults.seeded_bugs import BUGS, SeededBug
from tests.faults.strike import open_stage
from tests.flows.scenarios import BY_NAME

pytestmark = pytest.mark.usefixtures("transactional_db")


def find(bug: SeededBug, folder: Path) -> tuple[int, list[str]]:
    """Strike until something breaks. Returns: after how many strikes, and what broke."""
    dice = Random(bug.name)
    with (
        bug.patch(),
        open_stage(BY_NAME[bug.flow], folder, forgetful=bug.forgetful, shortest_leg=40) as stage,
    ):
        assert bool(stage.troubles) == bug.without_crash, stage.troubles
        if bug.without_crash:
            return 0, stage.troubles
        points = [point for point in stage.points if stage.legs[point.leg].step == bug.step]
        dice.shuffle(points)
        for count, point in enumerate(points, start=1):
            verdict = stage.strike(point, dice)
            if verdict.broken:
                return count, [verdict.where, *verdict.broken]
    return len(points), []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "_"))
def test_seeded_bug_is_found(bug: SeededBug, tmp_path: Path) -> None:
    count, broken = find(bug, tmp_path)

    assert broken, f"{bug.name} was not found at any of {count} points"
    print(f"{bug.name}: found after {count} strikes: {broken[:4]}")
