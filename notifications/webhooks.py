"""Which event is told to which webhook endpoint, and the signed request that tells it.

It must never send what is not signed, nor sign other bytes than are sent.
Source: the Standard Webhooks specification (https://www.standardwebhooks.com), version 1.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from common.errors import DomainError
from notifications import dialing
from notifications.events import PRIVATE_TYPES
from notifications.models import (
    Audience,
    Channel,
    Delivery,
    EndpointState,
    Event,
    WebhookEndpoint,
    WebhookSecret,
)

PING = "webhook_endpoint.ping"
DISABLED = "webhook_endpoint.disabled"
KEY_PREFIX = "whsec_"
SECRET_BYTES = 32
USER_AGENT = "Holdfast-Webhooks/1"


class SecretMissing(DomainError):
    """An endpoint without a valid secret is told nothing: nothing leaves unsigned (R15)."""

    code = "webhook_secret_missing"
    status = 500


def list_deliveries(events: Sequence[Event], at: datetime) -> list[Delivery]:
    """List the webhook deliveries these events give rise to; events with `platform` loaded."""
    endpoints = defaultdict(list)
    for endpoint in WebhookEndpoint.objects.filter(
        platform_id__in={event.platform_id for event in events}, state=EndpointState.ENABLED
    ):
        endpoints[endpoint.platform_id].append(endpoint)
    return [
        new_delivery(event, endpoint, at=at)
        for event in events
        for endpoint in endpoints[event.platform_id]
        if wants(endpoint, event)
    ]


def wants(endpoint: WebhookEndpoint, event: Event) -> bool:
    """Say whether an event of the endpoint's platform is for it. A ping is for its own alone."""
    if event.type in PRIVATE_TYPES:
        return False
    if event.type == PING:
        return event.subject_id == endpoint.pk
    return not endpoint.event_types or event.type in endpoint.event_types


def new_delivery(event: Event, endpoint: WebhookEndpoint, *, at: datetime) -> Delivery:
    """An event on its way to an endpoint, due at once, not saved yet."""
    return Delivery(
        platform_id=event.platform_id,
        event=event,
        channel=Channel.WEBHOOK,
        recipient=endpoint.pk,
        audience=Audience.PLATFORM,
        language=event.platform.language,
        created_at=at,
        next_attempt_at=at,
    )


def new_secret() -> str:
    """Make a signing secret in the form receivers' libraries read."""
    return KEY_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_field() -> Any:
    """The sealed column secrets are kept in."""
    return WebhookSecret._meta.get_field("secret")


def open_secrets(rows: Iterable[WebhookSecret]) -> list[bytes]:
    """Read the keys to sign with. Raises: SealBroken, EncryptionKeyMissing."""
    opened = (secret_field().open(row) for row in rows)
    return [base64.b64decode(secret.removeprefix(KEY_PREFIX)) for secret in opened]


def payload(event: Event, *, api_version: str) -> dict[str, Any]:
    """What everybody outside reads of an event, in the order in which it is written."""
    return {
        "id": event.public_id,
        "type": event.type,
        "created_at": _instant(event.created_at),
        "subject": event.subject_id,
        "sequence": event.sequence,
        "data": event.data,
        "api_version": api_version,
    }


def encode(content: Mapping[str, Any]) -> bytes:
    """Write compact JSON: these bytes are signed, and these are sent."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def sign(*, keys: Sequence[bytes], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Make the three headers. Every key signs, so that receivers may change theirs at leisure.

    Raises: SecretMissing.
    """
    if not keys:
        raise SecretMissing("This webhook endpoint has no valid secret.")
    second = str(int(at.timestamp()))
    signed = b".".join((event_id.encode(), second.encode(), body))
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": second,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(digest).decode()}" for digest in digests
        ),
    }


def send(
    *, event: Event, endpoint: WebhookEndpoint, keys: Sequence[bytes], at: datetime
) -> dialing.Answer:
    """Tell an endpoint of an event, once. It asks the database nothing, so any thread may call it.

    Args: at: the real time, which receivers compare with theirs.
    """
    body = encode(payload(event, api_version=endpoint.api_version))
    headers = {
        "Content-Type": "application/json",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
        **sign(keys=keys, event_id=event.public_id, at=at, body=body),
    }
    return dialing.post(
        url=endpoint.url, headers=headers, body=body, allowed=settings.WEBHOOK_ALLOWED_NETWORKS
    )


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
