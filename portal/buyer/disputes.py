"""A buyer's dispute: opened in two steps, then followed on the timeline both sides read."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escrow import selectors as escrow
from escrow.models import Actor, Dispute, Evidence
from escrow.services.disputes import answering, opening, returns
from portal.buyer import forms
from portal.buyer.access import BuyerRequest, order_page
from portal.buyer.acts import acts_of, hold_of, moves_of
from portal.dispute_steps import Said, dispute_steps
from portal.evidence_files import hand_out, show_file
from portal.forms import FileForm, WordsForm
from portal.refusals import attempt
from portal.tickets import require_ticket, ticket

BY = Actor.BUYER
ADDED = _("Your file was added. The seller sees it too.")


def dispute_page(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a page about the order's latest dispute; without one, go to the order."""

    def opened(request: BuyerRequest, **kwargs: Any) -> HttpResponse:
        dispute = escrow.dispute_of_order(order_id=request.order.pk)
        if dispute is None:
            return redirect("portal:buyer-order", request.order.pk)
        return page(request, dispute, **kwargs)

    return order_page(opened)


def _back(request: BuyerRequest) -> HttpResponse:
    return redirect("portal:buyer-dispute", request.order.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@order_page
def complain(request: BuyerRequest) -> HttpResponse:
    """Ask what is wrong; then show what it means for the money and ask once more; then open the
    dispute."""
    order, hold = request.order, hold_of(request.order)
    before = escrow.dispute_of_order(order_id=order.pk)
    if hold is None or not acts_of(order, hold=hold, dispute=before, at=request.at).dispute:
        return redirect("portal:buyer-order", order.pk)
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    sent = request.POST or None
    form = forms.ComplaintForm(sent, lines=lines)
    if not form.is_valid() or "change" in request.POST:
        chosen = set(request.POST.getlist("lines")) if sent else {str(x.position) for x in lines}
        words = {"form": form, "lines": lines, "chosen": chosen}
        return render(request, "portal/buyer/complain.html", words)
    stake_minor = hold.amount_minor - hold.refunded_minor
    chosen_lines = [line for line in lines if line.position in form.cleaned_data["lines"]]
    suggested = stake_minor
    if len(chosen_lines) < len(lines):
        suggested = min(stake_minor, sum(line.amount_minor for line in chosen_lines))
    limits: dict[str, Any] = {"currency": order.currency, "most_minor": stake_minor}
    if "open" in request.POST:
        claim = forms.ClaimForm(request.POST, request.FILES, **limits)
        if claim.is_valid():
            return _open(request, form.cleaned_data, claim.cleaned_data, every=len(lines))
    else:
        claim = forms.ClaimForm(**limits)
        claim.initial["asked"] = claim.fields["asked"].major(max(1, suggested))  # type: ignore[attr-defined]
    words = {"form": form, "claim": claim, "lines": chosen_lines, "stake_minor": stake_minor}
    return render(request, "portal/buyer/claim.html", words)


def _open(
    request: BuyerRequest, said: dict[str, Any], claimed: dict[str, Any], *, every: int
) -> HttpResponse:
    positions = said["lines"] if len(said["lines"]) < every else []

    def open_it() -> Dispute:
        return opening.open_dispute(
            order_id=request.order.pk,
            by=BY,
            reason=said["reason"],
            asked_minor=claimed["asked"],
            text=said["text"],
            line_positions=positions,
            at=request.at,
        )

    dispute = attempt(request, open_it, done=_("Your dispute is open. The seller has been told."))
    if dispute is None:
        return redirect("portal:buyer-order", request.order.pk)
    if claimed["file"]:
        show_file(request, dispute, claimed["file"], side=BY, by=BY, at=request.at, done=ADDED)
    return _back(request)


@require_safe
@dispute_page
def show_dispute(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Show where the dispute stands, what was said and shown, and what the buyer can do."""
    return render(
        request,
        "portal/buyer/dispute.html",
        {
            "dispute": dispute,
            "steps": _steps(dispute),
            "moves": moves_of(dispute),
            "parcel": forms.ParcelForm(),
            "words": WordsForm(),
            "upload": FileForm(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@dispute_page
def accept_offer(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Say what taking the offer means for the money, then take it."""

    def accept() -> Dispute:
        require_ticket(request.POST.get("ticket", ""), "accept", request.order, dispute)
        return answering.accept_offer(dispute_id=dispute.pk, by=BY, at=request.at)

    if request.method == "POST":
        attempt(request, accept, done=_("You have taken the offer."))
    elif moves_of(dispute).answer and dispute.offer_minor is not None:
        words = {
            "dispute": dispute,
            "rest_minor": dispute.stake_minor - dispute.offer_minor,
            "ticket": ticket("accept", request.order, dispute),
        }
        return render(request, "portal/buyer/offer.html", words)
    return _back(request)


@require_POST
@dispute_page
def decline_offer(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Let our staff decide instead."""
    text = _said(request)

    def decline() -> Dispute:
        return answering.decline_offer(dispute_id=dispute.pk, by=BY, text=text, at=request.at)

    attempt(request, decline, done=_("You have declined. Our staff decides."))
    return _back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@dispute_page
def withdraw(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Say what giving up means for the money, then give up."""
    text = _said(request)

    def give_up() -> Dispute:
        require_ticket(request.POST.get("ticket", ""), "withdraw", request.order, dispute)
        return answering.withdraw_dispute(dispute_id=dispute.pk, by=BY, text=text, at=request.at)

    if request.method == "POST":
        attempt(request, give_up, done=_("You have withdrawn the dispute. The order goes on."))
    elif moves_of(dispute).withdraw:
        words = {
            "dispute": dispute,
            "form": WordsForm(),
            "ticket": ticket("withdraw", request.order, dispute),
        }
        return render(request, "portal/buyer/withdraw.html", words)
    return _back(request)


@require_POST
@dispute_page
def send_back(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Tell in which parcel the goods go back."""
    form = forms.ParcelForm(request.POST)
    sent = form.cleaned_data if form.is_valid() else {"carrier": "", "tracking_number": ""}

    def send() -> Dispute:
        return returns.send_back(dispute_id=dispute.pk, by=BY, at=request.at, **sent)

    attempt(request, send, done=_("The seller knows that the goods are on their way back."))
    return _back(request)


@require_POST
@dispute_page
def add_file(request: BuyerRequest, dispute: Dispute) -> HttpResponse:
    """Show one more file."""
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        show_file(request, dispute, file, side=BY, by=BY, at=request.at, done=ADDED)
        return _back(request)
    words = {"upload": form, "dispute": dispute, "moves": moves_of(dispute)}
    words |= {"steps": _steps(dispute), "parcel": forms.ParcelForm()}
    return render(request, "portal/buyer/dispute.html", words | {"words": WordsForm()}, status=422)


@require_safe
@dispute_page
def download_file(request: BuyerRequest, dispute: Dispute, evidence_id: str) -> HttpResponse:
    """Hand out a file of either side, to be saved."""
    return hand_out(dispute, evidence_id=evidence_id)


def _steps(dispute: Dispute) -> list[Said]:
    def address(file: Evidence) -> str:
        return reverse("portal:buyer-file", args=[dispute.order_id, file.pk])

    return dispute_steps(dispute, reader=BY, address=address)


def _said(request: HttpRequest) -> str:
    form = WordsForm(request.POST)
    return form.cleaned_data["text"] if form.is_valid() else ""
