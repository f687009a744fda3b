"""The operators' door: it calls services, says who and why, and never shows a secret."""

import re
from dataclasses import asdict
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core import checks
from django.test import Client
from django.urls import reverse

from merchants import selectors, services
from merchants.models import (
    ApiKey,
    BankAccount,
    CommissionPlan,
    CommissionRule,
    Merchant,
    Party,
    Platform,
    Proposal,
    User,
)
from merchants.rules import PartyShare, Tier
from notifications import services as notifications
from notifications.models import (
    Delivery,
    DeliveryAttempt,
    Event,
    WebhookEndpoint,
    WebhookSecret,
)
from payouts.services import bank_accounts
from tests.factories import (
    AT,
    BankAccountFactory,
    CommissionPlanFactory,
    CommissionRuleFactory,
    MerchantFactory,
    PlatformFactory,
    UserFactory,
)
from tests.merchants.people_rows import make_rows_of_people
from tests.signing import sign_in

NUMBER = "6222020012345678901"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> User:
    user = UserFactory(is_staff=True, is_superuser=True)
    sign_in(user, client=client)
    return user


def page(model: str, name: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{name}", args=args)


def post(client: Client, url: str, **fields: Any) -> Any:
    return client.post(url, {"reason": "asked for by phone", **fields})


def test_every_model_can_be_browsed_and_no_secret_is_shown(client: Client, operator: User) -> None:
    account = BankAccountFactory(account_number=NUMBER)
    key, secret = services.create_api_key(platform=account.platform, name="shop", at=AT)
    CommissionRuleFactory(plan=CommissionPlanFactory(platform=account.platform))
    services.create_party(platform=account.platform, reference="carrier", name="Carrier", at=AT)
    Proposal.objects.create(
        platform=account.platform,
        verb="PLAN_RESERVE",
        subject=CommissionPlan.objects.get().pk,
        arguments={"reserve_bps": 1500, "reserve_days": 30},
        reason="why",
        proposed_by=operator,
        proposed_at=AT,
    )
    make_rows_of_people(account.platform, operator)
    event = Event.objects.create(
        type="order.paid",
        platform=account.platform,
        subject_id="ord_1",
        sequence=1,
        created_at=AT,
        next_attempt_at=AT,
    )
    delivery = Delivery.objects.create(
        platform=account.platform,
        event=event,
        channel="email",
        recipient="a@example.com",
        audience="SELLER",
        language="en",
        created_at=AT,
        next_attempt_at=AT,
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, at=AT, duration_ms=7, answer="<script>alert(1)</script>"
    )
    endpoint, signing_secret = notifications.create_endpoint(
        platform=account.platform, url="https://shop.example.com/hooks?key=1", at=AT
    )
    sealed = bytes(endpoint.secrets.get().secret)

    shown = ""
    for label in ("merchants", "notifications"):
        for model in apps.get_app_config(label).get_models():
            if model.__name__.endswith("Audit"):
                continue
            assert admin.site.is_registered(model), model
            name = f"{label}_{model._meta.model_name}"
            shown += client.get(page(name, "changelist")).content.decode()
            row = model._default_manager.order_by("pk").first()
            shown += client.get(page(name, "change", row.pk)).content.decode()

    assert "•••• 8901" in shown
    for hidden in (NUMBER, account.account_number_hash, key.secret_hash, secret.split("_", 3)[3]):
        assert hidden not in shown
    for hidden in (signing_secret[6:], str(sealed), sealed.hex(), "<script>alert(1)"):
        assert hidden not in shown


@pytest.mark.parametrize(
    "model",
    [
        BankAccount,
        ApiKey,
        CommissionPlan,
        CommissionRule,
        Event,
        Delivery,
        DeliveryAttempt,
        WebhookEndpoint,
        WebhookSecret,
    ],
)
def test_rows_can_be_read_only(client: Client, operator: User, model: type) -> None:
    name = f"{model._meta.app_label}_{model._meta.model_name}"  # type: ignore[attr-defined]

    assert client.get(page(name, "add")).status_code == 403
    assert "_save" not in client.get(page(name, "changelist")).content.decode()


def test_key_is_shown_once(client: Client, operator: User) -> None:
    url = page("merchants_apikey", "create")
    fields = {"platform": PlatformFactory().pk, "name": "shop", "scopes": ["orders:read"]}

    answer = post(client, url, **fields)

    secret = re.search(r"sk_test_[\w-]+", answer.content.decode())
    assert secret
    assert "no-store" in answer["Cache-Control"]
    row = services.find_api_key(secret=secret[0], at=AT)
    assert secret[0] not in client.get(page("merchants_apikey", "changelist")).content.decode()
    [audit] = row.audit.all()
    assert audit.pgh_context == {
        "actor": f"operator:{operator.pk}",
        "reason": "asked for by phone",
    }


def test_key_is_revoked_with_a_reason(client: Client, operator: User) -> None:
    key, _ = services.create_api_key(platform=PlatformFactory(), name="shop", at=AT)
    url = page("merchants_apikey", "revoke", key.pk)

    assert client.get(url).status_code == 200
    assert client.post(url, {}).status_code == 200
    key.refresh_from_db()
    assert key.revoked_at is None

    assert post(client, url).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_key_is_rolled_and_its_successor_is_shown_once(client: Client, operator: User) -> None:
    key, _ = services.create_api_key(platform=PlatformFactory(), name="shop", at=AT)
    url = page("merchants_apikey", "roll", key.pk)

    answer = post(client, url, overlap=24)

    secret = re.search(r"sk_test_[\w-]+", answer.content.decode())
    assert secret
    assert secret[0].split("_")[2] != key.public_id
    key.refresh_from_db()
    assert key.expires_at is not None


def test_platform_merchant_account_and_plan_are_added(client: Client, operator: User) -> None:
    post(
        client,
        page("merchants_platform", "create"),
        name="Tea House",
        slug="tea",
        mode="LIVE",
        currency="CNY",
        language="en",
        time_zone="Asia/Shanghai",
        service_fee_bps=60,
    )
    platform = Platform.objects.get()
    assert platform.mode == "LIVE"
    post(
        client,
        page("merchants_merchant", "create"),
        platform=platform.pk,
        reference="s-1",
        name="Garden",
        language="zh-hans",
    )
    post(
        client,
        page("merchants_bankaccount", "create"),
        platform=platform.pk,
        merchant=Merchant.objects.get().pk,
        currency="CNY",
        holder_name="Garden",
        bank_code="102",
        account_number=NUMBER,
    )
    returned = {
        "commission_returned_bps": 9_999,
        "service_fee_returned_bps": 0,
        "party_returned_bps": 10_000,
        "channel_fee_bps": 38,
        "channel_fee_returned_bps": 3_333,
    }
    url = page("merchants_commissionplan", "create")
    post(client, url, platform=platform.pk, name="Plan", **returned)
    plan = CommissionPlan.objects.get()
    assert asdict(plan.refund_policy) == returned
    url = page("merchants_commissionplan", "set_refund_policy", plan.pk)
    assert 'value="9999"' in client.get(url).content.decode()
    post(client, url, **returned | {"service_fee_returned_bps": 1})
    plan.refresh_from_db()
    assert asdict(plan.refund_policy) == returned | {"service_fee_returned_bps": 1}
    reserve = {"reserve_bps": 900, "reserve_days": 31}
    reserve |= {"required_reserve_bps": 800, "required_reserve_days": 30}
    post(client, page("merchants_commissionplan", "set_reserve", plan.pk), **reserve)
    post(client, page("merchants_commissionplan", "set_guarantee", plan.pk), days=7)
    plan.refresh_from_db()
    account = BankAccount.objects.get()
    assert (account.last_four, account.state) == ("8901", "PROPOSED")
    asked = {each.verb: each for each in Proposal.objects.all()}  # another person approves them
    assert asked["PLAN_RESERVE"].arguments == reserve
    assert (asked["BANK_ACCOUNT"].subject, asked["BANK_ACCOUNT"].arguments) == (account.pk, {})
    assert plan.guarantee_days == 7


def test_party_is_given_an_account_and_its_page_shows_it(client: Client, operator: User) -> None:
    platform = PlatformFactory()
    party = services.create_party(platform=platform, reference="carrier", name="Carrier", at=AT)
    url = page("merchants_party", "change", party.pk)
    assert "8901" not in client.get(url).content.decode()

    post(
        client,
        page("merchants_bankaccount", "create"),
        platform=platform.pk,
        party=party.pk,
        currency="CNY",
        holder_name="Carrier",
        bank_code="102",
        account_number=NUMBER,
    )

    account = BankAccount.objects.get()
    assert (account.payee, account.party) == ("PARTY", party)
    assert "8901" not in client.get(url).content.decode()
    bank_accounts.adopt_bank_account(account_id=account.pk, at=AT)
    shown = client.get(url).content.decode()
    assert "Carrier •••• 8901" in shown
    assert page("merchants_bankaccount", "change", account.pk) in shown
    assert f"{page('payouts_payout', 'changelist')}?q={party.pk}" in shown


def test_rule_with_parties_and_tiers_is_added_once(client: Client, operator: User) -> None:
    plan = CommissionPlanFactory()
    post(
        client,
        page("merchants_party", "create"),
        platform=plan.platform.pk,
        reference="c",
        name="C",
    )
    party = Party.objects.get()
    rule = {
        "plan": plan.pk,
        "priority": 0,
        "currency": "CNY",
        "rate_bps": 500,
        "fixed_minor": 0,
        "base": "GOODS",
        "tax_bps": 600,
        "parties": f"{party.pk} 250 7",
        "tiers": "100000 400; 500000 300",
        "effective_from": "2026-11-23T08:00",
    }
    for wrong in ({"parties": f"{party.pk} 2.5 %"}, {"tiers": "5 4 3"}, {"tiers": "5 1; 5 2"}):
        post(client, page("merchants_commissionrule", "create"), **rule | wrong)
        assert not CommissionRule.objects.exists()
    post(client, page("merchants_commissionrule", "create"), **rule)
    refused = post(client, page("merchants_commissionrule", "create"), **rule)

    written = selectors.snapshot(CommissionRule.objects.get())
    assert (written.effective_from, written.tax_bps) == (AT, 600)
    assert written.parties == (PartyShare(party.pk, "C", 250, 7),)
    assert written.tiers == (Tier(100_000, 400), Tier(500_000, 300))
    assert "already decides such lines" in refused.content.decode()


def test_rule_is_ended(client: Client, operator: User) -> None:
    rule = CommissionRuleFactory()

    answer = post(
        client, page("merchants_commissionrule", "end", rule.pk), effective_to="2126-11-23T08:00"
    )

    assert answer.status_code == 302
    rule.refresh_from_db()
    assert rule.effective_to is not None


def test_names_and_deadlines_are_edited_and_fees_are_not(client: Client, operator: User) -> None:
    platform = PlatformFactory(service_fee_bps=60)
    fields = {
        "name": "Tea Palace",
        "name_zh": "茶宫",
        "language": "en",
        "time_zone": "Asia/Shanghai",
        "pay_seconds": 900,
        "ship_seconds": 200_000,
        "ship_reminder_seconds": 1000,
        "confirm_seconds": 1_000_000,
        "confirm_virtual_seconds": 1000,
        "confirm_reminder_seconds": 1000,
        "confirm_extension_seconds": 1000,
        "dispute_window_seconds": 1000,
        "dispute_answer_seconds": 1000,
        "dispute_offer_seconds": 1000,
        "dispute_return_seconds": 1000,
        "dispute_receive_seconds": 1000,
        "dispute_decide_seconds": 4001,
        "service_fee_bps": 9999,
        "slug": "stolen",
    }
    url = page("merchants_platform", "change", platform.pk)

    refused = client.post(url, {**fields, "ship_reminder_seconds": 200_000})
    assert "must lie within the time" in refused.content.decode()
    client.post(url, fields)

    slug = platform.slug
    platform.refresh_from_db()
    assert (platform.name, platform.pay_seconds) == ("Tea Palace", 900)
    assert (platform.service_fee_bps, platform.slug) == (60, slug)
    last = platform.audit.order_by("pgh_id").last()
    assert last.pgh_context["actor"] == f"operator:{operator.pk}"


def test_pages_are_closed_to_staff_without_the_right(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    key, _ = services.create_api_key(platform=PlatformFactory(), name="shop", at=AT)

    for url in (
        page("merchants_apikey", "create"),
        page("merchants_apikey", "revoke", key.pk),
        page("merchants_bankaccount", "create"),
        page("merchants_commissionrule", "create"),
    ):
        assert post(client, url).status_code == 403

    key.refresh_from_db()
    assert key.revoked_at is None


def test_system_checks_ask_nothing_of_a_database_that_may_be_empty(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(0):
        assert checks.run_checks() == []


def test_merchant_choices_are_read_from_the_database_each_time(
    client: Client, operator: User
) -> None:
    url = page("merchants_bankaccount", "create")
    client.get(url)
    late = MerchantFactory(name="Latecomer")

    assert late.name in client.get(url).content.decode()
