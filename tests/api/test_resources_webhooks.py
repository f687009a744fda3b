"""Why: a receiver that was down, moved or leaked its secret must be able to catch up and go on, and
must see in the log what we saw.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from notifications import services as notifications
from notifications.models import WebhookEndpoint
from notifications.services import rounds
from notifications.services.endpoints import MOST_ENDPOINTS, MOST_SECRETS
from tests.api.shop import Shop, all_rows, pointers, problem
from tests.notifications.conftest import LOOPBACK
from tests.notifications.receiver import Receiver, open_receiver, says, taken
from tests.world import START

ENDPOINTS = "/v1/webhook-endpoints"
HOOK = "https://shop.example.com/hooks"


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver on this machine; no time passes while it is told."""
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    with mock.patch.object(rounds, "monotonic", return_value=0.0), open_receiver() as opened:
        yield opened


def add_endpoint(shop: Shop, url: str = HOOK, **more: Any) -> dict[str, Any]:
    answer = shop.post(ENDPOINTS, {"url": url, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def deliver(shop: Shop) -> None:
    """Pass on what is due, and send it."""
    for _ in range(10):
        notifications.relay_due_events(at=shop.sandbox.clock.now)
        if not notifications.send_due_webhooks(at=shop.sandbox.clock.now):
            return


def deliveries(shop: Shop, **asked: str) -> list[dict[str, Any]]:
    query = "".join(f"&{name}={value}" for name, value in asked.items())
    return shop.get(f"/v1/deliveries?limit=100{query}").json()["data"]


# Endpoints


def test_endpoint_is_answered_with_its_secret_once(shop: Shop) -> None:
    answer = shop.post(ENDPOINTS, {"url": HOOK, "event_types": ["order.paid", "order.shipped"]})

    found = answer.json()
    secret = found.pop("secret")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{ENDPOINTS}/{found['id']}"
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert found == {
        "id": found["id"],
        "url": HOOK,
        "description": "",
        "event_types": ["order.paid", "order.shipped"],
        "api_version": "2026-11-23",
        "state": "ENABLED",
        "disabled_reason": None,
        "disabled_at": None,
        "failing_since": None,
        "created_at": "2026-03-02T09:00:00.000000Z",
    }
    assert shop.get(answer.headers["Location"]).json() == found
    assert shop.get(ENDPOINTS).json()["data"] == [found]


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"url": "http://shop.example.com/hooks"}, "webhook_url_refused", None),
        ({"url": "https://127.0.0.1/hooks"}, "webhook_url_refused", None),
        ({"url": "https://localhost/hooks"}, "webhook_url_refused", None),
        ({"url": "https://me:pw@shop.example.com/"}, "webhook_url_refused", None),
        ({"url": ""}, "request_invalid", "#/url"),
        ({"url": f"{HOOK}/{'x' * 500}"}, "request_invalid", "#/url"),
        ({}, "request_invalid", "#/url"),
        (
            {"url": HOOK, "event_types": ["order.stolen"]},
            "webhook_endpoint_invalid",
            "#/event_types",
        ),
        ({"url": HOOK, "event_types": "order.paid"}, "request_invalid", "#/event_types"),
        ({"url": HOOK, "description": "x" * 201}, "request_invalid", "#/description"),
        ({"url": HOOK, "api_version": "2026-11-23"}, "request_invalid", "#/api_version"),
    ],
)
def test_endpoint_that_is_none_is_refused(
    shop: Shop, body: dict, code: str, pointer: str | None
) -> None:
    before = all_rows()

    found = problem(shop.post(ENDPOINTS, body), 422, code)

    assert [each for each, _code in pointers(found)] == ([pointer] if pointer else [])
    assert all_rows() == before


def test_endpoint_changes_field_by_field(shop: Shop) -> None:
    made = add_endpoint(shop, event_types=["order.paid"])
    made.pop("secret")
    path = f"{ENDPOINTS}/{made['id']}"

    seen = [
        shop.post(path, change).json()
        for change in ({"description": "new"}, {"url": f"{HOOK}/2"}, {"event_types": []}, {})
    ]

    described = made | {"description": "new"}
    moved = described | {"url": f"{HOOK}/2"}
    opened = moved | {"event_types": []}
    assert seen == [described, moved, opened, opened]
    problem(shop.post(path, {"url": "https://10.0.0.1/"}), 422, "webhook_url_refused")
    assert shop.get(path).json() == opened


def test_endpoint_is_switched_off_and_on(shop: Shop) -> None:
    path = f"{ENDPOINTS}/{add_endpoint(shop)['id']}"

    off = shop.post(path, {"enabled": False}).json()
    problem(shop.post(f"{path}/ping"), 409, "webhook_endpoint_disabled")
    since = {"since": START.isoformat()}
    problem(shop.post(f"{path}/resend", since), 409, "webhook_endpoint_disabled")
    on = shop.post(path, {"enabled": True}).json()

    assert (off["state"], off["disabled_reason"]) == ("DISABLED", "REQUESTED")
    assert off["disabled_at"] == "2026-03-02T09:00:00.000000Z"
    assert (on["state"], on["disabled_reason"], on["disabled_at"]) == ("ENABLED", None, None)
    for value in ("false", 0, None):
        found = problem(shop.post(path, {"enabled": value}), 422, "request_invalid")
        assert [pointer for pointer, _code in pointers(found)] == ["#/enabled"]


