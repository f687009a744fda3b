"""Writes events into the outbox, inside the transaction of the change they tell of (R8).

It must never send anything: what is written here leaves with the commit, or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from notifications import events
from notifications.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event not written yet; the fields are the arguments of `record_event`."""

    type: str
    platform_id: str
    subject_id: str
    sequence: int
    data: Mapping[str, Any]
    at: datetime


def record_event(
    *,
    type: str,
    platform_id: str,
    subject_id: str,
    sequence: int,
    data: Mapping[str, Any],
    at: datetime,
) -> Event:
    """Write one event with the change it tells of.

    Args: type: listed in notifications/events.py, which also names the facts `data` must have.
        sequence: 1, 2, 3 … per subject, taken under the subject's row lock.
    Idempotent: by (subject_id, sequence): a second one is an IntegrityError and rolls all back.
    """
    draft = EventDraft(
        type=type,
        platform_id=platform_id,
        subject_id=subject_id,
        sequence=sequence,
        data=data,
        at=at,
    )
    return record_events(drafts=[draft])[0]


def record_events(*, drafts: Iterable[EventDraft]) -> list[Event]:
    """Write many events at once, in the order given. See `record_event`."""
    assert connection.in_atomic_block, "an event is written with the change it tells of"
    return Event.objects.bulk_create([event_row(draft) for draft in drafts])


def event_row(draft: EventDraft) -> Event:
    """Make the row of an event, for a statement that writes it with what it tells of."""
    events.check_facts(draft.type, draft.data)
    return Event(
        type=draft.type,
        platform_id=draft.platform_id,
        subject_id=draft.subject_id,
        sequence=draft.sequence,
        data=dict(draft.data),
        created_at=draft.at,
        next_attempt_at=draft.at,
    )
