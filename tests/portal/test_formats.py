"""Why: an amount that reads wrong is a wrong amount."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from portal import formats

AT = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "amount_minor", "currency", "written"),
    [
        ("en", 128000, "CNY", "CN¥1,280.00"),
        ("zh-hans", 128000, "CNY", "¥1,280.00"),
        ("en", 12800, "JPY", "¥12,800"),
        ("zh-hans", 12800, "JPY", "JP¥12,800"),
        ("en", 15250, "KWD", "KWD15.250"),
        ("en", 15250, "IQD", "IQD15.250"),  # three digits by ISO 4217, none by babel
        ("en", -45990, "EUR", "-€459.90"),
        ("en", 10**15, "CNY", "CN¥10,000,000,000,000.00"),
    ],
)
def test_money_shows_every_minor_unit(
    language: str, amount_minor: int, currency: str, written: str
) -> None:
    with translation.override(language):
        shown = formats.money(amount_minor, currency).replace("\xa0", "")

    assert shown == written


def test_instant_is_written_in_the_reader_s_zone() -> None:
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        with translation.override("en"):
            english = formats.instant(AT)
        with translation.override("zh-hans"):
            chinese = formats.instant(AT)

    assert (english, chinese) == ("24 Nov 2026 00:05", "2026年11月24日 00:05")


@pytest.mark.parametrize(
    ("left", "written"),
    [
        (timedelta(seconds=-1), "overdue"),
        (timedelta(0), "overdue"),
        (timedelta(seconds=30), "in 1 minute"),
        (timedelta(minutes=59, seconds=59), "in 59 minutes"),
        (timedelta(hours=1), "in 1 hour"),
        (timedelta(hours=47, minutes=59), "in 47 hours"),
        (timedelta(days=2), "in 2 days"),
    ],
)
def test_time_left_is_said_in_the_largest_unit(left: timedelta, written: str) -> None:
    with translation.override("en"):
        assert formats.time_left(AT + left, at=AT) == written
