"""Turns events into deliveries, one per recipient: the first half of passing an event on.

It must never call the world, and never let one bad event stop the others.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Value

from ledger.usecases import use_case
from merchants import clocks
from notifications import emails, webhooks
from notifications.models import Delivery, Event

BATCH = 200
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
JITTER_PERCENT = 25

# Who is told of an event, one function per channel.
FanOut = Callable[[Sequence[Event], datetime], list[Delivery]]
FAN_OUTS: Sequence[FanOut] = (emails.list_deliveries, webhooks.list_deliveries)

log = logging.getLogger(__name__)


@use_case()
def pass_on_due_events(*, at: datetime, limit: int = BATCH) -> int:
    """Write the deliveries of the events that are due, in the order in which they were recorded.

    An event is due by its own platform's clock, which may be ahead of `at`: so nothing that a
    moved clock has made happen waits for the real one. Its deliveries live by the real clock.

    Args: at: the real time. limit: how many events one call takes at most.
    Returns: how many were passed on.
    Locks: the events; those of another relay are skipped. No network, so this is the whole claim.
    """
    due = list(
        Event.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("platform")
        .filter(relayed_at__isnull=True)
        .filter(next_attempt_at__lte=Value(at) + F("platform__clock_offset"))
        .order_by("id")[:limit]
    )
    passed = _write_deliveries(due, at)
    ids = [event.pk for event in passed]
    Event.objects.filter(pk__in=ids).update(
        relayed_at=at, attempts=F("attempts") + 1, last_error=""
    )
    return len(passed)


def delay_after(attempts: int) -> timedelta:
    """Double the wait with each attempt, up to the longest, plus jitter to spread a herd."""
    doubled = FIRST_DELAY * (1 << min(attempts - 1, 20))
    return min(doubled, LONGEST_DELAY) * (100 + secrets.randbelow(JITTER_PERCENT + 1)) / 100


def said(error: Exception) -> str:
    """Put an error into a column."""
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:200]


def _write_deliveries(due: Sequence[Event], at: datetime) -> list[Event]:
    """Write the deliveries of these events at once; if that fails, one event at a time.

    Returns: the events that are passed on; what failed is noted on the others.
    """
    if not due:
        return []
    try:
        with transaction.atomic():
            deliveries = [delivery for fan_out in FAN_OUTS for delivery in fan_out(due, at)]
            Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    except Exception as error:
        if len(due) > 1:
            return [passed for event in due for passed in _write_deliveries([event], at)]
        _note_failure(due[0], error, at)
        return []
    return list(due)


def _note_failure(event: Event, error: Exception, at: datetime) -> None:
    log.exception("event %s cannot be passed on yet", event.public_id)
    event.attempts += 1
    event.last_error = said(error)
    event.next_attempt_at = clocks.now_of(event.platform, now=at) + delay_after(event.attempts)
    event.save(update_fields=["attempts", "last_error", "next_attempt_at"])
