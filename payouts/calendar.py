"""When the next cutoff is. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

INSTANT = "INSTANT"
DAILY = "DAILY"
WEEKLY = "WEEKLY"


def next_cutoff(*, cadence: str, weekday: int, time_zone: str, after: datetime) -> datetime:
    """Return the first cutoff later than `after`.

    Daily and weekly cutoffs are midnights of `time_zone`; a weekly one is the midnight that
    begins `weekday` (Monday 0). An instant schedule is always due: the answer is `after` itself.
    """
    if cadence == INSTANT:
        return after
    assert cadence in (DAILY, WEEKLY), cadence
    zone = ZoneInfo(time_zone)
    day = after.astimezone(zone).date() + timedelta(days=1)
    if cadence == WEEKLY:
        day += timedelta(days=(weekday - day.weekday()) % 7)
    return datetime.combine(day, time.min, tzinfo=zone)


def latest_cutoff(*, cadence: str, weekday: int, time_zone: str, at: datetime) -> datetime:
    """Return the last daily or weekly cutoff that is not later than `at`."""
    assert cadence in (DAILY, WEEKLY), cadence
    zone = ZoneInfo(time_zone)
    day = at.astimezone(zone).date()
    if cadence == WEEKLY:
        day -= timedelta(days=(day.weekday() - weekday) % 7)
    return datetime.combine(day, time.min, tzinfo=zone)
