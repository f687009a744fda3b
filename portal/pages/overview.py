"""The first page: where the money is and what needs doing today."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payouts import balances
from portal.access import PortalRequest, member_page


@require_safe
@member_page()
def show_overview(request: PortalRequest) -> HttpResponse:
    """Show balances per currency."""
    member = request.member
    found = balances.balances_of(
        platform=member.platform, merchant_ids=[member.merchant.pk] if member.merchant else None
    )
    own = found if member.merchant else [each for each in found if each.payee == "PLATFORM"]
    return render(request, "portal/pages/overview.html", {"balances": own})
