"""Why: a notification moves money. A forged one must move nothing, a good one acts exactly once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured

from api import inbound
from channels.models import InboundNotification, InboxState
from sandbox.wire import signed_headers
from tests.api.shop import Answer, Shop, nothing_moves, problem

CHANNEL = "/v1/inbound/channels/sandbox"
BANK = "/v1/inbound/rails/sandbox-bank"


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def message(payment: dict, **changes: Any) -> dict[str, Any]:
    """What the sandbox channel says when a buyer has paid."""
    return {
        "event_id": "evt_1",
        "subject": "payment",
        "reference": payment["id"],
        "provider_reference": "SBP1",
        "status": "SUCCEEDED",
        "amount_minor": payment["amount_minor"],
        "currency": "CNY",
        "event_at": "2026-03-02T09:00:00+00:00",
    } | changes


def tell(
    shop: Shop,
    body: dict[str, Any] | bytes,
    path: str = CHANNEL,
    *,
    secret: str | None = None,
    age: timedelta = timedelta(0),
    **headers: str,
) -> Answer:
    """Sign like the sandbox and send; `headers` replace the signed ones."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    keys = configured.RAILS["sandbox-bank"] if path == BANK else configured.CHANNELS["sandbox"]
    signed = signed_headers(
        key_id=keys["key_id"],
        secret=keys["secret"] if secret is None else secret,
        at=shop.sandbox.clock.now - age,
        body=raw,
    )
    return shop.door.send("POST", path, raw, **signed | headers)


def states() -> list[str]:
    return list(InboundNotification.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def payment(shop: Shop) -> dict[str, Any]:
    return shop.start_payment(shop.create_order())


def test_a_good_notification_is_kept_and_acted_on_at_once(shop: Shop, payment: dict) -> None:
    answer = tell(shop, message(payment), Accept="text/plain")

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert states() == [InboxState.APPLIED]
    assert shop.get(f"/v1/payments/{payment['id']}").json()["state"] == "SUCCEEDED"


def test_the_same_notification_again_is_answered_the_same(shop: Shop, payment: dict) -> None:
    tell(shop, message(payment))

    with nothing_moves():
        answer = tell(shop, message(payment))

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert states() == [InboxState.APPLIED]


def test_the_same_fact_under_a_new_id_moves_nothing(shop: Shop, payment: dict) -> None:
    tell(shop, message(payment))

    with nothing_moves():
        assert tell(shop, message(payment, event_id="evt_2")).status_code == 200

    assert states() == [InboxState.APPLIED, InboxState.APPLIED]


def test_an_old_notification_after_the_refund_moves_nothing(shop: Shop, payment: dict) -> None:
    tell(shop, message(payment))
    shop.post(f"/v1/orders/{payment['orders'][0]['order']}/cancel")

    with nothing_moves():
        assert tell(shop, message(payment, event_id="evt_2")).status_code == 200


@pytest.mark.parametrize(
    ("secret", "headers"),
    [
        ("wrong" * 8, {}),
        ("", {}),
        (None, {"X-Sandbox-Signature": ""}),
        (None, {"X-Sandbox-Signature": "0" * 64}),
        (None, {"X-Sandbox-Signature": "é" * 64}),
        (None, {"X-Sandbox-Key": "sandbox-channel-2"}),
        (None, {"X-Sandbox-Nonce": "another-nonce"}),
        (None, {"X-Sandbox-Timestamp": "99999999999"}),
        (None, {"X-Sandbox-Timestamp": "-1"}),
    ],
    ids=range(9),
)
def test_a_forged_notification_is_refused(
    shop: Shop, payment: dict, secret: str | None, headers: dict[str, str]
) -> None:
    with nothing_moves():
        answer = tell(shop, message(payment), secret=secret, **headers)
        problem(answer, 401, "notification_signature_invalid")

    assert answer.headers["WWW-Authenticate"] == 'Signature realm="holdfast"'
    assert states() == []


def test_an_unsigned_notification_is_refused(shop: Shop, payment: dict) -> None:
    with nothing_moves():
        answer = shop.door.send("POST", CHANNEL, message(payment))
        problem(answer, 401, "notification_signature_invalid")

    assert states() == []


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_replayed_notification_is_refused_after_five_minutes(
    shop: Shop, payment: dict, age: timedelta
) -> None:
    with nothing_moves():
        answer = tell(shop, message(payment), age=age)
        problem(answer, 401, "notification_signature_invalid")


def test_a_notification_of_one_source_is_refused_at_another(shop: Shop, payment: dict) -> None:
    raw = json.dumps(message(payment)).encode()
    keys = configured.CHANNELS["sandbox"]
    signed = signed_headers(
        key_id=keys["key_id"], secret=keys["secret"], at=shop.sandbox.clock.now, body=raw
    )

    with nothing_moves():
        answer = shop.door.send("POST", BANK, raw, **signed)
        problem(answer, 401, "notification_signature_invalid")


def test_a_body_changed_by_one_byte_is_refused(shop: Shop, payment: dict) -> None:
    raw = json.dumps(message(payment)).encode()
    keys = configured.CHANNELS["sandbox"]
    signed = signed_headers(
        key_id=keys["key_id"], secret=keys["secret"], at=shop.sandbox.clock.now, body=raw
    )

    for changed in (raw + b" ", b"\xef\xbb\xbf" + raw, raw.replace(b'": "', b'":"', 1), raw[:-1]):
        with nothing_moves():
            answer = shop.door.send("POST", CHANNEL, changed, **signed)
            problem(answer, 401, "notification_signature_invalid")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 10001.0},
        {"amount_minor": -10001},
        {"amount_minor": "10001"},
        {"status": "PAID"},
        {"subject": "payout"},
        {"event_id": ""},
        {"reference": "x" * 65},
        {"event_at": "yesterday"},
    ],
    ids=range(8),
)
def test_a_signed_message_out_of_shape_is_refused(shop: Shop, payment: dict, changes: dict) -> None:
    with nothing_moves():
        problem(tell(shop, message(payment, **changes)), 422, "notification_unreadable")

    assert states() == []


