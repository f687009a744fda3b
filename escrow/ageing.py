"""How old open debts are, in the bands an accountant reads them in. It must never lock or write.

A debt ages by the clock of its platform; days are counted whole.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet

from escrow.models import Debt, DebtState
from merchants import clocks


@dataclass(frozen=True, slots=True)
class Band:
    """Ages from `first` to `last` days, both included; without `last`, all that are older."""

    name: str
    first: int
    last: int | None

    def within(self, debts: QuerySet[Debt], *, now: datetime) -> QuerySet[Debt]:
        """The open debts of this age. Args: now: the real time."""
        began = ExpressionWrapper(
            F("created_at") - F("platform__clock_offset"), output_field=DateTimeField()
        )
        found = debts.filter(state=DebtState.OPEN).alias(began=began)
        found = found.filter(began__lte=now - timedelta(days=self.first))
        if self.last is None:
            return found
        return found.filter(began__gt=now - timedelta(days=self.last + 1))


BANDS = (
    Band("0-30", 0, 30),
    Band("31-60", 31, 60),
    Band("61-90", 61, 90),
    Band("90+", 91, None),
)


def age_days(debt: Debt, *, now: datetime) -> int:
    """Return how many whole days a debt has been owed, until it was closed.

    Args: now: the real time; the debt's platform is at hand.
    """
    until = debt.closed_at or clocks.now_of(debt.platform, now=now)
    return (until - debt.created_at).days


def band_of(days: int) -> Band:
    """Return the band of an age; a clock that was just moved may make it less than nothing."""
    return next(each for each in BANDS if each.last is None or days <= each.last)


def open_by_band(*, now: datetime) -> dict[str, list[int]]:
    """Sum what is still owed, by currency: minor units per band, in the order of `BANDS`."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(BANDS))
    for debt in Debt.objects.filter(state=DebtState.OPEN).select_related("platform"):
        band = BANDS.index(band_of(age_days(debt, now=now)))
        found[debt.currency][band] += debt.open_minor
    return dict(sorted(found.items()))
