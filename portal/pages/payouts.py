"""Payouts and statements: the lists, one of each, and the files of a statement."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from ledger.admin_panels import Step
from payouts.models import Payout, PayoutState
from portal import documents
from portal.access import PortalRequest, member_page
from portal.lists import page_of
from portal.pages import jobs
from portal.pages.jobs import attachment
from portal.statement_runs import KIND, RunForm
from portal.statements import read_statement
from portal.states import PAYOUT_NOTES, PAYOUT_TONES
from portal.timeline import payout_steps

SHOWN_LINES = 200
FILTERS = {
    "": (_("All"), Q()),
    "way": (
        _("On their way"),
        Q(
            state__in=[
                PayoutState.PENDING,
                PayoutState.APPROVED,
                PayoutState.SENDING,
                PayoutState.UNKNOWN,
            ]
        ),
    ),
    "paid": (_("Paid"), Q(state=PayoutState.PAID)),
    "failed": (_("Did not arrive"), Q(state__in=[PayoutState.FAILED, PayoutState.RETURNED])),
}
WRITERS = {
    "csv": documents.write_csv,
    "xlsx": documents.write_xlsx,
    "pdf": documents.write_pdf,
}


@require_safe
@member_page()
def list_payouts(request: PortalRequest) -> HttpResponse:
    """Show payouts, newest first, each with its statement."""
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in FILTERS else ""
    rows = request.member.payouts().filter(FILTERS[chosen][1])
    return render(
        request,
        "portal/pages/payouts.html",
        {
            "listing": page_of(request, rows, prepare=_with_tone),
            "filters": [(name, label) for name, (label, _rows) in FILTERS.items()],
            "chosen": chosen,
            "run": _last_month(request),
        },
    )


def _last_month(request: PortalRequest) -> RunForm:
    last = timezone.localtime(request.member.at).date().replace(day=1) - timedelta(days=1)
    return RunForm(initial={"since": last.replace(day=1).isoformat(), "until": last.isoformat()})


@require_POST
@member_page()
def run_statements(request: PortalRequest) -> HttpResponse:
    """Ask for the statements of some days in one file."""
    form = RunForm(request.POST)
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(request, f"{form[field].label}: {errors[0]}")
        return redirect("portal:payouts")
    done = _("The statements are being written.")
    return jobs.ask(request, kind=KIND, wanted=form.wanted, done=done)


def _with_tone(found: list[Payout]) -> list[dict[str, Any]]:
    return [
        {"payout": payout, "tone": PAYOUT_TONES.get(PayoutState(payout.state), "default")}
        for payout in found
    ]


@require_safe
@member_page()
def show_payout(request: PortalRequest, payout_id: str) -> HttpResponse:
    """Show one payout: to which account, how far it has come, and its statement."""
    payout = request.member.payouts().filter(pk=payout_id).first()
    if payout is None:
        raise Http404
    state = PayoutState(payout.state)
    statement = read_statement(payout.settlement)
    steps: list[Step] = payout_steps(payout)
    return render(
        request,
        "portal/pages/payout.html",
        {
            "payout": payout,
            "tone": PAYOUT_TONES.get(state, "default"),
            "note": PAYOUT_NOTES.get(state),
            "steps": steps,
            "statement": statement,
            "lines": statement.lines[:SHOWN_LINES],
            "more": max(0, len(statement.lines) - SHOWN_LINES),
            "files": list(WRITERS),
        },
    )


@require_safe
@member_page()
def hand_out_statement(request: PortalRequest, settlement_id: str, kind: str) -> HttpResponse:
    """Hand out a statement as a file, in the reader's language and time zone."""
    settlement = request.member.settlements().filter(pk=settlement_id).first()
    if settlement is None or kind not in WRITERS:
        raise Http404
    return attachment(WRITERS[kind](read_statement(settlement)))
