"""Why: a machine gets a problem document for whatever goes wrong, never a page or a stack trace."""

import logging
from typing import Any
from unittest import mock

import pytest
from django.conf import settings as configured
from django.db import OperationalError, transaction
from django.urls import get_resolver
from psycopg.errors import LockNotAvailable

from api import errors
from api.v1 import problems
from api.views import ApiView
from orders import selectors
from orders.services import lifecycle
from tests.api.shop import Door, Shop, nothing_moves, problem


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


@pytest.mark.parametrize(
    "path",
    [
        "/v1/",
        "/v1/nothing",
        "/v1/orders/",
        "/v1/orders/a%00b",
        "/v1/orders/../x",
        "/v1/订单",
    ],
)
def test_an_address_that_does_not_exist(shop: Shop, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        problem(shop.door.send(method, path, key=shop.key, Accept="text/html"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/orders/bulk", "POST"),
        ("DELETE", "/v1/orders/ord_1", "GET"),
        ("PUT", "/v1/payments/pay_1", "GET"),
        ("OPTIONS", "/v1/orders", "POST"),
        ("PATCH", "/v1/orders/ord_1/ship", "POST"),
    ],
)
def test_a_method_the_address_has_not(shop: Shop, method: str, path: str, allowed: str) -> None:
    answer = shop.door.send(method, path, key=shop.key)

    problem(answer, 405, "method_not_allowed")
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_a_body_that_is_not_sent_as_json(shop: Shop, content_type: str) -> None:
    headers = {"Content-Type": content_type}

    with nothing_moves():
        answer = shop.post("/v1/orders", shop.order_body(), **headers)
        problem(answer, 415, "media_type_unsupported")


def test_an_answer_that_would_not_be_json(shop: Shop) -> None:
    problem(shop.get("/v1/orders/ord_1", Accept="text/html"), 406, "not_acceptable")


@pytest.mark.parametrize("query", ["expand=payments", "format=xml", "status=", "订单=1", "a=1&a=2"])
def test_a_query_parameter_nobody_knows(shop: Shop, query: str) -> None:
    order = shop.create_order()

    problem(shop.get(f"/v1/orders/{order['id']}?{query}"), 400, "query_parameter_unknown")


def test_a_body_over_the_limit(shop: Shop) -> None:
    body = shop.order_body(metadata={"k": "x" * 256 * 1024})

    with nothing_moves():
        problem(shop.post("/v1/orders", body), 413, "body_too_large")


@pytest.mark.parametrize("declared", [256 * 1024 + 1, 10**30])
def test_a_body_over_the_limit_is_refused_unread(door: Door, declared: int) -> None:
    stream = mock.Mock()

    answer = door.client.generic(
        "POST",
        "/v1/orders",
        content_type="application/json",
        CONTENT_LENGTH=str(declared),
        **{"wsgi.input": stream},
    )

    problem(answer, 413, "body_too_large")
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert stream.mock_calls == []


def test_a_body_without_a_declared_length(door: Door) -> None:
    answer = door.send("POST", "/v1/orders", b"", **{"Transfer-Encoding": "chunked"})

    problem(answer, 411, "length_required")


def test_an_unforeseen_error_shows_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    order = shop.paid_order()

    def break_down(**_named: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(lifecycle, "ship_order", break_down)
    with caplog.at_level(logging.ERROR), nothing_moves():
        answer = shop.ship(order)

    found = problem(answer, 500, "internal_error")
    assert b"hunter2" not in answer.content
    logged = next(record for record in caplog.records if record.name == "api.errors")
    assert logged.request_id == found["request_id"]


def test_an_unforeseen_error_shows_nothing_in_debug(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(selectors, "get_order", lambda **_named: 1 / 0)

    answer = shop.get("/v1/orders/ord_1")

    problem(answer, 500, "internal_error")
    assert b"ZeroDivision" not in answer.content


def test_an_error_outside_the_views_is_a_problem_too(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiView, "dispatch", lambda *_args, **_named: 1 / 0)

    problem(door.send("GET", "/v1/orders/ord_1"), 500, "internal_error")


def test_a_host_that_is_not_ours(door: Door) -> None:
    problem(door.send("GET", "/v1/orders/ord_1", Host="evil.example"), 400, "request_refused")


def test_a_row_somebody_else_holds_for_too_long(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop.paid_order()

    def wait_too_long(**_named: Any) -> None:
        with transaction.atomic():
            raise OperationalError("canceling statement") from LockNotAvailable("lock timeout")

    monkeypatch.setattr(lifecycle, "ship_order", wait_too_long)
    with nothing_moves():
        answer = shop.ship(order)

    problem(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "1"


def test_a_page_elsewhere_stays_a_page(door: Door) -> None:
    answer = door.send("GET", "/nothing-here")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_sentences_are_english_whatever_the_caller_reads(shop: Shop) -> None:
    headers = {"Accept-Language": "zh-Hans"}

    found = problem(shop.post("/v1/orders", {}, **headers), 422, "request_invalid")

    assert found["errors"][0]["detail"] == "This field is required."


def test_every_answer_carries_its_own_request_id(shop: Shop) -> None:
    paths = ("/v1/orders/ord_1", "/v1/nothing", "/nothing", "/healthz", "/admin/login/")

    ids = [shop.get(path).headers["Request-Id"] for path in paths]
    forged = shop.get("/healthz", **{"Request-Id": "req_mine"}).headers["Request-Id"]

    assert all(each.startswith("req_") for each in ids)
    assert len({*ids, forged}) == len(paths) + 1
    assert forged != "req_mine"


def test_no_answer_is_kept_by_a_cache(shop: Shop) -> None:
    order = shop.create_order()

    for answer in (shop.get(f"/v1/orders/{order['id']}"), shop.get("/v1/orders/ord_1")):
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_problem_names_too_many_errors_only_in_part(shop: Shop) -> None:
    body = shop.order_body() | {f"x{n}": 1 for n in range(1000)}

    found = problem(shop.post("/v1/orders", body), 422, "request_invalid")

    assert len(found["errors"]) == errors.MAX_ERRORS


# The catalogue


def test_every_code_is_explained_at_its_address(door: Door) -> None:
    for code, (status, meaning) in problems.catalogue().items():
        found = door.send("GET", f"/v1/problems/{code}")

        assert found.status_code == 200
        assert found.json() == {
            "code": code,
            "status": status,
            "title": errors.title_of(code),
            "meaning": meaning,
        }


def test_a_code_nobody_uses_is_not_explained(door: Door) -> None:
    problem(door.send("GET", "/v1/problems/nonsense"), 404, "not_found")


def test_the_type_of_a_problem_is_its_explanation(shop: Shop) -> None:
    found = problem(shop.get("/v1/orders/ord_1"), 404, "order_not_found")

    path = found["type"].removeprefix(configured.PUBLIC_URL)
    assert shop.door.send("GET", path).json()["code"] == "order_not_found"


def test_every_view_of_the_api_shares_one_base() -> None:
    v1 = next(each for each in get_resolver().url_patterns if str(each.pattern) == "v1/")

    strange = [
        str(each.pattern)
        for each in v1.url_patterns
        if not issubclass(each.callback.view_class, ApiView)
    ]

    assert strange == []
