"""The next cutoff, also where clocks jump (H1): against a search through the calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payouts import calendar

# Jumps at night, at midnight itself (Havana, Beirut, Asunción), by half an hour (Lord Howe), and
# over a day (Apia).
ZONES = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Asia/Beirut",
    "America/Asuncion",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
SPAN = (datetime(2010, 1, 1), datetime(2035, 1, 1))  # noqa: DTZ001 - the strategy adds the zone
INSTANTS = st.datetimes(*SPAN, timezones=st.just(UTC))


def found_by_search(zone: ZoneInfo, after: datetime, weekday: int | None) -> datetime:
    first = after.astimezone(zone).date() - timedelta(days=2)
    midnights = (midnight(first + timedelta(days=n), zone) for n in range(20))
    return min(at for day, at in midnights if at > after and weekday in (None, day.weekday()))


def midnight(day: date, zone: ZoneInfo) -> tuple[date, datetime]:
    return day, datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@given(INSTANTS, st.sampled_from(ZONES))
@example(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2011, 12, 29, 12, 0, tzinfo=UTC), "Pacific/Apia")
def test_daily_cutoff_is_the_next_midnight_of_the_zone(after: datetime, name: str) -> None:
    cutoff = calendar.next_cutoff(cadence=calendar.DAILY, weekday=0, time_zone=name, after=after)

    assert cutoff.astimezone(UTC) == found_by_search(ZoneInfo(name), after, None)


@given(INSTANTS, st.sampled_from(ZONES), st.integers(0, 6))
def test_weekly_cutoff_is_the_midnight_that_begins_the_day(
    after: datetime, name: str, weekday: int
) -> None:
    cutoff = calendar.next_cutoff(
        cadence=calendar.WEEKLY, weekday=weekday, time_zone=name, after=after
    )

    assert cutoff.astimezone(UTC) == found_by_search(ZoneInfo(name), after, weekday)


@given(
    INSTANTS,
    st.sampled_from(ZONES),
    st.integers(0, 6),
    st.sampled_from([calendar.DAILY, calendar.WEEKLY]),
)
def test_cutoffs_follow_each_other_without_a_gap(
    after: datetime, name: str, weekday: int, cadence: str
) -> None:
    first = calendar.next_cutoff(cadence=cadence, weekday=weekday, time_zone=name, after=after)
    again = calendar.next_cutoff(
        cadence=cadence,
        weekday=weekday,
        time_zone=name,
        after=first.astimezone(UTC) - timedelta(microseconds=1),
    )

    assert again.astimezone(UTC) == first.astimezone(UTC)


@given(
    INSTANTS,
    st.sampled_from(ZONES),
    st.integers(0, 6),
    st.sampled_from([calendar.DAILY, calendar.WEEKLY]),
)
def test_latest_cutoff_is_the_one_before_the_next(
    at: datetime, name: str, weekday: int, cadence: str
) -> None:
    how = {"cadence": cadence, "weekday": weekday, "time_zone": name}

    latest = calendar.latest_cutoff(**how, at=at)

    assert latest <= at
    assert calendar.next_cutoff(**how, after=latest.astimezone(UTC)) > at


@given(INSTANTS, st.sampled_from(ZONES))
def test_instant_schedule_is_always_due(after: datetime, name: str) -> None:
    assert (
        calendar.next_cutoff(cadence=calendar.INSTANT, weekday=0, time_zone=name, after=after)
        == after
    )


@pytest.mark.parametrize(
    ("after", "cutoff"),
    [
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),
        (
            datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
            datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
        ),  # 23 hours
        (
            datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
        ),  # 25 hours
    ],
)
def test_daily_cutoff_keeps_to_local_midnight_when_clocks_change(
    after: datetime, cutoff: datetime
) -> None:
    found = calendar.next_cutoff(
        cadence=calendar.DAILY, weekday=0, time_zone="Europe/Berlin", after=after
    )

    assert found.astimezone(UTC) == cutoff
