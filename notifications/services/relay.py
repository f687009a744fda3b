"""Passes events on: first to rows, one per recipient, in one transaction; then to the world.

It must never call the world inside a transaction, and never let one bad row stop the others. A
crash between sending and marking sends once more after the lease (at least once, R8).
"""

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from common.errors import DomainError
from ledger.usecases import use_case
from notifications import emails
from notifications.models import Channel, Delivery, DeliveryState, Event

LEASE = timedelta(minutes=10)  # longer than a batch of slow sends may take
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=6)
MAX_ATTEMPTS = 12  # with the delays above: given up after about a day and a half
JITTER_PERCENT = 25

# Who is told of an event, one function per channel. Webhooks will add theirs to both tables.
FanOut = Callable[[Sequence[Event], datetime], list[Delivery]]
FAN_OUTS: Sequence[FanOut] = (emails.list_deliveries,)
SENDERS: Mapping[str, Callable[[Delivery], None]] = {Channel.EMAIL: emails.send}

log = logging.getLogger(__name__)


class DeliveryNotFailed(DomainError):
    """Only a delivery that was given up can be tried again by hand."""

    code = "delivery_not_failed"


def relay_due_events(*, at: datetime, limit: int = 200) -> int:
    """Pass on the events that are due, and send the deliveries that are due.

    Never raises for what a recipient or one row does: that row is tried again later, with back-off.

    Args: limit: how many events, and how many deliveries, one call takes at most.
    Returns: events passed on plus deliveries sent; 0 when nothing was due or all of it failed.
    Locks: the claimed events, then the claimed deliveries; rows of another relay are skipped.
    """
    relayed = _fan_out(at, limit)
    claimed = _claim_deliveries(at, limit)
    return relayed + sum(_deliver(delivery, at) for delivery in claimed)


@use_case()
def retry_delivery(*, delivery_id: int, at: datetime) -> Delivery:
    """Give a delivery that was given up all its attempts back.

    Raises: DeliveryNotFailed. Locks: the delivery.
    """
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
    if delivery.state != DeliveryState.FAILED:
        raise DeliveryNotFailed("Only a delivery that was given up can be tried again.")
    delivery.state = DeliveryState.PENDING
    delivery.attempts = 0
    delivery.next_attempt_at = at
    delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
    return delivery


@use_case()
def _fan_out(at: datetime, limit: int) -> int:
    """Write the deliveries of the due events. No network, so one transaction is the whole claim."""
    due = list(
        Event.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("platform")
        .filter(relayed_at__isnull=True, next_attempt_at__lte=at)
        .order_by("next_attempt_at", "id")[:limit]
    )
    for event in due:
        event.attempts += 1
    _write_deliveries(due, at)
    Event.objects.bulk_update(due, ["relayed_at", "attempts", "next_attempt_at", "last_error"])
    return sum(event.relayed_at is not None for event in due)


def _write_deliveries(due: Sequence[Event], at: datetime) -> None:
    """Write the deliveries of these events at once; if that fails, one event at a time."""
    try:
        with transaction.atomic():
            deliveries = [delivery for fan_out in FAN_OUTS for delivery in fan_out(due, at)]
            Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    except Exception as error:
        for event in due if len(due) > 1 else ():
            _write_deliveries([event], at)
        if len(due) == 1:
            log.exception("event %s cannot be passed on yet", due[0].public_id)
            due[0].last_error = _said(error)
            due[0].next_attempt_at = at + _delay(due[0].attempts)
    else:
        for event in due:
            event.relayed_at = at


@use_case()
def _claim_deliveries(at: datetime, limit: int) -> list[Delivery]:
    """Take due deliveries for one lease; the attempt is counted before it is made."""
    due = list(
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(state=DeliveryState.PENDING, next_attempt_at__lte=at)
        .order_by("next_attempt_at", "id")[:limit]
    )
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in due]).update(
        attempts=F("attempts") + 1, next_attempt_at=at + LEASE
    )
    for delivery in due:
        delivery.attempts += 1
    return due


def _deliver(delivery: Delivery, at: datetime) -> bool:
    """Send one claimed delivery and mark it. Returns: whether it is sent."""
    # A row whose attempts have moved on belongs to another relay: our lease has run out.
    ours = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.PENDING, attempts=delivery.attempts
    )
    if not ours.exists():
        return False
    if delivery.attempts > MAX_ATTEMPTS:
        ours.update(state=DeliveryState.FAILED)
        return False
    try:
        SENDERS[delivery.channel](delivery)
    except Exception as error:
        log.warning("delivery %s failed: %s", delivery.pk, type(error).__name__)
        last = delivery.attempts >= MAX_ATTEMPTS
        ours.update(
            state=DeliveryState.FAILED if last else DeliveryState.PENDING,
            next_attempt_at=at + _delay(delivery.attempts),
            last_error=_said(error),
        )
        return False
    ours.update(state=DeliveryState.SENT, sent_at=at, last_error="")
    return True


def _delay(attempts: int) -> timedelta:
    """Double the wait with each attempt, up to the longest, plus jitter to spread a herd."""
    doubled = FIRST_DELAY * (1 << min(attempts - 1, 20))
    return min(doubled, LONGEST_DELAY) * (100 + secrets.randbelow(JITTER_PERCENT + 1)) / 100


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:200]
