"""Why: the plan decides what every seller keeps. It changes at once and as a whole, as it was seen,
or not at all."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from merchants import selectors, services
from merchants.models import CommissionPlan, CommissionRule
from merchants.rule_order import Mismatch, in_order, mismatch
from merchants.rules import OrderedLine, Sale
from merchants.services.drafts import mark_of
from merchants.services.plan_terms import FeeTermsLoosened
from merchants.services.reserves import ReserveBelowRequired
from notifications.models import Event
from orders.services.plans import bring_plan_into_force, change_plan
from tests.factories import AT, CommissionPlanFactory, CommissionRuleFactory
from tests.ground import refusal

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(days=1)


def draft_of(plan: CommissionPlan) -> CommissionPlan:
    return services.draft_plan(platform=plan.platform, based_on=plan, name="Spring", at=LATER)


def rates(plan: CommissionPlan) -> list[int]:
    return [rule.rate_bps for rule in selectors.open_rules(plan_id=plan.pk, at=LATER)]


def force(draft: CommissionPlan, old: CommissionPlan | None) -> CommissionPlan:
    seen = mark_of(draft, old, at=LATER)
    return bring_plan_into_force(plan_id=draft.pk, seen=seen, at=LATER)


def test_draft_copies_rules_and_terms_that_count_and_changes_alone() -> None:
    plan = CommissionPlanFactory(guarantee_days=7)
    CommissionRuleFactory(plan=plan, rate_bps=501)
    CommissionRuleFactory(plan=plan, category="old", effective_to=AT)
    draft = draft_of(plan)

    [rule] = draft.rules.all()
    services.rewrite_rule(
        plan_id=draft.pk, rule_id=rule.pk, currency="CNY", rate_bps=499, category="tea", at=LATER
    )

    assert (rates(draft), rates(plan)) == ([499], [501])
    assert (draft.active, draft.is_draft, draft.guarantee_days) == (False, True, 7)


def test_rewriting_keeps_the_old_rule_when_the_new_one_is_refused() -> None:
    plan = CommissionPlanFactory()
    CommissionRuleFactory(plan=plan, rate_bps=501)
    draft = draft_of(plan)
    [rule] = draft.rules.all()

    found = refusal(
        lambda: services.rewrite_rule(
            plan_id=draft.pk, rule_id=rule.pk, currency="CNY", rate_bps=10001, at=LATER
        )
    )

    assert (found.code, rates(draft)) == ("commission_rule_invalid", [501])


def test_draft_comes_into_force_in_one_with_the_end_of_the_other_and_is_told() -> None:
    plan = CommissionPlanFactory()
    draft = draft_of(plan)

    force(draft, plan)

    plan.refresh_from_db()
    draft.refresh_from_db()
    assert (plan.active, plan.ended_at) == (False, LATER)
    assert (draft.active, draft.activated_at) == (True, LATER)
    told = Event.objects.filter(type="commission_plan.changed").order_by("pk")
    assert [each.subject_id for each in told] == [plan.pk, draft.pk]
    services_refuse = [
        lambda: force(draft, None),
        lambda: services.drop_draft(plan_id=plan.pk, at=LATER),
        lambda: services.change_draft(plan_id=draft.pk, call=lambda each: each),
    ]
    assert {refusal(each).code for each in services_refuse} == {"plan_not_draft"}


def test_draft_changed_since_it_was_seen_stays_a_draft() -> None:
    plan = CommissionPlanFactory()
    draft = draft_of(plan)
    seen = mark_of(draft, plan, at=LATER)
    CommissionRuleFactory(plan=plan)

    found = refusal(lambda: bring_plan_into_force(plan_id=draft.pk, seen=seen, at=LATER))

    assert found.code == "plan_seen_otherwise"
    assert CommissionPlan.objects.get(active=True) == plan


def test_draft_escapes_neither_required_reserve_nor_agreed_fee() -> None:
    plan = CommissionPlanFactory(service_fee_returned_bps=0)
    draft = draft_of(plan)
    CommissionPlan.objects.filter(pk=plan.pk).update(
        reserve_bps=100, reserve_days=7, required_reserve_bps=100, required_reserve_days=7
    )
    plan.refresh_from_db()
    loose = services.create_plan(platform=plan.platform, name="Loose", active=False, at=AT)

    with pytest.raises(ReserveBelowRequired):
        force(draft, plan)
    with pytest.raises(FeeTermsLoosened):
        force(loose, plan)

    change_plan(plan_id=draft.pk, changes={"reserve_bps": 101, "reserve_days": 7}, at=LATER)
    draft.refresh_from_db()
    assert force(draft, plan).required_reserve == plan.required_reserve


def test_database_keeps_ended_plans_ended() -> None:
    plan = CommissionPlanFactory(active=False, ended_at=AT)

    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        CommissionPlan.objects.filter(pk=plan.pk).update(ended_at=None)
    with pytest.raises(IntegrityError, match="plan_in_force_since"), transaction.atomic():
        CommissionPlan.objects.filter(pk=plan.pk).update(active=True)


def test_rules_are_tried_by_rank_and_each_other_says_why_it_does_not_compete() -> None:
    plan = CommissionPlanFactory()
    common = {"plan": plan, "effective_from": AT}
    CommissionRuleFactory(**common)
    CommissionRuleFactory(category="tea", **common)
    CommissionRuleFactory(category="tea", channel="wechat", **common)
    CommissionRuleFactory(priority=1, min_order_minor=10002, **common)
    CommissionRuleFactory(priority=2, category="books", **common)
    CommissionRuleFactory(currency="EUR", **common)
    found = in_order(selectors.snapshot(rule) for rule in CommissionRule.objects.all())
    sale = Sale("mer_1", "CNY", [OrderedLine("tea", 10001)], 0)

    why = [mismatch(rule, sale, category="tea", channel="", at=AT) for rule in found]

    assert why == [
        Mismatch.CATEGORY,
        Mismatch.AMOUNT,
        Mismatch.CHANNEL,
        None,
        None,
        Mismatch.CURRENCY,
    ]
    assert mismatch(found[4], sale, category="tea", channel="", at=AT - timedelta(days=1)) == (
        Mismatch.TIME
    )
