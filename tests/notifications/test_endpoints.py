"""An endpoint decides who learns of a platform's business, so each change is checked and kept."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from merchants.models import Platform
from notifications import selectors, services, webhooks
from notifications.models import (
    DeliveryAttempt,
    DisabledReason,
    EndpointState,
    WebhookEndpoint,
    WebhookSecret,
)
from notifications.services import endpoints
from tests.factories import AT, PlatformFactory

URL = "https://shop.example.com/hooks"
DAY = timedelta(days=1)


def create(platform: Platform, **options: Any) -> tuple[WebhookEndpoint, str]:
    return services.create_endpoint(**{"platform": platform, "url": URL, "at": AT, **options})


def expiries(endpoint: WebhookEndpoint) -> list[Any]:
    return list(endpoint.secrets.order_by("created_at", "id").values_list("expires_at", flat=True))


def test_endpoint_is_made_with_a_secret_that_is_kept_sealed(platform: Platform) -> None:
    endpoint, secret = create(platform, description="orders", event_types=["order.paid"])

    assert endpoint.pk.startswith("whe_")
    assert (endpoint.state, endpoint.disabled_at, endpoint.api_version) == (
        "ENABLED",
        None,
        "2026-11-23",
    )
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    [row] = WebhookSecret.objects.all()
    assert secret.removeprefix("whsec_").encode() not in bytes(row.secret)
    assert webhooks.open_secrets([row]) == [base64.b64decode(secret[6:])]
    assert [audit.pgh_label for audit in endpoint.audit.all()] == ["insert"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"url": "http://shop.example.com/"}, "webhook_url_refused"),
        ({"url": "https://10.0.0.1/"}, "webhook_url_refused"),
        ({"event_types": ["order.paid", "order.stolen"]}, "webhook_endpoint_invalid"),
        ({"description": "a" * 201}, "webhook_endpoint_invalid"),
    ],
)
def test_endpoint_is_refused(platform: Platform, options: dict[str, Any], code: str) -> None:
    with pytest.raises(services.WebhookUrlRefused.__mro__[1]) as refusal:
        create(platform, **options)

    assert (refusal.value.code, refusal.value.status) == (code, 422)
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookSecret.objects.exists()


def test_platform_has_so_many_endpoints_and_no_more(platform: Platform) -> None:
    made = [create(platform)[0] for _ in range(endpoints.MOST_ENDPOINTS)]
    with pytest.raises(services.WebhookEndpointLimit):
        create(platform)
    create(PlatformFactory())

    services.delete_endpoint(endpoint_id=made[0].pk, at=AT)
    create(platform)

    assert selectors.list_endpoints(platform_id=platform.pk).count() == endpoints.MOST_ENDPOINTS


def test_endpoint_is_changed_field_by_field(platform: Platform) -> None:
    endpoint, _ = create(platform, event_types=["order.paid"])

    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, description="new")
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, url=f"{URL}/2")
    types = ["order.shipped", "order.paid", "order.shipped"]
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, event_types=types)
    with pytest.raises(services.WebhookUrlRefused):
        services.update_endpoint(endpoint_id=endpoint.pk, at=AT, url="https://127.0.0.1/")
    with pytest.raises(services.WebhookEndpointInvalid):
        services.update_endpoint(endpoint_id=endpoint.pk, at=AT, event_types=["no"])

    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.url) == ("new", f"{URL}/2")
    assert endpoint.event_types == ["order.shipped", "order.paid"]
    assert [audit.url for audit in endpoint.audit.order_by("pgh_id")] == [
        URL,
        URL,
        f"{URL}/2",
        f"{URL}/2",
    ]


def test_endpoint_is_switched_off_and_on(platform: Platform) -> None:
    endpoint, _ = create(platform)
    WebhookEndpoint.objects.update(failing_since=AT)

    off = services.update_endpoint(endpoint_id=endpoint.pk, at=AT + DAY, enabled=False)
    again = services.update_endpoint(endpoint_id=endpoint.pk, at=AT + 2 * DAY, enabled=False)

    assert (off.state, off.disabled_at, off.disabled_reason) == (
        EndpointState.DISABLED,
        AT + DAY,
        DisabledReason.REQUESTED,
    )
    assert again.disabled_at == AT + DAY
    on = services.update_endpoint(endpoint_id=endpoint.pk, at=AT + 3 * DAY, enabled=True)
    on.refresh_from_db()
    assert (on.state, on.disabled_at, on.disabled_reason) == ("ENABLED", None, "")
    assert on.failing_since is None


def test_deleted_endpoint_is_gone_but_for_its_rows(platform: Platform) -> None:
    endpoint, _ = create(platform)

    services.delete_endpoint(endpoint_id=endpoint.pk, at=AT + DAY)

    assert list(selectors.list_endpoints(platform_id=platform.pk)) == []
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == ("DISABLED", "DELETED")
    assert expiries(endpoint) == [AT + DAY]
    with pytest.raises(services.WebhookEndpointNotFound):
        selectors.get_endpoint(platform_id=platform.pk, endpoint_id=endpoint.pk)
    for call in (
        services.update_endpoint,
        services.delete_endpoint,
        services.roll_secret,
        services.send_test_ping,
    ):
        with pytest.raises(services.WebhookEndpointNotFound):
            call(endpoint_id=endpoint.pk, at=AT)


def test_endpoints_of_another_platform_are_not_found(platform: Platform) -> None:
    endpoint, _ = create(platform)
    other = PlatformFactory()

    assert list(selectors.list_endpoints(platform_id=other.pk)) == []
    assert list(selectors.list_secrets(platform_id=other.pk, endpoint_id=endpoint.pk)) == []
    with pytest.raises(services.WebhookEndpointNotFound) as refusal:
        selectors.get_endpoint(platform_id=other.pk, endpoint_id=endpoint.pk)
    assert refusal.value.status == 404
    assert selectors.get_endpoint(platform_id=platform.pk, endpoint_id=endpoint.pk) == endpoint


# Secrets


def test_rolled_secret_overlaps_with_the_one_before(platform: Platform) -> None:
    endpoint, first = create(platform)

    row, second = services.roll_secret(endpoint_id=endpoint.pk, at=AT)
    services.roll_secret(endpoint_id=endpoint.pk, at=AT + DAY / 2)

    assert first != second
    assert row.expires_at is None
    # The first keeps its own end: another roll never gives an old secret more time.
    assert expiries(endpoint) == [AT + DAY, AT + DAY * 1.5, None]


def test_leaked_secrets_all_end_at_once(platform: Platform) -> None:
    endpoint, _ = create(platform)
    for _ in range(endpoints.MOST_SECRETS - 1):
        services.roll_secret(endpoint_id=endpoint.pk, at=AT)
    with pytest.raises(services.WebhookSecretLimit):
        services.roll_secret(endpoint_id=endpoint.pk, at=AT)

    later = AT + timedelta(hours=1)
    services.roll_secret(endpoint_id=endpoint.pk, at=later, overlap=timedelta(0))

    assert expiries(endpoint) == [later] * endpoints.MOST_SECRETS + [None]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
def test_overlap_is_within_a_week(platform: Platform, overlap: timedelta) -> None:
    endpoint, _ = create(platform)

    with pytest.raises(services.WebhookEndpointInvalid):
        services.roll_secret(endpoint_id=endpoint.pk, at=AT, overlap=overlap)

    assert expiries(endpoint) == [None]


# The database


def test_database_wants_a_reason_for_a_disabled_endpoint(platform: Platform) -> None:
    create(platform)

    for columns in (
        {"state": "DISABLED"},
        {"state": "DISABLED", "disabled_at": AT},
        {"disabled_at": AT},
        {"disabled_reason": "FAILING"},
    ):
        with pytest.raises(IntegrityError, match="says_why"), transaction.atomic():
            WebhookEndpoint.objects.update(**columns)


def test_database_keeps_the_log_as_it_was_written(platform: Platform, still: None) -> None:
    endpoint, _ = create(platform)
    services.send_test_ping(endpoint_id=endpoint.pk, at=AT)
    services.relay_due_events(at=AT)
    delivery = selectors.list_deliveries(platform_id=platform.pk).get()
    DeliveryAttempt.objects.create(delivery=delivery, number=1, at=AT, duration_ms=1)

    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        DeliveryAttempt.objects.update(duration_ms=2)
    with pytest.raises(IntegrityError, match="attempt_number_once"), transaction.atomic():
        DeliveryAttempt.objects.create(delivery=delivery, number=1, at=AT, duration_ms=1)
