"""Questions about events, webhook endpoints and their deliveries, each for one platform alone.

It must never answer across platforms, nor open a secret.
"""

from django.db.models import QuerySet

from common.errors import DomainError
from merchants.models import User
from notifications.events import PRIVATE_TYPES
from notifications.models import (
    Audience,
    Channel,
    Delivery,
    DeliveryAttempt,
    DisabledReason,
    Event,
    MailChoice,
    WebhookEndpoint,
    WebhookSecret,
)


class WebhookEndpointNotFound(DomainError):
    """There is no such endpoint, or it is deleted, or another platform's."""

    code = "webhook_endpoint_not_found"
    status = 404


def list_endpoints(*, platform_id: str) -> QuerySet[WebhookEndpoint]:
    """A platform's endpoints, enabled or not, without deleted ones; in no order."""
    return WebhookEndpoint.objects.filter(platform_id=platform_id).exclude(
        disabled_reason=DisabledReason.DELETED
    )


def get_endpoint(*, platform_id: str, endpoint_id: str) -> WebhookEndpoint:
    """Raises: WebhookEndpointNotFound."""
    found = list_endpoints(platform_id=platform_id).filter(pk=endpoint_id).first()
    if found is None:
        raise WebhookEndpointNotFound("There is no such webhook endpoint.", endpoint=endpoint_id)
    return found


def list_secrets(*, platform_id: str, endpoint_id: str) -> QuerySet[WebhookSecret]:
    """An endpoint's secrets, sealed, expired ones too; in no order."""
    return WebhookSecret.objects.filter(endpoint__platform_id=platform_id, endpoint_id=endpoint_id)


def list_events(*, platform_id: str) -> QuerySet[Event]:
    """A platform's events, in no order; `public_id` sorts as they were recorded.

    Without what is told by e-mail alone.
    """
    return Event.objects.filter(platform_id=platform_id).exclude(type__in=list(PRIVATE_TYPES))


def list_deliveries(*, platform_id: str, endpoint_id: str | None = None) -> QuerySet[Delivery]:
    """A platform's webhook deliveries with their events, in no order, of deleted endpoints too.

    `public_id` sorts as they were made.
    """
    found = Delivery.objects.filter(platform_id=platform_id, channel=Channel.WEBHOOK)
    if endpoint_id is not None:
        found = found.filter(recipient=endpoint_id)
    return found.select_related("event")


def list_attempts(*, platform_id: str, delivery_id: str) -> QuerySet[DeliveryAttempt]:
    """The log of one webhook delivery, in no order; `number` counts from 1.

    Args: delivery_id: its public id.
    """
    return DeliveryAttempt.objects.filter(
        delivery__platform_id=platform_id, delivery__public_id=delivery_id
    )


def list_mails(*, platform_id: str, merchant_id: str | None, recipient: str) -> QuerySet[Delivery]:
    """Mails to one address about a seller, or about a platform itself (None), with their events.

    In no order; `public_id` sorts as they were made.
    """
    found = Delivery.objects.filter(
        channel=Channel.EMAIL, recipient=recipient, platform_id=platform_id
    ).select_related("event")
    if merchant_id is None:
        return found.filter(audience=Audience.PLATFORM)
    return found.filter(audience=Audience.SELLER, event__data__merchant=merchant_id)


def mail_choices_of(*, user: User) -> dict[str, bool]:
    """What a person chose, by kind of mails; a kind is missing when nothing was chosen."""
    return dict(MailChoice.objects.filter(user=user).values_list("kind", "wanted"))
