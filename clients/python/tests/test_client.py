"""Why: both clients must ask for the same thing and understand the same answer."""

import inspect
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

import holdfast
from holdfast import models, resources

Drive = Any  # see conftest.py
LINES: list[Any] = [{"title": "西湖龙井", "amount_minor": 9001}]


def test_order_is_created_and_read(drive: Drive, server: Any, order_answer: dict[str, Any]) -> None:
    link = {
        "buyer_token": "t",
        "confirm_url": "https://pay.example.com/v1/orders/ord_1/confirm",
        "buyer_url": "https://pay.example.com/o/ord_1/t",
    }
    server.answer(201, order_answer | link)

    order = drive(
        lambda client: client.orders.create(
            reference="A-1001",
            merchant="mer_1",
            currency="CNY",
            lines=LINES,
            ship_by=datetime(2026, 3, 5, 17, 0, tzinfo=timezone(timedelta(hours=8))),
        )
    )

    [asked] = server.asked
    assert (asked.method, str(asked.url)) == ("POST", "https://pay.example.com/v1/orders")
    assert server.bodies == [
        {
            "reference": "A-1001",
            "merchant": "mer_1",
            "currency": "CNY",
            "lines": LINES,
            "ship_by": "2026-03-05T09:00:00Z",
        }
    ]
    assert asked.headers["authorization"] == "Bearer sk_test_abcd1234_secret"
    assert asked.headers["holdfast-version"] == holdfast.API_VERSION
    assert asked.headers["user-agent"] == f"holdfast-python/{holdfast.__version__}"
    assert isinstance(order, models.CreatedOrder)
    assert (order.id, order.buyer_token) == ("ord_1", "t")
    assert order.lines[0].title == "西湖龙井"
    assert order.deadlines.pay_by == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert order.deadlines.ship_by is None


def test_fields_newer_than_the_client_are_kept_and_break_nothing(
    drive: Drive, server: Any, order_answer: dict[str, Any]
) -> None:
    server.answer(200, order_answer)

    order = drive(lambda client: client.orders.retrieve("ord_1"))

    assert order.raw["loyalty_points"] == 17
    assert order.refunds[0].raw["risk"] == "low"


def test_field_that_is_missing_or_of_another_kind_is_named(
    drive: Drive, server: Any, order_answer: dict[str, Any]
) -> None:
    wrong = order_answer | {"lines": [{**order_answer["lines"][0], "quantity": "3"}]}
    server.answer(200, wrong, request_id="req_7")

    with pytest.raises(holdfast.AnswerUnreadable, match=r"lines: quantity: str .+ req_7"):
        drive(lambda client: client.orders.retrieve("ord_1"))


def test_every_attempt_has_the_same_key_and_the_same_bytes(
    drive: Drive, server: Any, order_answer: dict[str, Any]
) -> None:
    server.fail(httpx.ReadTimeout("lost"))
    server.refuse(409, "idempotency_key_running")
    server.refuse(429, "too_many_requests", headers={"retry_after": "2"})
    server.answer(200, order_answer)

    drive(lambda client: client.orders.ship("ord_1", carrier="SF", tracking_number="SF1"))

    keys = {request.headers["idempotency-key"] for request in server.asked}
    assert len(server.asked) == 4
    assert len(keys) == 1
    assert uuid.UUID(keys.pop()).version == 4
    assert {request.content for request in server.asked} == {
        b'{"carrier":"SF","tracking_number":"SF1"}'
    }
    assert len(server.pauses) == 3
    assert 2.5 <= server.pauses[2] <= 3.0


def test_two_calls_have_two_keys_unless_one_is_given(
    client: holdfast.Holdfast, server: Any, order_answer: dict[str, Any]
) -> None:
    for _ in range(4):
        server.answer(200, order_answer)

    client.orders.cancel("ord_1")
    client.orders.cancel("ord_1", reason="MERCHANT")
    client.orders.cancel("ord_1", idempotency_key="cart-17")
    client.orders.cancel("ord_1", idempotency_key="cart-17")

    keys = [request.headers["idempotency-key"] for request in server.asked]
    assert len(set(keys)) == 3
    assert keys[2:] == ["cart-17", "cart-17"]
    assert server.bodies == [{}, {"reason": "MERCHANT"}, {}, {}]


