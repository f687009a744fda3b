"""Why: whoever is let in acts for the seller. Owners alone let people in, and a link works once."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from merchants import services as merchants
from merchants.models import Invitation, Role, User
from notifications import buyer_links
from notifications import services as notifications
from notifications.models import Event
from settlement_site.logs import JsonFormatter
from tests import ground, signing
from tests.factories import MerchantFactory, PlatformFactory, UserFactory

SignIn = Callable[..., Client]
LINK = re.compile(r"/join/inv_\w+/\d+/[\w.-]+")
PASSWORD = "horses staple correctly"
ANSWER = {"name": "Li Hua 李华", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory(merchant=MerchantFactory(), first_name="Owner Wang")


def invite(owner: User, email: str = "li@example.com", **changes: Any) -> Invitation:
    words = {"role": Role.SUPPORT, "language": "en", "at": timezone.now(), **changes}
    return notifications.invite_person(email=email, invited_by=owner, **words)


def link_to(email: str) -> str:
    """The newest link that was mailed to somebody."""
    notifications.relay_due_events(at=timezone.now() + timedelta(days=4000))
    [*_older, message] = [each for each in mail.outbox if each.to == [email]]
    found = LINK.search(message.body)
    assert found is not None
    return found[0]


def test_invited_person_joins_by_the_link_and_signs_in(owner: User) -> None:
    before = ground.trial()
    client = signing.sign_in(owner, again=True)
    words = {"email": "Li@Example.com", "role": "SUPPORT", "language": "zh-hans"}

    assert client.post("/portal/people/invite", words)["Location"] == "/portal/people"
    assert "li@example.com" in client.get("/portal/people").content.decode()
    link = link_to("li@example.com")
    guest = Client()
    assert "设置" in mail.outbox[-1].body
    assert 'lang="zh-hans"' in guest.get(link).content.decode()
    assert guest.post(link, ANSWER)["Location"] == "/accounts/login/"
    guest.post("/accounts/login/", {"login": "LI@example.com", "password": PASSWORD})

    person = User.objects.get(email="li@example.com")
    assert (person.merchant, person.platform, person.role) == (
        owner.merchant,
        None,
        Role.SUPPORT,
    )
    assert guest.get("/portal/").status_code == 200
    assert guest.get("/portal/people/invite").status_code == 403
    assert client.get("/portal/people").context["invitations"] == []
    assert "invited by" in client.get(f"/portal/people/{person.pk}").content.decode()
    assert ground.trial() == before


def test_mail_says_who_invites_where_as_what_and_until_when(owner: User) -> None:
    with time_machine.travel("2026-11-28T08:00:00Z", tick=False):
        invite(owner)

    link_to("li@example.com")

    [message] = mail.outbox
    assert message.subject == f"Owner Wang invites you to {owner.merchant}"
    assert "support: shipping, refunds and disputes" in message.body
    assert "It works once, until 2026-12-05 16:00 (Asia/Shanghai)." in message.body
    assert ">Join</a>" in message.alternatives[0][0]


def test_invitation_is_no_event_for_anybody_else(owner: User) -> None:
    assert owner.merchant is not None
    endpoint, _secret = notifications.create_endpoint(
        platform=owner.merchant.platform, url="https://shop.example.com/hooks", at=timezone.now()
    )
    invitation = invite(owner)

    link_to("li@example.com")
    again = notifications.resend_since(
        endpoint_id=endpoint.pk, since=invitation.sent_at - timedelta(days=9), at=timezone.now()
    )

    [event] = Event.objects.filter(subject_id=invitation.pk)
    assert [each.channel for each in event.deliveries.all()] == ["email"]
    assert again.deliveries == 0


def test_link_opens_nothing_when_forged_expired_withdrawn_sent_anew_or_used(owner: User) -> None:
    names = ("expired", "withdrawn", "anew", "used")
    made = {name: invite(owner, f"{name}@example.com") for name in names}
    links = {name: link_to(f"{name}@example.com") for name in names}
    until = timezone.now() + timedelta(days=1)
    other = buyer_links.sign(buyer_links.order_path("ord_1"), until=until)
    links["forged"] = f"{buyer_links.invitation_path(made['used'].pk, 1)}/{other}"
    merchants.withdraw_invitation(invitation_id=made["withdrawn"].pk, by=owner, at=timezone.now())
    notifications.resend_invitation(invitation_id=made["anew"].pk, by=owner, at=timezone.now())
    assert Client().post(links["used"], ANSWER).status_code == 302
    people = User.objects.count()
    changing = re.compile(
        rf'{LINK.pattern}|value="\w{{64}}"'
    )  # its own address, and the form's token

    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1)):
        late = [Client().post(links["expired"], ANSWER)]
    refused = [Client().post(links[name], ANSWER) for name in links if name != "expired"]

    assert {answer.status_code for answer in late + refused} == {410}
    assert len({changing.sub("", each.content.decode()) for each in late + refused}) == 1
    assert User.objects.count() == people
    assert Client().post(link_to("anew@example.com"), ANSWER).status_code == 302


def test_log_hides_the_link(owner: User) -> None:
    invite(owner)
    link = link_to("li@example.com")
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, f"Gone: {link}", (), None)

    line = JsonFormatter().format(record)

    assert "[hidden]" in line
    assert link.rpartition("/")[2] not in line


def test_database_refuses_a_second_use(owner: User) -> None:
    invitation = invite(owner)
    Client().post(link_to("li@example.com"), ANSWER)

    with pytest.raises(DatabaseError, match="Cannot update rows"), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(accepted_by=owner)


def test_link_is_kept_from_whoever_is_signed_in_as_somebody_else(
    owner: User, sign_in: SignIn
) -> None:
    invitation = invite(owner)
    link = link_to("li@example.com")
    client = sign_in(merchant=owner.merchant, role=Role.VIEWER)

    answers = [client.get(link), client.post(link, ANSWER)]

    assert all("signed in as" in answer.content.decode() for answer in answers)
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    client.post("/accounts/logout/", {"next": link})
    assert client.post(link, ANSWER).status_code == 302


def test_inviter_is_not_told_of_accounts_elsewhere_but_the_invited_one_is(
    owner: User,
) -> None:
    UserFactory(email="taken@example.com", platform=PlatformFactory())
    here = UserFactory(email="here@example.com", merchant=owner.merchant)
    client = signing.sign_in(owner, again=True)
    words = {"role": "VIEWER", "language": "en"}

    elsewhere = client.post("/portal/people/invite", {**words, "email": "Taken@example.com"})
    twice = client.post("/portal/people/invite", {**words, "email": "taken@Example.com"})
    known = client.post("/portal/people/invite", {**words, "email": here.email.upper()})
    joined = Client().post(link_to("taken@example.com"), ANSWER)

    assert elsewhere.status_code == 302
    assert "invited already" in twice.content.decode()
    assert "one of your people already" in known.content.decode()
    assert "an account at another seller" in joined.content.decode()
    assert User.objects.filter(email__iexact="taken@example.com").count() == 1


@pytest.mark.parametrize("role", [Role.FINANCE, Role.SUPPORT, Role.VIEWER])
def test_others_than_owners_look_and_change_nothing(
    owner: User, sign_in: SignIn, role: str
) -> None:
    invitation = invite(owner)
    client = sign_in(merchant=owner.merchant, role=role, fresh=True)

    assert "Owner Wang" in client.get("/portal/people").content.decode()
    answers = [
        client.get("/portal/people/invite"),
        client.post(f"/portal/people/{owner.pk}/role", {"role": "VIEWER"}),
        client.post(f"/portal/people/{owner.pk}/switch", {"to": "off"}),
        client.post(f"/portal/invitations/{invitation.pk}/withdraw"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def test_people_of_others_do_not_exist(owner: User, sign_in: SignIn) -> None:
    assert owner.merchant is not None
    invitation = invite(owner)
    client = sign_in(platform=owner.merchant.platform, fresh=True)

    answers = [
        client.get(f"/portal/people/{owner.pk}"),
        client.post(f"/portal/people/{owner.pk}/role", {"role": "VIEWER"}),
        client.post(f"/portal/people/{owner.pk}/switch", {"to": "off"}),
        client.post(f"/portal/invitations/{invitation.pk}/withdraw"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "Owner Wang" not in client.get("/portal/people").content.decode()


def test_every_act_asks_for_the_password_again_and_is_then_done(owner: User) -> None:
    person = UserFactory(merchant=owner.merchant, role=Role.VIEWER)
    client = signing.sign_in(owner)

    asked = client.post(f"/portal/people/{person.pk}/role", {"role": "FINANCE"})
    person.refresh_from_db()
    assert person.role == Role.VIEWER
    client.post(asked["Location"], {"password": "correct horse battery staple"})

    person.refresh_from_db()
    assert person.role == Role.FINANCE


def test_switched_off_person_is_out_for_good_and_so_are_invitations(owner: User) -> None:
    second = UserFactory(merchant=owner.merchant, username="second", first_name="Second")
    session = Client()
    words = {"login": "second", "password": "correct horse battery staple"}
    session.post("/accounts/login/", words)
    assert session.get("/portal/").status_code == 200
    invitation = invite(second, "friend@example.com")
    client = signing.sign_in(owner, again=True)

    client.post(f"/portal/people/{second.pk}/switch", {"to": "off"})
    assert session.get("/portal/").status_code == 302
    client.post(f"/portal/people/{second.pk}/switch", {"to": "on"})

    assert session.get("/portal/").status_code == 302  # its session has ended
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is not None
    page = client.get(f"/portal/people/{second.pk}")
    assert [(each.title, each.note) for each in page.context["changes"][:2]] == [
        ("Switched on", "Owner Wang"),
        ("Switched off", "Owner Wang"),
    ]


def test_last_owner_stays_and_nobody_switches_themselves_off(owner: User) -> None:
    UserFactory(merchant=owner.merchant, role=Role.FINANCE)
    client = signing.sign_in(owner, again=True)

    pages = [
        client.post(f"/portal/people/{owner.pk}/role", {"role": "VIEWER"}, follow=True),
        client.post(f"/portal/people/{owner.pk}/switch", {"to": "off"}, follow=True),
    ]

    assert "There must be another owner first" in pages[0].content.decode()
    assert "You cannot switch yourself off" in pages[1].content.decode()
    owner.refresh_from_db()
    assert (owner.role, owner.is_active) == (Role.OWNER, True)


def test_list_asks_the_database_seldom_and_escapes_names(
    owner: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        invite(owner, f"guest-{number}@example.com")
    User.objects.bulk_create(
        User(username=f"p-{number}", merchant=owner.merchant, first_name=f"<b>{number}</b>")
        for number in range(26)
    )
    client = signing.sign_in(owner)

    with django_assert_max_num_queries(10):
        page = client.get("/portal/people").content.decode()

    assert "&lt;b&gt;25&lt;/b&gt;" in page
    assert "<b>25" not in page
    assert client.get("/portal/people?after=x").status_code == 200
    older = re.search(r"\?after=\d+", page)
    assert older is not None
    assert "Owner Wang" in client.get(f"/portal/people{older[0]}").content.decode()
