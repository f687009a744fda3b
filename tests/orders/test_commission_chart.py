"""Why: the drawing must say what the numbers say."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from merchants.what_if import Repriced
from orders.commission_chart import HEIGHT, LEFT, TOP, WIDTH, lay_out
from tests.merchants.rule_terms import ANY, freeze

AGREED = freeze(ANY)  # 450
TRIED = freeze(replace(ANY, rate_bps=1000))  # 900


def repriced(day: int) -> Repriced:
    at = AGREED.frozen_at + timedelta(days=day)
    return Repriced(f"ord_{day}", replace(AGREED, frozen_at=at), TRIED)


def test_bars_stand_for_the_sums_of_each_day_oldest_first() -> None:
    spans = lay_out([repriced(1), repriced(0), repriced(0)], currency="CNY")

    told = [
        (span.name, [(bar.series, bar.amount_minor, bar.height) for bar in span.bars])
        for span in spans
    ]
    assert told == [
        ("2026-11-23", [("old", 900, HEIGHT // 2), ("new", 1800, HEIGHT)]),
        ("2026-11-24", [("old", 450, HEIGHT // 4), ("new", 900, HEIGHT // 2)]),
    ]
    assert all(bar.y + bar.height == TOP + HEIGHT for span in spans for bar in span.bars)
    assert lay_out([repriced(1)], currency="USD") == ()


def test_many_days_are_summed_by_month() -> None:
    spans = lay_out([repriced(day) for day in range(40)], currency="CNY")

    assert [(span.name, span.bars[0].amount_minor) for span in spans] == [
        ("2026-11", 8 * 450),
        ("2026-12", 31 * 450),
        ("2027-01", 450),
    ]


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_bars_lie_within_the_drawing_and_sum_to_the_whole(days: list[int]) -> None:
    spans = lay_out([repriced(day) for day in days], currency="CNY")

    bars = [bar for span in spans for bar in span.bars]
    assert sum(bar.amount_minor for bar in bars) == len(days) * (450 + 900)
    for bar in bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= LEFT + WIDTH
        assert TOP <= bar.y <= bar.y + bar.height == TOP + HEIGHT
