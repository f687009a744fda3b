"""What is done to one order: parcels, more time, canceling, refunds, and its receipt.

It must never move money by itself: each page calls one service and says what came of it.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from api import nudge, status
from common.money import exponent
from escrow import receipts
from escrow.models import Hold, Release
from escrow.services import refund as refunds
from escrow.services.order_refunds import MAX_REASON, LineRefund
from orders.models import CancelReason, Order, OrderState
from orders.parcels import LONGEST, NewParcel
from orders.services import extensions, lifecycle, shipping
from portal import refunding
from portal.access import PortalRequest, Power, member_page
from portal.jobs import File
from portal.order_picture import PAYEES
from portal.pages.jobs import attachment
from portal.refusals import attempt

ALL, AMOUNT, LINES = "all", "amount", "lines"
require_GET_POST = require_http_methods(["GET", "HEAD", "POST"])


@require_POST
@member_page(power=Power.SHIP)
def ship(request: PortalRequest, order_id: str) -> HttpResponse:
    """The seller has handed the goods over, in one parcel or several."""
    order = _order(request, order_id)
    first, *further = _parcels(request) or [NewParcel("", "")]
    return _done(
        request,
        order,
        lambda: lifecycle.ship_order(
            order_id=order.pk,
            carrier=first.carrier,
            tracking_number=first.tracking_number,
            further=further,
            at=request.member.at,
        ),
        _("Shipped. The buyer now has time to confirm receipt."),
    )


@require_POST
@member_page(power=Power.SHIP)
def add_parcel(request: PortalRequest, order_id: str) -> HttpResponse:
    """A further parcel of an order on its way."""
    order = _order(request, order_id)
    parcel = (_parcels(request) or [NewParcel("", "")])[0]
    return _done(
        request,
        order,
        lambda: shipping.add_parcel(
            order_id=order.pk,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            at=request.member.at,
        ),
        _("The parcel is added. The time to confirm stays as it is."),
    )


@require_POST
@member_page(power=Power.SHIP)
def correct_parcel(request: PortalRequest, order_id: str, parcel_id: str) -> HttpResponse:
    """Mend what was mistyped, once per parcel."""
    order = _order(request, order_id)
    parcel = (_parcels(request) or [NewParcel("", "")])[0]
    return _done(
        request,
        order,
        lambda: shipping.correct_parcel(
            order_id=order.pk,
            shipment_id=parcel_id,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            at=request.member.at,
        ),
        _("The parcel is corrected."),
    )


@require_POST
@member_page(power=Power.SHIP)
def extend(request: PortalRequest, order_id: str) -> HttpResponse:
    """Take more time to ship, once."""
    order = _order(request, order_id)
    member = request.member
    said = request.POST.get("days", "")
    days = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0
    longer = (order.ship_by or member.at) + timedelta(days=days)
    by = extensions.By.MERCHANT if member.is_seller else extensions.By.PLATFORM
    return _done(
        request,
        order,
        lambda: extensions.extend_shipping(order_id=order.pk, ship_by=longer, by=by, at=member.at),
        _("There is more time to ship. The buyer is told."),
    )


@require_GET_POST
@member_page(power=Power.DISPUTE, of="platform")
def cancel(request: PortalRequest, order_id: str) -> HttpResponse:
    """Say what canceling does to the money; on the person's word, do it."""
    order = _order(request, order_id)
    if request.method != "POST":
        hold = Hold.objects.filter(order=order).first()
        possible = order.state in (OrderState.CREATED, OrderState.PAID)
        shown = {"order": order, "hold": hold, "possible": possible}
        return render(request, "portal/pages/order_cancel.html", shown)
    paid = order.state != OrderState.CREATED
    deed = refunds.cancel_paid_order if paid else lifecycle.cancel_unpaid_order
    answer = _done(
        request,
        order,
        lambda: deed(order_id=order.pk, reason=CancelReason.PLATFORM, at=request.member.at),
        _("Canceled. The buyer gets everything back.") if paid else _("Canceled."),
    )
    nudge.after_cancellation()
    return answer


