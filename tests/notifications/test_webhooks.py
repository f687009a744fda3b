"""What a receiver gets: the event, signed so that it can be believed, once for each endpoint."""

import json
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from common.errors import DomainError
from merchants import services as merchants
from merchants.encryption import SealBroken
from merchants.models import Platform
from notifications import selectors, services, webhooks
from notifications.dialing import Answer
from notifications.models import Delivery, DeliveryAttempt, Event, WebhookSecret
from notifications.services import attempts, resending
from tests.factories import AT, PlatformFactory
from tests.notifications.conftest import add_endpoint, record
from tests.notifications.receiver import Receiver, open_receiver, says

LATER = AT + timedelta(days=2)


@pytest.fixture(autouse=True)
def quiet(still: None) -> None:
    """No time passes within a round."""


def verify(receiver: Receiver, secret: str, number: int = -1) -> dict[str, Any]:
    received = receiver.received[number]
    return Webhook(secret).verify(received.body, received.headers)


def deliveries(platform: Platform) -> list[tuple[str, str]]:
    found = Delivery.objects.filter(platform=platform, channel="webhook").order_by("id")
    return [(each.recipient, each.event.type) for each in found.select_related("event")]


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        call(**arguments)
    return refusal.value.code


# What is sent


def test_event_is_sent_signed_and_verified_by_the_standards_own_library(
    platform: Platform, receiver: Receiver, time_machine: Any
) -> None:
    _, secret = services.create_endpoint(platform=platform, url=receiver.url, at=AT)
    event = record(platform)
    time_machine.move_to(AT, tick=False)

    assert services.send_due_webhooks(at=AT) == 1
    assert services.send_due_webhooks(at=AT) == 0

    [received] = receiver.received
    assert verify(receiver, secret) == {
        "id": event.public_id,
        "type": "payment.succeeded",
        "created_at": "2026-11-23T08:00:00.000000Z",
        "subject": "pay_1",
        "sequence": 1,
        "data": {"payment": "pay_1", "amount_minor": 10_001, "currency": "CNY"},
        "api_version": "2026-11-23",
    }
    assert received.path == "/hooks?key=1"
    assert received.headers["webhook-id"] == event.public_id
    assert received.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"] == "Holdfast-Webhooks/1"
    assert received.body == json.dumps(received.event, separators=(",", ":")).encode()
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.new_secret()).verify(received.body, received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(received.body.replace(b"10001", b"10002"), received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(received.body, {**received.headers, "webhook-id": "evt_2"})


def test_text_is_sent_as_the_utf8_it_was_signed_as(platform: Platform, receiver: Receiver) -> None:
    add_endpoint(platform, receiver)
    record(platform, "付款")

    services.send_due_webhooks(at=AT)

    assert "付款".encode() in receiver.received[0].body
    content = webhooks.payload(Event.objects.get(), api_version="2026-11-23")
    assert receiver.received[0].body == webhooks.encode(content)


def test_every_valid_secret_signs_and_no_other(
    platform: Platform, receiver: Receiver, time_machine: Any
) -> None:
    endpoint, first = services.create_endpoint(platform=platform, url=receiver.url, at=AT)
    _, second = services.roll_secret(endpoint_id=endpoint.pk, at=AT)
    last_of_first = AT + timedelta(hours=24) - timedelta(seconds=1)

    for at in (last_of_first, AT + timedelta(hours=24)):
        time_machine.move_to(at, tick=False)
        record(platform, at=at)
        services.send_due_webhooks(at=at)

    assert [len(each.headers["webhook-signature"].split()) for each in receiver.received] == [2, 1]
    time_machine.move_to(last_of_first, tick=False)
    assert verify(receiver, first, 0) == verify(receiver, second, 0)
    time_machine.move_to(AT + timedelta(hours=24), tick=False)
    verify(receiver, second, 1)
    with pytest.raises(WebhookVerificationError):
        verify(receiver, first, 1)


def test_nothing_is_sent_unsigned(platform: Platform, receiver: Receiver, caplog: Any) -> None:
    add_endpoint(platform, receiver)
    record(platform)
    WebhookSecret.objects.update(secret=b"test:" + b"x" * 60)
    with open_receiver() as other:
        add_endpoint(platform, other)

        assert services.send_due_webhooks(at=AT) == 1  # one unreadable secret stops nobody else

        assert len(other.received) == 1
    assert receiver.received == []
    assert not DeliveryAttempt.objects.filter(delivery__attempts=0).exists()
    with pytest.raises(webhooks.SecretMissing):
        webhooks.sign(keys=[], event_id="evt_1", at=AT, body=b"{}")


def test_secret_is_of_no_use_in_another_row(platform: Platform, receiver: Receiver) -> None:
    add_endpoint(platform, receiver)
    add_endpoint(platform, receiver)
    ours, theirs = WebhookSecret.objects.order_by("id")
    ours.secret = theirs.secret

    with pytest.raises(SealBroken):
        webhooks.open_secrets([ours])


# Who is told


def test_each_enabled_endpoint_that_wants_it_is_told(
    platform: Platform, receiver: Receiver
) -> None:
    every = add_endpoint(platform, receiver)
    some = add_endpoint(platform, receiver, event_types=["payment.failed"])
    off = add_endpoint(platform, receiver)
    services.update_endpoint(endpoint_id=off.pk, at=AT, enabled=False)
    gone = add_endpoint(platform, receiver)
    services.delete_endpoint(endpoint_id=gone.pk, at=AT)
    other = PlatformFactory()
    add_endpoint(other, receiver)

    record(platform)
    record(platform, type="payment.failed")
    services.send_due_webhooks(at=AT)

    assert deliveries(platform) == [
        (every.pk, "payment.succeeded"),
        (every.pk, "payment.failed"),
        (some.pk, "payment.failed"),
    ]
    assert deliveries(other) == []
    assert len(receiver.received) == 3


def test_delivery_has_an_id_and_says_what_became_of_it(
    platform: Platform, receiver: Receiver
) -> None:
    endpoint = add_endpoint(platform, receiver)
    event = record(platform)
    services.send_due_webhooks(at=AT)

    [delivery] = selectors.list_deliveries(platform_id=platform.pk, endpoint_id=endpoint.pk)
    assert delivery.public_id.startswith("dlv_")
    assert (delivery.event, delivery.recipient) == (event, endpoint.pk)
    assert (delivery.state, delivery.sent_at, delivery.attempts) == ("SENT", AT, 1)
    [attempt] = selectors.list_attempts(platform_id=platform.pk, delivery_id=delivery.public_id)
    assert (attempt.number, attempt.at, attempt.status_code) == (1, AT, 200)
    assert (attempt.error, attempt.answer) == ("", "thank you")
    other = PlatformFactory()
    assert not selectors.list_deliveries(platform_id=other.pk).exists()
    assert not selectors.list_events(platform_id=other.pk).exists()
    assert not selectors.list_attempts(
        platform_id=other.pk, delivery_id=delivery.public_id
    ).exists()


def test_webhooks_live_by_the_real_clock_where_the_platforms_is_ahead(
    platform: Platform, receiver: Receiver
) -> None:
    ahead = timedelta(days=40)
    endpoint = add_endpoint(platform, receiver)
    merchants.move_clock(platform_id=platform.pk, offset=ahead)
    record(platform, at=AT + ahead)
    receiver.reply = says(500)

    services.send_due_webhooks(at=AT)

    ping = services.send_test_ping(endpoint_id=endpoint.pk, at=AT)
    assert ping.created_at == AT + ahead
    assert receiver.received[0].headers["webhook-timestamp"] == str(int(AT.timestamp()))
    [delivery] = Delivery.objects.all()
    assert (delivery.created_at, delivery.next_attempt_at) == (AT, AT + timedelta(seconds=5))


# Pings


def test_ping_reaches_its_endpoint_alone_whatever_its_filter(
    platform: Platform, receiver: Receiver
) -> None:
    add_endpoint(platform, receiver)
    endpoint = add_endpoint(platform, receiver, event_types=["order.paid"])

    services.send_test_ping(endpoint_id=endpoint.pk, at=AT)
    services.send_test_ping(endpoint_id=endpoint.pk, at=AT)
    services.send_due_webhooks(at=AT)

    assert deliveries(platform) == [(endpoint.pk, "webhook_endpoint.ping")] * 2
    assert [each.event["sequence"] for each in receiver.received] == [1, 2]
    assert receiver.received[0].event["data"] == {"endpoint": endpoint.pk}
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, enabled=False)
    assert (
        refused(services.send_test_ping, endpoint_id=endpoint.pk, at=AT)
        == "webhook_endpoint_disabled"
    )


# Sending again


def test_delivery_is_sent_again_under_the_same_id(platform: Platform, receiver: Receiver) -> None:
    endpoint = add_endpoint(platform, receiver)
    event = record(platform)
    services.send_due_webhooks(at=AT)
    [delivery] = Delivery.objects.all()

    again = services.resend_delivery(delivery_id=delivery.public_id, at=LATER)
    assert (again.state, again.attempts, again.tries) == ("PENDING", 1, 0)
    services.send_due_webhooks(at=LATER)

    assert receiver.ids == [event.public_id] * 2
    assert Delivery.objects.get().sent_at == LATER
    assert list(DeliveryAttempt.objects.order_by("number").values_list("number", "at")) == [
        (1, AT),
        (2, LATER),
    ]
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, enabled=False)
    for code, delivery_id in (
        ("webhook_endpoint_disabled", delivery.public_id),
        ("delivery_not_found", "dlv_none"),
    ):
        assert refused(services.resend_delivery, delivery_id=delivery_id, at=AT) == code