def test_platform_has_so_many_endpoints_and_no_more(shop: Shop) -> None:
    made = [add_endpoint(shop) for _ in range(MOST_ENDPOINTS)]

    problem(shop.post(ENDPOINTS, {"url": HOOK}), 409, "webhook_endpoint_limit")

    assert shop.delete(f"{ENDPOINTS}/{made[0]['id']}").status_code == 204
    add_endpoint(shop)


def test_deleted_endpoint_is_gone_and_its_log_stays(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url)
    path = f"{ENDPOINTS}/{made['id']}"
    shop.create_order()
    deliver(shop)

    answer = shop.delete(path)

    assert (answer.status_code, answer.content) == (204, b"")
    assert shop.get(ENDPOINTS).json()["data"] == []
    for again in (
        shop.get(path),
        shop.delete(path),
        shop.post(path, {"enabled": True}),
        shop.post(f"{path}/ping"),
        shop.post(f"{path}/roll-secret"),
        shop.post(f"{path}/resend", {"since": START.isoformat()}),
    ):
        problem(again, 404, "resource_not_found")
    shop.create_order()
    deliver(shop)
    assert len(receiver.received) == len(deliveries(shop, endpoint=made["id"])) == 1


# Secrets


def signs(received: Any, *secrets: str) -> bool:
    """Whether the webhook is signed with these secrets, each in its place."""
    names = ("webhook-id", "webhook-timestamp")
    signed = b".".join([*(received.headers[name].encode() for name in names), received.body])
    expected = [
        hmac.digest(base64.b64decode(each.removeprefix("whsec_")), signed, hashlib.sha256)
        for each in secrets
    ]
    said = received.headers["webhook-signature"].split(" ")
    return said == [f"v1,{base64.b64encode(each).decode()}" for each in expected]


def test_secrets_overlap_while_one_takes_the_others_place(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url)
    path = f"{ENDPOINTS}/{made['id']}"
    shop.post(f"{path}/ping")
    deliver(shop)
    shop.wait(seconds=1)

    answer = shop.post(f"{path}/roll-secret", {"overlap_hours": 1})
    new = answer.json()["secret"]
    for span in (0, 3600):
        shop.wait(seconds=span)
        shop.post(f"{path}/ping")
        deliver(shop)

    assert answer.status_code == 201
    assert answer.json() == {"endpoint": made["id"], "secret": new}
    first, both, last = receiver.received
    assert signs(first, made["secret"])
    assert signs(both, new, made["secret"])
    assert signs(last, new)
    assert new not in shop.get(path).content.decode()


@pytest.mark.parametrize("hours", [-1, 169, 1.5, "1", None])
def test_overlap_is_a_week_at_most(shop: Shop, hours: Any) -> None:
    path = f"{ENDPOINTS}/{add_endpoint(shop)['id']}/roll-secret"

    found = problem(shop.post(path, {"overlap_hours": hours}), 422, "request_invalid")

    assert [pointer for pointer, _code in pointers(found)] == ["#/overlap_hours"]
    assert shop.post(path, {"overlap_hours": 168}).status_code == 201


def test_endpoint_has_so_many_secrets_at_once_and_no_more(shop: Shop) -> None:
    path = f"{ENDPOINTS}/{add_endpoint(shop)['id']}/roll-secret"
    for _ in range(MOST_SECRETS - 1):
        assert shop.post(path).status_code == 201

    problem(shop.post(path), 409, "webhook_secret_limit")

    assert shop.post(path, {"overlap_hours": 0}).status_code == 201


# Being told


def test_webhook_is_the_event_as_it_can_be_read(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url, event_types=["order.paid"])
    order = shop.paid_order()
    deliver(shop)

    (received,) = receiver.received

    (event,) = shop.get(f"/v1/events?subject={order['id']}&type=order.paid").json()["data"]
    told = received.event
    assert told.pop("api_version") == made["api_version"]
    assert told == event == shop.get(f"/v1/events/{event['id']}").json()
    assert received.headers["webhook-id"] == event["id"]
    assert event["data"]["order_reference"] == order["reference"]


def test_events_of_an_order_are_counted_without_a_gap(shop: Shop) -> None:
    order = shop.released_order()

    found = shop.get(f"/v1/events?subject={order['id']}").json()["data"]

    told = sorted((event["sequence"], event["type"]) for event in found)
    assert told == [
        (1, "order.created"),
        (2, "order.paid"),
        (3, "order.shipped"),
        (4, "order.confirmed"),
    ]


