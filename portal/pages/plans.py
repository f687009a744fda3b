"""Commission plans: which one counts, what each says, and bringing a draft into force.

It must never change a rule: portal/pages/plan_edit.py does, of drafts alone.
"""

from datetime import datetime
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.db.models import Count, F, Q, Value
from django.db.models.functions import Coalesce, Greatest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchants import selectors
from merchants import services as merchants
from merchants.models import CommissionPlan
from merchants.rules import Rule
from merchants.services.drafts import mark_of
from orders.services import plans as plan_services
from portal import plan_history, plan_words
from portal.access import Member, PortalRequest, Power, member_page
from portal.formats import day
from portal.lists import page_of
from portal.refusals import attempt


@require_safe
@member_page(of="platform")
def list_plans(request: PortalRequest) -> HttpResponse:
    """Show the plan in force with its rules, and below it drafts and plans of the past."""
    member = request.member
    current = member.plans().filter(active=True).first()
    others = member.plans().filter(active=False)
    others = others.annotate(rule_count=Count("rules", filter=_still_there(member.at)))
    return render(
        request,
        "portal/pages/plans.html",
        {
            **(_shown(member, current, rules_of(current, at=member.at)) if current else {}),
            "current": current,
            "listing": page_of(request, others, prepare=lambda found: _rows(member, found)),
        },
    )


def _still_there(at: datetime) -> Q:
    """Of a plan's rules: those it still has, or had when it ended."""
    last = Coalesce("ended_at", Value(at))
    begun = Greatest(F("rules__effective_from"), last)
    return Q(rules__effective_to__isnull=True) | Q(rules__effective_to__gt=begun)


def _rows(member: Member, found: list[Any]) -> list[dict[str, Any]]:
    changed = plan_history.latest_of([plan.pk for plan in found], member.platform)
    rows = []
    for plan in found:
        label, tone = plan_words.state_of(plan)
        at, who = changed.get(plan.pk, (None, ""))
        rows.append(
            {
                "plan": plan,
                "label": label,
                "tone": tone,
                "since": plan_words.since_of(plan),
                "changed_at": at,
                "changed_by": who,
            }
        )
    return rows


@require_safe
@member_page(of="platform")
def show_plan(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Show one plan: its rules in the order they are tried, its terms, and who changed it."""
    member = request.member
    plan, current = _plan_and_current(request, plan_id)
    rules = rules_of(plan, at=member.at)
    found = plan_words.plan_differences(plan, rules, current, at=member.at) if current else []
    return render(
        request,
        "portal/pages/plan.html",
        {
            **_shown(member, plan, rules),
            "current": current,
            "differences": found,
            "steps": plan_history.steps_of(plan.pk, member.platform),
        },
    )


def _plan_and_current(
    request: PortalRequest, plan_id: str
) -> tuple[CommissionPlan, CommissionPlan | None]:
    """A plan of the platform, and the one in force when that is another one, in one query."""
    found = request.member.plans().filter(Q(pk=plan_id) | Q(active=True))
    plans = {plan.pk: plan for plan in found}
    if plan_id not in plans:
        raise Http404
    plan = plans.pop(plan_id)
    return plan, next(iter(plans.values()), None)


def _shown(member: Member, plan: CommissionPlan, rules: list[Rule]) -> dict[str, Any]:
    label, tone = plan_words.state_of(plan)
    names = plan_words.seller_names(member.platform.pk, rules)
    return {
        "plan": plan,
        "label": label,
        "tone": tone,
        "since": plan_words.since_of(plan),
        "rules": plan_words.rule_rows(rules, names, at=member.at),
        "terms": plan_words.plan_words(plan),
        "editable": plan.is_draft and member.may(Power.SETUP),
    }


def rules_of(plan: CommissionPlan, *, at: datetime) -> list[Rule]:
    """The rules of a plan that count or will; of an ended one, those that counted at its end."""
    if plan.ended_at is not None and plan.ended_at < at:
        at = plan.ended_at
    return [selectors.snapshot(row) for row in selectors.open_rules(plan_id=plan.pk, at=at)]


@require_POST
@member_page(of="platform", power=Power.SETUP)
def draft(request: PortalRequest) -> HttpResponse:
    """Begin a draft: a copy of another plan, usually of the one in force, or an empty one."""
    member = request.member
    source = request.POST.get("plan", "")[:40]
    based_on = own_plan(request, source) if source else None
    made = attempt(
        request,
        lambda: merchants.draft_plan(
            platform=member.platform,
            based_on=based_on,
            name=gettext("Draft of %(day)s") % {"day": day(member.at)},
            at=member.at,
        ),
        done=_("This is a draft. It counts for no order until you bring it into force."),
    )
    return redirect("portal:plan", made.pk) if made else redirect("portal:plans")


@require_POST
@member_page(of="platform", power=Power.SETUP)
def drop(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Drop a draft: it can be read, and copied, but never come into force."""
    plan = own_plan(request, plan_id)
    attempt(
        request,
        lambda: merchants.drop_draft(plan_id=plan.pk, at=request.member.at),
        done=_("The draft is dropped."),
    )
    return redirect("portal:plans")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
@reauthentication_required
def bring_into_force(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Show what changes for new orders, and on the person's word let it."""
    member = request.member
    plan, current = _plan_and_current(request, plan_id)
    if not plan.is_draft:
        return redirect("portal:plan", plan.pk)
    if request.method == "POST":
        done = attempt(
            request,
            lambda: plan_services.bring_plan_into_force(
                plan_id=plan.pk, seen=request.POST.get("seen", ""), at=member.at
            ),
            done=_("In force. Orders created from now on follow this plan."),
        )
        return redirect("portal:plans") if done else redirect("portal:plan-force", plan.pk)
    rules = rules_of(plan, at=member.at)
    return render(
        request,
        "portal/pages/plan_force.html",
        {
            **_shown(member, plan, rules),
            "current": current,
            "differences": plan_words.plan_differences(plan, rules, current, at=member.at),
            "seen": mark_of(plan, current, at=member.at),
        },
    )


def own_plan(request: PortalRequest, plan_id: str) -> CommissionPlan:
    """The platform's plan of that id, or there is no such page."""
    plan = request.member.plans().filter(pk=plan_id).select_related("platform").first()
    if plan is None:
        raise Http404
    return plan
