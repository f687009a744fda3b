"""What is owed for refunds and chargebacks: the steps of each debt, and how to pay it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from escrow.models import DebitRequestState, Debt, DebtState
from portal.access import PortalRequest, member_page
from portal.lists import page_of

TONES = {DebtState.OPEN: "warning", DebtState.SETTLED: "success"}


@require_safe
@member_page()
def list_debts(request: PortalRequest) -> HttpResponse:
    """Show debts, newest first, each with every step that made it smaller."""
    rows = request.member.debts().select_related("merchant", "refund__hold__order")
    rows = rows.select_related("dispute__order")
    listing = page_of(request, rows, prepare=lambda debts: [_shown(debt) for debt in debts])
    return render(request, "portal/pages/debts.html", {"listing": listing})


def _shown(debt: Debt) -> dict[str, Any]:
    cause = debt.dispute.order if debt.dispute else debt.refund.hold.order
    asked = [each for each in debt.requests.all() if each.state == DebitRequestState.OPEN]
    return {
        "debt": debt,
        "order": cause,
        "open_minor": debt.amount_minor - debt.settled_minor,
        "tone": TONES.get(DebtState(debt.state), "default"),
        "asked": asked[0] if asked else None,
    }