def test_outcome_that_is_not_known_names_the_key_to_ask_again_with(
    drive: Drive, server: Any
) -> None:
    for _ in range(5):
        server.fail(httpx.ConnectError("refused"))

    with pytest.raises(holdfast.ConnectionFailed, match="5 times") as raised:
        drive(lambda client: client.payments.create(orders=["ord_1"], channel="sandbox"))

    assert raised.value.idempotency_key == server.asked[0].headers["idempotency-key"]


def test_refusal_is_told_with_all_it_says(drive: Drive, server: Any) -> None:
    server.refuse(
        422,
        "request_invalid",
        type="https://pay.example.com/v1/problems/request_invalid",
        errors=[{"pointer": "#/lines/0/amount_minor", "code": "invalid", "detail": "Send it."}],
        facts={"order": "ord_1"},
    )

    with pytest.raises(holdfast.Invalid) as raised:
        drive(lambda client: client.orders.retrieve("ord_1"))

    error = raised.value
    assert (error.status, error.code, error.detail) == (422, "request_invalid", "No.")
    assert error.errors == (holdfast.FieldError("#/lines/0/amount_minor", "invalid", "Send it."),)
    assert (error.request_id, error.facts) == ("req_1", {"order": "ord_1"})
    assert str(error) == (
        "422 request_invalid: No. #/lines/0/amount_minor: Send it. (request req_1)"
    )


def test_list_follows_the_pages(drive: Drive, server: Any) -> None:
    payout: dict[str, Any] = {
        "id": "po_3", "settlement": "set_1", "payee": "PLATFORM", "merchant": None, "party": None,
        "state": "PAID", "currency": "CNY",
        "amount_minor": 9491, "bank_account": "bac_1", "holder_name": "Garden", "last_four": "0001",
        "needs_approval": False, "frozen": False, "created_at": "2026-03-02T09:00:00Z",
        "paid_at": None, "returned_at": None, "failure_code": None,
    }  # fmt: skip
    whole = {
        "id": "set_1", "payee": "PLATFORM", "merchant": None, "party": None, "currency": "CNY",
        "amount_minor": 9491, "line_count": 1,
        "cutoff_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    server.answer(200, {"data": [payout], "has_more": True, "next_cursor": "cG8_Mw"})
    server.answer(
        200,
        {"data": [payout | {"settlement": whole}], "has_more": False, "next_cursor": None},
    )

    found = drive(
        lambda client: client.payouts.list(
            state=["PAID", "RETURNED"],
            created_from=datetime(2026, 3, 1, tzinfo=UTC),
            expand=["settlement"],
            limit=1,
        )
    )

    assert [request.url.params.get("cursor") for request in server.asked] == [None, "cG8_Mw"]
    for request in server.asked:
        assert request.url.params["state"] == "PAID,RETURNED"
        assert request.url.params["created_from"] == "2026-03-01T00:00:00Z"
        assert (request.url.params["expand"], request.url.params["limit"]) == ("settlement", "1")
        assert "idempotency-key" not in request.headers
    assert found[0].settlement == "set_1"
    assert found[1].settlement.line_count == 1


def test_list_fetches_nothing_before_it_is_read(client: holdfast.Holdfast, server: Any) -> None:
    pages = client.orders.list()

    assert server.asked == []
    server.answer(200, {"data": [], "has_more": False, "next_cursor": None})
    assert pages.first() is None
    server.answer(200, {"data": [], "has_more": False, "next_cursor": None})
    assert [page.data for page in pages.by_page()] == [()]


@pytest.mark.parametrize("answer", [{}, {"data": None}, [], None])
def test_page_that_is_none_is_unreadable(drive: Drive, server: Any, answer: Any) -> None:
    server.answer(200, answer)

    with pytest.raises(holdfast.AnswerUnreadable):
        drive(lambda client: client.orders.list())


def test_list_without_pages_is_unwrapped(drive: Drive, server: Any) -> None:
    balance = {
        "payee": "PLATFORM", "merchant": None, "party": None, "currency": "CNY", "held_minor": 1,
        "payable_minor": 2, "reserved_minor": 0, "in_transit_minor": 3, "paid_out_minor": 4,
    }  # fmt: skip
    server.answer(200, {"data": [balance]})

    [found] = drive(lambda client: client.balances.all())

    assert (found.held_minor, found.paid_out_minor) == (1, 4)


def test_confirmation_shows_the_token_and_not_the_key(drive: Drive, server: Any) -> None:
    server.answer(200, {"id": "ord_1", "confirmed_at": "2026-03-09T09:00:00Z"})

    receipt = drive(lambda client: client.orders.confirm("ord_1", token="t"))

    assert "authorization" not in server.asked[0].headers
    assert receipt.confirmed_at == datetime(2026, 3, 9, 9, tzinfo=UTC)


def test_deletion_answers_nothing(drive: Drive, server: Any) -> None:
    server.answer(204)

    assert drive(lambda client: client.webhook_endpoints.delete("whe_1")) is None
    assert (server.asked[0].method, server.asked[0].url.path) == (
        "DELETE",
        "/v1/webhook-endpoints/whe_1",
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.orders.retrieve(""),
        lambda client: client.orders.retrieve("ord_1/confirm"),
        lambda client: client.orders.retrieve(None),
        lambda client: client.orders.list(created_from=datetime(2026, 3, 1)),  # noqa: DTZ001
        lambda client: client.webhook_endpoints.resend("whe_1", since=datetime(2026, 3, 1)),  # noqa: DTZ001
    ],
)
def test_mistakes_are_refused_before_anything_is_sent(drive: Drive, server: Any, call: Any) -> None:
    with pytest.raises(ValueError, match=r"id such as|time zone"):
        drive(call)

    assert server.asked == []


