"""Passes events on: first to rows, one per recipient (fan_out.py); then the mails to the world.

It must never call the world inside a transaction, and never let one bad row stop the others. A
crash between sending and marking sends once more after the lease (at least once, R8). Webhooks are
sent by a sweep of their own (rounds.py), because their receivers may be slow.
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F

from ledger.usecases import use_case
from notifications import emails
from notifications.models import Channel, Delivery, DeliveryState
from notifications.services import fan_out

LEASE = timedelta(minutes=10)  # longer than a batch of slow sends may take
MAX_ATTEMPTS = 12  # with the delays of fan_out.py: given up after about a day and a half

log = logging.getLogger(__name__)


def relay_due_events(*, at: datetime, limit: int = fan_out.BATCH) -> int:
    """Pass on the events that are due, and send the mails that are due.

    Never raises for what a recipient or one row does: that row is tried again later, with back-off.

    Args: at: the real time, for platforms with a moved clock too.
        limit: how many events, and how many mails, one call takes at most.
    Returns: events passed on plus mails sent; 0 when nothing was due or all of it failed.
    Locks: the claimed events, then the claimed deliveries; rows of another relay are skipped.
    """
    relayed = fan_out.pass_on_due_events(at=at, limit=limit)
    claimed = _claim_mails(at, limit)
    return relayed + sum(_deliver(delivery, at) for delivery in claimed)


@use_case()
def _claim_mails(at: datetime, limit: int) -> list[Delivery]:
    """Take due mails for one lease; the attempt is counted before it is made."""
    due = list(
        Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(channel=Channel.EMAIL, state=DeliveryState.PENDING, next_attempt_at__lte=at)
        .order_by("next_attempt_at", "id")[:limit]
    )
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in due]).update(
        attempts=F("attempts") + 1, next_attempt_at=at + LEASE
    )
    for delivery in due:
        delivery.attempts += 1
    return due


def _deliver(delivery: Delivery, at: datetime) -> bool:
    """Send one claimed mail and mark it. Returns: whether it is sent."""
    # A row whose attempts have moved on belongs to another relay: our lease has run out.
    ours = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.PENDING, attempts=delivery.attempts
    )
    if not ours.exists():
        return False
    if delivery.tries > MAX_ATTEMPTS:
        ours.update(state=DeliveryState.FAILED)
        return False
    try:
        emails.send(delivery)
    except Exception as error:
        log.warning("delivery %s failed: %s", delivery.pk, type(error).__name__)
        last = delivery.tries >= MAX_ATTEMPTS
        ours.update(
            state=DeliveryState.FAILED if last else DeliveryState.PENDING,
            next_attempt_at=at + fan_out.delay_after(delivery.tries),
            last_error=fan_out.said(error),
        )
        return False
    ours.update(state=DeliveryState.SENT, sent_at=at, last_error="")
    return True
