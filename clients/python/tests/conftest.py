"""A stand-in for Holdfast, and both clients driven alike."""

import asyncio
import json
import time
from collections.abc import AsyncIterable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import holdfast

KEY = "sk_test_abcd1234_secret"
URL = "https://pay.example.com"


@dataclass
class Server:
    """Answers from a list, in order, and remembers what it was asked."""

    script: list[Any] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        self.script.append(httpx.Response(status, content=content, headers=named))

    def refuse(self, status: int, code: str, **more: Any) -> None:
        headers = more.pop("headers", {})
        problem = {"status": status, "code": code, "detail": "No.", "request_id": "req_1", **more}
        self.answer(status, problem, **headers)

    def fail(self, error: httpx.RequestError) -> None:
        self.script.append(error)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        found = self.script.pop(0)
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, httpx.Response)
        return found

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) if request.content else None for request in self.asked]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[holdfast.Holdfast]:
    monkeypatch.setattr(time, "sleep", server.pauses.append)
    http = httpx.Client(transport=httpx.MockTransport(server))
    with http, holdfast.Holdfast(KEY, URL, http=http) as client:
        yield client


@pytest.fixture
def asynchronous(server: Server, monkeypatch: pytest.MonkeyPatch) -> holdfast.AsyncHoldfast:
    async def sleep(seconds: float) -> None:
        server.pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    return holdfast.AsyncHoldfast(KEY, URL, http=http)


Drive = Callable[[Callable[[Any], Any]], Any]


@pytest.fixture(params=["blocking", "asyncio"])
def drive(
    request: pytest.FixtureRequest,
    client: holdfast.Holdfast,
    asynchronous: holdfast.AsyncHoldfast,
) -> Drive:
    """Run the same call on either client; lists come back whole."""
    if request.param == "blocking":
        return lambda call: _whole(call(client))

    def run(call: Callable[[Any], Any]) -> Any:
        async def run_here() -> Any:
            found = call(asynchronous)
            if isinstance(found, Coroutine):
                return await found
            return await _gathered(found) if isinstance(found, holdfast.AsyncPages) else found

        return asyncio.run(run_here())

    return run


def _whole(found: Any) -> Any:
    return [*found] if isinstance(found, holdfast.Pages) else found


async def _gathered(pages: AsyncIterable[Any]) -> list[Any]:
    return [each async for each in pages]


@pytest.fixture
def order_answer() -> dict[str, Any]:
    """An order as Holdfast answers it, with a field that is newer than this client."""
    refund = {"id": "ref_1", "payment": "pay_1", "state": "PENDING", "amount_minor": 10001}
    return {
        "id": "ord_1",
        "reference": "A-1001",
        "merchant": "mer_1",
        "status": "paid",
        "currency": "CNY",
        "amount_minor": 10001,
        "refunded_minor": 0,
        "goods_minor": 9001,
        "shipping_minor": 1000,
        "lines": [{"title": "西湖龙井", "category": "tea", "quantity": 3, "amount_minor": 9001}],
        "delivery": "COURIER",
        "buyer": {"name": "王芳", "email": "", "time_zone": ""},
        "deadlines": {
            "pay_by": "2026-03-02T09:30:00.000000Z",
            "ship_by": None,
            "expected_delivery_at": None,
            "confirm_by": None,
            "paused_at": None,
        },
        "created_at": "2026-03-02T09:00:00.000001Z",
        "paid_at": None,
        "shipped_at": None,
        "confirmed_at": None,
        "confirmed_by": None,
        "canceled_at": None,
        "cancel_reason": None,
        "payments": [],
        "shipments": [],
        "refunds": [
            refund
            | {
                "currency": "CNY",
                "reason": "",
                "created_at": None,
                "succeeded_at": None,
                "failure_code": None,
                "risk": "low",
            }
        ],
        "split": [],
        "terms": {
            "commission_minor": 450,
            "tax_minor": 0,
            "parties": [],
            "channel": None,
            "service_fee_minor": 60,
            "service_fee_bps": 60,
            "seller_minor": 9491,
            "commission_returned_bps": 10000,
            "service_fee_returned_bps": 10000,
            "party_returned_bps": 10000,
            "channel_fee_bps": 0,
            "channel_fee_returned_bps": 10000,
            "reserve_bps": 0,
            "reserve_days": 0,
            "guarantee_days": None,
            "explanation": [{"code": "rate", "sentence": "5 % of 90.01."}],
        },
        "metadata": {"cart": "c-17"},
        "loyalty_points": 17,
    }
