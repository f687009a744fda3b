"""When terms run out (H1): business days of real countries, and clocks that jump."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.deadlines import BusinessDays, Seconds, deadline, is_business_day

US = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
PLACES = [
    ("CN", "Asia/Shanghai"),
    ("GB", "Europe/London"),
    ("GB-SCT", "Europe/London"),
    ("US", "America/New_York"),
]
SPAN = (datetime(2024, 1, 1), datetime(2027, 12, 1))  # noqa: DTZ001 - the strategy adds the zone
STARTS = st.datetimes(*SPAN, timezones=st.just(UTC))
COUNTS = st.integers(1, 60)


def business(start: datetime, count: int, place: tuple[str, str]) -> datetime:
    return deadline(start=start, term=BusinessDays(count, *place))


def local(place: tuple[str, str], *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(place[1]))  # type: ignore[arg-type, misc]


@given(STARTS, COUNTS, st.sampled_from(PLACES))
def test_business_deadline_is_the_end_of_a_business_day(
    start: datetime, count: int, place: tuple[str, str]
) -> None:
    found = business(start, count, place).astimezone(ZoneInfo(place[1]))

    next_instant = (found.astimezone(UTC) + US).astimezone(ZoneInfo(place[1]))
    assert is_business_day(found.date(), calendar=place[0])
    assert (next_instant.hour, next_instant.minute, next_instant.microsecond) == (0, 0, 0)
    assert next_instant.date() == found.date() + timedelta(days=1)


@given(STARTS, COUNTS, st.sampled_from(PLACES))
def test_so_many_business_days_lie_between(
    start: datetime, count: int, place: tuple[str, str]
) -> None:
    zone = ZoneInfo(place[1])
    first, last = start.astimezone(zone).date(), business(start, count, place).astimezone(zone)

    days = [first + timedelta(days=each) for each in range(1, (last.date() - first).days + 1)]
    assert sum(is_business_day(day, calendar=place[0]) for day in days) == count


@given(STARTS, STARTS, COUNTS, COUNTS, st.sampled_from(PLACES))
def test_later_start_and_longer_term_never_come_earlier(
    one: datetime, other: datetime, short: int, long: int, place: tuple[str, str]
) -> None:
    (early, late), (short, long) = sorted((one, other)), sorted((short, long))

    assert business(early, short, place) <= business(late, long, place)
    assert business(early, short, place) > early


@given(STARTS, st.integers(0, 10**7))
def test_seconds_are_exact_whatever_clocks_do(start: datetime, count: int) -> None:
    assert deadline(start=start, term=Seconds(count)) - start == timedelta(seconds=count)


@pytest.mark.parametrize(
    ("place", "start", "end"),
    [
        # Spring forward and fall back: the local day ends at its own midnight.
        (("GB", "Europe/London"), (2026, 3, 27, 12), datetime(2026, 3, 30, 23, tzinfo=UTC)),
        (("GB", "Europe/London"), (2026, 10, 23, 12), datetime(2026, 10, 27, 0, tzinfo=UTC)),
        (("US", "America/New_York"), (2026, 3, 6, 12), datetime(2026, 3, 10, 4, tzinfo=UTC)),
        (("US", "America/New_York"), (2026, 10, 30, 12), datetime(2026, 11, 3, 5, tzinfo=UTC)),
        (("CN", "Asia/Shanghai"), (2026, 3, 27, 12), datetime(2026, 3, 30, 16, tzinfo=UTC)),
        # Good Friday and Easter Monday; in Scotland people work on that Monday.
        (("GB-ENG", "Europe/London"), (2026, 4, 2, 12), datetime(2026, 4, 7, 23, tzinfo=UTC)),
        (("GB-SCT", "Europe/London"), (2026, 4, 2, 12), datetime(2026, 4, 6, 23, tzinfo=UTC)),
        # New Year's Day on a Saturday is kept on the Friday, in the year before.
        (("US", "America/New_York"), (2027, 12, 30, 12), datetime(2028, 1, 4, 5, tzinfo=UTC)),
    ],
)
def test_one_business_day_ends_with_the_local_day(
    place: tuple[str, str], start: tuple[int, ...], end: datetime
) -> None:
    assert business(local(place, *start), 1, place) == end - US


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((2026, 2, 13), (2026, 2, 14)),  # Saturday, worked in exchange
        ((2026, 2, 14), (2026, 2, 24)),  # Spring Festival: nine days
        ((2026, 2, 27), (2026, 2, 28)),  # Saturday, worked in exchange
        ((2026, 9, 19), (2026, 9, 20)),  # Sunday, worked in exchange
        ((2026, 9, 30), (2026, 10, 8)),  # National Day
        ((2026, 10, 9), (2026, 10, 10)),  # Saturday, worked in exchange
        ((2026, 3, 27), (2026, 3, 30)),  # a plain weekend
    ],
)
def test_weekends_worked_in_exchange_count_in_china(
    start: tuple[int, int, int], end: tuple[int, int, int]
) -> None:
    place = ("CN", "Asia/Shanghai")

    found = business(local(place, *start, 23, 59, 59), 1, place)

    assert found == local(place, *end, 23, 59, 59, 999_999)


def test_the_last_second_of_a_day_still_belongs_to_it() -> None:
    place = ("CN", "Asia/Shanghai")
    midnight = local(place, 2026, 3, 3)

    ends = [business(midnight + each, 1, place) for each in (-SECOND, -US, timedelta(0), SECOND)]

    assert [each.astimezone(ZoneInfo(place[1])).date() for each in ends] == [
        date(2026, 3, 3), date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 4),
    ]  # fmt: skip
