"""Orders: the list with search and filters, and the page of one order."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from api import status
from escrow.models import HoldState
from orders.models import Order, OrderState
from payouts.models import Payout
from portal.access import Member, PortalRequest, member_page
from portal.lists import page_of
from portal.states import STATUSES, TONES
from portal.timeline import order_steps

FILTERS = {
    "": (_("All"), Q()),
    "unpaid": (_("Awaiting payment"), Q(state=OrderState.CREATED)),
    "to-ship": (_("To ship"), Q(state=OrderState.PAID)),
    "shipped": (_("On their way"), Q(state=OrderState.SHIPPED)),
    "frozen": (_("Frozen"), Q(hold__state=HoldState.FROZEN)),
    "confirmed": (_("Confirmed"), Q(state=OrderState.CONFIRMED)),
    "canceled": (_("Canceled"), Q(state__in=[OrderState.CANCELED, OrderState.EXPIRED])),
}


@require_safe
@member_page()
def list_orders(request: PortalRequest) -> HttpResponse:
    """Show orders, newest first."""
    chosen = request.GET.get("state", "")
    if chosen not in FILTERS:
        chosen = ""
    rows = _found(request.member.orders().filter(FILTERS[chosen][1]), request.GET.get("q", ""))
    return render(
        request,
        "portal/pages/orders.html",
        {
            "listing": page_of(request, rows, prepare=with_status),
            "filters": [(name, label) for name, (label, _rows) in FILTERS.items()],
            "chosen": chosen,
        },
    )


def _found(rows: QuerySet[Order], words: str) -> QuerySet[Order]:
    """By id or reference in full, or the buyer's name from its beginning."""
    words = words.replace("\x00", "").strip()[:120]
    if not words:
        return rows
    return rows.filter(Q(pk=words) | Q(reference=words) | Q(buyer_name__istartswith=words))


def with_status(orders: list[Order]) -> list[dict[str, Any]]:
    """What a list shows of orders, in a fixed number of queries."""
    found = status.statuses(orders)
    return [
        {
            "order": order,
            "label": STATUSES[found[order.pk]],
            "tone": TONES.get(found[order.pk], "default"),
            "due": _due(order),
        }
        for order in orders
    ]


def _due(order: Order) -> Any:
    """The date somebody has to do something by."""
    return {
        OrderState.CREATED: order.pay_by,
        OrderState.PAID: order.ship_by,
        OrderState.SHIPPED: None if order.paused_at else order.confirm_by,
    }.get(OrderState(order.state))


@require_safe
@member_page()
def show_order(request: PortalRequest, order_id: str) -> HttpResponse:
    """Show one order: where its money is, its split, what happened and what comes next."""
    rows = request.member.orders().prefetch_related("lines", "shipments")
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise Http404
    picture = status.picture(order)
    return render(
        request,
        "portal/pages/order.html",
        {
            "order": order,
            "picture": picture,
            "label": STATUSES[status.Status(picture.status)],
            "tone": TONES.get(status.Status(picture.status), "default"),
            "due": _due(order),
            "steps": order_steps(picture, payouts=_payouts(request.member, picture)),
        },
    )


def _payouts(member: Member, picture: status.Picture) -> list[Payout]:
    """The payouts the reader may see that pay this order."""
    settled = {line.settlement for line in picture.split if line.settlement}
    return list(member.payouts().filter(settlement_id__in=settled).order_by("created_at", "id"))
