"""The audit rows of commission plans and of their rules, for those who show what changed. It must
never change one."""

from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db.models import QuerySet


def plan_audits(plan_ids: Collection[str]) -> QuerySet[Any]:
    """What plans were, newest first."""
    kept = apps.get_model("merchants", "CommissionPlanAudit")
    return kept._default_manager.filter(pgh_obj_id__in=plan_ids).order_by("-pgh_id")


def rule_audits(plan_ids: Collection[str]) -> QuerySet[Any]:
    """What rules of plans were, newest first."""
    kept = apps.get_model("merchants", "CommissionRuleAudit")
    return kept._default_manager.filter(plan_id__in=plan_ids).order_by("-pgh_id")


def latest_of(plan_ids: Collection[str]) -> dict[str, Any]:
    """The newest audit row of each plan or of one of its rules, in two queries."""
    newest: dict[str, Any] = {}
    for rows, plan in ((plan_audits(plan_ids), "pgh_obj_id"), (rule_audits(plan_ids), "plan_id")):
        for row in rows.order_by(plan, "-pgh_id").distinct(plan):
            known = newest.get(getattr(row, plan))
            if known is None or known.pgh_created_at < row.pgh_created_at:
                newest[getattr(row, plan)] = row
    return newest
