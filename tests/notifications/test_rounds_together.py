"""One endpoint's trouble is nobody else's: many endpoints, many relays, and relays that die."""

import threading
from collections import defaultdict
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.db import connection, transaction

from merchants.models import Platform
from notifications import selectors, services, tasks
from notifications.models import Delivery, DeliveryAttempt, WebhookEndpoint
from notifications.services import attempts, rounds
from tests.factories import AT, PlatformFactory
from tests.notifications.conftest import Killed, add_endpoint, record
from tests.notifications.receiver import PATIENCE, Receiver, open_receiver, says, taken

LATER = AT + rounds.ENDPOINT_LEASE


# One among many


def test_so_many_requests_to_one_endpoint_at_once_and_no_more(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    barrier = threading.Barrier(rounds.LANES)

    def together(received: Any) -> Any:
        barrier.wait(PATIENCE)
        return taken(received)

    add_endpoint(platform, receiver)
    for number in range(3 * rounds.LANES):
        record(platform, f"pay_{number}")
    receiver.reply = together

    assert services.send_due_webhooks(at=AT) == 3 * rounds.LANES
    assert receiver.most_at_once == rounds.LANES


def test_failing_endpoint_gets_one_request_at_a_time(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    add_endpoint(platform, receiver)
    WebhookEndpoint.objects.update(failing_since=AT)
    receiver.reply = says(500)
    for number in range(6):
        record(platform, f"pay_{number}")

    services.send_due_webhooks(at=AT)

    assert (len(receiver.received), receiver.most_at_once) == (6, 1)


def test_endpoint_that_says_nothing_is_left_alone_until_the_next_round(
    platform: Platform, dead: Receiver, still: None
) -> None:
    add_endpoint(platform, dead)
    WebhookEndpoint.objects.update(failing_since=AT)
    for number in range(6):
        record(platform, f"pay_{number}")

    services.send_due_webhooks(at=AT)
    assert DeliveryAttempt.objects.count() == 1
    services.send_due_webhooks(at=AT + timedelta(seconds=1))

    assert DeliveryAttempt.objects.count() == 2
    assert set(DeliveryAttempt.objects.values_list("error", "status_code")) == {
        ("CONNECTION_FAILED", None)
    }


@pytest.mark.django_db(transaction=True)
def test_dead_endpoint_delays_nobody(loopback: None) -> None:
    """One hangs until another, which gets its first event only after that, has been told twice."""
    platform, other = PlatformFactory(), PlatformFactory()
    told = threading.Event()

    def hang(received: Any) -> Any:
        with transaction.atomic():
            record(other, "pay_late")
            record(other, "pay_late")
        services.relay_due_events(at=AT)
        connection.close()
        assert told.wait(PATIENCE)
        return says(500)(received)

    def healthy(received: Any) -> Any:
        if received.event["sequence"] == 2:
            told.set()
        return taken(received)

    with open_receiver(hang) as dead, open_receiver(healthy) as alive:
        add_endpoint(platform, dead)
        add_endpoint(other, alive)
        with transaction.atomic():
            record(platform)

        assert services.send_due_webhooks(at=AT) == 2

        assert len(dead.received) == 1
        assert alive.sequences == [("pay_late", 1), ("pay_late", 2)]


@pytest.mark.django_db(transaction=True)
def test_mail_does_not_wait_for_a_dead_endpoint(loopback: None) -> None:
    platform = PlatformFactory(contact_email="tech@example.com")
    facts = {"endpoint": "whe_1", "url": "x", "reason": "FAILING", "failing_since": AT.isoformat()}

    def hang(received: Any) -> Any:
        services.relay_due_events(at=AT)
        connection.close()
        return says(500)(received)

    with open_receiver(hang) as dead:
        add_endpoint(platform, dead, event_types=["payment.succeeded"])
        with transaction.atomic():
            record(platform)
            services.record_event(
                type="webhook_endpoint.disabled",
                platform_id=platform.pk,
                subject_id="whe_1",
                sequence=1,
                data=facts,
                at=AT,
            )
        services.send_due_webhooks(at=AT)

    assert len(mail.outbox) == 1


# Two at once, and crashes


@pytest.mark.django_db(transaction=True)
def test_relays_at_once_send_each_webhook_once(loopback: None) -> None:
    platform = PlatformFactory()
    barrier = threading.Barrier(3)
    with open_receiver() as first, open_receiver() as second:
        for receiver in (first, second):
            add_endpoint(platform, receiver)
        with transaction.atomic():
            for number in range(30):
                record(platform, f"pay_{number % 10}")

        def run() -> None:
            barrier.wait(PATIENCE)
            for _ in range(3):
                services.send_due_webhooks(at=AT)
            connection.close()

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        services.send_due_webhooks(at=LATER)

        for receiver in (first, second):
            assert len(receiver.ids) == len(set(receiver.ids)) == 30
            seen = defaultdict(list)
            for subject, sequence in receiver.sequences:
                seen[subject].append(sequence)
            assert all(sequences == [1, 2, 3] for sequences in seen.values())
    assert set(Delivery.objects.values_list("state", "attempts")) == {("SENT", 1)}


def test_round_killed_between_sending_and_marking_sends_once_more_after_the_lease(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    add_endpoint(platform, receiver)
    event = record(platform)
    killed = mock.patch.object(attempts, "record_attempt", side_effect=Killed)
    with killed, pytest.raises(Killed):
        services.send_due_webhooks(at=AT)

    assert services.send_due_webhooks(at=LATER - timedelta(seconds=1)) == 0
    assert services.send_due_webhooks(at=LATER) == 1

    assert receiver.ids == [event.public_id] * 2
    assert list(DeliveryAttempt.objects.values_list("number", flat=True)) == [2]


def test_round_that_overslept_its_lease_takes_nothing_from_the_next(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, receiver)
    record(platform)
    services.relay_due_events(at=AT)
    [asleep] = rounds._claim_endpoints(AT, healthy=9, failing=9, without=set())
    [overslept] = rounds._due_deliveries(endpoint, AT)

    [awake] = rounds._claim_endpoints(LATER, healthy=9, failing=9, without=set())
    assert attempts.count_attempt(Delivery.objects.get())
    assert not attempts.count_attempt(overslept)
    rounds._give_back(asleep, LATER)

    awake.refresh_from_db()
    assert awake.busy_until == LATER + rounds.ENDPOINT_LEASE


def test_endpoints_take_turns(platform: Platform, receiver: Receiver, still: None) -> None:
    made = [add_endpoint(platform, receiver).pk for _ in range(3)]
    record(platform)
    services.relay_due_events(at=AT)
    WebhookEndpoint.objects.filter(pk=made[0]).update(busy_until=AT - timedelta(seconds=1))
    WebhookEndpoint.objects.filter(pk=made[1]).update(busy_until=AT - timedelta(seconds=2))

    turns = [
        [each.pk for each in rounds._claim_endpoints(AT, healthy=1, failing=1, without=set())]
        for _ in range(4)
    ]

    assert turns == [[made[2]], [made[1]], [made[0]], []]


def test_task_takes_the_time_and_sends(
    platform: Platform, receiver: Receiver, time_machine: Any
) -> None:
    add_endpoint(platform, receiver)
    record(platform)
    time_machine.move_to(AT)

    assert tasks.send_due_webhooks() == 1
    assert tasks.send_due_webhooks.name == "notifications.send_due_webhooks"
    assert selectors.list_deliveries(platform_id=platform.pk).get().state == "SENT"
