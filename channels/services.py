"""The inbox first (reliability rule R10): verify the raw bytes, keep them, answer; acting on
them comes after."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime

from channels import contract
from channels.models import InboundNotification, InboxState
from common.errors import DomainError
from ledger.usecases import use_case


class NotificationNotFound(DomainError):
    code = "notification_not_found"
    status = 404


class NotificationNotRetryable(DomainError):
    """The message has been applied, or is about to be."""

    code = "notification_not_retryable"


LEASE = timedelta(seconds=30)
ORPHAN_BACKOFF = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)
ORPHANS_KEPT_FOR = timedelta(days=7)


@use_case()
def receive_notification(
    *,
    source: str,
    notifier: contract.Notifier,
    headers: Mapping[str, str],
    body: bytes,
    at: datetime,
) -> tuple[InboundNotification, bool]:
    """Verify and keep a message.

    Returns: the inbox row, and whether it is new.
    Raises: NotificationForged, NotificationUnreadable; then nothing is kept.
    Idempotent: by (source, event id).
    """
    notification = notifier.read_notification(headers=headers, body=body, at=at)
    row, created = InboundNotification.objects.get_or_create(
        source=source,
        event_id=notification.event_id,
        defaults={
            "subject": notification.subject,
            "reference": notification.answer.reference,
            "body": body,
            "answer": _to_json(notification),
            "received_at": at,
            "due_at": at,
        },
    )
    return row, created


@use_case()
def claim_due_notifications(*, at: datetime, limit: int) -> list[int]:
    """Take messages not yet applied, oldest first, and lease them so that no other sweep takes
    them meanwhile."""
    due = InboundNotification.objects.filter(due_at__lte=at).order_by("due_at", "pk")
    ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    InboundNotification.objects.filter(pk__in=ids).update(due_at=at + LEASE)
    return ids


def get_notification(notification_id: int) -> tuple[InboundNotification, contract.Notification]:
    """Return an inbox row and what it says."""
    row = InboundNotification.objects.get(pk=notification_id)
    return row, _from_json(row)


def list_unapplied_answers(*, source: str, subject: str, reference: str) -> list[contract.Answer]:
    """Return what a source said about one thing and nobody has acted on, oldest first: flagged,
    matching nothing, or still to be applied."""
    rows = InboundNotification.objects.filter(source=source, subject=subject, reference=reference)
    unapplied = rows.exclude(state=InboxState.APPLIED).order_by("pk")
    return [_from_json(row).answer for row in unapplied]


@use_case()
def mark_applied(*, notification_id: int, at: datetime) -> None:
    """The message has had its effect, or had it before."""
    InboundNotification.objects.filter(pk=notification_id).exclude(state=InboxState.APPLIED).update(
        state=InboxState.APPLIED, applied_at=at, due_at=None, note=""
    )


@use_case()
def mark_orphan(*, notification_id: int, note: str, at: datetime) -> None:
    """Nothing here matches the message yet: keep it and try again, for seven days."""
    row = InboundNotification.objects.select_for_update().get(pk=notification_id)
    if row.state == InboxState.APPLIED:
        return
    row.state = InboxState.ORPHAN
    row.note = note[:300]
    wait = ORPHAN_BACKOFF[min(row.attempts, len(ORPHAN_BACKOFF) - 1)]
    row.attempts += 1
    row.due_at = at + wait if at < row.received_at + ORPHANS_KEPT_FOR else None
    row.save(update_fields=["state", "note", "attempts", "due_at"])


@use_case()
def mark_flagged(*, notification_id: int, note: str) -> None:
    """The message contradicts our books: nothing was moved, a person must look."""
    InboundNotification.objects.filter(pk=notification_id).exclude(state=InboxState.APPLIED).update(
        state=InboxState.FLAGGED, note=note[:300], due_at=None
    )


@use_case()
def retry_notification(*, notification_id: int, at: datetime) -> InboundNotification:
    """Let a message that was flagged or matched nothing be applied again, by the next sweep.

    Money: none here; applying it is what may move money.
    Raises: NotificationNotFound, NotificationNotRetryable. Locks: the message.
    """
    rows = InboundNotification.objects.select_for_update(of=("self",))
    row = rows.filter(pk=notification_id).first()
    if row is None:
        raise NotificationNotFound(f"There is no message {notification_id}.")
    if row.state not in (InboxState.FLAGGED, InboxState.ORPHAN):
        raise NotificationNotRetryable(
            f"The message is {row.state}; only a FLAGGED or ORPHAN one is applied again.",
            state=row.state,
        )
    row.state = InboxState.RECEIVED
    row.due_at = at
    row.save(update_fields=["state", "due_at"])
    return row


def _to_json(notification: contract.Notification) -> dict[str, Any]:
    answer = asdict(notification.answer)
    answer["event_at"] = answer["event_at"].isoformat() if answer["event_at"] else None
    return {"answer": answer, "extra": dict(notification.extra)}


def _from_json(row: InboundNotification) -> contract.Notification:
    kept = dict(row.answer["answer"])
    kept["event_at"] = parse_datetime(kept["event_at"]) if kept["event_at"] else None
    kept["status"] = contract.Status(kept["status"])
    return contract.Notification(
        event_id=row.event_id,
        subject=contract.Subject(row.subject),
        answer=contract.Answer(**kept),
        extra=row.answer["extra"],
    )
