"""A reversal is the exact mirror of an entry, once; the database refuses anything else."""

from typing import Any

import pytest

from tests.ledger import raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids() -> dict[str, int]:
    return raw.account_ids()


@pytest.fixture
def captured(ids: dict[str, int]) -> int:
    """An entry to reverse: Dr channel receivable 10001 / Cr held 10001."""
    return raw.insert(raw.entry((ids["channel_receivable"], 10001), (ids["held"], -10001)))


@pytest.fixture(params=[0, 20])
def company(request: pytest.FixtureRequest, ids: dict[str, int]) -> list[dict[str, Any]]:
    legs = (ids["channel_receivable"], 10001), (ids["held"], -10001)
    return [raw.entry(*legs) for _ in range(request.param)]


def test_mirror_is_accepted_once(ids: dict[str, int], captured: int, company: list[Any]) -> None:
    mirror = (ids["channel_receivable"], -10001), (ids["held"], 10001)
    raw.insert(*company, raw.entry(*mirror, reverses=captured))

    with raw.refused("23505", "ledger_entry_reversed_once"):
        raw.insert(raw.entry(*mirror, reverses=captured))


@pytest.mark.parametrize(
    "changes",
    [{"kind": "surplus"}, {"subject": "ord_2b"}, {"reverses": 10_001}],
    ids=["another kind", "another subject", "an entry that is not there"],
)
def test_reversal_is_refused_when_it_is_of_something_else(
    ids: dict[str, int], captured: int, company: list[Any], changes: dict[str, Any]
) -> None:
    mirror = (ids["channel_receivable"], -10001), (ids["held"], 10001)
    wrong = raw.entry(*mirror, **{"reverses": captured, **changes})

    with raw.refused("HF005"):
        raw.insert(*company, wrong)


@pytest.mark.parametrize(
    "legs",
    [
        (("channel_receivable", -10000), ("held", 10000)),
        (("channel_receivable", 10001), ("held", -10001)),
        (("held", 10001), ("channel_receivable", -10001)),
        (("surplus", -10001), ("held", 10001)),
        (("channel_receivable", -10001), ("held", 5000), ("held", 5001)),
    ],
    ids=["less", "the same again", "swapped", "another account", "more legs"],
)
def test_reversal_is_refused_when_its_legs_do_not_mirror(
    ids: dict[str, int], captured: int, company: list[Any], legs: Any
) -> None:
    wrong = raw.entry(*((ids[code], amount) for code, amount in legs), reverses=captured)

    with raw.refused("HF005"):
        raw.insert(*company, wrong)


def test_reversal_is_refused_when_it_reverses_a_reversal(
    ids: dict[str, int], captured: int, company: list[Any]
) -> None:
    mirror = (ids["channel_receivable"], -10001), (ids["held"], 10001)
    reversal = raw.insert(raw.entry(*mirror, reverses=captured))
    again = (ids["channel_receivable"], 10001), (ids["held"], -10001)

    with raw.refused("HF005"):
        raw.insert(*company, raw.entry(*again, reverses=reversal))


def test_reversal_is_refused_when_the_payee_was_paid_out(
    ids: dict[str, int], company: list[Any]
) -> None:
    raw.insert(raw.entry((ids["channel_receivable"], 10001), (ids["held"], -10001)))
    release = raw.insert(
        raw.entry((ids["held"], 10001), (ids["merchant_payable"], -10001), kind="release")
    )
    paid = (ids["merchant_payable"], 1), (ids["payout_in_transit"], -1)
    raw.insert(raw.entry(*paid, kind="payout-sent"))
    mirror = (ids["held"], -10001), (ids["merchant_payable"], 10001)

    with raw.refused("23514", "ledger_guardedbalance_not_below_zero"):
        raw.insert(*company, raw.entry(*mirror, kind="release", reverses=release))
