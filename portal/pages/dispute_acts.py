"""What the seller's side does in a dispute: accept, offer, contest, show files, take goods back.

It must never move money by itself: each page calls one service and says what came of it.
"""

from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from api import nudge
from escrow.models import Actor, Dispute, Hold, SellerAnswer
from escrow.services.disputes import answering, returns
from portal.access import Member, Page, PortalRequest, Power, member_page
from portal.dispute_picture import division_of, moves_of
from portal.evidence_files import show_file
from portal.forms import AmountField, FileForm, words_field
from portal.pages.disputes import find_dispute
from portal.refusals import attempt
from portal.tickets import require_ticket, ticket

require_GET_POST = require_http_methods(["GET", "HEAD", "POST"])


class OfferForm(forms.Form):
    """How much the buyer gets back, and for what."""

    needs_return = forms.BooleanField(label=_("Only when the goods come back"), required=False)
    text = words_field(_("What do you say to the buyer?"), required=False)

    def __init__(self, said: Any, *, dispute: Dispute) -> None:
        super().__init__(said)
        self.fields["amount"] = AmountField(
            label=_("How much goes back to the buyer?"),
            currency=dispute.currency,
            most_minor=dispute.asked_minor,
        )


class ReasonForm(forms.Form):
    """Why: without a reason our staff has one side only to read."""

    text = words_field(_("Why?"), help_text=_("The buyer and our staff read this."))


def dispute_page(page: Page) -> Page:
    """Open an act to who may answer disputes; a foreign dispute is not there."""

    @wraps(page)
    def opened(request: PortalRequest, dispute_id: str) -> HttpResponse:
        return page(request, find_dispute(request, dispute_id))

    return member_page(power=Power.DISPUTE)(opened)


def _by(member: Member) -> str:
    return Actor.MERCHANT if member.is_seller else Actor.PLATFORM


def _back(dispute: Dispute) -> HttpResponse:
    return redirect("portal:dispute", dispute.pk)


def _require_ticket(request: PortalRequest, act: str, dispute: Dispute) -> None:
    require_ticket(request.POST.get("ticket", ""), act, dispute.order, dispute)


def _ask(
    request: PortalRequest, act: str, dispute: Dispute, *, amount_minor: int, **more: Any
) -> HttpResponse:
    """Say what an act does to the money, and ask once more."""
    hold = Hold.objects.filter(order=dispute.order_id).select_related("payment").first()
    shown = {
        "dispute": dispute,
        "amount_minor": amount_minor,
        "division": division_of(dispute, hold, amount_minor=amount_minor),
        "ticket": ticket(act, dispute.order, dispute),
    }
    return render(request, f"portal/pages/dispute_{act}.html", shown | more)


@require_GET_POST
@dispute_page
def accept(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Say what accepting does to the money; on the person's word, give the buyer what is asked."""
    member = request.member

    def give() -> Dispute:
        _require_ticket(request, "accept", dispute)
        return answering.answer_dispute(
            dispute_id=dispute.pk, answer=SellerAnswer.ACCEPT, by=_by(member), at=member.at
        )

    if request.method == "POST":
        attempt(request, give, done=_("Accepted. The buyer gets what was asked for."))
        nudge.after_cancellation()
    elif moves_of(dispute, at=member.at).answer:
        return _ask(request, "accept", dispute, amount_minor=dispute.asked_minor)
    return _back(dispute)


@require_GET_POST
@dispute_page
def offer(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Ask how much; then say what each would get and ask once more; then offer it."""
    member, sent = request.member, request.POST
    if request.method != "POST" and not moves_of(dispute, at=member.at).answer:
        return _back(dispute)
    form = OfferForm(sent or None, dispute=dispute)
    if not form.is_valid() or "change" in sent:
        return render(
            request, "portal/pages/dispute_offer.html", {"dispute": dispute, "form": form}
        )
    said = form.cleaned_data
    if "send" not in sent:
        return _ask(request, "offer", dispute, amount_minor=said["amount"], form=form)

    def send() -> Dispute:
        _require_ticket(request, "offer", dispute)
        return answering.answer_dispute(
            dispute_id=dispute.pk,
            answer=SellerAnswer.OFFER,
            by=_by(member),
            at=member.at,
            offer_minor=said["amount"],
            needs_return=said["needs_return"],
            text=said["text"],
        )

    attempt(request, send, done=_("Your offer is with the buyer. No money has moved yet."))
    return _back(dispute)


@require_GET_POST
@dispute_page
def contest(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Ask why; then let our staff decide."""
    member = request.member
    if request.method != "POST" and not moves_of(dispute, at=member.at).answer:
        return _back(dispute)
    form = ReasonForm(request.POST or None)
    if not form.is_valid():
        shown = {"dispute": dispute, "form": form}
        return render(request, "portal/pages/dispute_contest.html", shown)

    def say_no() -> Dispute:
        return answering.answer_dispute(
            dispute_id=dispute.pk,
            answer=SellerAnswer.CONTEST,
            by=_by(member),
            at=member.at,
            text=form.cleaned_data["text"],
        )

    attempt(request, say_no, done=_("Contested. Our staff decides; the money stays as it is."))
    return _back(dispute)


@require_GET_POST
@dispute_page
def receive(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Say what it does to the money that the goods have come back; on the person's word, do it."""
    member = request.member

    def take() -> Dispute:
        _require_ticket(request, "received", dispute)
        return returns.receive_return(dispute_id=dispute.pk, by=_by(member), at=member.at)

    if request.method == "POST":
        attempt(request, take, done=_("The goods are back. The buyer gets what was agreed."))
        nudge.after_cancellation()
    elif moves_of(dispute, at=member.at).receive:
        return _ask(request, "received", dispute, amount_minor=dispute.offer_minor or 0)
    return _back(dispute)


@require_GET_POST
@dispute_page
def refuse(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Ask what is wrong with the goods that came back; then let our staff decide."""
    member = request.member
    if request.method != "POST" and not moves_of(dispute, at=member.at).receive:
        return _back(dispute)
    form = ReasonForm(request.POST or None)
    if not form.is_valid():
        shown = {"dispute": dispute, "form": form}
        return render(request, "portal/pages/dispute_refused.html", shown)

    def say_no() -> Dispute:
        text = form.cleaned_data["text"]
        return returns.refuse_return(dispute_id=dispute.pk, text=text, by=_by(member), at=member.at)

    attempt(request, say_no, done=_("Our staff decides; the money stays as it is."))
    return _back(dispute)


@require_POST
@dispute_page
def add_file(request: PortalRequest, dispute: Dispute) -> HttpResponse:
    """Show one more file; a platform may hand it in for either side."""
    member, side = request.member, request.POST.get("side", "")
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, str(form.errors["file"][0]))
        return _back(dispute)
    if member.is_seller or side != Actor.BUYER:
        side = Actor.MERCHANT
    file, done = form.cleaned_data["file"], _("The file was added. Both sides see it.")
    show_file(request, dispute, file, side=side, by=_by(member), at=member.at, done=done)
    return _back(dispute)
