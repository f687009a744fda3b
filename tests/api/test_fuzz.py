"""Why: what a description promises, a stranger's program will send; none of it may surprise us.

A bounded slice of `make fuzz-api`, which goes to the end.
"""

from pathlib import Path

import pytest

from tests.api import fuzzing
from tests.api.fuzz_market import open_market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
SEED = 20261128


@pytest.mark.parametrize(
    ("phase", "examples", "seconds", "accepted"),
    [
        ("examples", 1, 45, 0),
        ("coverage", 1, 12, 20),
        ("fuzzing", 2, 10, 20),
        ("stateful", 20, 10, 20),
    ],
)
def test_slice_of_the_campaign_finds_nothing(
    phase: str, examples: int, seconds: int, accepted: int, tmp_path: Path
) -> None:
    findings = fuzzing.Findings(write=print)
    with open_market(tmp_path) as market:
        fuzzing.campaign(
            market, findings, phase=phase, seed=SEED, examples=examples, seconds=seconds
        )

    assert findings.found == {}
    assert findings.ended
    assert findings.accepted.total() > accepted
