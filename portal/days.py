"""Days as people mean them: where one begins for its reader, and where a chart draws it."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from django.utils import timezone

NOON = time(12, tzinfo=UTC)  # the same day in nearly every time zone


def midnight(day: date) -> datetime:
    """When a day begins in the present time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def on_axis(days: Iterable[date]) -> list[int]:
    """Where a chart draws days: seconds since 1970."""
    return [int(datetime.combine(day, NOON).timestamp()) for day in days]
