"""The clients of the sandbox against the sandbox itself, in this process."""

from datetime import UTC, datetime, timedelta

import pytest

from channels.contract import PaymentRequest, PayoutRequest, RefundRequest
from channels.providers.sandbox import SandboxChannel, SandboxRail
from sandbox import local

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def letters():
    return []


@pytest.fixture
def sandbox(tmp_path, clock, letters):
    def deliver(url, headers, body):
        letters.append((url, headers, body))
        return 200

    options = {"fee_bps": 60, "remittance_notify_url": "http://us/v1/inbound/channels/sandbox"}
    return local.LocalSandbox(tmp_path, clock=clock, deliver=deliver, channel_options=options)


@pytest.fixture
def make_channel(sandbox, clock):
    def make(**changes):
        options = {"transport": sandbox.channel_transport, "clock": clock} | changes
        return SandboxChannel(
            name="sandbox",
            custodian="sandbox-bank",
            base_url=local.CHANNEL_URL,
            **local.CHANNEL_KEYS | options,
        )

    return make


@pytest.fixture
def make_rail(sandbox, clock):
    def make(**changes):
        options = {"transport": sandbox.bank_transport, "clock": clock} | changes
        return SandboxRail(
            name="sandbox-bank",
            custodian="sandbox-bank",
            base_url=local.BANK_URL,
            remembers_references=True,
            finality_seconds=60,
            **local.BANK_KEYS | options,
        )

    return make


@pytest.fixture
def channel(make_channel):
    return make_channel()


@pytest.fixture
def rail(make_rail):
    return make_rail()


@pytest.fixture
def payment():
    return PaymentRequest(
        reference="pay_1",
        amount_minor=10001,
        currency="CNY",
        description="两件 T-shirt",
        expires_at=START + timedelta(minutes=15),
        notify_url="http://us/v1/inbound/channels/sandbox",
        return_url="https://shop.example/back",
    )


@pytest.fixture
def refund():
    return RefundRequest(
        reference="rfd_1",
        payment_reference="pay_1",
        amount_minor=10001,
        currency="CNY",
        reason="missed the shipping deadline",
        notify_url="http://us/v1/inbound/channels/sandbox",
    )


@pytest.fixture
def payout():
    return PayoutRequest(
        reference="pyt_1",
        amount_minor=9007,
        currency="CNY",
        holder_name="王小明",
        bank_code="ICBK",
        account_number="6222020000001111",
        remark="settlement",
        notify_url="http://us/v1/inbound/rails/sandbox-bank",
    )
