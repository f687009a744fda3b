"""Receivers are slow, dead and wrong: each is tried for three days, and none delays another."""

from collections import defaultdict
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.core import mail

from merchants.models import Platform
from notifications import services
from notifications.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    DisabledReason,
    Event,
    WebhookEndpoint,
)
from notifications.services import attempts, rounds
from tests.factories import AT
from tests.notifications.conftest import Killed, add_endpoint, record
from tests.notifications.receiver import Receiver, open_receiver, says, taken

DAY = timedelta(days=1)
LATER = AT + rounds.ENDPOINT_LEASE


def next_due(endpoint: WebhookEndpoint) -> datetime | None:
    waiting = Delivery.objects.filter(recipient=endpoint.pk, state=DeliveryState.PENDING)
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def run_until(endpoint: WebhookEndpoint, end: datetime, at: datetime = AT) -> datetime:
    """Let time pass, from one due attempt to the next."""
    services.send_due_webhooks(at=at)
    while (due := next_due(endpoint)) is not None and due <= end:
        at = due
        services.send_due_webhooks(at=at)
    return at


# The schedule


def test_failing_delivery_is_tried_for_three_days_and_given_up(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, receiver)
    receiver.reply = says(500, b"out of order")
    record(platform)

    run_until(endpoint, AT + 10 * DAY)

    log = list(DeliveryAttempt.objects.order_by("number"))
    assert [each.at - AT for each in log] == [
        timedelta(),
        timedelta(seconds=5),
        timedelta(minutes=5, seconds=5),
        timedelta(minutes=35, seconds=5),
        timedelta(hours=2, minutes=35, seconds=5),
        timedelta(hours=7, minutes=35, seconds=5),
        timedelta(hours=17, minutes=35, seconds=5),
        timedelta(hours=27, minutes=35, seconds=5),
        timedelta(hours=41, minutes=35, seconds=5),
        timedelta(hours=55, minutes=35, seconds=5),
        timedelta(hours=71, minutes=35, seconds=5),
    ]
    assert [each.number for each in log] == list(range(1, attempts.MAX_TRIES + 1))
    assert {(each.status_code, each.error, each.answer) for each in log} == {
        (500, "STATUS", "out of order")
    }
    [delivery] = Delivery.objects.all()
    assert (delivery.state, delivery.last_error, delivery.attempts) == ("FAILED", "STATUS", 11)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing_since) == ("ENABLED", AT)


def test_waits_are_spread(platform: Platform, receiver: Receiver) -> None:
    waits = {attempts._jittered(timedelta(seconds=100)).total_seconds() for _ in range(2000)}

    assert (min(waits), max(waits), len(waits)) == (90, 110, 21)


def test_given_up_delivery_gets_all_its_attempts_back(
    platform: Platform, dead: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, dead)
    record(platform)
    end = run_until(endpoint, AT + 4 * DAY)
    [delivery] = Delivery.objects.all()
    assert delivery.state == "FAILED"

    services.retry_delivery(delivery_id=delivery.pk, at=end)
    services.send_due_webhooks(at=end)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.tries) == ("PENDING", 12, 1)
    assert delivery.next_attempt_at == end + timedelta(seconds=5)
    assert DeliveryAttempt.objects.count() == 12
    with pytest.raises(services.DeliveryNotFailed):
        services.retry_delivery(delivery_id=delivery.pk, at=end)


