"""Why: a key that leaks, runs wild or is exchanged must do no more, no less and no longer than was
said when it was made.
"""

import logging
from datetime import timedelta
from typing import Any

import pytest

from api import access
from merchants import services as merchants
from merchants.models import ApiKey
from merchants.scopes import KINDS, SCOPES
from tests.api.shop import Shop, nothing_moves, problem
from tests.world import START

NEWEST = access.VERSIONS[-1]
READ_WITH = {
    "orders": {"orders", "holds", "releases"},
    "payments": {"payments"},
    "refunds": {"refunds"},
    "disputes": {"disputes"},
    "merchants": {"merchants", "bank-accounts"},
    "commission": {"commission-plans", "parties"},
    "balances": {"balances"},
    "payouts": {"settlements", "payouts"},
    "webhooks": {"webhook-endpoints", "deliveries"},
    "events": {"events"},
    "sandbox": {"sandbox/clock"},
}
MINUTE = timedelta(minutes=1)
US = timedelta(microseconds=1)


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def public_id(key: str) -> str:
    return key.split("_")[2]


def asks(shop: Shop, key: str, *, path: str = "/v1/balances") -> int:
    """The status a GET is answered with."""
    return shop.door.send("GET", path, key=key).status_code


# Scopes


@pytest.mark.parametrize("kind", KINDS)
def test_scope_to_read_opens_its_kind_alone(shop: Shop, kind: str) -> None:
    key = shop.add_key(scopes=[f"{kind}:read"])
    addresses = set().union(*READ_WITH.values())

    opened = {each for each in addresses if asks(shop, key, path=f"/v1/{each}") == 200}

    assert opened == READ_WITH[kind]


def test_scope_to_write_does_not_read_nor_the_other_way(shop: Shop) -> None:
    writer, reader = (shop.add_key(scopes=[f"orders:{verb}"]) for verb in ("write", "read"))
    send = shop.door.send

    with nothing_moves():
        unread = problem(send("GET", "/v1/orders", key=writer), 403, "scope_missing")
        answer = send("POST", "/v1/orders", shop.order_body(), key=reader)
        unwritten = problem(answer, 403, "scope_missing")

    assert unread["facts"] == {"scope": "orders:read"}
    assert unwritten["facts"] == {"scope": "orders:write"}
    assert send("POST", "/v1/orders", shop.order_body(), key=writer).status_code == 201
    assert send("GET", "/v1/orders", key=reader).status_code == 200


def test_missing_scope_is_told_before_anything_about_the_object(shop: Shop) -> None:
    key = shop.add_key(scopes=["events:read"])

    for path in (f"/v1/orders/{shop.create_order()['id']}", "/v1/orders/ord_0"):
        found = problem(shop.door.send("GET", path, key=key), 403, "scope_missing")
        assert found["detail"] == "This key lacks the scope orders:read."


def test_key_has_every_scope_unless_less_is_said(shop: Shop) -> None:
    assert ApiKey.objects.get(public_id=public_id(shop.key)).scopes == list(SCOPES)


# The dated version


def test_every_answer_says_its_version(shop: Shop) -> None:
    order = shop.create_order()
    answers = [
        shop.get(f"/v1/orders/{order['id']}"),
        shop.get("/v1/orders/ord_0"),
        shop.get("/v1/orders?nonsense=1"),
        shop.door.send("GET", "/v1/orders", key="sk_test_nonsense"),
        shop.door.send("GET", "/v1/problems/not_found"),
        shop.confirm(order),
    ]

    assert [each.status_code for each in answers] == [200, 404, 400, 401, 200, 409]
    assert {each.headers["Holdfast-Version"] for each in answers} == {NEWEST}


def test_key_speaks_the_version_it_was_made_with_unless_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "VERSIONS", ("2026-01-01", NEWEST))
    ApiKey.objects.update(api_version="2026-01-01")

    made_with = shop.get("/v1/orders")
    asked_for = shop.get("/v1/orders", Holdfast_Version=NEWEST)
    refused = shop.get("/v1/orders?nonsense=1")

    assert made_with.headers["Holdfast-Version"] == "2026-01-01"
    assert asked_for.headers["Holdfast-Version"] == NEWEST
    assert refused.headers["Holdfast-Version"] == NEWEST  # nobody has looked at the key yet


@pytest.mark.parametrize("version", ["2026-11-24", "1999-01-01", "latest", "", f"{NEWEST} "[:-2]])
def test_version_that_never_was_is_refused(shop: Shop, version: str) -> None:
    with nothing_moves():
        answer = shop.post("/v1/orders", shop.order_body(), Holdfast_Version=version)
        found = problem(answer, 400, "api_version_unknown")

    assert found["facts"] == {"header": "Holdfast-Version"}
    assert answer.headers["Holdfast-Version"] == NEWEST


