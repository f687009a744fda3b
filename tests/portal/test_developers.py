"""Why: whoever can make a key can move money. Keys and secrets are shown once, to owners alone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from merchants.models import ApiKey, Role
from merchants.services.api_keys import find_api_key
from notifications import services as notifications
from notifications.models import Delivery, DeliveryState, WebhookEndpoint
from notifications.services import fan_out
from orders.models import Order
from tests import ground
from tests.factories import PlatformFactory
from tests.world import World

SignIn = Callable[..., Client]
SECRET = re.compile(r"sk_test_\w{8}_[\w-]{43}")


def test_owner_makes_a_key_that_opens_the_api_and_is_shown_once(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform, fresh=True)

    page = client.post("/portal/keys/new", {"name": "Shop server", "scopes": ["orders:read"]})

    secret = SECRET.search(page.content.decode())
    assert secret is not None
    assert "no-store" in page["Cache-Control"]
    assert find_api_key(secret=secret[0], at=world.now).scopes == ["orders:read"]
    assert secret[0] not in client.get("/portal/keys").content.decode()


def test_key_asks_for_the_password_again(world: World, sign_in: SignIn) -> None:
    client = sign_in(platform=world.platform)

    answer = client.post("/portal/keys/new", {"name": "x", "scopes": ["orders:read"]})

    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiKey.objects.filter(platform=world.platform).exists()


@pytest.mark.parametrize("role", [Role.FINANCE, Role.SUPPORT, Role.VIEWER])
def test_only_owners_make_keys_and_webhooks(world: World, sign_in: SignIn, role: str) -> None:
    client = sign_in(platform=world.platform, role=role, fresh=True)

    answers = [
        client.post("/portal/keys/new", {"name": "x", "scopes": ["orders:read"]}),
        client.post("/portal/webhooks/new", {"url": "https://shop.example.com/x"}),
        client.get("/portal/clock"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert not ApiKey.objects.exists()


def test_seller_finds_no_pages_of_developers(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0])

    pages = ["keys", "webhooks", "events", "sellers", "clock"]

    assert {client.get(f"/portal/{page}").status_code for page in pages} == {404}


def test_webhook_is_taken_in_pinged_and_taken_out(world: World, sign_in: SignIn) -> None:
    client = sign_in(platform=world.platform, fresh=True)

    shown = client.post("/portal/webhooks/new", {"url": "https://shop.example.com/hooks"})
    endpoint = WebhookEndpoint.objects.get()
    client.post(f"/portal/webhooks/{endpoint.pk}/ping")
    client.post(f"/portal/webhooks/{endpoint.pk}/switch")

    assert "whsec_" in shown.content.decode()
    endpoint.refresh_from_db()
    assert (endpoint.event_sequence, endpoint.state) == (1, "DISABLED")
    client.post(f"/portal/webhooks/{endpoint.pk}/delete")
    assert "shop.example.com" not in client.get("/portal/webhooks").content.decode()


def test_webhook_of_a_private_address_is_refused_with_a_sentence(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform, fresh=True)

    page = client.post("/portal/webhooks/new", {"url": "https://127.0.0.1/hooks"})

    assert 'role="alert"' in page.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_delivery_is_sent_again_by_its_own_platform_alone(world: World, sign_in: SignIn) -> None:
    endpoint, _secret = notifications.create_endpoint(
        platform=world.platform, url="https://shop.example.com/hooks", at=world.now
    )
    notifications.send_test_ping(endpoint_id=endpoint.pk, at=world.now)
    fan_out.pass_on_due_events(at=world.now + timedelta(days=4000))
    delivery = Delivery.objects.get(recipient=endpoint.pk)
    delivery.state, delivery.sent_at = DeliveryState.SENT, world.now
    delivery.save()
    own, other = sign_in(platform=world.platform), sign_in(platform=PlatformFactory())

    assert other.post(f"/portal/deliveries/{delivery.public_id}/resend").status_code == 404
    assert own.post(f"/portal/deliveries/{delivery.public_id}/resend").status_code == 302
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.PENDING


def test_clock_moves_once_though_it_is_sent_twice(world: World, sign_in: SignIn) -> None:
    ground.paid_order(world)
    client = sign_in(platform=world.platform)
    world.platform.refresh_from_db()
    since = client.get("/portal/clock").context["at"].isoformat()

    pages = [
        client.post("/portal/clock", {"since": since, "days": 4, "hours": 0}).content.decode()
        for _each in range(2)
    ]

    world.platform.refresh_from_db()
    # From what the page had shown: what passed since then is no part of it.
    assert abs(world.platform.clock_offset - timedelta(days=4)) < timedelta(minutes=5)
    assert Order.objects.get().state == "CANCELED"  # it was not shipped in time
    assert "order.canceled" in pages[0]
    assert "order.canceled" not in pages[1]


def test_seller_is_added_and_a_second_one_of_its_reference_refused(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform)
    words = {"reference": "s-77", "name": "Bamboo", "email": "b@example.com", "language": "en"}

    first = client.post("/portal/sellers/new", words)
    second = client.post("/portal/sellers/new", words)

    assert first.status_code == 302
    assert 'role="alert"' in second.content.decode()
    page = client.get(first["Location"]).content.decode()
    assert "Bank account" in page  # what is missing