def test_resend_during_an_attempt_is_not_lost(platform: Platform, receiver: Receiver) -> None:
    add_endpoint(platform, receiver)
    record(platform)
    services.relay_due_events(at=AT)
    [delivery] = Delivery.objects.all()
    delivery.attempts += 1  # under way
    delivery.save()

    services.resend_delivery(delivery_id=delivery.public_id, at=AT)
    record_failure(delivery)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.next_attempt_at, delivery.tries) == ("PENDING", AT, 0)


def record_failure(delivery: Delivery) -> None:
    endpoint = selectors.get_endpoint(
        platform_id=delivery.platform_id, endpoint_id=delivery.recipient
    )
    attempts.record_attempt(
        delivery=delivery,
        endpoint=endpoint,
        answer=Answer(status_code=500, failure="STATUS"),
        began_at=AT,
        at=AT,
    )


def test_everything_since_is_sent_again_or_for_the_first_time(
    platform: Platform, receiver: Receiver
) -> None:
    early = record(platform, at=AT - timedelta(seconds=1))
    before = record(platform)  # nobody is there to be told
    services.send_due_webhooks(at=AT)
    endpoint = add_endpoint(platform, receiver, event_types=["payment.succeeded"])
    told = record(platform)
    record(platform, type="payment.failed")
    services.send_test_ping(endpoint_id=add_endpoint(platform, receiver).pk, at=AT)
    services.send_due_webhooks(at=AT)
    receiver.received.clear()

    resent = services.resend_since(endpoint_id=endpoint.pk, since=AT, at=LATER)
    services.send_due_webhooks(at=LATER)

    assert resent == services.Resent(deliveries=2, after="")
    assert receiver.ids == [before.public_id, told.public_id]
    assert early.public_id not in receiver.ids
    assert Delivery.objects.get(event=told, recipient=endpoint.pk).attempts == 2


