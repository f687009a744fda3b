"""A sandbox channel and bank in this process, a clock standing still, a postman who notes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox import local, wire

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def move(self, **span):
        self.now += timedelta(**span)
        return self.now


class Postman:
    """Keeps every delivery; answers with `status`."""

    def __init__(self):
        self.status, self.letters = 200, []

    def __call__(self, url, headers, body):
        self.letters.append((url, dict(headers), body))
        if self.status == 0:
            raise httpx.ConnectError("nobody there")
        return self.status


class Caller:
    """Signs and sends raw requests the way the sandbox documents it."""

    def __init__(self, transport, base_url, keys, clock):
        self.http = httpx.Client(transport=transport, base_url=base_url)
        self.keys, self.clock = keys, clock

    def post(self, path, **fields):
        body = self.http.build_request("POST", path, json=fields).content
        headers = wire.signed_headers(
            **self.keys, at=self.clock(), body=body, method="POST", path=path
        )
        return self.http.post(path, content=body, headers=headers)

    def get(self, path):
        headers = wire.signed_headers(
            **self.keys, at=self.clock(), body=b"", method="GET", path=path
        )
        return self.http.get(path, headers=headers)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def postman():
    return Postman()


@pytest.fixture
def sandbox(tmp_path, clock, postman):
    """Channel fee 60 bps; remittances on command; refunds and payouts decided at the next tick."""
    options = {"fee_bps": 60, "remittance_notify_url": "http://us/v1/inbound/channels/sandbox"}
    return local.LocalSandbox(tmp_path, clock=clock, deliver=postman, channel_options=options)


@pytest.fixture
def channel(sandbox, clock):
    return Caller(sandbox.channel_transport, local.CHANNEL_URL, local.CHANNEL_KEYS, clock)


@pytest.fixture
def bank(sandbox, clock):
    return Caller(sandbox.bank_transport, local.BANK_URL, local.BANK_KEYS, clock)


@pytest.fixture
def payment():
    return {
        "reference": "pay_1",
        "amount_minor": 10001,
        "currency": "CNY",
        "description": "两件 T-shirt",
        "expires_at": "2026-03-02T09:45:00+00:00",
        "notify_url": "http://us/v1/inbound/channels/sandbox",
        "return_url": "https://shop.example/back?order=1",
    }


@pytest.fixture
def payout():
    return {
        "reference": "pyt_1",
        "amount_minor": 9007,
        "currency": "CNY",
        "holder_name": "王小明",
        "bank_code": "ICBK",
        "account_number": "6222020000001111",
        "remark": "settlement",
        "notify_url": "http://us/v1/inbound/rails/sandbox-bank",
    }
