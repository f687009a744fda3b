"""Writes down what came of an attempt to reach a webhook endpoint, and what follows from it.

It must never call the world. An endpoint that has failed for `DISABLED_AFTER` is disabled here,
and its platform is told.
"""

import secrets
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from ledger.usecases import use_case
from merchants import clocks
from notifications import webhooks
from notifications.dialing import Answer
from notifications.models import (
    Channel,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    DisabledReason,
    EndpointState,
    WebhookEndpoint,
)
from notifications.services import outbox

# After the first attempt, how long each further one waits: 71.6 hours in all.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=14),
    timedelta(hours=16),
)
MAX_TRIES = len(RETRIES) + 1
JITTER_PERCENT = 10  # more or less, so that a receiver that comes back does not meet all at once
DISABLED_AFTER = timedelta(days=5)  # longer than the retries of any one delivery
GIVEN_UP = "ENDPOINT_DISABLED"  # what a delivery says that was not tried to its end


def count_attempt(delivery: Delivery) -> bool:
    """Count an attempt before it is made.

    Returns: False when it must not be made: another relay has taken the delivery, or every attempt
        so far has ended the relay itself, and that was the last.
    """
    ours = Delivery.objects.filter(
        pk=delivery.pk,
        state=DeliveryState.PENDING,
        attempts=delivery.attempts,
        attempts_before=delivery.attempts_before,
    )
    if delivery.tries >= MAX_TRIES:
        ours.update(state=DeliveryState.FAILED)
        return False
    if not ours.update(attempts=F("attempts") + 1):
        return False
    delivery.attempts += 1
    return True


@use_case()
def record_attempt(
    *,
    delivery: Delivery,
    endpoint: WebhookEndpoint,
    answer: Answer,
    began_at: datetime,
    at: datetime,
) -> None:
    """Log an attempt, mark its delivery, and note on the endpoint whether it works.

    Args: endpoint: the caller's copy, brought up to date.
        at: the real time; retries live by it, also on a platform whose clock is ahead.
    Idempotent: by (delivery, number of the attempt).
    Locks: the delivery, then the endpoint when it begins or ceases to fail.
    """
    DeliveryAttempt.objects.bulk_create(
        [
            DeliveryAttempt(
                delivery=delivery,
                number=delivery.attempts,
                at=began_at,
                duration_ms=answer.duration_ms,
                status_code=answer.status_code,
                error=answer.failure,
                answer=answer.excerpt,
            )
        ],
        ignore_conflicts=True,
    )
    if answer.failure:
        _mark_failed(delivery, answer, at)
        _note_failure(endpoint, at)
    else:
        _mark_sent(delivery, at)
        _note_success(endpoint)


def disable(endpoint: WebhookEndpoint, *, reason: DisabledReason, at: datetime) -> None:
    """Set the columns of a disabled endpoint; the caller holds the lock and saves.

    What waits for it is given up by the next round.
    """
    assert connection.in_atomic_block, "an endpoint is disabled under its lock"
    endpoint.state = EndpointState.DISABLED
    endpoint.disabled_reason = reason
    endpoint.disabled_at = at


def give_up_disabled() -> int:
    """Give up what waits for endpoints that are disabled; it can be sent again by hand."""
    disabled = WebhookEndpoint.objects.filter(state=EndpointState.DISABLED)
    return Delivery.objects.filter(
        channel=Channel.WEBHOOK,
        state=DeliveryState.PENDING,
        recipient__in=disabled.values("id"),
    ).update(state=DeliveryState.FAILED, last_error=GIVEN_UP)


def _mark_sent(delivery: Delivery, at: datetime) -> None:
    # Also when it was given up meanwhile: it has arrived.
    Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts).update(
        state=DeliveryState.SENT, sent_at=at, last_error=""
    )


def _mark_failed(delivery: Delivery, answer: Answer, at: datetime) -> None:
    # Not when it was asked for again meanwhile: then it is due as if nothing had happened.
    ours = Delivery.objects.filter(
        pk=delivery.pk,
        state=DeliveryState.PENDING,
        attempts=delivery.attempts,
        attempts_before=delivery.attempts_before,
    )
    if delivery.tries >= MAX_TRIES:
        ours.update(state=DeliveryState.FAILED, last_error=answer.failure)
    else:
        due_at = at + _jittered(RETRIES[delivery.tries - 1])
        ours.update(next_attempt_at=due_at, last_error=answer.failure)


def _note_success(endpoint: WebhookEndpoint) -> None:
    if endpoint.failing_since is not None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
        endpoint.failing_since = None


def _note_failure(endpoint: WebhookEndpoint, at: datetime) -> None:
    if endpoint.failing_since is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=at)
        endpoint.failing_since = at
    elif at - endpoint.failing_since >= DISABLED_AFTER:
        _disable_failing(endpoint, at)


def _disable_failing(endpoint: WebhookEndpoint, at: datetime) -> None:
    locked = (
        WebhookEndpoint.objects.select_for_update(of=("self",))
        .select_related("platform")
        .get(pk=endpoint.pk)
    )
    since = locked.failing_since
    if locked.state != EndpointState.ENABLED or since is None or at - since < DISABLED_AFTER:
        return  # switched off, mended or switched on again meanwhile
    disable(locked, reason=DisabledReason.FAILING, at=at)
    outbox.record_event(
        type=webhooks.DISABLED,
        platform_id=locked.platform_id,
        subject_id=locked.pk,
        sequence=locked.next_sequence(),
        data={
            "endpoint": locked.pk,
            "url": locked.url.partition("?")[0],
            "reason": DisabledReason.FAILING.value,
            "failing_since": since.isoformat(timespec="microseconds"),
        },
        at=clocks.now_of(locked.platform, now=at),
    )
    locked.save(update_fields=["state", "disabled_reason", "disabled_at", "event_sequence"])
    endpoint.state = locked.state


def _jittered(wait: timedelta) -> timedelta:
    percent = 100 - JITTER_PERCENT + secrets.randbelow(2 * JITTER_PERCENT + 1)
    return wait * percent / 100
