"""The page on which somebody pays: the ways to pay, a code to scan or a link, and how it stands.

Whoever has the link to a payment may pay it, and nothing more: a friend who pays is not the buyer.
It must never tell a payment's state otherwise than its row does.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import pghistory
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import buyer_links
from orders import selectors
from orders.models import Payment, PaymentState
from orders.services import payments
from portal.buyer.access import (
    BuyerRequest,
    around,
    enter,
    give_right,
    has_right,
    order_page,
    private,
    refuse,
)
from portal.buyer.acts import acts_of
from portal.buyer.channels import Way, is_web_page, ways_to_pay
from portal.buyer.links import qr_svg
from portal.refusals import attempt

Page = Callable[..., HttpResponse]


def payment_page(page: Page) -> Page:
    """Open a page to whoever came by the link to the payment in its address."""

    @wraps(page)
    def opened(request: Any, payment_id: str) -> HttpResponse:
        payment = None
        if has_right(request, buyer_links.payment_path(payment_id)):
            payment = selectors.get_payment_for_page(payment_id=payment_id)
        if payment is None:
            return refuse(request)
        request.payment = payment
        zones = {part.order.buyer_time_zone for part in payment.parts.all()}
        zone = zones.pop() if len(zones) == 1 else ""
        who = pghistory.context(actor=f"payer:{payment.pk}")
        with who, around(request, payment.platform, zone or payment.platform.time_zone):
            return private(page(request))

    return opened


@require_safe
def open_payment(request: HttpRequest, payment_id: str, right: str) -> HttpResponse:
    """Follow a link to a payment: keep the right in this browser, and nothing else."""
    path = buyer_links.payment_path(payment_id)
    return enter(request, path=path, ends=lambda: buyer_links.read(path, right))


@require_http_methods(["GET", "HEAD", "POST"])
@order_page
def pay_order(request: BuyerRequest) -> HttpResponse:
    """Choose how to pay an order, then go on to the payment."""
    order = request.order
    if not acts_of(order, hold=None, dispute=None, at=request.at).pay:
        return redirect("portal:buyer-order", order.pk)
    if request.method == "POST":
        back = settings.PUBLIC_URL + buyer_links.order_path(order.pk)
        payment = _pay(request, [order.pk], platform_id=order.platform_id, return_url=back)
        return _go_to(payment) if payment else redirect("portal:buyer-pay", order.pk)
    return render(request, "portal/buyer/pay.html", {"ways": ways_to_pay(order.platform)})


@require_safe
@payment_page
def show_payment(request: BuyerRequest) -> HttpResponse:
    """Show how to pay, or what has become of it."""
    payment, state = request.payment, _state(request)
    url = payment.cashier_url if state == PaymentState.PENDING else ""
    return render(
        request,
        "portal/buyer/payment.html",
        {
            "payment": payment,
            "state": state,
            "url": url,
            "follows": is_web_page(url),
            "code": qr_svg(url) if url else "",
            "ways": _other_ways(payment, state),
            "back": payment.return_url if is_web_page(payment.return_url) else "",
        },
    )


def _other_ways(payment: Payment, state: str) -> list[Way]:
    """None while we do not know whether this payment was made: paying twice helps nobody."""
    ways = ways_to_pay(payment.platform)
    if state == PaymentState.FAILED:
        return ways
    pending = state == PaymentState.PENDING
    return [way for way in ways if way.name != payment.channel] if pending else []


@require_POST
@payment_page
def pay_otherwise(request: BuyerRequest) -> HttpResponse:
    """Pay the same orders another way."""
    before = request.payment
    payment = _pay(
        request,
        [part.order_id for part in before.parts.all()],
        platform_id=before.platform_id,
        return_url=before.return_url,
    )
    return _go_to(payment or before)


@require_safe
@payment_page
def show_state(request: BuyerRequest) -> HttpResponse:
    """Tell a page that asks every few seconds whether it is out of date."""
    answer = HttpResponse(status=204)
    if request.GET.get("state") != _state(request):
        answer = HttpResponse()
        answer["HX-Refresh"] = "true"
    return answer


def _state(request: BuyerRequest) -> str:
    """Where the payment stands; what is past its time is not offered any more."""
    payment = request.payment
    if payment.state in Payment.OPEN and request.at >= payment.expires_at:
        return PaymentState.EXPIRED
    return str(payment.state)


def _pay(
    request: BuyerRequest, order_ids: Sequence[str], *, platform_id: str, return_url: str
) -> Payment | None:
    """Go on with the open payment of this channel, or make one and ask the channel."""
    channel = request.POST.get("channel", "")[:32]
    found = selectors.open_payment_of(order_ids=order_ids, channel=channel, at=request.at)
    if found is not None:
        return found

    def create() -> Payment:
        return payments.create_payment(
            platform_id=platform_id,
            order_ids=order_ids,
            channel=channel,
            return_url=return_url,
            at=request.at,
        )

    made = attempt(request, create, done=_("Choose below how to go on. No money has moved yet."))
    return payments.submit_payment(payment_id=made.pk, at=request.at) if made else None


def _go_to(payment: Payment) -> HttpResponse:
    path = buyer_links.payment_path(payment.pk)
    answer = HttpResponseRedirect(path)
    give_right(answer, path, until=payment.expires_at + buyer_links.PAYING)
    return answer
