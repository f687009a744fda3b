"""Why: a platform's first hour: a key, an order made with it, a webhook that has arrived, and the
request in the log."""

import ipaddress
from typing import Any

import httpx
from django.utils import timezone

from notifications import services as notifications
from orders.models import Order
from tests.admin.conftest import market
from tests.browser.visitors import Come, browser, come, member
from tests.examples.window import needs_browser
from tests.notifications.receiver import open_receiver
from tests.stage import transactional_db
from tests.world import World

__all__ = ["browser", "come", "market", "transactional_db"]

pytestmark = needs_browser


def order_by_api(base_url: str, key: str, **said: Any) -> httpx.Response:
    """What a shop's server sends."""
    order = {
        "reference": "first-order",
        "currency": "CNY",
        "lines": [{"title": "Tea", "amount_minor": 10001}],
        **said,
    }
    with httpx.Client(base_url=base_url, trust_env=False) as shop:
        return shop.post(
            "/v1/orders",
            json=order,
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "first-order"},
        )


def test_platform_makes_a_key_orders_with_it_and_sees_its_webhook_arrive(
    market: World, live_server: Any, settings: Any, come: Come
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ipaddress.ip_network("127.0.0.0/8"),)
    shop = come(member("shop", platform=market.platform))

    with open_receiver() as server:
        shop.go(f"{live_server.url}/portal/webhooks/new")
        shop.enter("url", server.url)
        shop.click("Add the webhook")
        shop.click("I have it")
        shop.go(f"{live_server.url}/portal/keys/new")
        shop.enter("name", "Shop server")
        shop.click("Make the key")
        key = shop.read("main p.select-all")
        shop.click("I have it")
        keys = shop.read()
        answer = order_by_api(live_server.url, key, merchant=market.merchants[0].pk)
        notifications.relay_due_events(at=timezone.now())
        notifications.send_due_webhooks(at=timezone.now())
        shop.go(f"{live_server.url}/portal/webhooks")
        log = shop.read("main table tbody")
        shop.click("order.created")
        delivery = shop.read()
        shop.go(f"{live_server.url}/portal/requests?idempotency_key=first-order")
        requests = shop.read("main table tbody")

    assert answer.status_code == 201, answer.text
    order = Order.objects.get(reference="first-order")
    assert (order.platform, order.amount_minor) == (market.platform, 10001)
    assert "Shop server" in keys
    assert key not in keys
    assert key.startswith("sk_test_")
    [told] = server.received
    assert told.event["type"] == "order.created"
    assert told.event["subject"] == order.pk
    assert log.startswith(f"order.created {order.pk} Sent 1 ")
    assert "HTTP 200" in delivery
    assert "thank you" in delivery
    assert requests.startswith("POST /v1/orders 201 Shop server ")
    assert shop.complaints == []