def test_resending_goes_on_where_it_stopped(platform: Platform, receiver: Receiver) -> None:
    endpoint = add_endpoint(platform, receiver)
    made = [record(platform, f"pay_{number}") for number in range(5)]
    services.send_due_webhooks(at=AT)

    after, counts = "", []
    while not counts or after:
        resent = services.resend_since(
            endpoint_id=endpoint.pk, since=AT, at=LATER, after=after, limit=2
        )
        after = resent.after
        counts.append(resent.deliveries)
    receiver.received.clear()
    services.send_due_webhooks(at=LATER)

    assert counts == [2, 2, 1]
    assert set(receiver.ids) == {event.public_id for event in made}
    assert len(receiver.ids) == 5
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, enabled=False)
    assert (
        refused(services.resend_since, endpoint_id=endpoint.pk, since=AT, at=AT)
        == "webhook_endpoint_disabled"
    )


def test_resending_much_takes_few_statements(
    platform: Platform, receiver: Receiver, django_assert_max_num_queries: Any
) -> None:
    endpoint = add_endpoint(platform, receiver)
    for number in range(100):
        record(platform, f"pay_{number}")
    services.relay_due_events(at=AT)
    services.relay_due_events(at=AT)

    with django_assert_max_num_queries(9):
        resent = services.resend_since(endpoint_id=endpoint.pk, since=AT, at=LATER)

    assert resent.deliveries == 100
    assert resending.RESEND_LIMIT == 5000


def test_event_of_another_platform_is_never_resent(platform: Platform, receiver: Receiver) -> None:
    record(PlatformFactory(), "pay_other")
    services.relay_due_events(at=AT)
    endpoint = add_endpoint(platform, receiver)

    resent = services.resend_since(endpoint_id=endpoint.pk, since=AT, at=LATER)

    assert resent == services.Resent(deliveries=0, after="")
    assert Event.objects.count() == 1
    assert not Delivery.objects.exists()
