"""Why: a shop that was away for a day must not have lost a sale, nor ship what was refunded."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import time_machine

from examples.shop.store import Store
from holdfast import models
from notifications.models import WebhookEndpoint
from orders.models import Order
from tests.examples.street import Street

# What the shop says where Holdfast, which knows of payouts, says more.
SAID = {"paid_out": "released"}


def order_once_more(street: Street) -> Order:
    with httpx.Client(base_url=street.shop_url, trust_env=False) as browser:
        browser.post("/cart", data={"sku": "teapot"})
        browser.post("/checkout", data={"name": "Alice", "email": "alice@example.com"})
    return Order.objects.latest("id")


def live_on(street: Street, orders: list[Order]) -> None:
    """Four orders without a shop: one is never paid, one refunded, one shipped, one paid out."""
    client = street.client
    for order in orders[1:]:
        payment = client.payments.list(order=order.id).first()
        assert payment is not None
        client.sandbox.pay(payment.id)
    street.settle()
    client.orders.cancel(orders[1].id)
    for order in orders[2:]:
        client.orders.ship(order.id, carrier="SF Express", tracking_number="SF1")
    token = Store(street.book).run("SELECT buyer_token FROM orders WHERE id = ?", orders[3].id)
    client.orders.confirm(orders[3].id, token=token[0]["buyer_token"])
    street.settle()


def sequences(found: list[Any]) -> dict[str, list[int]]:
    by_subject: dict[str, list[int]] = {}
    for event in found:
        by_subject.setdefault(event["subject"], []).append(event["sequence"])
    return {subject: sorted(numbers) for subject, numbers in by_subject.items()}


def test_shop_that_was_away_for_a_day_catches_up_without_a_gap(
    street: Street, tmp_path: Path
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    with contextmanager(street.open_shop)(tmp_path):
        orders = [order_once_more(street) for _ in range(4)]
    live_on(street, orders)
    street.client.sandbox.advance_clock(seconds=86400)
    store = Store(street.book)
    assert store.run("SELECT * FROM events") == []
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1), tick=True):
        street.settle()  # it is tried again and again, and nobody answers
        with contextmanager(street.open_shop)(tmp_path):
            endpoint = WebhookEndpoint.objects.get()
            resent = street.client.webhook_endpoints.resend(endpoint.id, since=began)
            street.settle()

    told = list(street.client.events.list())
    kept = store.run("SELECT * FROM events")
    assert resent.after is None
    assert {event["id"] for event in kept} == {event.id for event in told}
    assert all(numbers == [*range(1, len(numbers) + 1)] for numbers in sequences(kept).values())
    assert {order.id: store.follow(order.id)["state"] for order in orders} == {
        order.id: expected(street.client.orders.retrieve(order.id)) for order in orders
    }
    assert [store.follow(order.id)["state"] for order in orders] == [
        "expired", "refunded", "shipped", "released",
    ]  # fmt: skip


def expected(order: models.Order) -> str:
    return SAID.get(order.status, order.status)
