"""Notifications: verified on the raw bytes first, then read as strictly as any answer."""

import json
from datetime import timedelta

import httpx
import pytest

from channels.contract import NotificationForged, NotificationUnreadable, Status, Subject
from sandbox import local, wire


@pytest.fixture
def paid(sandbox, channel, payment, clock, letters):
    """Headers and body of the notification of a paid payment."""
    channel.create_payment(payment)
    http = httpx.Client(transport=sandbox.channel_transport, base_url=local.CHANNEL_URL)
    http.post("/sandbox/pay/pay_1")
    sandbox.tick(clock.now)
    _url, headers, body = letters[-1]
    return headers, body


def signed(body, clock, keys=local.CHANNEL_KEYS):
    return wire.signed_headers(**keys, at=clock.now, body=body)


def test_notification_is_read_when_a_payment_was_paid(channel, paid, clock):
    headers, body = paid

    notification = channel.read_notification(headers=headers, body=body, at=clock.now)

    assert notification.subject is Subject.PAYMENT
    assert notification.event_id.startswith("evt_")
    assert notification.extra == {}
    answer = notification.answer
    assert (answer.status, answer.reference) == (Status.SUCCEEDED, "pay_1")
    assert (answer.amount_minor, answer.currency) == (10001, "CNY")
    assert answer.event_at == clock.now


def test_notification_is_read_with_lower_case_headers_within_five_minutes(channel, paid, clock):
    headers = {name.lower(): value for name, value in paid[0].items()}

    for minutes in (-5, 5):
        at = clock.now + timedelta(minutes=minutes)
        assert channel.read_notification(headers=headers, body=paid[1], at=at).event_id


def test_notification_tells_refund_remittance_and_payout(
    sandbox, channel, rail, refund, payout, paid, clock, letters
):
    http = httpx.Client(transport=sandbox.channel_transport, base_url=local.CHANNEL_URL)
    http.post("/sandbox/remit")
    sandbox.tick(clock.now)
    channel.create_refund(refund)
    rail.send_payout(payout)
    sandbox.tick(clock.now)

    read = [
        (rail if "/rails/" in url else channel).read_notification(
            headers=headers, body=body, at=clock.now
        )
        for url, headers, body in letters
    ]

    told = [(one.subject, one.answer.status, one.answer.amount_minor) for one in read]
    assert told == [
        (Subject.PAYMENT, Status.SUCCEEDED, 10001),
        (Subject.REMITTANCE, Status.SUCCEEDED, 10001),
        (Subject.REFUND, Status.SUCCEEDED, 10001),
        (Subject.PAYOUT, Status.SUCCEEDED, 9007),
    ]
    assert read[1].extra == {"fee_minor": 60}
    assert len({one.event_id for one in read}) == 4


@pytest.mark.parametrize(
    "name", ["X-Sandbox-Key", "X-Sandbox-Timestamp", "X-Sandbox-Nonce", "X-Sandbox-Signature"]
)
@pytest.mark.parametrize("value", [None, "", " ", "0", "ü", "x" * 64, "f" * 64, "1" * 30])
def test_notification_is_forged_when_a_header_is_wrong(channel, paid, clock, name, value):
    headers = {key: found for key, found in paid[0].items() if key != name}
    if value is not None:
        headers[name] = value

    with pytest.raises(NotificationForged):
        channel.read_notification(headers=headers, body=paid[1], at=clock.now)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_notification_is_forged_when_six_minutes_off(channel, paid, clock, minutes):
    at = clock.now + timedelta(minutes=minutes)

    with pytest.raises(NotificationForged):
        channel.read_notification(headers=paid[0], body=paid[1], at=at)


def test_notification_is_forged_when_one_byte_changes(channel, paid, clock):
    headers, body = paid

    for place in range(0, len(body), 7):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(NotificationForged):
            channel.read_notification(headers=headers, body=changed, at=clock.now)
    for changed in (body + b" ", b"\xef\xbb\xbf" + body, body[:-1], b""):
        with pytest.raises(NotificationForged):
            channel.read_notification(headers=headers, body=changed, at=clock.now)


def test_notification_is_forged_when_signed_by_somebody_else(channel, rail, paid, clock):
    headers, body = paid
    bank = signed(body, clock, local.BANK_KEYS)
    mixed = bank | {"X-Sandbox-Key": local.CHANNEL_KEYS["key_id"]}

    for reader, forged in ((rail, headers), (channel, bank), (channel, mixed)):
        with pytest.raises(NotificationForged):
            reader.read_notification(headers=forged, body=body, at=clock.now)


def test_notification_is_forged_when_the_sandbox_signs_wrongly_then_good(
    sandbox, channel, payment, clock, letters
):
    sandbox.channel.faults.add(operation="notify", fault="sign_wrongly")
    channel.create_payment(payment)
    sandbox.channel.pay("pay_1")
    sandbox.tick(clock.now)
    _url, headers, body = letters[-1]

    with pytest.raises(NotificationForged):
        channel.read_notification(headers=headers, body=body, at=clock.now)


def test_notification_is_unreadable_when_signed_yet_torn(sandbox, channel, payment, clock, letters):
    sandbox.channel.faults.add(operation="notify", fault="torn")
    channel.create_payment(payment)
    sandbox.channel.pay("pay_1")
    sandbox.tick(clock.now)
    _url, headers, body = letters[-1]

    with pytest.raises(NotificationUnreadable):
        channel.read_notification(headers=headers, body=body, at=clock.now)


def test_notification_tells_their_amount_when_they_lie(sandbox, channel, payment, clock, letters):
    sandbox.channel.faults.add(operation="notify_payment", fault="wrong_amount")
    channel.create_payment(payment)
    sandbox.channel.pay("pay_1")
    sandbox.tick(clock.now)
    _url, headers, body = letters[-1]

    notification = channel.read_notification(headers=headers, body=body, at=clock.now)

    assert notification.answer.amount_minor == 10002


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "payout"},
        {"subject": "gift"},
        {"subject": None},
        {"subject": ["payment"]},
        {"event_id": ""},
        {"event_id": "x" * 65},
        {"event_id": 7},
        {"reference": None},
        {"reference": "a b"},
        {"reference": ["pay_1"]},
        {"status": "RETURNED"},
        {"status": "UNKNOWN"},
        {"amount_minor": 100.01},
        {"amount_minor": -1},
        {"amount_minor": False},
        {"amount_minor": 10**16},
        {"currency": "yuan"},
        {"event_at": "now"},
        {"message": "x" * 70_000},
        {"subject": "remittance"},
        {"subject": "remittance", "fee_minor": -1},
        {"subject": "remittance", "fee_minor": 10002},
        {"subject": "remittance", "fee_minor": 0.5},
    ],
)
def test_notification_is_unreadable_when_a_field_is_odd(channel, paid, clock, change):
    body = json.dumps(json.loads(paid[1]) | change).encode()

    with pytest.raises(NotificationUnreadable):
        channel.read_notification(headers=signed(body, clock), body=body, at=clock.now)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":1,"a":2}', b"\xff", b"[" * 60_000])
def test_notification_is_unreadable_when_not_one_object(channel, clock, body):
    with pytest.raises(NotificationUnreadable):
        channel.read_notification(headers=signed(body, clock), body=body, at=clock.now)
