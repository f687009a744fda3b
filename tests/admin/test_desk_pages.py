"""Why: who changed what, whether the machinery runs, and who cannot be paid yet are asked when
something is wrong: the answers must be there, for those who may have them, and for nobody else.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from merchants.models import Merchant, User
from operators import health
from operators.roles import Role
from tests import freezing, ground
from tests.admin.conftest import HOSTILE, pending_payout, url
from tests.factories import UserFactory
from tests.signing import sign_in
from tests.world import World

TRAIL, HEALTH = reverse("operators:trail"), reverse("operators:health")
ONBOARDING = reverse("operators:onboarding")
MAY = {
    TRAIL: {Role.AUDITOR},
    HEALTH: {Role.SUPPORT, Role.AUDITOR},
    ONBOARDING: {Role.FINANCE, Role.SUPPORT, Role.RISK, Role.AUDITOR},
}


@pytest.fixture(autouse=True)
def at_noon(market: World) -> Iterator[Any]:
    with time_machine.travel(market.now, tick=False) as traveller:
        yield traveller


def member(role: Role) -> User:
    user: User = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role.value))
    return user


def table(client: Client, address: str, number: int = 0, **asked: str) -> list[list[str]]:
    shown = client.get(address, asked).context["panels"][number]
    return [[str(cell) for cell in row] for row in shown.rows]


@pytest.mark.parametrize("role", Role)
def test_page_opens_for_the_roles_that_may_see_it(role: Role, market: World) -> None:
    client = sign_in(member(role))

    for address, may in MAY.items():
        assert client.get(address).status_code == (200 if role in may else 403), address
        assert client.post(address).status_code in (403, 405), address


def test_pages_are_closed_to_strangers_and_without_a_second_factor(
    operator: User, market: World, settings: Any
) -> None:
    seller = sign_in(UserFactory(merchant=market.merchants[0]))
    settings.OPERATOR_MFA = True

    for address in MAY:
        assert Client().get(address)["Location"].startswith("/admin/login/")
        assert sign_in(operator).get(address)["Location"] == reverse("mfa_activate_totp")
        assert seller.get(address).status_code == 302


def test_trail_finds_the_changes_of_one_row_with_who_and_why(
    signed_in: Client, operator: User, market: World
) -> None:
    payout = pending_payout(market)
    signed_in.post(url("payouts_payout_refuse", payout.pk), {"reason": "wrong account"})

    found = table(signed_in, TRAIL, subject=payout.pk)

    assert (found[0][1], found[0][5]) == ("op", "wrong account")
    assert "state=" in found[0][4]
    assert {url("payouts_payout_change", payout.pk) in row[3] for row in found} == {True}


def test_trail_finds_what_one_person_changed_and_nothing_of_others(
    signed_in: Client, second: User, market: World
) -> None:
    payout = pending_payout(market)
    signed_in.post(url("payouts_payout_refuse", payout.pk), {"reason": "wrong account"})

    assert {row[1] for row in table(signed_in, TRAIL, person="op")} == {"op"}
    assert table(signed_in, TRAIL, person="second") == []
    assert table(signed_in, TRAIL, person="nobody") == []
    assert table(signed_in, TRAIL, subject="x' OR 1=1 --") == []


def test_trail_shows_only_kinds_somebody_may_see_and_escapes_them(market: World) -> None:
    freezing.freeze_order(market, ground.paid_order(market), reason=HOSTILE)
    auditor = sign_in(member(Role.AUDITOR))

    text = auditor.get(TRAIL).content.decode()

    assert "<script>alert(" not in text
    assert "&lt;script&gt;alert(" in text


def test_health_tells_lag_and_versions_and_no_secret(
    signed_in: Client, market: World, settings: Any, at_noon: Any
) -> None:
    ground.paid_order(market)
    at_noon.shift(timedelta(minutes=3))

    text = signed_in.get(HEALTH).content.decode()
    events = table(signed_in, HEALTH, 1)[0]

    assert events[0] == "Events to pass on"
    assert int(events[1]) > 0
    assert settings.SECRET_KEY not in text
    assert str(settings.DATABASES["default"].get("PASSWORD") or "no password") not in text
    assert "PostgreSQL" in text


def test_health_says_when_redis_gives_no_answer(
    signed_in: Client, market: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def set(self, *_args: Any, **_more: Any) -> None:
            raise ConnectionError

    monkeypatch.setattr(health, "cache", Gone())

    assert "No answer" in signed_in.get(HEALTH).content.decode()


def test_onboarding_says_what_each_seller_lacks(signed_in: Client, market: World) -> None:
    seller = market.merchants[0]
    Merchant.objects.create(
        platform=market.platform, reference="new", name="New shop", created_at=market.now
    )

    found = {row[0]: row[2:4] for row in table(signed_in, ONBOARDING)}

    new = next(said for name, said in found.items() if "New shop" in name)
    old = next(said for name, said in found.items() if seller.name in name)
    assert "Incomplete" in new[0]
    assert new[1] == "E-mail, Bank account"
    assert "Can be paid" in old[0]
