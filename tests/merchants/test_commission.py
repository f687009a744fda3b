"""Rules are added and ended, never edited; no two of them may ever tie, and orders keep theirs."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.db.utils import IntegrityError, ProgrammingError

from common.money import UnknownCurrency
from merchants import services
from merchants.models import BaseChoice, CommissionPlan, CommissionRule
from merchants.rules import OrderedLine
from merchants.terms import Terms
from payouts.services import bank_accounts
from tests.factories import (
    AT,
    CommissionPlanFactory,
    CommissionRuleFactory,
    MerchantFactory,
    PlatformFactory,
)

DAY = timedelta(days=1)


@pytest.fixture
def plan(db: None) -> CommissionPlan:
    return CommissionPlanFactory()


def add(plan: CommissionPlan, **changes: Any) -> CommissionRule:
    wanted = {"currency": "CNY", "rate_bps": 500, "effective_from": AT, "at": AT} | changes
    return services.add_rule(plan=plan, **wanted)


def test_platform_has_one_plan_in_force(plan: CommissionPlan) -> None:
    with pytest.raises(services.CommissionPlanTaken):
        services.create_plan(platform=plan.platform, name="Second", at=AT)

    services.create_plan(platform=plan.platform, name="Draft", at=AT, active=False)
    assert CommissionPlan.objects.count() == 2


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"effective_from": AT + 400 * DAY},
        {"effective_from": AT - DAY},
        {"effective_from": AT - DAY, "effective_to": AT + timedelta(microseconds=1)},
        {"rate_bps": 1, "base": BaseChoice.GOODS_AND_SHIPPING},
    ],
)
def test_rule_is_refused_when_it_ties_with_another(
    plan: CommissionPlan, changes: dict[str, Any]
) -> None:
    first = add(plan, category="tea")

    with pytest.raises(services.CommissionRuleOverlap) as refusal:
        add(plan, category="tea", **changes)

    assert refusal.value.code == "commission_rule_overlap"
    assert refusal.value.facts == {"rule": first.id}
    assert CommissionRule.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 1},
        {"category": ""},
        {"category": "cups"},
        {"currency": "USD"},
        {"effective_from": AT - DAY, "effective_to": AT},
        {"effective_from": AT + DAY, "effective_to": AT + DAY},
    ],
)
def test_rule_is_added_when_it_cannot_tie(plan: CommissionPlan, changes: dict[str, Any]) -> None:
    add(plan, category="tea")

    add(plan, **{"category": "tea"} | changes)

    assert CommissionRule.objects.count() == 2


def test_rule_of_one_merchant_cannot_tie_with_a_rule_of_another(plan: CommissionPlan) -> None:
    mine, yours = MerchantFactory.create_batch(2, platform=plan.platform)
    add(plan)
    add(plan, merchant=mine)
    add(plan, merchant=yours)

    with pytest.raises(services.CommissionRuleOverlap):
        add(plan, merchant=yours)


@pytest.mark.parametrize(
    "changes",
    [
        {"rate_bps": 10_001},
        {"rate_bps": -1},
        {"fixed_minor": -1},
        {"fixed_minor": 10**15 + 1},
        {"floor_minor": -1},
        {"cap_minor": -1},
        {"floor_minor": 101, "cap_minor": 100},
        {"floor_minor": 10**15 + 1},
        {"cap_minor": 10**15 + 1},
        {"base": "WEIGHT"},
        {"effective_to": AT - DAY},
        {"category": "c" * 65},
        {"rate_bps": "5 %"},
    ],
)
def test_rule_is_refused_when_it_makes_no_sense(
    plan: CommissionPlan, changes: dict[str, Any]
) -> None:
    with pytest.raises(services.CommissionRuleInvalid):
        add(plan, **changes)

    assert not CommissionRule.objects.exists()


def test_rule_is_refused_for_a_foreign_merchant_or_currency(plan: CommissionPlan) -> None:
    with pytest.raises(services.CommissionRuleInvalid, match="not a seller"):
        add(plan, merchant=MerchantFactory())
    with pytest.raises(UnknownCurrency):
        add(plan, currency="ZZZ")


def test_database_refuses_ties_and_edits_by_raw_sql(plan: CommissionPlan) -> None:
    rule = CommissionRuleFactory(plan=plan)
    attempts: list[tuple[type[Error], str, Any]] = [
        (IntegrityError, "commission_rule_overlap", lambda: CommissionRuleFactory(plan=plan)),
        (ProgrammingError, "Cannot update", lambda: CommissionRule.objects.update(rate_bps=1)),
        (ProgrammingError, "Cannot delete", lambda: rule.delete()),
    ]

    for error, sentence, attempt in attempts:
        with pytest.raises(error, match=sentence), transaction.atomic():
            attempt()

    CommissionRule.objects.update(effective_to=AT)
    CommissionRuleFactory(plan=plan, effective_from=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        CommissionRule.objects.filter(pk=rule.pk).update(effective_to=None)


def test_ended_rule_leaves_room_for_the_next(plan: CommissionPlan) -> None:
    rule = add(plan)

    services.end_rule(rule_id=rule.id, effective_to=AT + DAY, at=AT)

    add(plan, effective_from=AT + DAY, rate_bps=600)
    with pytest.raises(services.CommissionRuleInvalid, match="earlier"):
        services.end_rule(rule_id=rule.id, effective_to=AT + 2 * DAY, at=AT)
    with pytest.raises(services.CommissionRuleInvalid, match="past"):
        services.end_rule(rule_id=rule.id, effective_to=AT - DAY, at=AT)
    with pytest.raises(services.CommissionRuleInvalid, match="no commission rule"):
        services.end_rule(rule_id="crl_none", effective_to=AT, at=AT)


def test_rule_not_begun_yet_is_withdrawn(plan: CommissionPlan) -> None:
    rule = add(plan, effective_from=AT + 9 * DAY)

    services.end_rule(rule_id=rule.id, effective_to=AT, at=AT)

    rule.refresh_from_db()
    assert rule.effective_to == rule.effective_from
    add(plan, effective_from=AT)


def freeze(plan: CommissionPlan, *, at: datetime = AT) -> Terms:
    merchant = MerchantFactory(platform=plan.platform)
    return services.freeze_terms(
        platform=plan.platform,
        merchant=merchant,
        currency="CNY",
        lines=[OrderedLine(category="tea", amount_minor=9001)],
        shipping_minor=1000,
        volume=lambda merchant, currency: 0,
        at=at,
    )


def test_terms_are_frozen_from_the_plan_in_force(plan: CommissionPlan) -> None:
    rule = CommissionRuleFactory(plan=plan)
    quiet = CommissionRuleFactory(plan=plan, priority=-1)
    CommissionRuleFactory(plan=CommissionPlanFactory(platform=plan.platform, active=False))
    CommissionRuleFactory(plan=CommissionPlanFactory())

    terms = freeze(plan)

    assert (terms.plan_id, terms.lines[0].rule_id) == (plan.id, rule.id)
    assert [loser.rule_id for loser in terms.lines[0].passed_over] == [quiet.id]
    assert (terms.commission_minor, terms.service_fee_minor, terms.seller_minor) == (450, 60, 9491)


def test_later_edits_move_nothing(plan: CommissionPlan) -> None:
    rule = CommissionRuleFactory(plan=plan)
    written = freeze(plan).to_json()

    services.end_rule(rule_id=rule.id, effective_to=AT, at=AT)
    add(plan, rate_bps=9000)
    plan.platform.service_fee_bps = 900
    plan.platform.save()

    assert Terms.from_json(written).seller_minor == 9491
    assert freeze(plan).seller_minor == 10_001 - 8101 - 900


def test_terms_without_a_plan_take_the_service_fee_only(db: None) -> None:
    merchant = MerchantFactory(platform=PlatformFactory(service_fee_bps=60))

    terms = services.freeze_terms(
        platform=merchant.platform,
        merchant=merchant,
        currency="CNY",
        lines=[OrderedLine(category="", amount_minor=10_001)],
        shipping_minor=0,
        volume=lambda merchant, currency: 0,
        at=AT,
    )

    assert (terms.plan_id, terms.commission_minor, terms.service_fee_minor) == (None, 0, 60)


def race(*attempts: Any) -> list[str]:
    """Run the attempts at once, each on its own connection. Returns: how each ended."""
    barrier = threading.Barrier(len(attempts))
    ends: list[str] = []

    def run(attempt: Any) -> None:
        connection.ensure_connection()
        barrier.wait(timeout=10)
        try:
            attempt()
            ends.append("done")
        except Exception as error:
            ends.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[attempt]) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return sorted(ends)


@pytest.mark.django_db(transaction=True)
def test_of_two_tying_rules_at_once_one_wins() -> None:
    plan = CommissionPlanFactory()

    for day in range(10):
        start, end = AT + day * DAY, AT + (day + 1) * DAY
        attempt = [lambda s=start, e=end: add(plan, effective_from=s, effective_to=e)] * 2
        assert race(*attempt) == ["CommissionRuleOverlap", "done"]

    assert CommissionRule.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_two_tying_rules_at_once_by_raw_inserts_one_wins() -> None:
    plan = CommissionPlanFactory()

    ends = race(*[lambda: CommissionRuleFactory(plan=plan)] * 2)

    assert ends == ["IntegrityError", "done"]
    assert CommissionRule.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_at_once_one_stays_active() -> None:
    merchant = MerchantFactory()
    numbers = ["6222020000000001", "6222020000000002"]

    ends = race(
        *[
            lambda number=number: bank_accounts.add_bank_account(
                platform=merchant.platform,
                merchant=merchant,
                currency="CNY",
                holder_name="Garden",
                bank_code="102",
                account_number=number,
                at=AT,
            )
            for number in numbers
        ]
    )

    assert ends == ["done", "done"]
    assert merchant.bank_accounts.filter(state="IN_FORCE").count() == 1
    assert merchant.bank_accounts.count() == 2