@pytest.mark.parametrize(
    "changes", [{"amount_minor": 10000}, {"amount_minor": 10002}, {"currency": "USD"}]
)
def test_a_wrong_amount_or_currency_is_kept_for_a_person(
    shop: Shop, payment: dict, changes: dict
) -> None:
    with nothing_moves():
        assert tell(shop, message(payment, **changes)).status_code == 200

    assert states() == [InboxState.FLAGGED]
    assert "capture_mismatch" in InboundNotification.objects.get().note
    assert shop.get(f"/v1/payments/{payment['id']}").json()["state"] == "PENDING"


def test_a_message_about_nothing_we_know_waits(shop: Shop, payment: dict) -> None:
    with nothing_moves():
        assert tell(shop, message(payment, reference="pay_unknown")).status_code == 200

    assert states() == [InboxState.ORPHAN]


def test_a_failure_to_act_does_not_change_the_answer(
    shop: Shop, payment: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken, nothing_moves():
        broken.setattr(inbound, "_act", lambda *_args, **_named: 1 / 0)
        assert tell(shop, message(payment)).status_code == 200

    assert states() == [InboxState.RECEIVED]
    inbound.apply_due_notifications(at=shop.sandbox.clock.now)
    assert states() == [InboxState.APPLIED]
    assert shop.get(f"/v1/payments/{payment['id']}").json()["state"] == "SUCCEEDED"


def test_the_bank_speaks_at_its_own_door(shop: Shop) -> None:
    body = message({"id": "po_unknown", "amount_minor": 1}, subject="payout")

    assert tell(shop, body, BANK).status_code == 200

    assert states() == [InboxState.ORPHAN]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/inbound/channels/unionpay",
        "/v1/inbound/channels/sandbox-bank",
        "/v1/inbound/rails/sandbox",
    ],
)
def test_an_unknown_source_does_not_exist(shop: Shop, payment: dict, path: str) -> None:
    with nothing_moves():
        problem(tell(shop, message(payment), path), 404, "source_not_found")


def test_a_source_without_its_secret_does_not_exist(
    shop: Shop, payment: dict, settings: Any
) -> None:
    keys = settings.CHANNELS["sandbox"]
    settings.CHANNELS = {"sandbox": keys | {"secret": ""}}

    with nothing_moves():
        problem(tell(shop, message(payment), secret=""), 404, "source_not_found")
        answer = tell(shop, message(payment), secret=keys["secret"])
        problem(answer, 404, "source_not_found")

    assert states() == []


def test_a_body_over_the_limit_is_refused_before_it_is_read(shop: Shop, payment: dict) -> None:
    large = json.dumps(message(payment, padding="x" * 65_000)).encode().ljust(64 * 1024 + 1)

    with nothing_moves():
        problem(tell(shop, large), 413, "body_too_large")

    assert states() == []


def test_a_body_at_the_limit_is_read(shop: Shop, payment: dict) -> None:
    large = json.dumps(message(payment)).encode().ljust(64 * 1024)

    assert tell(shop, large).status_code == 200
