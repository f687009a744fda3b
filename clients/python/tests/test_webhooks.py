"""Why: whoever can forge a webhook can have goods shipped that nobody has paid for."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks

from holdfast import webhooks

SECRET = "whsec_" + base64.b64encode(b"first-secret-of-the-tests-000001").decode()
OTHER = "whsec_" + base64.b64encode(b"other-secret-of-the-tests-000002").decode()
NOW = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
EVENT = {
    "id": "evt_1",
    "type": "order.paid",
    "created_at": "2026-11-23T07:59:59.000001Z",
    "subject": "ord_1",
    "sequence": 2,
    "data": {"order": "ord_1", "amount_minor": 10001, "item_titles": ["西湖龙井"]},
    "api_version": "2026-11-23",
}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


def signed(body: bytes = BODY, secrets: Any = SECRET, at: datetime = NOW) -> dict[str, str]:
    return webhooks.sign(event_id="evt_1", body=body, secrets=secrets, at=at)


def test_event_is_returned_when_the_signature_is_right() -> None:
    event = webhooks.verify(BODY, signed(), SECRET, at=NOW)

    assert (event.id, event.type, event.subject, event.sequence) == (
        "evt_1", "order.paid", "ord_1", 2,
    )  # fmt: skip
    assert event.created_at == datetime(2026, 11, 23, 7, 59, 59, 1, tzinfo=UTC)
    assert event.data["item_titles"] == ["西湖龙井"]


def test_what_the_reference_library_signs_is_accepted() -> None:
    now = datetime.now(UTC)
    witness = standardwebhooks.Webhook(SECRET)
    headers = {
        "Webhook-Id": "evt_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": witness.sign("evt_1", now, BODY.decode()),
    }

    assert webhooks.verify(BODY, headers, SECRET).id == "evt_1"


def test_reference_library_accepts_what_is_signed_here() -> None:
    headers = signed(at=datetime.now(UTC))

    assert standardwebhooks.Webhook(SECRET).verify(BODY.decode(), headers) == EVENT


def test_names_of_headers_are_taken_in_any_case() -> None:
    headers = {name.upper(): value for name, value in signed().items()}

    assert webhooks.verify(BODY, headers, SECRET, at=NOW).id == "evt_1"


@pytest.mark.parametrize(
    "secrets", [[OTHER, SECRET], (SECRET, OTHER), [SECRET.removeprefix("whsec_")]]
)
def test_one_secret_of_several_is_enough(secrets: Any) -> None:
    assert webhooks.verify(BODY, signed(), secrets, at=NOW).id == "evt_1"


def test_one_signature_of_several_is_enough() -> None:
    headers = signed(secrets=[OTHER, SECRET])
    headers["webhook-signature"] = f"v2,AAAA v1a,{'A' * 86} {headers['webhook-signature']}"

    assert webhooks.verify(BODY, headers, SECRET, at=NOW).id == "evt_1"


@pytest.mark.parametrize("name", webhooks.HEADERS)
@pytest.mark.parametrize("value", [None, ""])
def test_unsigned_is_refused(name: str, value: str | None) -> None:
    headers = signed()
    headers.pop(name)
    if value is not None:
        headers[name] = value

    with pytest.raises(webhooks.SignatureMissing, match=name):
        webhooks.verify(BODY, headers, SECRET, at=NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "v1,",
        "v1",
        "v1,not base64",
        "v1,äöü",
        "v2," + "A" * 44,
        "v1," + "A" * 43 + "=",
        "," * 1000,
        " ",
    ],
)
def test_signature_that_is_none_is_refused(signature: str) -> None:
    headers = signed() | {"webhook-signature": signature}

    with pytest.raises((webhooks.SignatureWrong, webhooks.SignatureMissing)):
        webhooks.verify(BODY, headers, SECRET, at=NOW)


def test_signature_of_a_stranger_is_refused() -> None:
    with pytest.raises(webhooks.SignatureWrong):
        webhooks.verify(BODY, signed(secrets=OTHER), SECRET, at=NOW)


@pytest.mark.parametrize(
    "body",
    [BODY + b" ", BODY.replace(b"10001", b"10002"), b"", json.dumps(EVENT).encode()],
)
def test_body_changed_by_a_byte_or_encoded_anew_is_refused(body: bytes) -> None:
    with pytest.raises(webhooks.SignatureWrong):
        webhooks.verify(body, signed(), SECRET, at=NOW)


def test_signature_covers_the_id_and_the_time() -> None:
    for changed in (
        {"webhook-id": "evt_2"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
    ):
        with pytest.raises(webhooks.SignatureWrong):
            webhooks.verify(BODY, signed() | changed, SECRET, at=NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_time_within_the_tolerance_is_accepted(seconds: int) -> None:
    headers = signed(at=NOW + timedelta(seconds=seconds))

    assert webhooks.verify(BODY, headers, SECRET, at=NOW).id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301, -30 * 86400])
def test_time_outside_the_tolerance_is_refused(seconds: int) -> None:
    headers = signed(at=NOW + timedelta(seconds=seconds))

    with pytest.raises(webhooks.TimestampRefused, match=f"{abs(seconds)} seconds"):
        webhooks.verify(BODY, headers, SECRET, at=NOW)


def test_tolerance_is_the_callers() -> None:
    headers = signed(at=NOW - timedelta(seconds=20))

    with pytest.raises(webhooks.TimestampRefused):
        webhooks.verify(BODY, headers, SECRET, timedelta(seconds=10), at=NOW)


@pytest.mark.parametrize("second", ["now", "-1", "1.5", "1e9", "٣", "9" * 5000, "1_000"])
def test_time_that_is_none_is_refused(second: str) -> None:
    with pytest.raises(webhooks.TimestampRefused):
        webhooks.verify(BODY, signed() | {"webhook-timestamp": second}, SECRET, at=NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"id": "evt_1"}'])
def test_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(webhooks.BodyUnreadable):
        webhooks.verify(body, signed(body), SECRET, at=NOW)
    webhooks.check_signature(body, signed(body), SECRET, at=NOW)


def test_event_of_tomorrow_is_read() -> None:
    body = json.dumps(EVENT | {"type": "order.disputed", "mood": "bad"}).encode()

    event = webhooks.verify(body, signed(body), SECRET, at=NOW)

    assert (event.type, event.raw["mood"]) == ("order.disputed", "bad")


@pytest.mark.parametrize("secrets", [[], (), "", ["whsec_"], "whsec_!", [SECRET, ""]])
def test_nothing_is_accepted_without_a_secret(secrets: Any) -> None:
    with pytest.raises(ValueError, match="secret"):
        webhooks.verify(BODY, signed(), secrets, at=NOW)


def test_body_that_was_parsed_before_is_refused() -> None:
    with pytest.raises(TypeError, match="raw body"):
        webhooks.verify(BODY.decode(), signed(), SECRET, at=NOW)  # type: ignore[arg-type]
