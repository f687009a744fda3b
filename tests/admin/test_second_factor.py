"""Why: a stolen password of an operator opens nothing, and a stolen session moves nothing."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, reverse

from escrow.models import FreezeState
from escrow.services import debts
from merchants.models import User
from operators import urls as operators_urls
from tests import freezing, ground, owing
from tests.admin.conftest import page, pending_payout, url
from tests.signing import sign_in
from tests.world import START, World

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of an authenticator app: base32
PASSWORD = "long enough for tests"
LOGIN = {"login": "op", "password": PASSWORD}
LATER = 301  # seconds: one more than ACCOUNT_REAUTHENTICATION_TIMEOUT


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def guarded(settings: Any) -> None:
    settings.OPERATOR_MFA = True


@pytest.fixture
def armed(guarded: None, operator: User) -> User:
    """An operator with an authenticator app."""
    TOTP.activate(operator, SECRET)
    return operator


def code(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def every_address() -> list[str]:
    """Every page of the admin that somebody can name, with a made-up row where it wants one."""

    def walk(patterns: Any, prefix: str) -> Iterator[str]:
        for each in patterns:
            path = prefix + str(each.pattern)
            if not isinstance(each, URLPattern):
                yield from walk(each.url_patterns, path)
            elif each.name:
                names = [*each.pattern.converters, *each.pattern.regex.groupindex]
                keys = {name: "escrow" if name == "app_label" else "1" for name in names}
                yield reverse(f"admin:{each.name}", kwargs=keys)

    own = [reverse(f"operators:{each.name}") for each in operators_urls.urlpatterns]
    return [*own, *walk(admin.site.urls[0], "")]


def test_no_page_of_the_admin_opens_without_a_second_factor(
    guarded: None, operator: User, db: None
) -> None:
    client = sign_in(operator)
    addresses = every_address()

    went = {client.get(address)["Location"] for address in addresses}
    posted = {client.post(address, {"reason": "x"})["Location"] for address in addresses}

    assert len(addresses) > 150
    assert went == posted == {reverse("mfa_activate_totp")}


def test_no_page_opens_for_a_session_that_used_only_a_password(armed: User) -> None:
    client = sign_in(armed)

    for address in every_address():
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith(reverse("mfa_reauthenticate")), address


def test_session_with_a_second_factor_opens_the_admin(armed: User) -> None:
    assert sign_in(armed, method="mfa").get(url("index")).status_code == 200


def test_admins_own_sign_in_leads_to_the_one_for_everybody(market: World) -> None:
    for address in (url("login"), url("index"), page(Authenticator, "changelist")):
        answer = Client().get(address, follow=True)
        where = unquote(answer.redirect_chain[-1][0])
        assert where == f"/accounts/login/?next={address}"

    posted = Client().post(url("login"), {"username": "op", "password": PASSWORD})
    assert posted["Location"].startswith("/accounts/login/")


def test_password_and_code_open_the_admin_and_a_code_counts_once(armed: User) -> None:
    client, thief = Client(), Client()
    asked = client.post("/accounts/login/?next=/admin/", {**LOGIN, "next": "/admin/"})
    assert asked["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get("/admin/").status_code == 302

    wrong = client.post(asked["Location"], {"code": "000000"})
    opened = client.post(asked["Location"], {"code": code()}, follow=True)
    again = thief.post("/accounts/login/", LOGIN)
    replayed = thief.post(again["Location"], {"code": code()})

    assert wrong.status_code == 200
    assert (opened.request["PATH_INFO"], opened.status_code) == ("/admin/", 200)
    assert replayed.status_code == 200
    assert thief.get("/admin/").status_code == 302


def test_recovery_code_opens_the_admin_once(armed: User) -> None:
    spare = RecoveryCodes.activate(armed).get_unused_codes()[0]
    client, thief = Client(), Client()

    asked = client.post("/accounts/login/", LOGIN)
    client.post(asked["Location"], {"code": spare})
    again = thief.post("/accounts/login/", LOGIN)
    thief.post(again["Location"], {"code": spare})

    assert client.get("/admin/").status_code == 200
    assert thief.get("/admin/").status_code == 302


def test_operator_sets_up_an_app_and_is_let_in_with_its_code(
    guarded: None, operator: User, clock: Any
) -> None:
    client = Client()
    client.post("/accounts/login/", LOGIN)
    setup = client.get("/admin/", follow=True)
    if setup.request["PATH_INFO"] == reverse("account_reauthenticate"):
        setup = client.post(setup.request["PATH_INFO"], {"password": PASSWORD}, follow=True)
        setup = client.get(reverse("mfa_activate_totp"))
    secret = setup.context["form"].secret

    client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    asked = client.get("/admin/")
    clock.shift(30)
    opened = client.post(asked["Location"], {"code": code(secret)}, follow=True)

    assert (opened.request["PATH_INFO"], opened.status_code) == ("/admin/", 200)


def test_secret_of_an_app_is_stored_sealed(armed: User) -> None:
    kept = Authenticator.objects.get(type=Authenticator.Type.TOTP)

    assert SECRET not in str(kept.data)
    assert kept.wrap().validate_code(code())


def test_session_of_a_switched_off_operator_dies_at_once(armed: User) -> None:
    client = sign_in(armed, method="mfa")
    assert client.get("/admin/").status_code == 200

    User.objects.filter(pk=armed.pk).update(is_active=False)

    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/", follow=True).request["PATH_INFO"] == "/accounts/login/"


def test_decisions_about_money_ask_an_old_session_who_it_is(
    operator: User, second: User, market: World, clock: Any
) -> None:
    payout = pending_payout(market)
    debt = owing.seller_in_debt(market)
    debts.propose_write_off(debt_id=debt.pk, reason="gone", proposed_by=operator, at=market.now)
    freeze = freezing.propose(freezing.freeze_order(market, ground.paid_order(market)))
    client = sign_in(second)
    clock.shift(LATER)
    books = ground.trial()
    decisions = [
        url("payouts_payout_approve", payout.pk),
        url("escrow_debt_write_off", debt.pk),
        url("escrow_freeze_lift", freeze.pk),
        url("merchants_bankaccount_create"),
        url("merchants_apikey_create"),
    ]

    for address in decisions:
        for answer in (client.get(address), client.post(address, {"reason": "x"})):
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/accounts/reauthenticate/?next="), address
    payout.refresh_from_db()
    freeze.refresh_from_db()
    assert (payout.state, freeze.state) == ("PENDING", FreezeState.PROPOSED)
    assert ground.trial() == books


def test_who_proves_it_again_comes_back_and_decides(
    second: User, market: World, clock: Any
) -> None:
    payout = pending_payout(market)
    address = url("payouts_payout_approve", payout.pk)
    client = sign_in(second)
    clock.shift(LATER)

    asked = client.get(address)["Location"]
    wrong = client.post(asked, {"password": "wrong", "next": address})
    back = client.post(asked, {"password": PASSWORD, "next": address})
    done = client.post(address, {"reason": "seen"})

    assert wrong.status_code == 200
    assert back["Location"] == address
    assert done.status_code == 302
    payout.refresh_from_db()
    assert (payout.state, payout.approved_by) == ("APPROVED", second)


def test_who_has_a_second_factor_proves_it_with_that(
    armed: User, market: World, clock: Any
) -> None:
    payout = pending_payout(market)
    client = sign_in(armed, method="mfa")
    clock.shift(LATER)

    asked = client.get(url("payouts_payout_approve", payout.pk))["Location"]

    assert asked.startswith(reverse("mfa_reauthenticate"))
