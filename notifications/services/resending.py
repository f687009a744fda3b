"""Telling again, and telling for a test: what people ask for, through the usual outbox.

It must never send anything itself. Instants here are of the real clock, save where a docstring
says otherwise.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import clocks
from notifications import webhooks
from notifications.events import PRIVATE_TYPES
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    EndpointState,
    Event,
    WebhookEndpoint,
)
from notifications.services import outbox
from notifications.services.endpoints import find_endpoint, lock_endpoint

RESEND_LIMIT = 5000  # deliveries one call asks for at most


class DeliveryNotFailed(DomainError):
    """Only a delivery that was given up can be tried again by hand."""

    code = "delivery_not_failed"


class DeliveryNotFound(DomainError):
    """There is no such webhook delivery."""

    code = "delivery_not_found"
    status = 404


class WebhookEndpointDisabled(DomainError):
    """A disabled endpoint is sent nothing; enable it first."""

    code = "webhook_endpoint_disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What `resend_since` asked for. `after` goes into the next call; empty: that was all."""

    deliveries: int
    after: str


@use_case()
def send_test_ping(*, endpoint_id: str, at: datetime) -> Event:
    """Tell one endpoint, whatever its filter, that it is there.

    Raises: WebhookEndpointNotFound, WebhookEndpointDisabled. Locks: the endpoint.
    """
    endpoint = lock_endpoint(endpoint_id)
    _require_enabled(endpoint)
    event = outbox.record_event(
        type=webhooks.PING,
        platform_id=endpoint.platform_id,
        subject_id=endpoint.pk,
        sequence=endpoint.next_sequence(),
        data={"endpoint": endpoint.pk},
        at=clocks.now_of(endpoint.platform, now=at),
    )
    endpoint.save(update_fields=["event_sequence"])
    return event


@use_case()
def retry_delivery(*, delivery_id: int, at: datetime) -> Delivery:
    """Give a delivery that was given up all its attempts back; the operators' way.

    Raises: DeliveryNotFailed, WebhookEndpointDisabled. Locks: the delivery.
    """
    delivery = Delivery.objects.select_for_update(of=("self",)).get(pk=delivery_id)
    if delivery.state != DeliveryState.FAILED:
        raise DeliveryNotFailed("Only a delivery that was given up can be tried again.")
    return _begin_again(delivery, at)


@use_case()
def resend_delivery(*, delivery_id: str, at: datetime) -> Delivery:
    """Send one webhook again, whether it was given up, has arrived or still waits.

    Args: delivery_id: its public id.
    Raises: DeliveryNotFound, WebhookEndpointDisabled. Locks: the delivery.
    """
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .filter(public_id=delivery_id, channel=Channel.WEBHOOK)
        .first()
    )
    if delivery is None:
        raise DeliveryNotFound("There is no such webhook delivery.", delivery=delivery_id)
    return _begin_again(delivery, at)


@use_case()
def resend_since(
    *,
    endpoint_id: str,
    since: datetime,
    at: datetime,
    after: str = "",
    limit: int = RESEND_LIMIT,
) -> Resent:
    """Send an endpoint every event since an instant that its filter lets through, again or anew.

    Also those from before it was made or while it was disabled. Oldest first, and in the order of
    each subject; what still waits is brought forward.

    Args: since: compared with the events' `created_at`, so of the platform's own clock.
        after: the answer's `after` of the call before, when there was more than `limit`.
    Raises: WebhookEndpointNotFound, WebhookEndpointDisabled.
    Locks: the deliveries, in the order of their ids; not the endpoint, which comes after them.
    """
    endpoint = find_endpoint(endpoint_id, among=WebhookEndpoint.objects.all())
    _require_enabled(endpoint)
    found = list(_matching(endpoint, since, after)[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    again = (
        Delivery.objects.select_for_update(of=("self",))
        .filter(channel=Channel.WEBHOOK, recipient=endpoint.pk, event__in=found)
        .order_by("id")
    )
    ids = list(again.values_list("id", flat=True))
    Delivery.objects.filter(pk__in=ids).update(**_BEGUN_AGAIN, next_attempt_at=at)
    Delivery.objects.bulk_create(
        [webhooks.new_delivery(event, endpoint, at=at) for event in found],
        ignore_conflicts=True,
        batch_size=1000,
    )
    return Resent(deliveries=len(found), after=found[-1].public_id if more else "")


# A round of attempts begins anew; the attempts of the rounds before keep their numbers.
_BEGUN_AGAIN = {
    "state": DeliveryState.PENDING,
    "attempts_before": F("attempts"),
    "sent_at": None,
    "last_error": "",
}


def _matching(endpoint: WebhookEndpoint, since: datetime, after: str) -> QuerySet[Event]:
    """Events that were passed on already: the others are on their way anyway."""
    found = Event.objects.filter(
        ~Q(type=webhooks.PING) | Q(subject_id=endpoint.pk),
        platform_id=endpoint.platform_id,
        created_at__gte=since,
        relayed_at__isnull=False,
    ).exclude(type__in=list(PRIVATE_TYPES))
    if endpoint.event_types:
        found = found.filter(Q(type__in=endpoint.event_types) | Q(type=webhooks.PING))
    if after:
        found = found.filter(id__gt=Event.objects.filter(public_id=after).values("id")[:1])
    return found.select_related("platform").order_by("id")


def _begin_again(delivery: Delivery, at: datetime) -> Delivery:
    if delivery.channel == Channel.WEBHOOK:
        _require_enabled(WebhookEndpoint.objects.get(pk=delivery.recipient))
    Delivery.objects.filter(pk=delivery.pk).update(**_BEGUN_AGAIN, next_attempt_at=at)
    delivery.refresh_from_db()
    return delivery


def _require_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ENABLED:
        raise WebhookEndpointDisabled(
            "This webhook endpoint is disabled; enable it first.", endpoint=endpoint.pk
        )
