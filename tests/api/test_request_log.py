"""Why: a platform finds its own mistake in it, so each request is there once; and it is read by
more people than send requests, so nothing secret and nobody's name may be.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from api import redaction, request_log
from api.models import LoggedRequest
from merchants import services as merchants
from tests.api.shop import Shop
from tests.world import START

DAY = timedelta(days=1)


def log() -> set[tuple[Any, ...]]:
    """What is written down; under a clock that stands, ids tell no order."""
    return set(LoggedRequest.objects.values_list("method", "path", "status", "code"))


def public_id(key: str) -> str:
    return key.split("_")[2]


def test_request_is_written_down_once_with_what_it_came_to(shop: Shop) -> None:
    body = shop.order_body()

    made = shop.post("/v1/orders", body, Idempotency_Key="cart-17")
    again = shop.post("/v1/orders", body, Idempotency_Key="cart-17")
    read = shop.get("/v1/orders?state=PAID", Holdfast_Version="2026-11-23")

    first, second, third = (
        LoggedRequest.objects.get(pk=answer["Request-Id"]) for answer in (made, again, read)
    )
    assert log() == {("POST", "/v1/orders", 201, ""), ("GET", "/v1/orders", 200, "")}
    rows = [first, second, third]
    assert {row.key_public_id for row in rows} == {public_id(shop.key)}
    assert [row.idempotency_key for row in rows] == ["cart-17", "cart-17", ""]
    assert [row.replayed for row in rows] == [False, True, False]
    assert first.answer_bytes == second.answer_bytes == len(made.content)
    assert first.request_bytes == len(json.dumps(body))
    assert (third.platform, third.api_version, third.created_at) == (
        shop.platform,
        "2026-11-23",
        START,
    )
    assert [row.detail for row in rows] == [None, None, None]


def test_refused_request_keeps_its_shape_and_no_word_of_a_person(shop: Shop) -> None:
    body = shop.order_body(
        currency="cny",
        buyer={"name": "王芳", "email": "not an address", "phone": 13800138000},
        metadata={"wang@example.com": "x"},
    )

    shop.post("/v1/orders", body)

    row = LoggedRequest.objects.get()
    assert (row.status, row.code) == (422, "request_invalid")
    kept = request_log.detail_of(row)
    assert kept["said"] == {
        "reference": "order-1",
        "merchant": shop.merchants[0].id,
        "currency": "cny",
        "lines": [
            {
                "title": "… text, 4 characters",
                "amount_minor": 9001,
                "category": "tea",
                "quantity": 3,
            }
        ],
        "shipping_minor": 1000,
        "buyer": {
            "name": "… text, 2 characters",
            "email": "… text, 14 characters",
            "phone": "… number",
        },
        "metadata": "… 1 items",
    }
    assert ["/buyer/email", "invalid"] in kept["fields"]
    assert b"order-1" not in bytes(row.detail)  # sealed


@pytest.mark.parametrize("what", ["revoked", "expired", "without the scope", "unknown parameter"])
def test_refused_request_of_a_known_key_is_written_down(shop: Shop, what: str) -> None:
    key = shop.add_key(scopes=["orders:read"], expires_at=START + DAY)
    if what == "revoked":
        merchants.revoke_api_key(public_id=public_id(key), at=START)
    elif what == "expired":
        shop.time.shift(2 * DAY)
    address = "/v1/orders?color=red" if what == "unknown parameter" else "/v1/payouts"

    answer = shop.door.send("GET", address, key=key)

    code = answer.json()["code"]
    assert log() == {("GET", address.split("?")[0], answer.status_code, code)}
    assert LoggedRequest.objects.get().key_public_id == public_id(key)


def test_who_does_not_know_the_whole_key_writes_nothing(shop: Shop) -> None:
    known = f"sk_test_{public_id(shop.key)}_{'x' * 43}"

    for key in (known, "sk_test_nobody00_x", ""):
        assert shop.door.send("GET", "/v1/orders", key=key).status_code == 401

    assert log() == set()


def test_requests_that_reach_no_view_are_written_down(shop: Shop) -> None:
    shop.get("/v1/orders/wang@example.com")
    shop.get(f"/v1/orders/{shop.key}")
    shop.post("/v1/orders", b"x" * (256 * 1024 + 1))

    assert log() == {
        ("GET", "/v1/orders/…", 404, "not_found"),
        ("GET", "/v1/orders/…", 404, "order_not_found"),
        ("POST", "/v1/orders", 413, "body_too_large"),
    }


def test_log_that_cannot_be_written_fails_no_request(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(request_log, "_INSERT", "INSERT INTO no_such_table VALUES (%s)")

    shop.create_order()

    assert log() == set()
    assert "a request was not written down" in caplog.text
    assert connection.is_usable()


def test_old_requests_are_forgotten_after_thirty_days(shop: Shop) -> None:
    shop.get("/v1/orders")
    shop.time.shift(timedelta(seconds=1))
    shop.get("/v1/payouts")

    forgotten = request_log.forget_old_requests(at=START + 30 * DAY + timedelta(microseconds=1))

    assert forgotten == 1
    assert log() == {("GET", "/v1/payouts", 200, "")}


def test_pages_of_people_and_messages_of_channels_are_not_written_down(shop: Shop) -> None:
    shop.released_order()  # paid by a channel's message, confirmed by the buyer without a key
    Client().get("/portal/orders")

    assert {each[1].split("/")[2] for each in log()} == {"orders", "payments"}
    assert not [each for each in log() if each[1].endswith("/confirm")]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/v1/orders/ord_1/ship", "/v1/orders/ord_1/ship"),
        ("/v1/buyers/wang@example.com", "/v1/buyers/…"),
        ("/v1/x/sk_live_abcdefgh_secret", "/v1/x/…"),
        (f"/v1/{'x' * 65}", "/v1/…"),
        ("/v1/王芳", "/v1/…"),
    ],
)
def test_path_is_kept_without_what_is_no_name_of_ours(path: str, kept: str) -> None:
    assert redaction.path_of(path) == kept


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("reference", "R-1", "R-1"),
        ("reference", "Wang Fang 13800138000", "… text, 21 characters"),
        ("reference", "wang@example.com", "… text, 16 characters"),
        ("reference", "sk_live_abcdefgh_secret", "… text, 23 characters"),
        ("account_number", 6222000000000001, "… number"),
        ("token", "R-1", "… text, 3 characters"),
        ("amount_minor", 10001, 10001),
        ("enabled", True, True),
        ("metadata", {"a": "b"}, "… 1 items"),
        ("orders", ["ord_1", "ord 2"], ["ord_1", "… text, 5 characters"]),
    ],
)
def test_value_is_kept_by_the_list_alone(name: str, value: Any, kept: Any) -> None:
    assert redaction.shape_of({name: value}) == {name: kept}


def test_sentence_is_kept_without_the_values_it_quotes() -> None:
    said = "There is no 'wang@example.com'; known: \"PAID\", SHIPPED."

    assert redaction.sentence_of(said) == "There is no '…'; known: '…', SHIPPED."
