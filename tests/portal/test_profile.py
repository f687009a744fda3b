"""Why: people look after their own sign-in, or a lost phone becomes everybody's loss."""

from typing import Any

import pytest
from django.test import Client

from merchants.models import User
from portal.devices import device_name
from tests import signing
from tests.factories import MerchantFactory, UserFactory

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Safari/537.36"
)
WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Mobile/15E148 MicroMessenger/8.0.54"
)


@pytest.fixture
def person(db: None) -> User:
    return UserFactory(username="li", merchant=MerchantFactory(time_zone="Asia/Urumqi"))


def enter(user_agent: str = CHROME) -> Client:
    client = Client(headers={"user-agent": user_agent})
    words = {"login": "li", "password": "correct horse battery staple"}
    assert client.post("/accounts/login/", words).status_code == 302
    return client


def test_person_changes_name_language_and_time_zone(person: User) -> None:
    client = signing.sign_in(person)
    words = {"name": " Li  Hua ", "language": "zh-hans", "time_zone": "Europe/Berlin"}

    before = client.get("/portal/profile").content.decode()
    page = client.post("/portal/profile", words, follow=True)

    assert "Asia/Urumqi</option>" in before  # the seller's, until another is chosen
    assert 'lang="zh-hans"' in page.content.decode()
    person.refresh_from_db()
    assert (person.get_full_name(), person.language) == ("Li Hua", "zh-hans")
    assert client.get("/portal/").context["member"].zone.key == "Europe/Berlin"


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"language": "xx"}, {"time_zone": "../etc/passwd"}]
)
def test_what_does_not_fit_is_refused(person: User, wrong: dict[str, str]) -> None:
    words = {"name": "Li", "language": "en", "time_zone": "", **wrong}

    page = signing.sign_in(person).post("/portal/profile", words)

    assert 'role="alert"' in page.content.decode()
    person.refresh_from_db()
    assert (person.first_name, person.language, person.time_zone) == ("", "en", "")


def test_nobody_makes_themselves_more_by_their_profile(person: User) -> None:
    person.role = "VIEWER"
    person.save()
    words = {"name": "Li", "language": "en", "time_zone": ""}
    more = {"role": "OWNER", "is_staff": "on", "merchant": "", "email": "x@example.com"}

    signing.sign_in(person).post("/portal/profile", words | more)

    before = (person.email, person.merchant_id)
    person.refresh_from_db()
    assert (person.role, person.is_staff) == ("VIEWER", False)
    assert (person.email, person.merchant_id) == before


def test_devices_are_listed_and_the_others_signed_out(
    person: User, django_assert_max_num_queries: Any
) -> None:
    here, elsewhere = enter(), enter(WECHAT)

    with django_assert_max_num_queries(16):
        page = here.get("/portal/profile")
    here.post("/portal/profile/sign-out-elsewhere")

    assert [(each.name, each.here) for each in page.context["devices"]] == [
        ("Chrome · Windows", True),
        ("WeChat · iPhone", False),
    ]
    assert elsewhere.get("/portal/").status_code == 302
    assert len(here.get("/portal/profile").context["devices"]) == 1


def test_unknown_browser_is_called_so() -> None:
    assert device_name("<script>") == "Unknown browser"
