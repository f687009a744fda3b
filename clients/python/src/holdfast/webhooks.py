"""Webhooks: is this really from Holdfast, and what does it say?

`verify` must see the body as it came, byte for byte: parse nothing and re-encode nothing before.
Source: the Standard Webhooks specification, version 1 (https://www.standardwebhooks.com).
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from holdfast import _decode
from holdfast.errors import (
    BodyUnreadable,
    SignatureMissing,
    SignatureWrong,
    TimestampRefused,
    WebhookError,
)
from holdfast.models import WebhookEvent

__all__ = [
    "TOLERANCE",
    "BodyUnreadable",
    "SignatureMissing",
    "SignatureWrong",
    "TimestampRefused",
    "WebhookError",
    "WebhookEvent",
    "check_signature",
    "sign",
    "verify",
]

TOLERANCE = timedelta(minutes=5)
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
PREFIX = "whsec_"  # of secrets
VERSION = "v1"


class Headers(Protocol):
    """A dictionary, or the headers of Django, Flask, Starlette or httpx."""

    def items(self) -> Iterable[tuple[str, str]]: ...


def verify(
    body: bytes,
    headers: Headers,
    secrets: str | Sequence[str],
    tolerance: timedelta = TOLERANCE,
    *,
    at: datetime | None = None,
) -> WebhookEvent:
    """Check who signed a webhook and when, and return its event.

    The event's `id` is the same each time it is sent: keep it, and do nothing for one you have.

    Args: headers: of the request, names in any case. secrets: one or several `whsec_…`; while you
        change to a new one, give both. at: now, when it is left out.
    Raises: SignatureMissing, SignatureWrong, TimestampRefused, BodyUnreadable: all WebhookError.
    """
    check_signature(body, headers, secrets, tolerance, at=at)
    try:
        return _decode.read(WebhookEvent, json.loads(body))
    except ValueError as error:
        raise BodyUnreadable(f"The body is no event: {error}") from error


def check_signature(
    body: bytes,
    headers: Headers,
    secrets: str | Sequence[str],
    tolerance: timedelta = TOLERANCE,
    *,
    at: datetime | None = None,
) -> None:
    """The same without reading the body.

    Raises: SignatureMissing, SignatureWrong, TimestampRefused.
    """
    if not isinstance(body, bytes):
        raise TypeError("Give the raw body as bytes, before anything has parsed it.")
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not keys:
        raise ValueError("Give at least one secret: nothing is accepted unsigned.")
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in HEADERS if not given.get(name)]
    if missing:
        raise SignatureMissing(f"The request has no header {missing[0]}.")
    message_id, second, signatures = (given[name] for name in HEADERS)
    _check_time(second, tolerance, at or datetime.now(UTC))
    signed = f"{message_id}.{second}.".encode() + body
    # Every pair is compared, in constant time: how long it takes tells nothing about a secret.
    fits = [
        hmac.compare_digest(_digest(key, signed), signature)
        for key in keys
        for signature in _signatures(signatures)
    ]
    if not any(fits):
        raise SignatureWrong("No signature fits: another secret, or another body.")


def sign(
    *, event_id: str, body: bytes, secrets: str | Sequence[str], at: datetime | None = None
) -> dict[str, str]:
    """Make the three headers, for tests of your own receiver."""
    second = str(int((at or datetime.now(UTC)).timestamp()))
    signed = f"{event_id}.{second}.".encode() + body
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    texts = [f"{VERSION},{base64.b64encode(_digest(key, signed)).decode()}" for key in keys]
    return dict(zip(HEADERS, (event_id, second, " ".join(texts)), strict=True))


def _check_time(second: str, tolerance: timedelta, at: datetime) -> None:
    if not (second.isascii() and second.isdigit() and len(second) <= 12):
        raise TimestampRefused("The header webhook-timestamp is no whole number of seconds.")
    age = at.timestamp() - int(second)
    if abs(age) > tolerance.total_seconds():
        when = "ago" if age > 0 else "ahead"
        raise TimestampRefused(f"It was signed {abs(age):.0f} seconds {when}.")


def _signatures(header: str) -> list[bytes]:
    """The version 1 signatures of the header; others, and what is no signature, are passed over."""
    found = []
    for part in header.split():
        version, _, text = part.partition(",")
        if version == VERSION:
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _digest(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("A webhook secret looks like whsec_….")
    return key
