"""What API tests share: a client that speaks JSON, a shop that sells tea, a look at the books.

It must never reach around the door for what the door offers.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from api.models import LoggedRequest
from demo import clockwork
from demo.local_sandbox import LocalSandbox
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import Merchant, Platform
from tests.api import described
from tests.world import PAYS, START, add_payee

Answer = HttpResponse


@dataclass
class Door:
    """Sends requests as a machine would. No answer may differ from the API's description."""

    client: Client

    def send(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> Answer:
        """Send JSON, or bytes as they are; header names with underscores."""
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            named["Authorization"] = f"Bearer {key}"
        content_type = named.pop("Content-Type", "application/json")
        answer = self.client.generic(method, path, raw, content_type, headers=named)
        assert described.faults(method, path, answer) == []
        return answer

    def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        return self.client.generic(
            "POST", urlsplit(url).path, body, "application/json", headers=dict(headers)
        ).status_code


@dataclass
class Shop:
    """One platform behind its key."""

    door: Door
    sandbox: LocalSandbox
    time: time_machine.Traveller
    platform: Platform
    key: str = ""
    merchants: list[Merchant] = field(default_factory=list)
    count: int = 0

    def open(self) -> None:
        _row, self.key = merchants.create_api_key(platform=self.platform, name="shop", at=START)
        self.add_merchant()

    def add_merchant(self) -> Merchant:
        merchant = merchants.create_merchant(
            platform=self.platform, reference=f"s{len(self.merchants)}", name="Garden", at=START
        )
        add_payee(self.platform, merchant, PAYS, at=START)
        self.merchants.append(merchant)
        return merchant

    def get(self, path: str, **headers: str) -> Answer:
        return self.door.send("GET", path, key=self.key, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.door.send("POST", path, body, key=self.key, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.door.send("DELETE", path, key=self.key, **headers)

    def add_key(self, **options: Any) -> str:
        """Another key of the platform; what is not said is as for the first one."""
        _row, key = merchants.create_api_key(
            **{"platform": self.platform, "name": "another", "at": START, **options}
        )
        return key

    def order_body(self, **changes: Any) -> dict[str, Any]:
        """The worked example of the design: 10001 fen, goods 9001, shipping 1000."""
        self.count += 1
        body = {
            "reference": f"order-{self.count}",
            "merchant": self.merchants[0].id,
            "currency": "CNY",
            "lines": [
                {"title": "西湖龙井", "amount_minor": 9001, "category": "tea", "quantity": 3}
            ],
            "shipping_minor": 1000,
            "buyer": {"name": "王芳", "email": "buyer@example.com"},
            "metadata": {"cart": "c-17"},
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def create_order(self, **changes: Any) -> dict[str, Any]:
        answer = self.post("/v1/orders", self.order_body(**changes))
        assert answer.status_code == 201, answer.content
        return answer.json()

    def start_payment(self, *orders: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        body = {
            "orders": [order["id"] for order in orders],
            "channel": "sandbox",
            "return_url": "https://shop.example/thanks",
        }
        answer = self.post("/v1/payments", body | changes)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def pay(self, *orders: Mapping[str, Any]) -> dict[str, Any]:
        """The buyer pays, and the channel's notification comes through the door."""
        payment = self.start_payment(*orders)
        self.sandbox.channel.pay(payment["id"])
        self.sandbox.tick()
        return payment

    def paid_order(self) -> dict[str, Any]:
        order = self.create_order()
        self.pay(order)
        return order

    def ship(self, order: Mapping[str, Any]) -> Answer:
        parcel = {"carrier": "SF Express", "tracking_number": "SF1001"}
        return self.post(f"/v1/orders/{order['id']}/ship", parcel)

    def shipped_order(self) -> dict[str, Any]:
        order = self.paid_order()
        assert self.ship(order).status_code == 200
        return order

    def released_order(self) -> dict[str, Any]:
        order = self.shipped_order()
        assert self.confirm(order).status_code == 200
        return order

    def confirm(self, order: Mapping[str, Any], token: Any = None) -> Answer:
        body = {"token": order["buyer_token"] if token is None else token}
        return self.door.send("POST", f"/v1/orders/{order['id']}/confirm", body)

    def status(self, order: Mapping[str, Any]) -> str:
        return self.get(f"/v1/orders/{order['id']}").json()["status"]

    def remit(self) -> None:
        """The channel pays what it collected into the reserve."""
        self.sandbox.channel.remittances.cut(self.sandbox.clock.now.timestamp())
        self.sandbox.tick()

    def settle(self) -> None:
        """Let every sweep and the sandbox work until nothing is due."""
        for _ in range(50):
            if not clockwork.run_sweeps(at=self.sandbox.clock.now) + self.sandbox.tick():
                return
        raise AssertionError("the sweeps do not come to rest")

    def wait(self, **span: float) -> None:
        self.sandbox.clock.move_to(self.sandbox.clock.now + timedelta(**span))
        self.time.move_to(self.sandbox.clock.now)


def all_books() -> tuple[Any, ...]:
    """The trial balance, and how much was ever written: a movement and its reversal would show."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_journalentry),"
            " (SELECT count(*) FROM ledger_posting), (SELECT count(*) FROM notifications_event)"
        )
        return (books.trial_balance(), cursor.fetchone())


def all_rows() -> dict[str, int]:
    """How many rows each table has; an update of what is audited shows as a row of its audit. The
    log of requests, which knows of all of them, is left out."""
    names = set(connection.introspection.table_names()) - {LoggedRequest._meta.db_table}
    counts = (f"SELECT '{name}', count(*) FROM {connection.ops.quote_name(name)}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts))
        return dict(cursor.fetchall())


@contextmanager
def nothing_moves() -> Iterator[None]:
    """Assert that the block wrote no entry, no posting and no event."""
    before = all_books()
    yield
    assert all_books() == before


def problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Assert that the answer is a well-formed problem document, and return it."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    found = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code), found
    assert found["type"].endswith(f"/v1/problems/{code}")
    assert found["title"]
    assert found["detail"]
    assert found["request_id"] == answer.headers["Request-Id"]
    assert set(found) - {"facts"} == {
        "type", "title", "status", "code", "detail", "instance", "request_id", "errors",
    }  # fmt: skip
    return found


def pointers(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in found["errors"]]
