"""A buyer's page of one order: what was bought, where the money is, and what the buyer can do."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from api import nudge, status
from escrow import selectors as escrow
from escrow.services import release as releases
from notifications import buyer_links
from orders import selectors
from orders.services import extensions
from portal.buyer.access import LASTS, BuyerRequest, enter, order_page
from portal.buyer.acts import acts_of, hold_of
from portal.buyer.journey import refunds_of, stages_of, word_of
from portal.refusals import attempt
from portal.tickets import require_ticket, ticket


@require_safe
def open_order(request: HttpRequest, order_id: str, token: str) -> HttpResponse:
    """Follow a buyer's link: keep the right in this browser, and nothing else."""
    path = buyer_links.order_path(order_id)
    return enter(request, path=path, ends=lambda: _ends(path, order_id, token))


def _ends(path: str, order_id: str, token: str) -> datetime | None:
    """Until when a link is good: as it says itself, or, with the token of the order's creation,
    always."""
    if buyer_links.MARK in token:
        return buyer_links.read(path, token)
    try:
        selectors.get_order_for_buyer(order_id=order_id, token=token)
    except selectors.BuyerTokenInvalid:
        return None
    return timezone.now() + LASTS


@require_safe
@order_page
def show_order(request: BuyerRequest) -> HttpResponse:
    """Show what was bought, where the money is and what can be done."""
    return render(request, "portal/buyer/order.html", _picture(request))


def _picture(request: BuyerRequest) -> dict[str, Any]:
    order = request.order
    picture = status.picture(order)
    dispute = escrow.dispute_of_order(order_id=order.pk)
    return {
        "picture": picture,
        "word": word_of(picture, dispute=dispute),
        "stages": stages_of(picture),
        "refunds": refunds_of(picture),
        "dispute": dispute,
        "acts": acts_of(order, hold=hold_of(order), dispute=dispute, at=request.at),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@order_page
def confirm_receipt(request: BuyerRequest) -> HttpResponse:
    """Ask once more, then release the money."""
    order = request.order
    if request.method == "POST":
        done = _("Thank you. The money goes to the seller.")
        if attempt(request, lambda: _confirm(request), done=done):
            nudge.after_confirmation()
        return redirect("portal:buyer-order", order.pk)
    hold = hold_of(order)
    if hold is None or not acts_of(order, hold=hold, dispute=None, at=request.at).confirm:
        return redirect("portal:buyer-order", order.pk)
    left_minor = hold.amount_minor - hold.refunded_minor
    words = {"left_minor": left_minor, "ticket": ticket("confirm", order)}
    return render(request, "portal/buyer/confirm.html", words)


def _confirm(request: BuyerRequest) -> releases.Released:
    require_ticket(request.POST.get("ticket", ""), "confirm", request.order)
    return releases.confirm_receipt(order_id=request.order.pk, at=request.at)


@require_POST
@order_page
def take_more_time(request: BuyerRequest) -> HttpResponse:
    """Extend the time to confirm, once."""
    order_id, at = request.order.pk, request.at

    def extend() -> object:
        by = extensions.By.BUYER
        return extensions.extend_confirmation(order_id=order_id, by=by, at=at)

    attempt(request, extend, done=_("You have more time now. The money stays held."))
    return redirect("portal:buyer-order", order_id)
