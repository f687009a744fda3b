"""Events, and how they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast._decode import Answer


@dataclass(frozen=True, kw_only=True)
class Event(Answer):
    """Something that happened."""

    id: str
    type: str  # such as order.paid; ignore those you do not know
    subject: str  # id of what it happened to
    sequence: int  # 1, 2, 3 … per subject: a gap is an event not received yet
    created_at: datetime
    data: Mapping[str, Any]  # the facts, by type


@dataclass(frozen=True, kw_only=True)
class WebhookEvent(Event):
    """An event as a webhook carries it."""

    api_version: str


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint(Answer):
    """Where you are told of events."""

    id: str
    url: str
    description: str
    event_types: tuple[str, ...]  # empty: all
    api_version: str
    state: str  # ENABLED or DISABLED
    disabled_reason: str | None
    disabled_at: datetime | None
    failing_since: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class CreatedWebhookEndpoint(WebhookEndpoint):
    """A new endpoint with its secret, which is never answered again."""

    secret: str


@dataclass(frozen=True, kw_only=True)
class WebhookSecret(Answer):
    """A new secret. Those before it sign as well until the overlap is over."""

    endpoint: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class Attempt(Answer):
    """One attempt to deliver."""

    number: int
    at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    answer: str


@dataclass(frozen=True, kw_only=True)
class Delivery(Answer):
    """One event on its way to one endpoint."""

    id: str
    event: str | Event  # whole when expanded
    endpoint: str
    state: str  # PENDING, SENT or FAILED
    attempts: int
    next_attempt_at: datetime
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DeliveryDetail(Delivery):
    """A delivery with the log of its attempts."""

    log: tuple[Attempt, ...]


@dataclass(frozen=True, kw_only=True)
class Resent(Answer):
    """How much is sent again."""

    deliveries: int
    after: str | None  # send this as `after` for the rest
