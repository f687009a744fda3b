"""When a term runs out: so many seconds later, or at the end of so many business days. Pure.

It must never be asked twice about the same term: what it says is stored as an instant, so that a
newer list of holidays moves nothing that was promised.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

DAY = timedelta(days=1)
LAST = timedelta(microseconds=1)  # the end of a day is the last instant of it
LONGEST_STANDSTILL = 366  # days without a business day: no calendar has so many


@dataclass(frozen=True, slots=True)
class Seconds:
    """Elapsed time: exact whatever the clocks on the wall do."""

    count: int  # >= 0


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """Whole business days of a country after the day it starts on, as people there count them."""

    count: int  # >= 1
    calendar: str  # ISO 3166-1 code, such as CN, or with a part of the country: GB-SCT
    time_zone: str  # IANA name: whose days they are


Term = Seconds | BusinessDays


def deadline(*, start: datetime, term: Term) -> datetime:
    """Return the last instant at which the term is kept.

    Business days end with the local day, to the microsecond, also where a day has 23 or 25 hours.
    The day it starts on never counts.

    Args: start: aware. Returns: in UTC.
    """
    if isinstance(term, Seconds):
        return start.astimezone(UTC) + timedelta(seconds=term.count)
    assert term.count >= 1, term
    zone = ZoneInfo(term.time_zone)
    day = start.astimezone(zone).date()
    for _ in range(term.count):
        day = _next_business_day(day, term.calendar)
    midnight = datetime.combine(day + DAY, time.min, tzinfo=zone)
    return midnight.astimezone(UTC) - LAST


def is_business_day(day: date, *, calendar: str) -> bool:
    """Whether people work on a day: no weekend, no holiday; or a weekend worked in exchange."""
    return _year(calendar, day.year).is_working_day(day)


def _next_business_day(day: date, calendar: str) -> date:
    for _ in range(LONGEST_STANDSTILL):
        day += DAY
        if is_business_day(day, calendar=calendar):
            return day
    raise AssertionError(f"{calendar} has no business day within a year of {day}")


@cache
def _year(calendar: str, year: int) -> holidays.HolidayBase:
    country, _, part = calendar.partition("-")
    return holidays.country_holidays(country, subdiv=part or None, years=year, expand=False)
