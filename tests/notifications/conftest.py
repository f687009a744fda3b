"""Platforms with webhook endpoints, receivers on loopback, and a clock that stands still."""

import ipaddress
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from unittest import mock

import pytest

from merchants.models import Platform
from notifications import services
from notifications.models import Event, WebhookEndpoint
from notifications.services import attempts, rounds
from tests.factories import AT, PlatformFactory
from tests.notifications.receiver import Receiver, open_receiver


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs, nothing catches it."""


LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture
def loopback(settings: Any) -> None:
    """Webhooks may go to this machine, by http and to any port."""
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK


@pytest.fixture
def receiver(loopback: None) -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


@pytest.fixture
def dead(loopback: None) -> Iterator[Receiver]:
    """A receiver whose port nobody listens on."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield Receiver(port=holder.getsockname()[1])


@pytest.fixture
def platform(db: None) -> Platform:
    return PlatformFactory(contact_email="tech@example.com")


@pytest.fixture
def still() -> Iterator[None]:
    """No time passes within a round, and no wait is shorter or longer than the schedule says."""
    middle = mock.patch.object(attempts.secrets, "randbelow", return_value=attempts.JITTER_PERCENT)
    with mock.patch.object(rounds, "monotonic", return_value=0.0), middle:
        yield


def add_endpoint(platform: Platform, receiver: Receiver, **options: Any) -> WebhookEndpoint:
    return services.create_endpoint(platform=platform, url=receiver.url, at=AT, **options)[0]


def record(
    platform: Platform,
    subject: str = "pay_1",
    *,
    type: str = "payment.succeeded",
    at: datetime = AT,
    sequence: int | None = None,
) -> Event:
    count = Event.objects.filter(subject_id=subject).count()
    return services.record_event(
        type=type,
        platform_id=platform.id,
        subject_id=subject,
        sequence=sequence or count + 1,
        data={"payment": subject, "amount_minor": 10_001, "currency": "CNY"},
        at=at,
    )
