"""The outbox is why nobody waits for a mail that a rolled back order would have sent."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError

from merchants.models import Platform
from notifications import services
from notifications.models import Event
from tests.factories import AT, PlatformFactory

PAYMENT = {"payment": "pay_1", "amount_minor": 10_001, "currency": "CNY"}


@pytest.fixture
def platform(db: None) -> Platform:
    return PlatformFactory()


def record(platform: Platform, **changes: Any) -> Event:
    wanted: dict[str, Any] = {
        "type": "payment.succeeded",
        "platform_id": platform.id,
        "subject_id": "pay_1",
        "sequence": 1,
        "data": PAYMENT,
        "at": AT,
    }
    return services.record_event(**wanted | changes)


def test_event_waits_to_be_passed_on(platform: Platform) -> None:
    record(platform)

    event = Event.objects.get()
    assert event.public_id.startswith("evt_")
    assert (event.type, event.subject_id, event.sequence) == ("payment.succeeded", "pay_1", 1)
    assert (event.data, event.created_at, event.next_attempt_at) == (PAYMENT, AT, AT)
    assert event.relayed_at is None


@pytest.mark.django_db(transaction=True)
def test_event_is_refused_outside_a_transaction() -> None:
    platform = PlatformFactory()

    with pytest.raises(AssertionError, match="written with the change"):
        record(platform)


def test_events_leave_with_the_commit_or_not_at_all(platform: Platform) -> None:
    with transaction.atomic():
        record(platform)
        transaction.set_rollback(True)

    assert not Event.objects.exists()


def test_sequence_is_taken_once_per_subject(platform: Platform) -> None:
    record(platform)
    record(platform, sequence=2)
    record(platform, subject_id="pay_2")

    with pytest.raises(IntegrityError, match="event_sequence_once"), transaction.atomic():
        record(platform, sequence=2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"type": "payment.guessed"}, "not listed"),
        ({"type": "order.paid"}, "lacks"),
        ({"data": {**PAYMENT, "amount_minor": 100.01}}, "whole number"),
        ({"data": {**PAYMENT, "paid_at": AT}}, "paid_at must be text"),
        ({"data": {**PAYMENT, "lines": [{}]}}, "lines must be text"),
    ],
)
def test_event_is_refused_without_its_facts(
    platform: Platform, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        record(platform, **changes)

    assert not Event.objects.exists()


def test_many_events_are_written_at_once(
    platform: Platform, django_assert_num_queries: Any
) -> None:
    drafts = [
        services.EventDraft(
            type="payment.succeeded",
            platform_id=platform.id,
            subject_id=f"pay_{number}",
            sequence=1,
            data=PAYMENT,
            at=AT,
        )
        for number in range(50)
    ]

    with django_assert_num_queries(1):
        events = services.record_events(drafts=drafts)

    assert [event.subject_id for event in events] == [f"pay_{number}" for number in range(50)]


def test_database_keeps_the_facts_of_an_event(platform: Platform) -> None:
    record(platform)

    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Event.objects.update(data={})
