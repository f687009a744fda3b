"""A slice of `make crash`: some points of every flow, with both kinds of bank."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.strike import open_stage
from tests.flows.scenarios import FLOWS, Flow

SEED = 20260302
POINTS = 3  # per flow and bank
LEG = 1000  # few strikes: one snapshot per step is enough
pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.mark.parametrize("forgetful", [False, True], ids=["remembering_bank", "forgetful_bank"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_flow_survives_being_killed_anywhere(flow: Flow, forgetful: bool, tmp_path: Path) -> None:
    dice = Random(f"{SEED} {flow.name} {forgetful}")

    with open_stage(flow, tmp_path, forgetful=forgetful, shortest_leg=LEG) as stage:
        assert stage.troubles == []
        for point in dice.sample(stage.points, POINTS):
            verdict = stage.strike(point, dice)
            assert verdict.killed, verdict.where
            assert verdict.broken == [], verdict.where


def test_crash_during_recovery_is_survived(tmp_path: Path) -> None:
    dice = Random(SEED)

    with open_stage(FLOWS[0], tmp_path, forgetful=True, shortest_leg=LEG) as stage:
        for point in dice.sample(stage.points, 3):
            verdict = stage.strike_twice(point, dice)
            assert verdict.broken == [], verdict.where
