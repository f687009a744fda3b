"""Why: a person sees the rows of one seller or platform, and nothing tells that others exist."""

from collections.abc import Callable

import pytest
from django.test import Client

from merchants.models import Role
from portal.access import POWERS, Power
from tests.factories import UserFactory
from tests.world import World

SignIn = Callable[..., Client]


def test_home_sends_everybody_to_their_own_door(world: World, sign_in: SignIn) -> None:
    doors = {
        "anonymous": Client().get("/"),
        "seller": sign_in(merchant=world.merchants[0]).get("/"),
        "platform": sign_in(platform=world.platform).get("/"),
        "operator": sign_in(is_staff=True).get("/"),
        "nobody": sign_in().get("/"),
    }

    assert {name: answer["Location"] for name, answer in doors.items()} == {
        "anonymous": "/accounts/login/",
        "seller": "/portal/",
        "platform": "/portal/",
        "operator": "/admin/",
        "nobody": "/accounts/2fa/",
    }


def test_page_asks_a_stranger_to_sign_in_and_comes_back(world: World) -> None:
    answer = Client().get("/portal/orders?state=to-ship")

    assert answer["Location"] == "/accounts/login/?next=/portal/orders%3Fstate%3Dto-ship"


def test_operator_finds_no_portal(world: World, sign_in: SignIn) -> None:
    assert sign_in(is_staff=True, is_superuser=True).get("/portal/").status_code == 404


def test_seller_sees_its_own_orders_alone(world: World, sign_in: SignIn) -> None:
    other = world.add_merchant()
    own, _token = world.create_order(world.merchants[0])
    foreign, _token = world.create_order(other)
    client = sign_in(merchant=world.merchants[0])

    listed = client.get("/portal/orders").content.decode()

    assert own.reference in listed
    assert foreign.reference not in listed
    assert client.get(f"/portal/orders/{own.pk}").status_code == 200
    foreign_page, missing_page = (
        client.get(f"/portal/orders/{order_id}") for order_id in (foreign.pk, "ord_" + "0" * 32)
    )
    assert (foreign_page.status_code, missing_page.status_code) == (404, 404)
    assert foreign_page.content == missing_page.content


def test_platform_sees_the_orders_of_all_its_sellers(world: World, sign_in: SignIn) -> None:
    other = world.add_merchant()
    orders = [world.create_order(seller)[0] for seller in (world.merchants[0], other)]

    listed = sign_in(platform=world.platform).get("/portal/orders").content.decode()

    assert all(order.reference in listed for order in orders)
    assert other.name in listed


@pytest.mark.parametrize("role", Role.values)
def test_role_is_given_its_powers_and_no_more(role: str) -> None:
    wanted = {
        "OWNER": set(Power),
        "FINANCE": {Power.MONEY},
        "SUPPORT": {Power.SHIP, Power.DISPUTE},
        "VIEWER": set(),
    }

    assert POWERS[role] == wanted[role]


def test_switched_off_user_is_out_at_once(world: World) -> None:
    user = UserFactory(merchant=world.merchants[0])
    client = Client()
    client.force_login(user)
    assert client.get("/portal/").status_code == 200

    user.is_active = False
    user.save(update_fields=["is_active"])

    assert client.get("/portal/").status_code == 302


def test_password_opens_the_portal_in_the_language_of_its_user(world: World) -> None:
    UserFactory(username="li", merchant=world.merchants[0], language="zh-hans")
    words = {"login": "li", "password": "correct horse battery staple"}

    answer = Client().post("/accounts/login/", words, follow=True)

    assert answer.redirect_chain[-1][0] == "/portal/"
    assert 'lang="zh-hans"' in answer.content.decode()


def test_nobody_signs_up_alone(db: None) -> None:
    page = Client().post("/accounts/signup/", {"email": "x@example.com"})

    assert "closed" in page.content.decode().lower()


def test_pages_allow_nothing_inline_and_no_other_host(db: None) -> None:
    policy = Client().get("/accounts/login/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
