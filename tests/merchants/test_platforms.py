"""Platforms, sellers and where they are paid: what is refused, and what is kept."""

import re
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from common.errors import DomainError
from common.money import UnknownCurrency
from merchants import selectors, services
from merchants.models import BankAccount, Merchant, Platform
from merchants.services.platforms import DEFAULT_DEADLINES
from tests.factories import AT, BankAccountFactory, MerchantFactory, PlatformFactory

pytestmark = pytest.mark.django_db


def test_platform_starts_with_the_default_deadlines() -> None:
    platform = services.create_platform(name="Tea House", slug="tea", name_zh="茶铺", at=AT)

    platform.refresh_from_db()
    assert re.fullmatch("plt_[0-9a-f]{32}", platform.id)
    assert (platform.pay_seconds, platform.ship_seconds) == (1800, 259_200)
    assert (platform.confirm_seconds, platform.confirm_virtual_seconds) == (864_000, 172_800)
    assert (platform.ship_reminder_seconds, platform.confirm_reminder_seconds) == (86_400, 172_800)
    assert platform.confirm_extension_seconds == 432_000
    assert (platform.dispute_answer_seconds, platform.dispute_decide_seconds) == (
        172_800,
        5_184_000,
    )
    assert (platform.currency, platform.service_fee_bps, platform.created_at) == ("CNY", 0, AT)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "n" * 121}, ["name"]),
        ({"slug": "two words"}, ["slug"]),
        ({"language": "fr"}, ["language"]),
        ({"time_zone": "Mars/Base"}, ["time_zone"]),
        ({"time_zone": "../../etc/passwd"}, ["time_zone"]),
        ({"service_fee_bps": -1}, ["service_fee_bps"]),
        ({"service_fee_bps": 10_001}, []),
        ({"deadlines": replace(DEFAULT_DEADLINES, pay_seconds=0)}, []),
        ({"deadlines": replace(DEFAULT_DEADLINES, ship_reminder_seconds=259_200)}, []),
    ],
)
def test_platform_is_refused_when_it_makes_no_sense(
    changes: dict[str, object], fields: list[str]
) -> None:
    wanted: dict[str, object] = {"name": "Tea House", "slug": "tea", "at": AT} | changes

    with pytest.raises(services.PlatformInvalid) as refusal:
        services.create_platform(**wanted)  # type: ignore[arg-type]

    assert refusal.value.code == "platform_invalid"
    assert refusal.value.sentence
    assert set(fields) <= set(refusal.value.facts["fields"])
    assert not Platform.objects.exists()


def test_platform_is_refused_in_an_unknown_currency() -> None:
    with pytest.raises(UnknownCurrency):
        services.create_platform(name="Tea House", slug="tea", currency="XXY", at=AT)


def test_platform_slug_is_taken_once() -> None:
    services.create_platform(name="Tea House", slug="tea", at=AT)

    with pytest.raises(services.PlatformSlugTaken):
        services.create_platform(name="Other", slug="tea", at=AT)


def test_merchant_reference_is_taken_once_per_platform() -> None:
    platform, other = PlatformFactory(), PlatformFactory()
    services.create_merchant(platform=platform, reference="s-1", name="Garden", at=AT)
    services.create_merchant(platform=other, reference="s-1", name="Garden", at=AT)

    with pytest.raises(services.MerchantReferenceTaken):
        services.create_merchant(platform=platform, reference="s-1", name="Again", at=AT)

    assert Merchant.objects.count() == 2


def test_merchant_is_refused_with_a_bad_address() -> None:
    with pytest.raises(services.MerchantInvalid, match="email"):
        services.create_merchant(
            platform=PlatformFactory(), reference="s-1", name="Garden", email="nobody", at=AT
        )


def test_changing_the_account_keeps_the_old_row() -> None:
    old = BankAccountFactory(account_number="6222020000000001")
    new = BankAccountFactory(merchant=old.merchant, account_number="6222020000000002")

    old.refresh_from_db()
    assert (old.active, new.active) == (False, True)
    assert services.read_account_number(bank_account=old) == "6222020000000001"
    active = selectors.active_bank_account(
        platform_id=old.platform_id, merchant_id=old.merchant_id, currency="CNY"
    )
    assert active == new


def test_accounts_of_other_payees_and_currencies_stay_active() -> None:
    mine = BankAccountFactory()
    dollars = BankAccountFactory(merchant=mine.merchant, currency="USD")
    house = BankAccountFactory(merchant=None, platform=mine.platform)

    assert BankAccount.objects.filter(state="IN_FORCE").count() == 3
    assert dollars.platform == mine.platform
    found = selectors.active_bank_account(
        platform_id=mine.platform_id, merchant_id=None, currency="CNY"
    )
    assert found == house


@pytest.mark.parametrize("number", ["", "12345", "1" * 35, "6222 0200 ABC_", "６２２２０２００"])
def test_account_number_is_refused_when_it_is_none(number: str) -> None:
    with pytest.raises(services.BankAccountInvalid):
        BankAccountFactory(account_number=number)

    assert not BankAccount.objects.exists()


def test_account_is_refused_for_a_seller_of_another_platform() -> None:
    stranger, platform = MerchantFactory(), PlatformFactory()

    with pytest.raises(services.BankAccountInvalid):
        BankAccountFactory(platform=platform, merchant=stranger)

    account = BankAccountFactory()
    account.pk = "bac_copy"
    account.merchant = stranger
    with pytest.raises(IntegrityError, match="bank_account_of_own_merchant"), transaction.atomic():
        account.save(force_insert=True)


def test_database_keeps_one_active_account() -> None:
    old = BankAccountFactory()
    BankAccountFactory(merchant=old.merchant)

    copy = BankAccount.objects.get(state="IN_FORCE")
    copy.pk = f"{old.pk[:-1]}x"
    with pytest.raises(IntegrityError, match="one_per_merchant"), transaction.atomic():
        copy.save(force_insert=True)


@pytest.mark.parametrize("statement", ["UPDATE {} SET holder_name = 'Thief'", "DELETE FROM {}"])
def test_database_keeps_accounts_as_they_were(statement: str) -> None:
    BankAccountFactory()

    with (
        pytest.raises(ProgrammingError, match="Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("merchants_bankaccount"))


def test_audit_rows_say_what_changed_and_cannot_be_changed() -> None:
    platform = PlatformFactory(name="Tea House")
    Platform.objects.filter(pk=platform.pk).update(name="Tea Palace")

    names = platform.audit.order_by("pgh_id").values_list("pgh_label", "name")
    assert list(names) == [("insert", "Tea House"), ("update", "Tea Palace")]
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
        platform.audit.update(name="Nothing")


def test_every_refusal_is_a_domain_error() -> None:
    refusals = [
        value for value in vars(services).values() if isinstance(value, type) and value.__module__
    ]

    codes = [each.code for each in refusals if issubclass(each, DomainError)]
    assert len(codes) == len(set(codes)) > 10