def test_endpoint_is_written_to_in_the_version_of_the_key_that_made_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApiKey.objects.update(api_version="2026-01-01")

    made = shop.post("/v1/webhook-endpoints", {"url": "https://shop.example.com/hooks"})

    assert made.json()["api_version"] == "2026-01-01"


# How often


@pytest.fixture
def limits(settings: Any) -> None:
    settings.API_READS_PER_MINUTE = 3
    settings.API_WRITES_PER_MINUTE = 2


def test_too_many_reads_wait_for_the_next_minute(shop: Shop, limits: None) -> None:
    shop.wait(seconds=17.5)
    statuses = [shop.get("/v1/balances").status_code for _ in range(4)]

    answer = shop.get("/v1/balances")

    assert statuses == [200, 200, 200, 429]
    problem(answer, 429, "too_many_requests")
    assert answer.headers["Retry-After"] == "43"
    shop.wait(seconds=42)
    assert shop.get("/v1/balances").status_code == 429
    shop.wait(seconds=1)
    assert [shop.get("/v1/balances").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_reads_and_writes_are_counted_apart(shop: Shop, limits: None) -> None:
    for _ in range(2):
        shop.create_order()

    with nothing_moves():
        answer = shop.post("/v1/orders", shop.order_body())
        problem(answer, 429, "too_many_requests")

    assert answer.headers["Retry-After"] == "60"
    assert [shop.get("/v1/orders").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_head_is_a_read_and_a_refused_write_is_a_write(shop: Shop, limits: None) -> None:
    for _ in range(3):
        shop.door.send("HEAD", "/v1/balances", key=shop.key)
    for _ in range(2):
        problem(shop.post("/v1/orders", {}), 422, "request_invalid")

    problem(shop.get("/v1/balances"), 429, "too_many_requests")
    problem(shop.post("/v1/orders", {}), 429, "too_many_requests")


def test_each_key_is_counted_by_itself(shop: Shop, rival: Shop, limits: None) -> None:
    another = shop.add_key()
    for _ in range(4):
        shop.get("/v1/balances")

    assert asks(shop, shop.key) == 429
    assert asks(shop, another) == 200
    assert rival.get("/v1/balances").status_code == 200


def test_missing_scope_is_counted_too(shop: Shop, limits: None) -> None:
    key = shop.add_key(scopes=["events:read"])

    assert [asks(shop, key) for _ in range(4)] == [403, 403, 403, 429]


def test_without_redis_nobody_is_refused(
    shop: Shop, limits: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": away}

    with caplog.at_level(logging.WARNING, "api.access"):
        statuses = [shop.get("/v1/balances").status_code for _ in range(5)]
        made = [shop.post("/v1/orders", shop.order_body()).status_code for _ in range(3)]

    assert statuses == [200] * 5
    assert made == [201] * 3
    told = [record for record in caplog.records if record.name == "api.access"]
    assert len(told) == 8


# How long


def test_two_keys_work_while_one_takes_the_others_place(shop: Shop) -> None:
    old = shop.key
    _row, new = merchants.roll_api_key(
        public_id=public_id(old), overlap=timedelta(hours=1), at=START
    )

    assert [asks(shop, each) for each in (old, new)] == [200, 200]
    shop.wait(hours=1)
    assert [asks(shop, each) for each in (old, new)] == [401, 200]


def test_retry_with_the_next_key_gets_the_stored_answer(shop: Shop) -> None:
    body = shop.order_body()
    first = shop.post("/v1/orders", body, Idempotency_Key="cart-17")
    _row, shop.key = merchants.roll_api_key(
        public_id=public_id(shop.key), overlap=timedelta(0), at=START
    )

    again = shop.post("/v1/orders", body, Idempotency_Key="cart-17")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_key_ends_at_its_instant(shop: Shop) -> None:
    key = shop.add_key(expires_at=START + MINUTE)

    shop.time.move_to(START + MINUTE - US)
    before = asks(shop, key)
    shop.time.move_to(START + MINUTE)
    answer = shop.door.send("GET", "/v1/balances", key=key)

    assert before == 200
    found = problem(answer, 401, "api_key_refused")
    assert found["detail"] == "This API key is not valid."
    assert "facts" not in found


def test_key_lives_by_the_real_clock(shop: Shop) -> None:
    key = shop.add_key(expires_at=START + MINUTE)

    merchants.move_clock(platform_id=shop.platform.id, offset=timedelta(days=30))

    assert asks(shop, key) == 200
    now = shop.door.send("GET", "/v1/sandbox/clock", key=key).json()["now"]
    assert now == "2026-04-01T09:00:00.000000Z"


def test_refused_key_leaves_no_trace_of_use(shop: Shop) -> None:
    key = shop.add_key(expires_at=START + MINUTE)
    shop.wait(minutes=2)

    for _ in range(2):
        assert asks(shop, key) == 401

    assert ApiKey.objects.get(public_id=public_id(key)).last_used_at is None
