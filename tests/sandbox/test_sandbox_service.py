"""What both sandbox services share: the gate, the control endpoints, the faults."""

import json
from datetime import timedelta

import httpx
import pytest

from sandbox import local, wire


def test_request_is_refused_when_its_signature_does_not_fit(sandbox, clock, payment):
    http = httpx.Client(transport=sandbox.channel_transport, base_url=local.CHANNEL_URL)
    body = json.dumps(payment).encode()
    keys = local.CHANNEL_KEYS

    def signed(at=clock.now, path="/v1/payments", **changes):
        return wire.signed_headers(**keys | changes, at=at, body=body, method="POST", path=path)

    good = signed()
    wrong = [
        {},
        {name: value for name, value in good.items() if name != "X-Sandbox-Signature"},
        {name: value for name, value in good.items() if name != "X-Sandbox-Nonce"},
        good | {"X-Sandbox-Signature": ""},
        good | {"X-Sandbox-Nonce": "another-nonce"},
        good | {"X-Sandbox-Key": "sandbox-bank-1"},
        signed(secret="other"),
        signed(path="/v1/refunds"),
        signed(at=clock.now + timedelta(minutes=6)),
        signed(at=clock.now - timedelta(minutes=6)),
    ]

    codes = [http.post("/v1/payments", content=body, headers=one).status_code for one in wrong]
    changed = http.post("/v1/payments", content=body + b" ", headers=good)
    accepted = http.post("/v1/payments", content=body, headers=good)
    replayed = http.post("/v1/payments", content=body, headers=good)

    assert codes == [401] * 10
    assert changed.status_code == 401
    assert accepted.status_code == 201
    assert (replayed.status_code, replayed.json()["code"]) == (401, "NONCE_REPLAYED")


def test_service_refuses_to_start_when_the_secret_is_empty(tmp_path, clock, postman):
    with pytest.raises(ValueError, match="needs a key id and a secret"):
        local.LocalSandbox(tmp_path, clock=clock, deliver=postman, channel_options={"secret": "  "})


def test_control_answers_on_loopback_only(sandbox):
    far = httpx.WSGITransport(app=sandbox.channel.app, remote_addr="203.0.113.9")
    http = httpx.Client(transport=far, base_url=local.CHANNEL_URL)
    near = httpx.Client(transport=sandbox.channel_transport, base_url=local.CHANNEL_URL)

    assert http.get("/sandbox/book").status_code == 403
    assert http.post("/sandbox/faults", json={}).status_code == 403
    assert near.get("/sandbox/book", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 403
    assert near.get("/sandbox/book").status_code == 200


def test_faults_are_listed_counted_down_and_cleared(sandbox, channel, payment):
    fault = {"operation": "query_payment", "fault": "error_before", "times": 2}
    channel.post("/v1/payments", **payment)

    added = channel.http.post("/sandbox/faults", json=fault)
    codes = [channel.get("/v1/payments/pay_1").status_code for _ in range(3)]
    left = channel.http.get("/sandbox/faults").json()["faults"]
    channel.http.post("/sandbox/faults", json=fault)
    cleared = channel.http.delete("/sandbox/faults").json()["faults"]
    unknown = channel.http.post("/sandbox/faults", json={"operation": "pay", "fault": "torn"})

    assert added.status_code == 201
    assert codes == [500, 500, 200]
    assert (left, cleared) == ([], [])
    assert (unknown.status_code, unknown.json()["code"]) == (422, "FAULT_UNKNOWN")


def test_fault_is_kept_when_an_unsigned_request_comes(sandbox, channel, payment):
    channel.post("/v1/payments", **payment)
    sandbox.channel.faults.add(operation="query_payment", fault="error_after")

    unsigned = channel.http.get("/v1/payments/pay_1")

    assert unsigned.status_code == 401
    assert channel.get("/v1/payments/pay_1").status_code == 500


def test_body_is_refused_when_too_long(channel, payment):
    answer = channel.post("/v1/payments", **payment | {"description": "x" * 70_000})

    assert answer.status_code == 413
