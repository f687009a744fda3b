"""Why: whoever changes where money goes takes the money. Only who may, having just proved it, and
never at once; everybody can see the change and cancel it.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from merchants import services as merchants
from merchants.models import BankAccount, Role
from payouts.models import PayoutSchedule
from tests.factories import MerchantFactory, PlatformFactory
from tests.world import PAYS, World

SignIn = Callable[..., Client]
NEW = "6222999900001111"
GIVEN = {
    "currency": "cny",
    "holder_name": "Garden <b>Tea</b>",
    "bank_code": "102100099996",
    "bank_name": "ICBC",
    "account_number": "6222 9999 0000 1111",
    "again": NEW,
}


@pytest.fixture
def cautious(world: World) -> World:
    merchants.set_account_cooloff(platform_id=world.platform.pk, hours=24, at=world.now)
    return world


def states(**whose: Any) -> list[tuple[str, str]]:
    rows = BankAccount.objects.filter(**whose).order_by("pk")
    return list(rows.values_list("last_four", "state"))


def test_seller_changes_the_account_and_sees_it_wait_and_cancels_it(
    cautious: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    seller = cautious.merchants[0]
    client = sign_in(merchant=seller, role=Role.FINANCE, fresh=True)

    answer = client.post("/portal/accounts/new", GIVEN)
    with django_assert_max_num_queries(10):
        page = client.get(answer["Location"]).content.decode()

    assert answer["Location"] == "/portal/accounts"
    assert states(merchant=seller) == [(PAYS[-4:], "IN_FORCE"), ("1111", "WAITING")]
    assert "•••• 1111" in page
    assert f"Until then they go on to •••• {PAYS[-4:]}." in page
    assert "A changed bank account waits" in client.get("/portal/").content.decode()
    for hidden in (NEW, PAYS, "<b>Tea"):
        assert hidden not in page
    changed = BankAccount.objects.get(state="WAITING")
    user = client.session["_auth_user_id"]
    assert changed.audit.first().pgh_context["actor"] == f"seller:{user}"

    # Whoever sees a change that is not theirs need not look for a password first.
    late = sign_in(merchant=seller).post(f"/portal/accounts/{changed.pk}/cancel")

    assert late.status_code == 302
    assert states(merchant=seller) == [(PAYS[-4:], "IN_FORCE"), ("1111", "CANCELED")]
    again = client.post(f"/portal/accounts/{changed.pk}/cancel", follow=True)
    assert "does not wait any more" in again.content.decode()


def test_account_asks_for_the_password_again(cautious: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=cautious.merchants[0])

    answers = [client.get("/portal/accounts/new"), client.post("/portal/accounts/new", GIVEN)]

    assert all(each["Location"].startswith("/accounts/reauthenticate/") for each in answers)
    assert states(merchant=cautious.merchants[0]) == [(PAYS[-4:], "IN_FORCE")]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.VIEWER])
def test_who_may_not_move_money_only_looks(cautious: World, sign_in: SignIn, role: str) -> None:
    seller = cautious.merchants[0]
    sign_in(merchant=seller, fresh=True).post("/portal/accounts/new", GIVEN)
    client = sign_in(merchant=seller, role=role, fresh=True)
    changed = BankAccount.objects.get(state="WAITING")

    answers = [
        client.post("/portal/accounts/new", GIVEN),
        client.post(f"/portal/accounts/{changed.pk}/cancel"),
    ]

    assert [each.status_code for each in answers] == [403, 403]
    page = client.get("/portal/accounts").content.decode()
    assert "•••• 1111" in page
    assert "Cancel the change" not in page
    changed.refresh_from_db()
    assert changed.state == "WAITING"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"again": "6222999900001112"}, "The two numbers differ."),
        ({"account_number": "12", "again": "12"}, "This is no account that can be paid."),
        ({"currency": "XXX"}, "We do not know this currency."),
        ({"holder_name": ""}, "This field is required."),
    ],
)
def test_account_that_cannot_be_paid_is_refused(
    world: World, sign_in: SignIn, changes: dict[str, str], said: str
) -> None:
    client = sign_in(merchant=world.merchants[0], fresh=True)

    page = client.post("/portal/accounts/new", GIVEN | changes)

    assert said in page.content.decode()
    assert BankAccount.objects.filter(merchant=world.merchants[0]).count() == 1


def test_first_account_is_in_force_at_once_and_begins_payouts(
    cautious: World, sign_in: SignIn
) -> None:
    seller = MerchantFactory(platform=cautious.platform)

    sign_in(merchant=seller, fresh=True).post("/portal/accounts/new", GIVEN)

    assert states(merchant=seller) == [("1111", "IN_FORCE")]
    assert PayoutSchedule.objects.filter(merchant=seller).exists()


def test_platform_gives_accounts_of_its_sellers_as_by_its_api_and_of_no_others(
    cautious: World, sign_in: SignIn
) -> None:
    client, seller = sign_in(platform=cautious.platform, fresh=True), cautious.merchants[0]
    stranger = MerchantFactory(platform=PlatformFactory())

    given = client.post(f"/portal/accounts/new/{seller.pk}", GIVEN)
    foreign = client.post(f"/portal/accounts/new/{stranger.pk}", GIVEN)
    own = client.post("/portal/accounts/new", GIVEN)

    assert (given["Location"], foreign.status_code) == (f"/portal/sellers/{seller.pk}", 404)
    assert own["Location"] == "/portal/accounts"
    assert states(merchant=seller)[-1] == ("1111", "WAITING")
    assert states(payee="PLATFORM", platform=cautious.platform)[-1][0] == "1111"
    page = client.get(given["Location"]).content.decode()
    assert "Cancel the change" in page
    changed = BankAccount.objects.get(merchant=seller, state="WAITING")
    other = sign_in(merchant=MerchantFactory(platform=cautious.platform), fresh=True)
    assert other.post(f"/portal/accounts/{changed.pk}/cancel").status_code == 404
    assert other.post(f"/portal/accounts/new/{seller.pk}", GIVEN).status_code == 404
    assert other.get("/portal/accounts").content.decode().count("••••") == 0
