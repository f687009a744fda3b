"""Trying a plan before it counts: one sale explained, past orders priced again, and what a seller
sees of the plan in force.

It must never write anything but the job that prices orders.
"""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from merchants.models import CommissionPlan
from merchants.rules import Rule
from portal import plan_replay, plan_words
from portal.access import PortalRequest, member_page
from portal.models import FileRole, Job, JobFile, JobState
from portal.pages import jobs as job_pages
from portal.pages.plan_edit import suggested_sellers
from portal.pages.plans import own_plan, rules_of
from portal.plan_replay import PricedOrder
from portal.plan_trial import SaleForm, trial_of
from portal.sheets import CSV, Amount, write_table

BIGGEST = 20  # changes on the page; all of them are in the file
HEAD = (
    _("Order"),
    _("Id"),
    _("Created"),
    _("Currency"),
    _("Amount"),
    _("You, plan in force"),
    _("You, draft"),
    _("Sellers, plan in force"),
    _("Sellers, draft"),
)


@require_safe
@member_page(of="platform")
def explain(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Try one sale under a plan."""
    member, plan = request.member, own_plan(request, plan_id)
    rules = rules_of(plan, at=member.at)
    names = plan_words.seller_names(member.platform.pk, rules)
    context = {"plan": plan, "sellers": suggested_sellers(member)}
    tried = _trial(request, plan, rules, names)
    return render(request, "portal/pages/plan_explain.html", {**context, **tried})


def _trial(
    request: PortalRequest, plan: CommissionPlan, rules: list[Rule], names: dict[str, str]
) -> dict[str, Any]:
    sent = request.GET if "amount" in request.GET else None
    form = SaleForm(sent, member=request.member, rules=rules)
    trial = trial_of(form, plan, rules, names) if form.is_valid() else None
    categories = sorted({rule.category for rule in rules} - {""})
    return {"form": form, "trial": trial, "categories": categories}


@require_safe
@member_page(of="seller")
def show_own_commission(request: PortalRequest) -> HttpResponse:
    """Show a seller the rules that may take of its sales, and try one."""
    member = request.member
    assert member.merchant is not None
    plan = member.plans().first()
    if plan is None:
        return render(request, "portal/pages/commission.html", {"plan": None})
    rules = [
        rule
        for rule in rules_of(plan, at=member.at)
        if rule.merchant_id in (None, member.merchant.pk)
    ]
    names = {member.merchant.pk: member.merchant.name}
    return render(
        request,
        "portal/pages/commission.html",
        {
            "plan": plan,
            "since": plan_words.since_of(plan),
            "rules": plan_words.rule_rows(rules, names, at=member.at),
            "terms": plan_words.plan_words(plan),
            **_trial(request, plan, rules, names),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform")
def ask_what_if(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Let past orders be priced under a plan and under the one in force."""
    member, plan = request.member, own_plan(request, plan_id)
    current = member.plans().filter(active=True).first()
    if plan.active:
        return redirect("portal:plan", plan.pk)
    if request.method == "POST":
        reach = request.POST.get("reach", "")
        if reach not in plan_replay.REACHES:
            raise Http404
        wanted = {"plan": plan.pk, "against": current.pk if current else "", "reach": reach}
        asked = job_pages.ask_for(
            request, kind=plan_replay.KIND, wanted=wanted, done=_("The orders are being priced.")
        )
        return redirect("portal:plan-trial", asked.pk) if asked else redirect(request.path)
    earlier = member.jobs().filter(kind=plan_replay.KIND, wanted__plan=plan.pk).order_by("-pk")
    return render(
        request,
        "portal/pages/plan_what_if.html",
        {
            "plan": plan,
            "current": current,
            "reaches": plan_replay.REACHES,
            "earlier": [(job, _reach(job)) for job in earlier.select_related("user")[:10]],
        },
    )


@require_safe
@member_page(of="platform")
def show_what_if(request: PortalRequest, job_id: str) -> HttpResponse:
    """Show how far the pricing is, then what the draft would have changed."""
    job = _own_job(request, job_id)
    if "HX-Request" in request.headers and not job.is_open:
        return HttpResponse(headers={"HX-Refresh": "true"})
    if job.state == JobState.FAILED:
        return redirect("portal:job", job.pk)
    plans = request.member.plans().in_bulk([job.wanted["plan"], job.wanted["against"]])
    return render(
        request,
        "portal/pages/plan_trial.html",
        {
            "job": job,
            "plan": plans[job.wanted["plan"]],
            "against": plans.get(job.wanted["against"]),
            "reach": _reach(job),
            "left_out": job.counts.get("left_out", 0),
            "currencies": [] if job.is_open else _summed(_result(job)),
        },
    )


@require_safe
@member_page(of="platform")
def hand_out_what_if(request: PortalRequest, job_id: str) -> HttpResponse:
    """Hand out every priced order as a CSV file."""
    rows = [_cells(each) for each in _result(_own_job(request, job_id))]
    return job_pages.attachment(write_table(form=CSV, name="what-if", head=HEAD, rows=rows))


def _own_job(request: PortalRequest, job_id: str) -> Job:
    job = request.member.jobs().filter(pk=job_id, kind=plan_replay.KIND).first()
    if job is None:
        raise Http404
    return job


def _reach(job: Job) -> Any:
    return plan_replay.REACHES[job.wanted["reach"]]


def _result(job: Job) -> list[PricedOrder]:
    file = JobFile.objects.filter(job=job, role=FileRole.RESULT).first()
    if file is None:
        raise Http404
    return plan_replay.read(bytes(file.content))


def _summed(priced: list[PricedOrder]) -> list[dict[str, Any]]:
    """The figures of each currency, its chart, and the orders that change most."""
    found = []
    for currency, rows in plan_replay.by_currency(priced).items():
        changed = [each for each in rows if each.difference_minor or _seller_change(each)]
        changed.sort(key=lambda each: (-abs(each.difference_minor), -abs(_seller_change(each))))
        found.append(
            {
                "currency": currency,
                "orders": len(rows),
                "changed": len(changed),
                "amount_minor": sum(each.amount_minor for each in rows),
                "sides": plan_replay.sides_of(rows),
                "biggest": changed[:BIGGEST],
                "chart_id": f"chart-{currency}",
                "chart": plan_replay.chart_of(rows, currency),
            }
        )
    return found


def _seller_change(each: PricedOrder) -> int:
    return each.new_seller_minor - each.old_seller_minor


def _cells(each: PricedOrder) -> list[Any]:
    amounts = (
        each.amount_minor,
        each.old_platform_minor,
        each.new_platform_minor,
        each.old_seller_minor,
        each.new_seller_minor,
    )
    money = [Amount(amount, each.currency) for amount in amounts]
    return [each.reference, each.order_id, each.day, each.currency, *money]
