"""The flows as worked examples: their journals are checked in beside this file and compared
exactly.

UPDATE_GOLDEN=1 writes them anew; then read them as an accountant would.
"""

import os
from pathlib import Path

import pytest

from demo import clockwork
from tests.flows import dues, journal
from tests.flows.scenarios import FLOWS, Flow
from tests.flows.stagecraft import open_market
from tests.oracle import disagreements
from tests.world import audit

GOLDEN = Path(__file__).with_name("golden")
pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.mark.parametrize("forgetful", [False, True], ids=["remembering_bank", "forgetful_bank"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_flow_leaves_the_golden_books(flow: Flow, forgetful: bool, tmp_path: Path) -> None:
    with open_market(flow, tmp_path, forgetful=forgetful) as market:
        flow.play(market)

        assert clockwork.run_sweeps(at=market.now) == 0
        assert audit() == []
        assert disagreements(market) == []
        text = journal.read_journal().text(flow.title)
        golden = GOLDEN / f"{flow.name}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_flow_does_nothing_more_when_it_is_played_again(flow: Flow, tmp_path: Path) -> None:
    with open_market(flow, tmp_path) as market:
        flow.play(market)
        before = journal.read_journal().text(flow.title)

        flow.play(market)

        assert journal.read_journal().text(flow.title) == before


def test_every_sweep_has_its_bell() -> None:
    assert list(dues.DUES) == list(clockwork.SWEEPS)


def test_every_golden_file_is_of_a_flow() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {flow.name for flow in FLOWS}
