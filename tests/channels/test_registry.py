"""The registry: a channel without its secret or address is off, with the reason; never unsigned."""

import httpx
import pytest

from channels import registry
from channels.contract import Status
from sandbox import local

CHANNEL = {
    "provider": "sandbox",
    "base_url": local.CHANNEL_URL,
    **local.CHANNEL_KEYS,
    "custodian": "sandbox-bank",
}
RAIL = {
    "provider": "sandbox",
    "base_url": local.BANK_URL,
    **local.BANK_KEYS,
    "custodian": "sandbox-bank",
    "remembers_references": False,
    "finality_seconds": 60,
}


@pytest.fixture
def configured(settings):
    settings.CHANNELS = {"sandbox": dict(CHANNEL)}
    settings.RAILS = {"sandbox-bank": dict(RAIL)}
    return settings


def test_clients_are_built_once_from_the_settings(configured):
    channel, rail = registry.get_channel("sandbox"), registry.get_rail("sandbox-bank")

    assert (channel.name, channel.custodian) == ("sandbox", "sandbox-bank")
    assert (rail.name, rail.custodian) == ("sandbox-bank", "sandbox-bank")
    assert (rail.remembers_references, rail.finality_seconds) == (False, 60)
    assert registry.get_channel("sandbox") is channel


def test_client_is_built_again_when_its_settings_change(configured):
    before = registry.get_channel("sandbox")

    configured.CHANNELS["sandbox"]["secret"] = "rotated"

    assert registry.get_channel("sandbox") is not before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secret": ""}, "its setting secret is missing"),
        ({"secret": "  "}, "its setting secret is missing"),
        ({"secret": None}, "its setting secret is missing"),
        ({"key_id": ""}, "its setting key_id is missing"),
        ({"base_url": ""}, "its setting base_url is missing"),
        ({"base_url": "ftp://x"}, "its base_url is not an http or https address"),
        ({"base_url": "http://[x"}, "its base_url is not an http or https address"),
        ({"custodian": None}, "its setting custodian is missing"),
        ({"provider": "gold"}, "there is no provider 'gold'"),
        ({"sekret": "x"}, "its provider knows no setting sekret"),
    ],
)
def test_channel_is_disabled_with_the_reason(configured, change, reason):
    configured.CHANNELS["sandbox"] |= change

    with pytest.raises(registry.ChannelDisabled) as refused:
        registry.get_channel("sandbox")

    assert refused.value.sentence == f"sandbox is disabled: {reason}."
    assert (refused.value.code, refused.value.status) == ("channel_disabled", 422)
    (listing,) = registry.list_channels()
    assert (listing.enabled, listing.reason) == (False, reason)


def test_rail_is_disabled_when_the_secret_is_missing(configured):
    del configured.RAILS["sandbox-bank"]["secret"]

    with pytest.raises(registry.ChannelDisabled, match="setting secret is missing"):
        registry.get_rail("sandbox-bank")


def test_unknown_names_are_disabled(configured):
    for get in (registry.get_channel, registry.get_rail):
        with pytest.raises(registry.ChannelDisabled, match="it is not configured"):
            get("nowhere")


def test_made_up_money_serves_test_platforms_and_real_money_live_ones(configured, monkeypatch):
    checks = [(registry.check_channel, "sandbox"), (registry.check_rail, "sandbox-bank")]

    for check, name in checks:
        check(name, live=False)
        with pytest.raises(registry.ChannelDisabled, match="in test mode only"):
            check(name, live=True)
        with pytest.raises(registry.ChannelDisabled, match="it is not configured"):
            check("nowhere", live=False)
    monkeypatch.setattr(registry, "TEST_PROVIDERS", frozenset())
    for check, name in checks:
        check(name, live=True)
        with pytest.raises(registry.ChannelDisabled, match="with real money only"):
            check(name, live=False)


def test_listing_names_all(configured):
    configured.CHANNELS["another"] = CHANNEL | {"secret": ""}

    listed = [(one.name, one.provider, one.enabled) for one in registry.list_channels()]

    assert listed == [("another", "sandbox", False), ("sandbox", "sandbox", True)]
    assert registry.list_rails() == [
        registry.Listing("sandbox-bank", "sandbox", "sandbox-bank", True, "")
    ]


def test_transport_is_used_for_the_block_only(configured, sandbox, clock, payment, payout):
    before = registry.get_channel("sandbox")
    sandbox.bank.deposit(reference="SBM1", amount_minor=9007, currency="CNY")

    with (
        registry.use_transport("sandbox", sandbox.channel_transport, clock=clock),
        registry.use_transport("sandbox-bank", sandbox.bank_transport, clock=clock),
    ):
        created = registry.get_channel("sandbox").create_payment(payment)
        sent = registry.get_rail("sandbox-bank").send_payout(payout)
        inner = registry.get_channel("sandbox")
        broken = httpx.MockTransport(lambda _request: httpx.Response(500))
        with registry.use_transport("sandbox", broken):
            unknown = registry.get_channel("sandbox").query_payment(reference="pay_1")
        assert registry.get_channel("sandbox").query_payment(reference="pay_1").status == "PENDING"

    assert (created.status, sent.status, unknown.status) == (
        Status.PENDING,
        Status.PENDING,
        Status.UNKNOWN,
    )
    assert registry.get_channel("sandbox") is not inner
    assert type(registry.get_channel("sandbox")) is type(before)
