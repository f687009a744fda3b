"""Shipping many orders by one file: upload, look at what it would do, confirm.

It must never ship while somebody only looks.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from api import nudge
from common.errors import DomainError
from orders.models import OrderState
from portal import bulk_shipping, jobs, parcel_files
from portal.access import PortalRequest, Power, member_page
from portal.bulk_shipping import KIND, Plan, plan_shipping
from portal.models import Job, JobState
from portal.pages.jobs import attachment, language
from portal.parcel_files import Row
from portal.refusals import attempt, sentence
from portal.sheets import FORMS, write_table

SHOWN = 100  # faults on the page; all of them are in their file
TEMPLATE_ROWS = 500
require_GET_POST = require_http_methods(["GET", "HEAD", "POST"])


@require_GET_POST
@member_page(power=Power.SHIP)
def ship_many(request: PortalRequest) -> HttpResponse:
    """Take a file of parcels; nothing is shipped until it has been looked at."""
    file = request.FILES.get("file")
    if request.method != "POST":
        return render(request, "portal/pages/ship_many.html", {"most": parcel_files.MOST_ROWS})
    if file is None:
        messages.error(request, str(_("Choose a file first.")))
        return redirect("portal:ship-many")
    content = file.read(parcel_files.MOST_BYTES + 1)
    try:
        job = _draft(request, content)
    except DomainError as refusal:
        messages.error(request, sentence(refusal))
        return redirect("portal:ship-many")
    return redirect("portal:ship-review", job.pk)


def _draft(request: PortalRequest, content: bytes) -> Job:
    member = request.member
    rows = parcel_files.read_parcels(content)
    return jobs.ask_for_job(
        platform=member.platform,
        merchant=member.merchant,
        user=member.user,
        language=language(),
        kind=KIND,
        wanted={
            "form": parcel_files.form_of(content),
            "rows": [row.as_json() for row in rows],
        },
        at=timezone.now(),
        draft=True,
    )


@require_GET_POST
@member_page(power=Power.SHIP)
def review(request: PortalRequest, job_id: str) -> HttpResponse:
    """Show what a file would do, row errors first; on the person's word, let it be done."""
    job = _job(request, job_id)
    if job.state != JobState.DRAFT:
        return redirect("portal:job", job.pk)
    if request.method == "POST":
        attempt(
            request,
            lambda: jobs.confirm_job(job_id=job.pk, user=request.member.user, at=timezone.now()),
            done=_("The orders are being shipped."),
        )
        nudge.after_asking_for_job()
        return redirect("portal:job", job.pk)
    plan = _plan(request, job)
    return render(
        request,
        "portal/pages/ship_review.html",
        {"job": job, "plan": plan, "faults": plan.faults[:SHOWN]},
    )


@require_safe
@member_page(power=Power.SHIP)
def hand_out_faults(request: PortalRequest, job_id: str) -> HttpResponse:
    """Hand out the rows that are wrong, before anything is shipped."""
    job = _job(request, job_id)
    faults = _plan(request, job).faults
    return attachment(
        bulk_shipping.fault_file(faults, form=job.wanted["form"], at=request.member.at)
    )


@require_safe
@member_page(power=Power.SHIP)
def hand_out_template(request: PortalRequest, form: str) -> HttpResponse:
    """Hand out a file to fill in: one row for each order that waits to be shipped."""
    if form not in FORMS:
        raise Http404
    waiting = request.member.orders().filter(state=OrderState.PAID).order_by("ship_by", "pk")
    references = waiting.values_list("reference", flat=True)[:TEMPLATE_ROWS]
    rows: list[list[Any]] = [[reference, "", ""] for reference in references]
    return attachment(
        write_table(form=form, name="parcels", head=bulk_shipping.COLUMNS.values(), rows=rows)
    )


def _job(request: PortalRequest, job_id: str) -> Job:
    job = request.member.jobs().filter(pk=job_id, kind=KIND).first()
    if job is None:
        raise Http404
    return job


def _plan(request: PortalRequest, job: Job) -> Plan:
    rows = [Row(**each) for each in job.wanted["rows"]]
    return plan_shipping(rows, orders=request.member.orders(), at=request.member.at)
