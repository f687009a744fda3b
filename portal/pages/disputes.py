"""Disputes: the list by who has to act, the page of one, and its files."""

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from escrow.models import CLOSED, Actor, Dispute, DisputeState, Evidence, Hold, WaitsFor
from portal.access import Member, PortalRequest, member_page
from portal.dispute_picture import TURNS, YOURS, moves_of, standing_of, turn_of
from portal.dispute_steps import Said, dispute_steps
from portal.evidence_files import hand_out
from portal.forms import FileForm
from portal.lists import page_of

Text = str | Promise
STATES: dict[str, tuple[Text, Q]] = {
    "": (_("All"), Q()),
    "seller": (TURNS[WaitsFor.MERCHANT], Q(waits_for=WaitsFor.MERCHANT)),
    "buyer": (TURNS[WaitsFor.BUYER], Q(waits_for=WaitsFor.BUYER)),
    "staff": (TURNS[WaitsFor.OPERATOR], Q(waits_for=WaitsFor.OPERATOR)),
    "returning": (_("Goods on their way back"), Q(state=DisputeState.RETURNING)),
    "over": (_("Over"), Q(state__in=CLOSED)),
}


@require_safe
@member_page()
def list_disputes(request: PortalRequest) -> HttpResponse:
    """Show disputes, newest first, by who has to act."""
    member = request.member
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in STATES else ""
    rows = member.disputes().prefetch_related(None).select_related("order__merchant")
    listing = page_of(
        request,
        rows.filter(STATES[chosen][1]),
        prepare=lambda disputes: [_row(dispute, member) for dispute in disputes],
    )
    shown = {"listing": listing, "states": _states(member), "chosen": chosen}
    return render(request, "portal/pages/disputes.html", shown)


def _states(member: Member) -> list[tuple[str, Text]]:
    """The filters by name; what a seller has to do is said to the seller."""
    return [
        (name, YOURS if name == "seller" and member.is_seller else label)
        for name, (label, _rows) in STATES.items()
    ]


def _row(dispute: Dispute, member: Member) -> dict[str, Any]:
    turn, tone = turn_of(dispute, member)
    return {"dispute": dispute, "turn": turn, "tone": tone}


@require_safe
@member_page()
def show_dispute(request: PortalRequest, dispute_id: str) -> HttpResponse:
    """Show what happened, what is asked and held, what silence brings, and what can be done."""
    member = request.member
    dispute = find_dispute(request, dispute_id)
    turn, tone = turn_of(dispute, member)
    return render(
        request,
        "portal/pages/dispute.html",
        {
            "dispute": dispute,
            "order": dispute.order,
            "hold": Hold.objects.filter(order=dispute.order_id).first(),
            "turn": turn,
            "tone": tone,
            "standing": standing_of(dispute, yours=member.is_seller),
            "moves": moves_of(dispute, at=member.at),
            "steps": _steps(dispute, member),
            "upload": FileForm(),
            "sides": [Actor.MERCHANT, Actor.BUYER],
        },
    )


def _steps(dispute: Dispute, member: Member) -> list[Said]:
    def address(file: Evidence) -> str:
        return reverse("portal:dispute-file", args=[dispute.pk, file.pk])

    reader = Actor.MERCHANT if member.is_seller else Actor.PLATFORM
    return dispute_steps(dispute, reader=reader, address=address)


@require_safe
@member_page()
def download_file(request: PortalRequest, dispute_id: str, evidence_id: str) -> HttpResponse:
    """Hand out a file of either side, to be saved."""
    return hand_out(find_dispute(request, dispute_id), evidence_id=evidence_id)


def find_dispute(request: PortalRequest, dispute_id: str) -> Dispute:
    """A dispute of the reader's own, with what is shown of it. Raises: Http404."""
    rows = request.member.disputes().select_related("order__merchant")
    dispute = rows.filter(pk=dispute_id).first()
    if dispute is None:
        raise Http404
    return dispute
