"""The relay may die, run twice or meet a bad row: everybody is told, and hardly anybody twice."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction

from merchants import services as merchants
from merchants.models import Merchant
from notifications import services, tasks
from notifications.models import Delivery, DeliveryState, Event
from notifications.services import fan_out, relay
from tests.factories import AT, MerchantFactory

LATER = AT + relay.LEASE
ORDER = {
    "order": "ord_1",
    "order_reference": "A-1",
    "amount_minor": 10_001,
    "currency": "CNY",
    "ship_by": "2026-11-26T08:00:00.000000+00:00",
    "confirm_by": None,
    "buyer_email": "buyer@example.com",
    "reason": "NOT_SHIPPED",
}

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs, nothing catches it."""


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory(email="seller@example.com")


@pytest.fixture(autouse=True)
def no_jitter() -> Iterator[None]:
    with mock.patch.object(fan_out.secrets, "randbelow", return_value=0):
        yield


def record(
    merchant: Merchant, *, type: str = "order.canceled", at: datetime = AT, **facts: Any
) -> Event:
    data = {**ORDER, "merchant": merchant.id, **facts}
    return services.record_event(
        type=type,
        platform_id=merchant.platform_id,
        subject_id=data["order"],
        sequence=Event.objects.count() + 1,
        data=data,
        at=at,
    )


def sent_to() -> list[str]:
    return sorted(message.to[0] for message in mail.outbox)


def test_event_is_told_to_everybody_once(merchant: Merchant) -> None:
    event = record(merchant)

    assert services.relay_due_events(at=AT) == 3
    assert services.relay_due_events(at=LATER) == 0

    assert sent_to() == ["buyer@example.com", "seller@example.com"]
    event.refresh_from_db()
    assert event.relayed_at == AT
    assert set(event.deliveries.values_list("state", "attempts", "sent_at")) == {("SENT", 1, AT)}


def test_event_nobody_is_told_of_is_passed_on_all_the_same(merchant: Merchant) -> None:
    event = record(merchant, type="order.shipped")

    assert services.relay_due_events(at=AT) == 1

    event.refresh_from_db()
    assert event.relayed_at == AT
    assert mail.outbox == []


def test_relay_leaves_what_is_not_due(merchant: Merchant) -> None:
    record(merchant)

    assert services.relay_due_events(at=AT - timedelta(seconds=1)) == 0

    assert mail.outbox == []


def test_event_of_a_clock_that_is_ahead_is_passed_on_at_once(merchant: Merchant) -> None:
    ahead = AT + timedelta(days=30)
    merchants.move_clock(platform_id=merchant.platform_id, offset=timedelta(days=30))
    event = record(merchant, at=ahead)

    assert services.relay_due_events(at=AT - timedelta(seconds=1)) == 0
    assert services.relay_due_events(at=AT) == 3

    event.refresh_from_db()
    assert (event.created_at, event.relayed_at) == (ahead, AT)
    assert set(event.deliveries.values_list("sent_at")) == {(AT,)}


def test_events_are_passed_on_in_few_statements(
    merchant: Merchant, django_assert_num_queries: Any
) -> None:
    for _ in range(50):
        record(merchant)

    # Begin, events; savepoint, sellers, their people, endpoints, deliveries, release; events,
    # commit.
    with django_assert_num_queries(10):
        assert fan_out.pass_on_due_events(at=AT) == 50


def test_relay_takes_no_more_than_its_limit(merchant: Merchant) -> None:
    for _ in range(3):
        record(merchant, type="order.paid", item_titles=["Tea"])

    assert [services.relay_due_events(at=AT, limit=2) for _ in range(3)] == [4, 2, 0]
    assert len(mail.outbox) == 3


def test_relay_killed_before_sending_sends_after_the_lease(merchant: Merchant) -> None:
    record(merchant)
    killed = mock.patch.object(EmailMultiAlternatives, "send", side_effect=Killed)
    with killed, pytest.raises(Killed):
        services.relay_due_events(at=AT)

    assert services.relay_due_events(at=LATER - timedelta(seconds=1)) == 0
    services.relay_due_events(at=LATER)

    assert sent_to() == ["buyer@example.com", "seller@example.com"]


def test_relay_killed_between_sending_and_marking_sends_once_more(merchant: Merchant) -> None:
    record(merchant, type="order.paid", item_titles=["Tea"])
    send = EmailMultiAlternatives.send

    def send_and_die(message: EmailMultiAlternatives) -> None:
        send(message)
        raise Killed

    with mock.patch.object(EmailMultiAlternatives, "send", send_and_die), pytest.raises(Killed):
        services.relay_due_events(at=AT)
    services.relay_due_events(at=LATER)
    services.relay_due_events(at=LATER + relay.LEASE)

    assert sent_to() == ["seller@example.com"] * 2
    ids = {message.message()["Message-ID"] for message in mail.outbox}
    assert len(ids) == 1
    assert Delivery.objects.get().state == DeliveryState.SENT


def test_relay_that_overslept_its_lease_does_not_send(merchant: Merchant) -> None:
    record(merchant, type="order.paid", item_titles=["Tea"])
    fan_out.pass_on_due_events(at=AT)
    overslept = relay._claim_mails(AT, 10)
    services.relay_due_events(at=LATER)

    assert relay._deliver(overslept[0], LATER) is False

    assert sent_to() == ["seller@example.com"]