def test_attempts_that_end_the_relay_itself_are_counted_and_given_up(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    add_endpoint(platform, receiver)
    record(platform)
    at = AT

    with mock.patch.object(attempts, "record_attempt", side_effect=Killed):
        for _ in range(attempts.MAX_TRIES):
            with pytest.raises(Killed):
                services.send_due_webhooks(at=at)
            at += rounds.ENDPOINT_LEASE
        services.send_due_webhooks(at=at)

    assert len(receiver.received) == attempts.MAX_TRIES
    assert Delivery.objects.get().state == DeliveryState.FAILED


# Disabling


def test_endpoint_that_failed_for_five_days_is_switched_off_and_its_platform_told(
    platform: Platform, dead: Receiver, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, dead)
    witness = add_endpoint(platform, receiver, event_types=["webhook_endpoint.disabled"])
    record(platform)
    run_until(endpoint, AT + 5 * DAY)
    almost, due = AT + 5 * DAY - timedelta(seconds=1), AT + 5 * DAY
    record(platform, at=almost)
    record(platform, "pay_2", at=almost)
    services.send_due_webhooks(at=almost)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing_since) == ("ENABLED", AT)

    record(platform, "pay_3", at=due)
    services.send_due_webhooks(at=due)

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_at) == ("DISABLED", due)
    assert endpoint.disabled_reason == DisabledReason.FAILING
    event = Event.objects.get(type="webhook_endpoint.disabled")
    assert (event.subject_id, event.sequence, event.created_at) == (endpoint.pk, 1, due)
    assert event.data == {
        "endpoint": endpoint.pk,
        "url": f"http://127.0.0.1:{dead.port}/hooks",
        "reason": "FAILING",
        "failing_since": "2026-11-23T08:00:00.000000+00:00",
    }
    services.relay_due_events(at=due)
    services.send_due_webhooks(at=due)
    assert [message.to for message in mail.outbox] == [["tech@example.com"]]
    assert endpoint.pk in mail.outbox[0].body
    assert [each.event["subject"] for each in receiver.received] == [endpoint.pk]
    left = Delivery.objects.filter(recipient=endpoint.pk, state=DeliveryState.PENDING)
    assert not left.exists()
    assert next_due(witness) is None
    record(platform, "pay_4", at=due)
    services.send_due_webhooks(at=due)
    assert not Delivery.objects.filter(event__subject_id="pay_4").exists()


def test_one_success_starts_the_five_days_anew(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, receiver)
    receiver.reply = says(500)
    record(platform)
    services.send_due_webhooks(at=AT)

    receiver.reply = taken
    record(platform, "pay_2")
    services.send_due_webhooks(at=AT + 4 * DAY)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None

    receiver.reply = says(500)
    record(platform, "pay_3")
    services.send_due_webhooks(at=AT + 6 * DAY)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing_since) == ("ENABLED", AT + 6 * DAY)


def test_what_waits_for_a_switched_off_endpoint_is_given_up_and_can_be_asked_for(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, receiver)
    record(platform)
    services.relay_due_events(at=AT)
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, enabled=False)

    assert services.send_due_webhooks(at=AT) == 0

    [delivery] = Delivery.objects.all()
    assert (delivery.state, delivery.last_error) == ("FAILED", "ENDPOINT_DISABLED")
    assert receiver.received == []
    services.update_endpoint(endpoint_id=endpoint.pk, at=AT, enabled=True)
    services.resend_since(endpoint_id=endpoint.pk, since=AT, at=AT)
    assert services.send_due_webhooks(at=AT) == 1


# Order


def test_events_of_a_subject_come_in_order(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    add_endpoint(platform, receiver)
    for sequence in (3, 1, 2, 4):  # recorded in no order
        for subject in ("pay_1", "pay_2", "pay_3"):
            record(platform, subject, sequence=sequence)

    assert services.send_due_webhooks(at=AT) == 12

    seen = defaultdict(list)
    for subject, sequence in receiver.sequences:
        seen[subject].append(sequence)
    assert seen == {subject: [1, 2, 3, 4] for subject in ("pay_1", "pay_2", "pay_3")}


def test_failed_event_does_not_hold_up_the_later_ones(
    platform: Platform, receiver: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, receiver)
    receiver.reply = lambda received: says(500 if received.event["sequence"] == 1 else 200)(
        received
    )
    for _ in range(3):
        record(platform)

    services.send_due_webhooks(at=AT)
    assert receiver.sequences == [("pay_1", 1), ("pay_1", 2), ("pay_1", 3)]
    receiver.reply = taken
    run_until(endpoint, AT + DAY)

    assert receiver.sequences[3:] == [("pay_1", 1)]


def test_receiver_that_was_down_for_a_day_misses_nothing(
    platform: Platform, dead: Receiver, still: None
) -> None:
    endpoint = add_endpoint(platform, dead)
    for hour in range(24):
        at = AT + timedelta(hours=hour)
        record(platform, f"pay_{hour % 5}", at=at)
        run_until(endpoint, at + timedelta(minutes=59), at)
    back = AT + DAY

    with open_receiver() as receiver:
        services.update_endpoint(endpoint_id=endpoint.pk, at=back, url=receiver.url)
        services.resend_since(endpoint_id=endpoint.pk, since=AT, at=back)
        services.send_due_webhooks(at=back)

    seen = defaultdict(list)
    for subject, sequence in receiver.sequences:
        seen[subject].append(sequence)
    assert seen == {f"pay_{each}": [1, 2, 3, 4, 5][: 5 if each < 4 else 4] for each in range(5)}
    assert len(set(receiver.ids)) == 24