def test_id_with_signs_is_quoted(client: holdfast.Holdfast, server: Any) -> None:
    server.refuse(404, "not_found")

    with pytest.raises(holdfast.NotFound):
        client.orders.retrieve("..?x=1#")

    assert server.asked[0].url.raw_path == b"/v1/orders/..%3Fx%3D1%23"


def test_methods_show_their_signature_and_sentence(client: holdfast.Holdfast) -> None:
    ship = client.orders.ship

    assert list(inspect.signature(ship).parameters) == [
        "order_id", "carrier", "tracking_number", "further", "idempotency_key",
    ]  # fmt: skip
    assert ship.__doc__ == resources.Orders.ship.__doc__
    assert ship.__name__ == "ship"
    with pytest.raises(TypeError, match="tracking_number"):
        client.orders.add_parcel("ord_1", carrier="SF")  # type: ignore[call-arg]


def test_key_is_never_shown(client: holdfast.Holdfast) -> None:
    assert repr(client) == "<Holdfast https://pay.example.com>"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("", "https://pay.example.com"),
        ("sk_test_x\n", "https://pay.example.com"),
        ("sk_test_ü", "https://pay.example.com"),
        ("sk_test_x", "pay.example.com"),
        ("sk_test_x", "ftp://pay.example.com"),
        ("sk_live_x", "http://pay.example.com"),
    ],
)
def test_client_refuses_what_cannot_work_or_would_leak_a_live_key(key: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"key|URL"):
        holdfast.Holdfast(key, url)


@pytest.mark.parametrize(
    "url",
    ["https://pay.example.com/", "https://pay.example.com/v1", "https://pay.example.com/v1/"],
)
def test_base_url_is_taken_with_or_without_its_end(url: str) -> None:
    assert holdfast.Holdfast("sk_live_x", url).base_url == "https://pay.example.com"


def test_policy_of_one_call(client: holdfast.Holdfast, server: Any) -> None:
    server.refuse(503, "busy")
    hasty = client.with_policy(holdfast.Policy(retries=0, timeout_seconds=3))

    with pytest.raises(holdfast.Unavailable):
        hasty.orders.retrieve("ord_1")

    assert len(server.asked) == 1
    assert server.asked[0].extensions["timeout"]["read"] == 3
    assert client.policy == holdfast.Policy()