def test_ping_goes_to_its_own_endpoint_alone(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url, event_types=["order.paid"])
    add_endpoint(shop, receiver.url)

    answer = shop.post(f"{ENDPOINTS}/{made['id']}/ping")
    deliver(shop)

    event = answer.json()
    assert (answer.status_code, event["type"]) == (201, "webhook_endpoint.ping")
    assert (event["subject"], event["data"]) == (made["id"], {"endpoint": made["id"]})
    assert receiver.ids == [event["id"]]
    assert [row["endpoint"] for row in deliveries(shop, event=event["id"])] == [made["id"]]


def test_delivery_shows_every_attempt(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url, event_types=["order.created"])
    receiver.reply = says(503, b"closed for lunch")
    shop.create_order()
    deliver(shop)
    (waiting,) = deliveries(shop, endpoint=made["id"])
    failing = shop.get(f"{ENDPOINTS}/{made['id']}").json()
    receiver.reply = taken
    shop.wait(seconds=10)
    deliver(shop)

    found = shop.get(f"/v1/deliveries/{waiting['id']}").json()

    log = found.pop("log")
    assert (waiting["state"], waiting["attempts"], waiting["sent_at"]) == ("PENDING", 1, None)
    assert waiting["next_attempt_at"] > waiting["created_at"]
    assert failing["failing_since"] == "2026-03-02T09:00:00.000000Z"
    assert found == waiting | {
        "state": "SENT",
        "attempts": 2,
        "sent_at": found["sent_at"],
        "next_attempt_at": found["next_attempt_at"],
    }
    seen = [(row["number"], row["status_code"], row["error"], row["answer"]) for row in log]
    assert seen == [(1, 503, "STATUS", "closed for lunch"), (2, 200, None, "thank you")]
    assert shop.get(f"{ENDPOINTS}/{made['id']}").json()["failing_since"] is None


def test_delivery_is_sent_again(shop: Shop, receiver: Receiver) -> None:
    add_endpoint(shop, receiver.url, event_types=["order.created"])
    shop.create_order()
    deliver(shop)
    (sent,) = deliveries(shop, state="SENT")

    again = shop.post(f"/v1/deliveries/{sent['id']}/resend").json()
    deliver(shop)

    assert (again["id"], again["state"], again["sent_at"]) == (sent["id"], "PENDING", None)
    assert receiver.ids == [sent["event"], sent["event"]]
    log = shop.get(f"/v1/deliveries/{sent['id']}").json()["log"]
    assert [row["number"] for row in log] == [1, 2]


def test_delivery_to_a_disabled_endpoint_is_not_sent_again(shop: Shop, receiver: Receiver) -> None:
    made = add_endpoint(shop, receiver.url)
    shop.create_order()
    deliver(shop)
    (sent,) = deliveries(shop)
    shop.post(f"{ENDPOINTS}/{made['id']}", {"enabled": False})

    answer = shop.post(f"/v1/deliveries/{sent['id']}/resend")

    problem(answer, 409, "webhook_endpoint_disabled")
    assert deliveries(shop) == [sent]


def test_receiver_catches_up_since_an_instant(shop: Shop, receiver: Receiver) -> None:
    early = shop.create_order()
    shop.wait(hours=1)
    order = shop.create_order()
    shop.pay(order)
    deliver(shop)
    types = ["order.created", "order.paid"]
    made = add_endpoint(shop, receiver.url, event_types=types)
    path = f"{ENDPOINTS}/{made['id']}/resend"

    answer = shop.post(path, {"since": "2026-03-02T18:00:00+08:00"})
    deliver(shop)

    assert answer.json() == {"deliveries": 2, "after": None}
    assert receiver.sequences == [(order["id"], 1), (order["id"], 2)]
    assert shop.post(path, {"since": "2026-03-02T10:00:01Z"}).json()["deliveries"] == 0
    assert shop.post(path, {"since": START.isoformat()}).json()["deliveries"] == 3
    deliver(shop)
    assert (early["id"], 1) in receiver.sequences
    (paid,) = shop.get(f"/v1/events?subject={order['id']}&type=order.created").json()["data"]
    after = shop.post(path, {"since": START.isoformat(), "after": paid["id"]})
    assert after.json()["deliveries"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/since"),
        ({"since": "yesterday"}, "#/since"),
        ({"since": "2026-03-02T09:00:00"}, "#/since"),
        ({"since": None}, "#/since"),
        ({"since": "2026-03-02T09:00:00Z", "after": 17}, "#/after"),
    ],
)
def test_instant_to_catch_up_from_is_one_or_refused(shop: Shop, body: dict, pointer: str) -> None:
    path = f"{ENDPOINTS}/{add_endpoint(shop)['id']}/resend"

    found = problem(shop.post(path, body), 422, "request_invalid")

    assert [each for each, _code in pointers(found)] == [pointer]


def test_event_to_go_on_after_is_one_of_ours_or_refused(shop: Shop) -> None:
    path = f"{ENDPOINTS}/{add_endpoint(shop)['id']}/resend"

    answer = shop.post(path, {"since": START.isoformat(), "after": "evt_0"})

    found = problem(answer, 404, "resource_not_found")
    assert pointers(found) == [("#/after", "resource_not_found")]
    assert WebhookEndpoint.objects.count() == 1
