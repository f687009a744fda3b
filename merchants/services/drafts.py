"""Drafts of commission plans: copied, changed, dropped, and brought into force.

It must never touch an order, nor let a draft escape what the operator requires of the plan before.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q
from django.forms import model_to_dict

from common.errors import DomainError
from ledger.usecases import door, use_case
from merchants import selectors
from merchants.models import CommissionPlan, CommissionRule, Platform
from merchants.refund_policy import REFUND_FIELDS
from merchants.services.checks import check_row
from merchants.services.commission import (
    CommissionRuleInvalid,
    add_rule,
    check_refund_policy,
    end_rule,
    lock_plan,
)
from merchants.services.plan_terms import refuse_loosened_fee
from merchants.services.reserves import refuse_below_required

Result = TypeVar("Result")
REQUIRED = ("required_reserve_bps", "required_reserve_days")
TERMS = (*REFUND_FIELDS, "guarantee_days", "reserve_bps", "reserve_days")
OWN = ("id", "plan", "effective_from", "effective_to", "created_at")
COPIED = [each.name for each in CommissionRule._meta.concrete_fields if each.name not in OWN]


class PlanNotDraft(DomainError):
    """The plan is in force, or has ended: it is not changed any more, another one is drafted."""

    code = "plan_not_draft"


class PlanSeenOtherwise(DomainError):
    """Since the person looked, the draft or the plan in force has changed."""

    code = "plan_seen_otherwise"


@use_case()
def draft_plan(
    *, platform: Platform, based_on: CommissionPlan | None, name: str, at: datetime
) -> CommissionPlan:
    """Start a draft with the terms and rules of another plan; it counts for no order.

    Args: based_on: a plan of the platform; None: no rules, and terms by default.
    Raises: CommissionRuleInvalid. Locks: the other plan.
    """
    draft = CommissionPlan(platform=platform, name=name, active=False, created_at=at)
    found: list[CommissionRule] = []
    if based_on is not None:
        source = lock_plan(based_on.pk)
        for field in (*TERMS, *REQUIRED):
            setattr(draft, field, getattr(source, field))
        found = list(selectors.open_rules(plan_id=source.pk, at=at))
    check_row(draft, CommissionRuleInvalid)
    draft.save(force_insert=True)
    for rule in found:
        CommissionRule.objects.create(
            plan=draft,
            effective_from=max(at, rule.effective_from),
            effective_to=rule.effective_to,
            created_at=at,
            **{field: getattr(rule, field) for field in COPIED},
        )
    return draft


def change_draft(*, plan_id: str, call: Callable[[CommissionPlan], Result]) -> Result:
    """Let a service change a plan, if it is a draft, in one with that check.

    Raises: PlanNotDraft, and what the service refuses. Locks: the plan.
    """
    with door():
        return call(_lock_draft(plan_id))


def rewrite_rule(*, plan_id: str, rule_id: str, at: datetime, **values: Any) -> CommissionRule:
    """Put another rule in the place of one of a draft, for the same time, or nothing at all.

    Args: values: all of the new one's, as `add_rule` takes them.
    Raises: PlanNotDraft, and what `end_rule` and `add_rule` refuse. Locks: the plan.
    """
    with door():
        plan = _lock_draft(plan_id)
        old = selectors.open_rules(plan_id=plan_id, at=at).filter(pk=rule_id).first()
        if old is None:
            raise CommissionRuleInvalid("This rule is not in the draft any more.", rule=rule_id)
        begins, ends = max(at, old.effective_from), old.effective_to
        end_rule(rule_id=rule_id, effective_to=at, at=at)
        return add_rule(plan=plan, effective_from=begins, effective_to=ends, at=at, **values)


@use_case()
def drop_draft(*, plan_id: str, at: datetime) -> CommissionPlan:
    """Say that a draft will never be in force. Raises: PlanNotDraft. Locks: the plan."""
    plan = _lock_draft(plan_id)
    plan.ended_at = at
    plan.save(update_fields=["ended_at"])
    return plan


def replace_plan(
    *, plan_id: str, seen: str, at: datetime
) -> tuple[CommissionPlan, CommissionPlan | None]:
    """Step: bring a draft into force for orders created from now on, and end the plan it replaces.

    What the operator requires of the reserve goes on, and of our fee no less is kept of refunds.

    Money: none. Args: seen: what `mark_of` said of both when the person looked.
    Returns: the plan in force, and the one it has replaced.
    Raises: PlanNotDraft, PlanSeenOtherwise, FeeTermsLoosened, ReserveBelowRequired,
        ChannelFeeInvalid, CommissionRuleInvalid.
    Locks: both plans, by id.
    """
    assert connection.in_atomic_block
    platform = CommissionPlan.objects.select_related("platform").get(pk=plan_id).platform
    wanted = Q(pk=plan_id) | Q(platform=platform, active=True)
    rows = CommissionPlan.objects.filter(wanted).order_by("pk")
    locked = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
    plan = locked.pop(plan_id)
    _refuse_other_than_draft(plan)
    replaced = next(iter(locked.values()), None)
    if seen != mark_of(plan, replaced, at=at):
        raise PlanSeenOtherwise("The draft or the plan in force has changed; look again.")
    check_refund_policy(plan, platform=platform)
    if replaced is not None:
        _keep_requirements(plan, replaced)
        replaced.active, replaced.ended_at = False, at
        replaced.save(update_fields=["active", "ended_at"])
    plan.active, plan.activated_at = True, at
    check_row(plan, CommissionRuleInvalid)
    plan.save(update_fields=["active", "activated_at", *REQUIRED])
    return plan, replaced


def mark_of(plan: CommissionPlan, replaced: CommissionPlan | None, *, at: datetime) -> str:
    """What tells whether a draft, or the plan it would replace, has changed: their terms, and which
    rules they have, for a rule only ever ends."""
    seen = [
        [
            each.pk,
            model_to_dict(each, fields=(*TERMS, *REQUIRED)),
            list(selectors.open_rules(plan_id=each.pk, at=at).values_list("pk", flat=True)),
        ]
        for each in (plan, replaced)
        if each is not None
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:32]


def _keep_requirements(plan: CommissionPlan, replaced: CommissionPlan) -> None:
    refuse_loosened_fee(plan, replaced.refund_policy)
    required = plan.required_reserve.at_least(replaced.required_reserve)
    plan.required_reserve_bps, plan.required_reserve_days = required.bps, required.days
    refuse_below_required(plan, reserve=(plan.reserve_bps, plan.reserve_days))


def _lock_draft(plan_id: str) -> CommissionPlan:
    plan = lock_plan(plan_id)
    _refuse_other_than_draft(plan)
    return plan


def _refuse_other_than_draft(plan: CommissionPlan) -> None:
    if not plan.is_draft:
        raise PlanNotDraft(
            "This plan is in force, or has ended: draft another one to change it.", plan=plan.pk
        )
