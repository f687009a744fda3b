"""Orders: the list with search and filters, and the page of one order."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from api import status
from common.errors import DomainError
from escrow.models import CLOSED, Hold
from ledger import selectors as books
from orders.models import MAX_PARCELS, Order
from orders.services import extensions
from payouts.models import Payout
from portal import order_export, order_picture
from portal.access import Member, PortalRequest, member_page
from portal.journal import read_journal
from portal.lists import page_of
from portal.models import SavedView
from portal.order_filters import MOST_QUERY, STATES, OrderFilters
from portal.pages import jobs
from portal.refunding import left_of
from portal.refusals import attempt
from portal.sheets import CSV, FORMS
from portal.split_words import split_words
from portal.states import STATUSES, TONES
from portal.timeline import order_steps

PAGE = "orders"
MOST_VIEWS = 20


class TooManyViews(DomainError):
    """A person keeps 20 saved views of a list at most."""

    code = "too_many_views"


@require_safe
@member_page()
def list_orders(request: PortalRequest) -> HttpResponse:
    """Show orders, newest first."""
    filters = _filters(request)
    return render(
        request,
        "portal/pages/orders.html",
        {
            "listing": page_of(
                request, filters.among(request.member.orders()), prepare=with_status
            ),
            "states": [(name, label) for name, (label, _rows) in STATES.items()],
            "filters": filters,
            "views": request.member.views(PAGE),
            "query": _kept(request),
        },
    )


@require_POST
@member_page()
def export_orders(request: PortalRequest) -> HttpResponse:
    """Ask for the list as it is filtered, as a file."""
    form = request.POST.get("form", CSV)
    return jobs.ask(
        request,
        kind=order_export.KIND,
        wanted={
            "form": form if form in FORMS else CSV,
            "query": request.POST.get("query", "")[:MOST_QUERY],
        },
        done=_("The file is being made."),
    )


@require_POST
@member_page()
def save_view(request: PortalRequest) -> HttpResponse:
    """Give the present filters a name; one of the same name is replaced."""
    name, query = request.POST.get("name", "").strip()[:40], request.POST.get("query", "")
    if name and "\x00" not in name + query:
        attempt(
            request,
            lambda: _save_view(request.member, name, query[:MOST_QUERY]),
            done=_("The view is saved."),
        )
    return redirect(f"{reverse('portal:orders')}?{urlencode(QueryDict(query[:MOST_QUERY]), True)}")


@require_POST
@member_page()
def forget_view(request: PortalRequest, view_id: int) -> HttpResponse:
    """Drop one of one's own saved views."""
    dropped, _by_model = request.member.views(PAGE).filter(pk=view_id).delete()
    if not dropped:
        raise Http404
    return redirect("portal:orders")


def _save_view(member: Member, name: str, query: str) -> None:
    views = member.views(PAGE)
    if views.exclude(name=name).count() >= MOST_VIEWS:
        raise TooManyViews(f"{MOST_VIEWS} views are kept at most; drop one first.")
    SavedView.objects.update_or_create(
        user=member.user,
        page=PAGE,
        name=name,
        defaults={"query": query},
        create_defaults={"query": query, "created_at": timezone.now()},
    )


def _filters(request: PortalRequest) -> OrderFilters:
    member = request.member
    return OrderFilters(
        request.GET, currency=member.platform.currency, with_seller=not member.is_seller
    )


def _kept(request: PortalRequest) -> str:
    """The filters in the query string, without the page."""
    words = request.GET.copy()
    words.pop("after", None)
    return words.urlencode()[:MOST_QUERY]


def with_status(orders: list[Order]) -> list[dict[str, Any]]:
    """What a list shows of orders, in a fixed number of queries."""
    found = status.statuses(orders)
    return [
        {
            "order": order,
            "label": STATUSES[found[order.pk]],
            "tone": TONES.get(found[order.pk], "default"),
            "due": order_picture.due_of(order),
        }
        for order in orders
    ]


@require_safe
@member_page()
def show_order(request: PortalRequest, order_id: str) -> HttpResponse:
    """Show one order: where its money is, its split, what happened and what comes next."""
    member = request.member
    rows = member.orders().prefetch_related("lines", "shipments")
    order = rows.filter(pk=order_id).first()
    if order is None:
        raise Http404
    picture = status.picture(order)
    hold = Hold.objects.filter(order=order).first()
    disputes = list(member.disputes().filter(order=order).order_by("-pk"))
    disputed = any(dispute.state not in CLOSED for dispute in disputes)
    return render(
        request,
        "portal/pages/order.html",
        {
            "order": order,
            "picture": picture,
            "label": STATUSES[status.Status(picture.status)],
            "tone": TONES.get(status.Status(picture.status), "default"),
            "where": order_picture.whereabouts(picture, hold, disputed=disputed),
            "facts": order_picture.money_facts(hold),
            "parts": order_picture.parts_of(picture.split),
            "reasons": split_words(picture.terms),
            "journal": read_journal(books.subject_entries(order.pk), member=member),
            "refunds": order_picture.refund_rows(picture),
            "disputes": disputes,
            "steps": order_steps(picture, payouts=_payouts(member, picture)),
            "most_parcels": len(picture.shipments) >= MAX_PARCELS,
            "days": range(1, extensions.MAX_SHIP_EXTENSION.days + 1),
            "refundable": bool(left_of(order, hold)) and not disputed,
        },
    )


def _payouts(member: Member, picture: status.Picture) -> list[Payout]:
    """The payouts the reader may see that pay this order."""
    settled = {line.settlement for line in picture.split if line.settlement}
    return list(member.payouts().filter(settlement_id__in=settled).order_by("created_at", "id"))