class RefundForm(forms.Form):
    """What is to go back, and why. Amounts in major units of the order's currency."""

    what = forms.ChoiceField(
        choices=[
            (ALL, _("Everything that is left")),
            (AMOUNT, _("An amount")),
            (LINES, _("Some of the goods")),
        ],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    amount = forms.DecimalField(label=_("Amount"), required=False, min_value=0)
    lines = forms.TypedMultipleChoiceField(
        label=_("Goods"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        help_text=_("The buyer's bank may show it. Up to 64 characters."),
    )

    def __init__(self, said: Any, *, order: Order) -> None:
        super().__init__(said)
        self.currency = order.currency
        field = self.fields["lines"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (line.position, line.title)
            for line in sorted(order.lines.all(), key=lambda line: line.position)
        ]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("what") == AMOUNT and "amount" not in self.errors:
            minor = (said.get("amount") or Decimal(0)).scaleb(exponent(self.currency))
            if not minor or minor != int(minor):
                self.add_error("amount", _("Give an amount in the currency of the order."))
            said["amount_minor"] = int(minor)
        if said.get("what") == LINES and not said.get("lines"):
            self.add_error("lines", _("Choose what of the goods."))
        return said

    def wanted(self) -> dict[str, Any]:
        """What escrow is asked for."""
        said = self.cleaned_data
        chosen = said["lines"] if said["what"] == LINES else []
        return {
            "amount_minor": said["amount_minor"] if said["what"] == AMOUNT else None,
            "lines": [LineRefund(position=position) for position in chosen],
            "reason": said["reason"],
        }


@require_GET_POST
@member_page(power=Power.DISPUTE, of="platform")
def refund(request: PortalRequest, order_id: str) -> HttpResponse:
    """Ask what is to go back, say what that does to the money, and on the person's word do it."""
    order = _order(request, order_id)
    if request.method == "POST":
        form = RefundForm(request.POST, order=order)
        if not form.is_valid():
            messages.error(request, str(_("Something was missing. Nothing was refunded.")))
            return redirect("portal:refund-order", order.pk)
        answer = _done(
            request,
            order,
            lambda: refunding.refund_once(
                order_id=order.pk,
                seen=request.POST.get("seen", ""),
                at=request.member.at,
                **form.wanted(),
            ),
            _("Refunded. The channel is asked to pay the buyer."),
        )
        nudge.after_cancellation()
        return answer
    hold = Hold.objects.filter(order=order).select_related("payment").first()
    form = RefundForm(request.GET if "what" in request.GET else None, order=order)
    left = refunding.left_of(order, hold)
    shown = {"order": order, "form": form, "left_minor": left, "seen": refunding.mark_of(hold)}
    if hold is not None and left and form.is_valid():
        shown |= _review(order, hold, form, left=left)
    return render(request, "portal/pages/order_refund.html", shown)


def _review(order: Order, hold: Hold, form: RefundForm, *, left: int) -> dict[str, Any]:
    """What a refund would come to, as far as it can be said before it is done."""
    said = form.cleaned_data
    amount = {ALL: left, AMOUNT: said.get("amount_minor")}.get(said["what"])
    given = {}
    if amount and amount <= left:
        given = refunding.given_by(status.picture(order), hold, amount_minor=amount)
    return {
        "review": True,
        "amount_minor": amount,
        "too_much": amount is not None and amount > left,
        "everything": amount == left,
        "released": order.state == OrderState.CONFIRMED,
        "given": [(PAYEES[payee], taken) for payee, taken in given.items()],
        "chosen": [line for line in order.lines.all() if line.position in said["lines"]],
    }


@require_safe
@member_page()
def download_receipt(request: PortalRequest, order_id: str) -> HttpResponse:
    """Hand out the signed receipt of the release: the same bytes each time."""
    order = _order(request, order_id)
    release = Release.objects.filter(hold__order=order).order_by("pk").first()
    if release is None:
        raise Http404
    receipt = receipts.make_receipt(release)
    return attachment(File(f"receipt-{release.pk}.json", "application/json", receipt))


def _order(request: PortalRequest, order_id: str) -> Order:
    rows = request.member.orders().prefetch_related("lines", "shipments")
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise Http404
    return order


def _parcels(request: HttpRequest) -> list[NewParcel]:
    """The parcels of a form: rows that are wholly empty are no parcels."""
    rows = zip(request.POST.getlist("carrier"), request.POST.getlist("tracking"), strict=False)
    told = [NewParcel(_typed(carrier), _typed(number)) for carrier, number in rows]
    return [parcel for parcel in told if parcel.carrier or parcel.tracking_number]


def _typed(text: str) -> str:
    return text.replace("\x00", "").strip()[: LONGEST + 1]


def _done(
    request: PortalRequest, order: Order, deed: Callable[[], object], done: str | Promise
) -> HttpResponse:
    attempt(request, deed, done=done)
    return redirect("portal:order", order.pk)
