"""Why: a platform finds here why its server was refused, and never what another platform asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from api.models import LoggedRequest
from common.ids import new_id
from merchants import services as merchants
from merchants.models import ApiKey, Role
from portal import lists
from tests.factories import PlatformFactory
from tests.world import World

SignIn = Callable[..., Client]
KEY = {"name": "Shop server", "scopes": ["orders:read", "orders:write"]}


@pytest.fixture
def key(world: World) -> tuple[ApiKey, str]:
    return merchants.create_api_key(platform=world.platform, at=world.now, **KEY)


def ask(secret: str, path: str = "/v1/orders", body: Any = None, **headers: str) -> str:
    """Send a request as a server would. Returns: its id."""
    sent = {"authorization": f"Bearer {secret}", **headers}
    if body is None:
        return str(Client().get(path, headers=sent)["Request-Id"])
    answer = Client().post(path, body, content_type="application/json", headers=sent)
    return str(answer["Request-Id"])


def shown(page: Any) -> set[str]:
    return {each["row"].pk for each in page.context["listing"].rows}


def test_list_is_narrowed_by_class_path_key_and_idempotency_key(
    world: World, sign_in: SignIn, key: tuple[ApiKey, str]
) -> None:
    row, secret = key
    _other, second = merchants.create_api_key(platform=world.platform, at=world.now, **KEY)
    read = ask(secret)
    refused = ask(secret, body={"reference": "<b>"}, **{"idempotency-key": "cart <17>"})
    missing = ask(second, "/v1/orders/ord_1")
    keyed = ask(second, body={"reference": "x"}, **{"idempotency-key": "cart-18"})
    client = sign_in(platform=world.platform)

    def found(query: str) -> set[str]:
        return shown(client.get(f"/portal/requests?{query}"))

    assert found("") == {read, refused, missing, keyed}
    assert found("status=done") == {read}
    assert found("status=refused") == {refused, missing, keyed}
    assert found("status=failed") == set()
    assert found("path=/v1/orders/") == {missing}
    assert found(f"key={row.public_id}&status=refused") == {refused}
    assert found("idempotency_key=cart-18") == {keyed}
    assert found("request=req_nothing") == set()
    leads = client.get(f"/portal/requests?request={missing}")
    assert (leads.status_code, leads["Location"]) == (302, f"/portal/requests/{missing}")


def test_page_says_why_a_request_was_refused_without_words_of_a_person(
    world: World, sign_in: SignIn, key: tuple[ApiKey, str]
) -> None:
    row, secret = key
    body = {"reference": "R-1", "currency": "XXQ", "buyer": {"name": "Wang Fang"}, "<i>": 1}
    refused = ask(secret, body=body, **{"idempotency-key": "cart-17"})
    client = sign_in(platform=world.platform)

    page = client.get(f"/portal/requests/{refused}").content.decode()

    assert "Why it was refused" in page
    assert "/v1/problems/request_invalid" in page
    assert "&quot;reference&quot;: &quot;R-1&quot;" in page
    assert "… text, 9 characters" in page
    assert "Shop server" in page
    assert (
        f'href="/portal/requests?key={row.public_id}"'
        in client.get("/portal/keys").content.decode()
    )
    for never in ("Wang Fang", "<i>", secret):
        assert never not in page


def test_nobody_else_sees_a_platform_s_requests(
    world: World, sign_in: SignIn, key: tuple[ApiKey, str]
) -> None:
    asked = ask(key[1])
    other = sign_in(platform=PlatformFactory())
    seller = sign_in(merchant=world.merchants[0])

    assert shown(other.get("/portal/requests")) == set()
    assert other.get(f"/portal/requests?request={asked}").status_code == 200
    for client in (other, seller):
        assert client.get(f"/portal/requests/{asked}").status_code == 404
    assert seller.get("/portal/requests").status_code == 404
    viewer = sign_in(platform=world.platform, role=Role.VIEWER)
    assert viewer.get(f"/portal/requests/{asked}").status_code == 200


def test_list_goes_on_by_its_key_in_few_queries(
    world: World, sign_in: SignIn, key: tuple[ApiKey, str], django_assert_max_num_queries: Any
) -> None:
    client = sign_in(platform=world.platform)
    LoggedRequest.objects.bulk_create(
        LoggedRequest(
            id=new_id("req"),
            platform=world.platform,
            key_public_id=key[0].public_id,
            method="GET",
            path="/v1/orders",
            status=200,
            duration_ms=number,
            replayed=False,
            request_bytes=0,
            answer_bytes=1,
            created_at=timezone.now() - timedelta(minutes=number),
        )
        for number in range(lists.PAGE + 2)
    )

    with django_assert_max_num_queries(10):
        first = client.get("/portal/requests")
    rest = client.get(f"/portal/requests?after={first.context['listing'].older}")

    assert (len(shown(first)), len(shown(rest))) == (lists.PAGE, 2)
    assert not shown(first) & shown(rest)
