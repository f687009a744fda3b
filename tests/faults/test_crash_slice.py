"""A slice of `make crash`: some points of every flow, with one kind of bank or the other."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.strike import open_stage
from tests.flows import aftersales, recoveries
from tests.flows.scenarios import FLOWS, Flow

SEED = 20260302
POINTS = 3  # per flow
FEWER = 1  # of the flows after a sale: there are many
LEG = 1000  # few strikes: one snapshot per step is enough
LATER = (*aftersales.FLOWS, *recoveries.FLOWS)
BANKS = {False: "remembering_bank", True: "forgetful_bank"}  # whether it forgets
pytestmark = pytest.mark.usefixtures("transactional_db")


CASES = [
    (flow, bool(odd % 2), FEWER if flow in LATER else POINTS) for odd, flow in enumerate(FLOWS)
]


@pytest.mark.parametrize(
    ("flow", "forgetful", "points"),
    CASES,
    ids=[f"{flow.name}-{BANKS[forgetful]}" for flow, forgetful, _points in CASES],
)
def test_flow_survives_being_killed_anywhere(
    flow: Flow, forgetful: bool, points: int, tmp_path: Path
) -> None:
    dice = Random(f"{SEED} {flow.name} {forgetful}")

    with open_stage(flow, tmp_path, forgetful=forgetful, shortest_leg=LEG) as stage:
        assert stage.troubles == []
        for point in dice.sample(stage.points, points):
            verdict = stage.strike(point, dice)
            assert verdict.killed, verdict.where
            assert verdict.broken == [], verdict.where


def test_crash_during_recovery_is_survived(tmp_path: Path) -> None:
    dice = Random(SEED)

    with open_stage(FLOWS[0], tmp_path, forgetful=True, shortest_leg=LEG) as stage:
        for point in dice.sample(stage.points, 3):
            verdict = stage.strike_twice(point, dice)
            assert verdict.broken == [], verdict.where
