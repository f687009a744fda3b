"""How far a seller has come, changing what is known of it, and the lists of people and plans."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from merchants import selectors, services
from merchants.models import Language, Merchant
from tests.factories import (
    AT,
    BankAccountFactory,
    CommissionPlanFactory,
    CommissionRuleFactory,
    MerchantFactory,
    PlatformFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("facts", "account", "status", "missing"),
    [
        ({}, "CNY", "ready", ()),
        ({}, None, "pending", ("bank_account",)),
        ({}, "USD", "pending", ("bank_account",)),
        ({"email": ""}, "CNY", "pending", ("email",)),
        ({"email": ""}, None, "pending", ("email", "bank_account")),
        ({"active": False}, "CNY", "suspended", ("active",)),
        ({"active": False}, None, "suspended", ("active", "bank_account")),
    ],
)
def test_onboarding_says_what_is_missing(
    facts: dict[str, Any], account: str | None, status: str, missing: tuple[str, ...]
) -> None:
    merchant = MerchantFactory(**facts)
    if account:
        BankAccountFactory(merchant=merchant, currency=account)

    found = selectors.onboarding_of(merchant)

    assert (found.status, found.missing) == (status, missing)


def test_onboarding_looks_at_the_active_account_of_the_seller_itself() -> None:
    merchant, other = MerchantFactory.create_batch(2, platform=PlatformFactory())
    old = BankAccountFactory(merchant=merchant)
    type(old).objects.filter(pk=old.pk).update(state="REPLACED")
    BankAccountFactory(merchant=None, platform=merchant.platform)
    BankAccountFactory(merchant=other)

    found = selectors.onboarding_of_all([merchant, other])

    assert {merchant_id: each.status for merchant_id, each in found.items()} == {
        merchant.id: "pending",
        other.id: "ready",
    }


def test_seller_is_changed_where_something_is_given() -> None:
    merchant = MerchantFactory(name="Garden", email="a@example.com")

    services.update_merchant(merchant=merchant, name="Palace", language=Language.CHINESE)

    merchant.refresh_from_db()
    assert (merchant.name, merchant.email, merchant.language) == (
        "Palace",
        "a@example.com",
        "zh-hans",
    )
    names = merchant.audit.order_by("pgh_id").values_list("pgh_label", "name")
    assert list(names) == [("insert", "Garden"), ("update", "Palace")]


def test_seller_is_not_written_when_nothing_changes() -> None:
    merchant = MerchantFactory(name="Garden")

    services.update_merchant(merchant=merchant, name="Garden", active=True)

    assert merchant.audit.count() == 1


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"name": "n" * 121}, {"email": "nobody"}, {"language": "fr"}]
)
def test_seller_is_not_changed_into_nonsense(changes: dict[str, str]) -> None:
    merchant = MerchantFactory()

    with pytest.raises(services.MerchantInvalid):
        services.update_merchant(merchant=merchant, **changes)

    assert Merchant.objects.values().get(pk=merchant.pk) == {
        name: value for name, value in vars(merchant).items() if name != "_state"
    }


def test_seller_is_suspended_and_reactivated() -> None:
    merchant = MerchantFactory()
    BankAccountFactory(merchant=merchant)

    suspended = services.suspend_merchant(merchant=merchant)
    again = services.suspend_merchant(merchant=merchant)
    back = services.reactivate_merchant(merchant=merchant)

    assert [each.active for each in (suspended, again, back)] == [False, False, True]
    assert merchant.audit.filter(pgh_label="update").count() == 2
    assert selectors.onboarding_of(back).status == "ready"


# Lists


def cost(read: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        read()
    return len(queries)


def test_lists_cost_the_same_for_one_row_and_for_many() -> None:
    platform = PlatformFactory()
    plan = CommissionPlanFactory(platform=platform)

    def read_merchants() -> None:
        page = list(selectors.merchants_of(platform_id=platform.id))
        selectors.onboarding_of_all(page)

    def read_accounts() -> None:
        for account in selectors.bank_accounts_of(platform_id=platform.id):
            assert account.merchant is None or account.merchant.name

    def read_plans() -> None:
        for each in selectors.plans_of(platform_id=platform.id):
            assert [rule.version for rule in each.rules.all()]

    costs = []
    for number in range(3):
        merchant = MerchantFactory(platform=platform)
        BankAccountFactory(merchant=merchant)
        CommissionRuleFactory(plan=plan, merchant=merchant)
        CommissionRuleFactory(
            plan=CommissionPlanFactory(platform=platform, active=False), priority=number
        )
        costs.append([cost(read) for read in (read_merchants, read_accounts, read_plans)])

    assert costs == [[2, 1, 2]] * 3


def test_lists_show_the_platform_its_own_rows_only() -> None:
    platform, other = PlatformFactory(), PlatformFactory()
    for each in (platform, other):
        merchant = MerchantFactory(platform=each)
        BankAccountFactory(merchant=merchant)
        CommissionRuleFactory(plan=CommissionPlanFactory(platform=each))

    lists = (selectors.merchants_of, selectors.bank_accounts_of, selectors.plans_of)
    found = [list(rows(platform_id=platform.id)) for rows in lists]
    rules = selectors.rules_of(platform_id=platform.id)

    assert [[row.platform_id for row in rows] for rows in found] == [[platform.id]] * 3
    assert [rule.plan.platform_id for rule in rules] == [platform.id]


def test_sellers_are_found_by_id_within_their_platform() -> None:
    mine, theirs = MerchantFactory(), MerchantFactory()
    ids = [mine.id, theirs.id, "mer_none"]

    found = selectors.merchants_by_id(platform_id=mine.platform_id, merchant_ids=ids)

    assert found == {mine.id: mine}


def test_versions_are_counted_for_the_same_sales_and_priority() -> None:
    plan = CommissionPlanFactory()
    first = CommissionRuleFactory(plan=plan, category="tea")
    other = CommissionRuleFactory(plan=plan, category="cups")
    higher = CommissionRuleFactory(plan=plan, category="tea", priority=1)
    second = services.replace_rule(rule_id=first.id, effective_from=AT, rate_bps=600, at=AT)
    third = services.replace_rule(
        rule_id=second.id, effective_from=AT + timedelta(days=1), rate_bps=700, at=AT
    )

    (found,) = selectors.plans_of(platform_id=plan.platform_id)

    assert [(rule.id, rule.version) for rule in found.rules.all()] == [
        (higher.id, 1),
        (other.id, 1),
        (first.id, 1),
        (second.id, 2),
        (third.id, 3),
    ]
    assert selectors.rules_of(platform_id=plan.platform_id).count() == 5
