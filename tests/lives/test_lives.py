"""250 random lives of sales, with all that can go wrong after them, against the oracle: no minor
unit is lost or made. `make lives` lives 10,000.

LIVES_SEED= lives those of a seed again. A twin with a seeded bug must be found.
"""

import os
from collections import Counter

import pytest

from tests.faults.seeded_aftersales import AFTERSALES_BUGS
from tests.faults.seeded_bugs import SeededBug
from tests.lives import batch

SEED = int(os.environ["LIVES_SEED"])  # tests/lives/conftest.py
BATCHES = 3  # and those that meet everything
# What must really happen besides each action: what it meets is drawn, not written down.
MEETINGS = (
    "charge_back of held money, beside a complaint",
    "charge_back of held money, frozen",
    "charge_back of released money",
    "confirm: hold_frozen",
    "freeze: freeze_too_late",
    "lifted",
    "lifted, with a decision to carry out",
    "refund: hold_frozen",
)
TWINS = [bug for bug in AFTERSALES_BUGS if bug.without_crash]
pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.mark.parametrize("number", range(BATCHES))
def test_lives_end_as_the_oracle_says(number: int) -> None:
    outcome = batch.live(f"{SEED} {number}")

    if outcome.error:
        pytest.fail(batch.tell(SEED, number, outcome))
    assert outcome.lives == batch.LIVES


def test_lives_meet_everything_that_can_happen() -> None:
    happened: Counter[str] = Counter()
    wanted = {*batch.ACTIONS, *MEETINGS}
    for number in (9, 0, 1, 2, 3, 4):  # of this seed the ninth has what the others lack
        outcome = batch.live(f"everything {number}")
        assert not outcome.error, f"batch {number}: {outcome.error}"
        happened += outcome.happened
        if wanted <= happened.keys():
            break

    assert wanted - happened.keys() == set(), happened


@pytest.mark.parametrize("bug", TWINS, ids=lambda bug: bug.name.replace(" ", "_"))
def test_lives_find_a_seeded_bug(bug: SeededBug) -> None:
    with bug.patch():
        errors = (batch.live(f"{bug.name} {number}", lives=20).error for number in range(10))
        assert next(filter(None, errors), ""), "ten batches went by as if nothing were wrong"


def test_steps_of_lives_that_go_wrong_get_fewer_and_go_wrong_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "SHRINK_SECONDS", 10.0)
    with TWINS[0].patch():
        found = (batch.live(f"few {number}", lives=10) for number in range(20))
        wrong = next(outcome for outcome in found if outcome.error)

        least = batch.shrink(wrong.steps)

        assert len(least.steps) < len(wrong.steps)
        assert batch.live_again(least.steps).error
    assert batch.live_again(least.steps).error == ""
