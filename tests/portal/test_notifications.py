"""Why: a deadline nobody is told of costs money; a mail nobody wants hides the one that matters."""

from typing import Any

import pytest
from django.core import mail

from merchants.models import Merchant, Role, User
from notifications import emails
from notifications import services as notifications
from notifications.kinds import KINDS
from notifications.models import Audience, Delivery, DeliveryState, Event
from portal.pages.notifications import TYPES
from tests import signing
from tests.factories import AT, MerchantFactory, PlatformFactory, UserFactory
from tests.notifications.test_emails import FACTS

CONTACT = "shop@example.com"


@pytest.fixture
def merchant(db: None) -> Merchant:
    return MerchantFactory(email=CONTACT)


def add(merchant: Merchant, name: str, **changes: Any) -> User:
    return UserFactory(merchant=merchant, email=f"{name}@example.com", **changes)


def told(merchant: Merchant, type: str, **facts: Any) -> list[str]:
    """To whom a mail goes, in order."""
    mail.outbox.clear()
    notifications.record_event(
        type=type,
        platform_id=merchant.platform_id,
        subject_id="ord_1",
        sequence=Event.objects.count() + 1,
        data={**FACTS, "buyer_email": "", "merchant": merchant.pk, **facts},
        at=AT,
    )
    notifications.relay_due_events(at=AT)
    return sorted(message.to[0] for message in mail.outbox)


def test_every_mail_to_people_has_a_kind_and_a_name() -> None:
    types = {
        type
        for type, audiences in emails.MAILS.items()
        if {Audience.SELLER, Audience.PLATFORM} & set(audiences)
    }

    assert types == set().union(*(kind.types for kind in KINDS.values()))
    assert types == TYPES.keys()


def choose(user: User, *kinds: str) -> None:
    answer = signing.sign_in(user).post("/portal/notifications", {"wanted": kinds})
    assert answer.status_code == 302


def test_contact_alone_is_told_of_orders_until_somebody_chooses(merchant: Merchant) -> None:
    owner, viewer = add(merchant, "owner"), add(merchant, "viewer", role=Role.VIEWER)
    assert told(merchant, "order.paid") == [CONTACT]

    choose(viewer, "ORDERS")
    assert told(merchant, "order.paid") == [CONTACT, viewer.email]
    assert told(merchant, "payout.paid") == [CONTACT]

    choose(viewer)
    choose(owner, "PAYOUTS")
    assert told(merchant, "order.paid") == [CONTACT]
    assert told(merchant, "payout.paid") == [owner.email, CONTACT]


def test_what_costs_money_is_told_to_everybody_who_can_do_something(merchant: Merchant) -> None:
    people = {role: add(merchant, role.lower(), role=role) for role in Role.values}
    add(merchant, "gone", is_active=False)
    add(MerchantFactory(platform=merchant.platform), "other")
    for person in people.values():
        choose(person)

    assert told(merchant, "order.ship_reminder") == [
        "owner@example.com",
        CONTACT,
        "support@example.com",
    ]
    money = ["finance@example.com", "owner@example.com", CONTACT]
    assert told(merchant, "payout.failed") == money
    assert told(merchant, "bank_account.waiting") == money


def test_contact_address_of_a_person_obeys_that_person(merchant: Merchant) -> None:
    owner = add(merchant, "Shop")  # the contact address, written otherwise

    assert told(merchant, "order.paid") == [CONTACT]
    choose(owner)

    assert told(merchant, "order.paid") == []
    assert told(merchant, "order.ship_reminder") == [CONTACT]


def test_always_sent_mails_cannot_be_chosen(merchant: Merchant) -> None:
    owner = add(merchant, "owner")

    page = signing.sign_in(owner).post("/portal/notifications", {"wanted": "DISPUTES"}, follow=True)

    assert "These mails cannot be chosen" in page.content.decode()
    assert not owner.mail_choices.exists()


def test_person_reads_dates_in_their_own_zone_and_language(merchant: Merchant) -> None:
    add(merchant, "owner", time_zone="Europe/Berlin", language="zh-hans")

    told(merchant, "order.ship_reminder")

    subjects = {message.to[0]: message.subject + message.body for message in mail.outbox}
    assert "2026-11-26 09:00 (Europe/Berlin)" in subjects["owner@example.com"]
    assert "发货" in subjects["owner@example.com"]
    assert "2026-11-26 16:00 (Asia/Shanghai)" in subjects[CONTACT]


def test_owners_of_the_live_side_hear_of_webhooks_of_both_sides(db: None) -> None:
    live = PlatformFactory(mode="LIVE", contact_email="tech@example.com")
    test = PlatformFactory(live_platform=live)
    owner = UserFactory(platform=live, email="owner@example.com")
    UserFactory(platform=live, role=Role.SUPPORT)
    seller = MerchantFactory(platform=test)

    assert told(seller, "webhook_endpoint.disabled", reason="FAILING") == [owner.email]


def test_list_shows_what_was_sent_to_whom_and_no_other_sellers(
    merchant: Merchant, django_assert_max_num_queries: Any
) -> None:
    owner = add(merchant, "owner")
    choose(owner, "ORDERS")
    other = MerchantFactory(platform=merchant.platform, email=CONTACT)
    for number in range(3):
        told(merchant, "order.paid", order_reference=f"A-{number}")
    told(other, "order.paid", order_reference="OTHER-1")
    Delivery.objects.filter(event__data__order_reference="A-0").update(state=DeliveryState.FAILED)
    Delivery.objects.filter(event__data__order_reference="A-1").update(
        state=DeliveryState.PENDING, sent_at=None
    )
    client = signing.sign_in(owner)

    with django_assert_max_num_queries(10):
        own = client.get("/portal/notifications")
    contact = client.get("/portal/notifications?to=contact")

    rows = own.context["listing"].rows
    assert [(row["about"], row["delivery"].state, row["again"]) for row in rows] == [
        ("A-2", "SENT", False),
        ("A-1", "PENDING", True),
        ("A-0", "FAILED", False),
    ]
    assert [row["about"] for row in contact.context["listing"].rows] == ["A-2", "A-1", "A-0"]
    assert "OTHER-1" not in contact.content.decode()