def test_refused_mail_is_tried_again_later_and_later(merchant: Merchant) -> None:
    record(merchant, type="order.paid", item_titles=["Tea"])
    at, waits = AT, []

    with mock.patch.object(EmailMultiAlternatives, "send", side_effect=OSError("no route")):
        while not waits or Delivery.objects.get().state == DeliveryState.PENDING:
            assert services.relay_due_events(at=at) == (0 if waits else 1)
            due = Delivery.objects.get().next_attempt_at
            waits.append(int((due - at).total_seconds()))
            at = due

    delivery = Delivery.objects.get()
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 21_600, 21_600]
    assert (delivery.state, delivery.attempts) == ("FAILED", 12)
    assert delivery.last_error == "OSError: no route"
    services.retry_delivery(delivery_id=delivery.id, at=at)
    services.relay_due_events(at=at)
    assert sent_to() == ["seller@example.com"]
    with pytest.raises(services.DeliveryNotFailed):
        services.retry_delivery(delivery_id=delivery.id, at=at)


def test_mail_that_kills_every_relay_is_given_up(merchant: Merchant) -> None:
    record(merchant, type="order.paid", item_titles=["Tea"])
    at = AT

    with mock.patch.object(EmailMultiAlternatives, "send", side_effect=Killed) as send:
        for _ in range(relay.MAX_ATTEMPTS):
            with pytest.raises(Killed):
                services.relay_due_events(at=at)
            at += relay.LEASE
        services.relay_due_events(at=at)

    assert send.call_count == relay.MAX_ATTEMPTS
    assert Delivery.objects.get().state == DeliveryState.FAILED


def test_one_bad_event_does_not_stop_the_others(merchant: Merchant) -> None:
    good = record(merchant, type="order.paid", item_titles=["Tea"])
    bad = Event.objects.create(
        type="order.paid",
        platform=merchant.platform,
        subject_id="ord_bad",
        sequence=1,
        data={},
        created_at=AT,
        next_attempt_at=AT - timedelta(minutes=1),
    )

    assert services.relay_due_events(at=AT) == 2

    for event in (good, bad):
        event.refresh_from_db()
    assert good.relayed_at == AT
    assert bad.relayed_at is None
    assert bad.last_error == "KeyError: 'merchant'"
    assert (bad.attempts, bad.next_attempt_at) == (1, AT + timedelta(seconds=30))
    assert sent_to() == ["seller@example.com"]


def test_bad_address_is_shown_as_failed_and_the_others_are_told(merchant: Merchant) -> None:
    record(merchant, buyer_email="nobody\r\nBcc: all@example.com")

    services.relay_due_events(at=AT)

    assert sent_to() == ["seller@example.com"]
    failed = Delivery.objects.get(state=DeliveryState.FAILED)
    assert (failed.audience, failed.last_error) == ("BUYER", "This is not an e-mail address.")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"buyer_email": ""}, ["seller@example.com"]),
        ({"buyer_email": "seller@example.com"}, ["seller@example.com"]),
        ({"ship_by": None}, []),
    ],
)
def test_nobody_is_told_for_nothing(
    merchant: Merchant, facts: dict[str, Any], told: list[str]
) -> None:
    record(merchant, **facts)

    services.relay_due_events(at=AT)

    assert sent_to() == told


def test_seller_without_an_address_and_the_platform_itself_are_not_told() -> None:
    record(MerchantFactory(email=""), type="order.paid", item_titles=["Tea"])
    merchant = MerchantFactory()
    data = {
        "payout": "pyo_1",
        "payee": "PLATFORM",
        "merchant": None,
        "party": None,
        "amount_minor": 10_001,
        "currency": "CNY",
    }
    services.record_event(
        type="payout.paid",
        platform_id=merchant.platform_id,
        subject_id="pyo_1",
        sequence=1,
        data=data,
        at=AT,
    )

    assert services.relay_due_events(at=AT) == 2

    assert mail.outbox == []


def test_task_takes_the_time_and_relays(merchant: Merchant, time_machine: Any) -> None:
    record(merchant)
    time_machine.move_to(AT, tick=False)

    assert tasks.relay_due_events() == 3
    assert tasks.relay_due_events.name == "notifications.relay_due_events"


@pytest.mark.django_db(transaction=True)
def test_relays_at_once_tell_each_recipient_once() -> None:
    merchant = MerchantFactory(email="seller@example.com")
    with transaction.atomic():
        for _ in range(20):
            record(merchant)
    barrier, told, lock = threading.Barrier(4), [], threading.Lock()

    def send(message: EmailMultiAlternatives) -> None:
        with lock:
            told.append((message.to[0], message.extra_headers["Message-ID"]))

    def run(at: datetime) -> None:
        barrier.wait(timeout=10)
        for _ in range(5):
            services.relay_due_events(at=at, limit=7)
        connection.close()

    with mock.patch.object(EmailMultiAlternatives, "send", send):
        threads = [threading.Thread(target=run, args=[AT]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        while services.relay_due_events(at=AT):
            pass

    assert len(told) == len(set(told)) == 40
    assert not Event.objects.filter(relayed_at=None).exists()
    assert not Delivery.objects.exclude(state="SENT", attempts=1).exists()
