"""Where a platform wants to be told of its events, and what it is told with.

It must never show a secret again once it has answered with it, nor call the URL it is given.
Instants here are of the real clock, also for a platform whose own clock is ahead.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Least

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import Platform
from merchants.services.api_keys import API_VERSION
from merchants.services.checks import check_row
from notifications import addresses, events, selectors, webhooks
from notifications.models import (
    DisabledReason,
    EndpointState,
    WebhookEndpoint,
    WebhookSecret,
)
from notifications.selectors import WebhookEndpointNotFound
from notifications.services import attempts

MOST_ENDPOINTS = 16  # of one platform
MOST_SECRETS = 5  # of one endpoint valid at once: each is a signature in every header
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)


class WebhookEndpointInvalid(DomainError):
    """The endpoint cannot be as described; the sentence names the field."""

    code = "webhook_endpoint_invalid"
    status = 422


class WebhookEndpointLimit(DomainError):
    """A platform has only so many endpoints."""

    code = "webhook_endpoint_limit"


class WebhookSecretLimit(DomainError):
    """So many secrets are valid at once already; roll with a shorter overlap."""

    code = "webhook_secret_limit"


@use_case()
def create_endpoint(
    *,
    platform: Platform,
    url: str,
    at: datetime,
    description: str = "",
    event_types: Sequence[str] = (),
    api_version: str = API_VERSION,
) -> tuple[WebhookEndpoint, str]:
    """Take in a place where a platform is told of its events from now on.

    Args: event_types: names of notifications/events.py; none: all of them.
        api_version: the shape of what it is sent; the door knows which there are.
    Returns: the row, and its secret, which is never shown again.
    Raises: WebhookUrlRefused, WebhookEndpointInvalid, WebhookEndpointLimit. Locks: the platform.
    """
    Platform.objects.select_for_update(of=("self",), no_key=True).get(pk=platform.pk)
    if selectors.list_endpoints(platform_id=platform.pk).count() >= MOST_ENDPOINTS:
        raise WebhookEndpointLimit(f"A platform has at most {MOST_ENDPOINTS} webhook endpoints.")
    endpoint = WebhookEndpoint(
        platform=platform,
        url=url,
        description=description,
        event_types=_known(event_types),
        api_version=api_version,
        created_at=at,
    )
    _check(endpoint)
    endpoint.save(force_insert=True)
    _, secret = _add_secret(endpoint, at)
    return endpoint, secret


@use_case()
def update_endpoint(
    *,
    endpoint_id: str,
    at: datetime,
    url: str | None = None,
    description: str | None = None,
    event_types: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change what is not None. What waits for an endpoint that is disabled is given up.

    A round under way goes on with what it has read, for half a minute at most.

    Raises: WebhookEndpointNotFound, WebhookUrlRefused, WebhookEndpointInvalid.
    Idempotent: by the values. Locks: the endpoint.
    """
    endpoint = lock_endpoint(endpoint_id)
    if url is not None:
        endpoint.url = url
    if description is not None:
        endpoint.description = description
    if event_types is not None:
        endpoint.event_types = _known(event_types)
    if enabled and endpoint.state == EndpointState.DISABLED:
        endpoint.state, endpoint.disabled_at = EndpointState.ENABLED, None
        endpoint.disabled_reason, endpoint.failing_since = "", None
    elif enabled is False and endpoint.state == EndpointState.ENABLED:
        attempts.disable(endpoint, reason=DisabledReason.REQUESTED, at=at)
    _check(endpoint)
    _save(endpoint)
    return endpoint


@use_case()
def delete_endpoint(*, endpoint_id: str, at: datetime) -> WebhookEndpoint:
    """Take an endpoint out of every list for ever; its log stays.

    Raises: WebhookEndpointNotFound, for a second time too. Locks: the endpoint.
    """
    endpoint = lock_endpoint(endpoint_id)
    attempts.disable(endpoint, reason=DisabledReason.DELETED, at=at)
    _save(endpoint)
    endpoint.secrets.filter(_valid(at)).update(expires_at=at)
    return endpoint


@use_case()
def roll_secret(
    *, endpoint_id: str, at: datetime, overlap: timedelta = OVERLAP
) -> tuple[WebhookSecret, str]:
    """Give an endpoint another secret; those before it sign as well until the overlap is over.

    Args: overlap: 0 to 7 days; 0 after a leak: every other secret ends at once.
    Returns: the row, and the new secret, which is never shown again.
    Raises: WebhookEndpointNotFound, WebhookEndpointInvalid, WebhookSecretLimit.
    Locks: the endpoint.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise WebhookEndpointInvalid("The overlap is 0 to 7 days.", fields=["overlap"])
    endpoint = lock_endpoint(endpoint_id)
    until = Value(at + overlap)
    valid = endpoint.secrets.filter(_valid(at))
    valid.update(expires_at=Least(Coalesce(F("expires_at"), until), until))
    if valid.count() >= MOST_SECRETS:
        raise WebhookSecretLimit(f"At most {MOST_SECRETS} secrets are valid at once.")
    return _add_secret(endpoint, at)


def lock_endpoint(endpoint_id: str) -> WebhookEndpoint:
    """Lock an endpoint that is not deleted. Raises: WebhookEndpointNotFound."""
    return find_endpoint(endpoint_id, among=WebhookEndpoint.objects.select_for_update(of=("self",)))


def find_endpoint(endpoint_id: str, *, among: QuerySet[WebhookEndpoint]) -> WebhookEndpoint:
    """Read an endpoint that is not deleted, with its platform. Raises: WebhookEndpointNotFound."""
    rows = among.select_related("platform").exclude(disabled_reason=DisabledReason.DELETED)
    endpoint = rows.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookEndpointNotFound("There is no such webhook endpoint.", endpoint=endpoint_id)
    return endpoint


def _valid(at: datetime) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=at)


def _known(event_types: Sequence[str]) -> list[str]:
    """Each type once, in the order given. Raises: WebhookEndpointInvalid."""
    unknown = [type for type in event_types if type not in events.EVENT_TYPES]
    if unknown:
        raise WebhookEndpointInvalid(
            f"There is no event type {unknown[0]!r}.", fields=["event_types"], unknown=unknown
        )
    return list(dict.fromkeys(event_types))


def _check(endpoint: WebhookEndpoint) -> None:
    addresses.check_url(endpoint.url, allowed=settings.WEBHOOK_ALLOWED_NETWORKS)
    check_row(endpoint, WebhookEndpointInvalid)


def _save(endpoint: WebhookEndpoint) -> None:
    """Save what people decide about; the relays write the rest meanwhile."""
    endpoint.save(
        update_fields=[
            "url",
            "description",
            "event_types",
            "state",
            "disabled_at",
            "disabled_reason",
            "failing_since",
        ]
    )


def _add_secret(endpoint: WebhookEndpoint, at: datetime) -> tuple[WebhookSecret, str]:
    secret = webhooks.new_secret()
    row = WebhookSecret(endpoint=endpoint, created_at=at)
    webhooks.secret_field().seal(row, secret)
    row.save(force_insert=True)
    return row, secret
