"""Lays out a what-if as bars: the commission of past orders by day or month, old beside new. Pure.

Whole numbers only: amounts in minor units, places in units of the drawing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from merchants.what_if import Repriced

MAX_DAYS = 31  # more are summed by month
LEFT, TOP, WIDTH, HEIGHT = 10, 10, 700, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. `series` is "old" or "new"; `amount_minor` what it stands for."""

    series: str
    amount_minor: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Span:
    """A day (2026-11-23) or month (2026-11), by the UTC date its orders were created."""

    name: str
    middle: int
    bars: tuple[Bar, Bar]
    labeled: bool  # whether there is room for its name


def lay_out(orders: Iterable[Repriced], *, currency: str) -> tuple[Span, ...]:
    """Sum the orders of a currency by day, or by month when they are of many, oldest first."""
    mine = [each for each in orders if each.old.currency == currency]
    days = {each.old.frozen_at.date().isoformat() for each in mine}
    length = len("2026-11-23") if len(days) <= MAX_DAYS else len("2026-11")
    old: dict[str, int] = defaultdict(int)
    new: dict[str, int] = defaultdict(int)
    for each in mine:
        name = each.old.frozen_at.date().isoformat()[:length]
        old[name] += each.old.commission_minor
        new[name] += each.new.commission_minor
    names = sorted(old)
    highest = max([*old.values(), *new.values(), 1])
    step = max(1, -(-len(names) // 8))  # eight names fit
    return tuple(
        _span(name, number, of=len(names), sums=(old[name], new[name]), highest=highest, step=step)
        for number, name in enumerate(names)
    )


def _span(
    name: str, number: int, *, of: int, sums: tuple[int, int], highest: int, step: int
) -> Span:
    start = LEFT + WIDTH * number // of
    room = WIDTH // of
    width = min(40, max(1, room * 2 // 5))
    middle = start + room // 2
    old, new = (
        Bar(
            series,
            amount_minor,
            x=middle - width if series == "old" else middle,
            y=TOP + HEIGHT - HEIGHT * amount_minor // highest,
            width=width,
            height=HEIGHT * amount_minor // highest,
        )
        for series, amount_minor in zip(("old", "new"), sums, strict=True)
    )
    return Span(name, middle, (old, new), labeled=number % step == 0)
