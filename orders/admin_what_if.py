"""The operators' page that prices past orders again under a plan: chart, totals, orders. It only
reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from ledger import admin_panels as panels
from merchants.models import CommissionPlan
from merchants.what_if import Comparison, Repriced, Total
from orders import commission_chart, selectors
from orders.services import pricing

SHOWN = 100  # orders listed; the totals and the chart are of all


class WhatIfForm(forms.Form):
    """Which plan is tried, on orders created when; in the address."""

    plan = forms.ModelChoiceField(
        CommissionPlan.objects.select_related("platform").order_by("platform__name", "name"),
        label=_("Commission plan"),
        widget=forms.Select(attrs={"class": " ".join(SELECT_CLASSES)}),
    )
    since = forms.DateField(
        label=_("Orders created from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
    )


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one currency, old beside new."""

    template: ClassVar[str] = "admin/panels/chart.html"
    title: Any
    spans: Sequence[tuple[commission_chart.Span, Sequence[tuple[commission_chart.Bar, str]]]]
    side: bool = False


def what_if_page(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Ask for a plan, and show what sold orders of its platform would have paid under it."""
    form = WhatIfForm(request.GET if "plan" in request.GET else None)
    shown: list[Any] = []
    if form.is_valid():
        shown = _panels(_compare(form.cleaned_data))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": _("Commission what-if"),
        "form": form,
        "shown": shown,
        "back_url": reverse(f"{admin.admin_site.name}:orders_order_changelist"),
    }
    return TemplateResponse(request, "admin/plan_page.html", context)


def _compare(asked: dict[str, Any]) -> Comparison:
    plan = asked["plan"]
    sold = selectors.orders_of(platform_id=plan.platform_id)
    if asked["since"]:
        sold = sold.filter(created_at__date__gte=asked["since"])
    return pricing.what_if_plan(
        platform=plan.platform, plan_id=plan.pk, orders=sold, at=timezone.now()
    )


def _panels(found: Comparison) -> list[Any]:
    charts = [_chart(found.orders, total.currency) for total in found.totals]
    return [_totals(found.totals), *charts, _orders(found.orders[:SHOWN])]


def _chart(orders: Sequence[Repriced], currency: str) -> Chart:
    return Chart(
        title=_("Commission in %(currency)s, as agreed and as tried") % {"currency": currency},
        spans=[
            (
                span,
                [
                    (bar, f"{panels.digits(bar.amount_minor, currency)} {currency}")
                    for bar in span.bars
                ],
            )
            for span in commission_chart.lay_out(orders, currency=currency)
        ],
    )


def _totals(totals: Sequence[Total]) -> panels.Table:
    return panels.Table(
        title=_("Totals"),
        headings=[
            _("Orders"),
            _("Paid by buyers"),
            _("Commission as agreed"),
            _("Commission as tried"),
            _("Sellers as agreed"),
            _("Sellers as tried"),
        ],
        numbers=[0, 1, 2, 3, 4, 5],
        rows=[
            [
                each.orders,
                *(
                    panels.money(amount_minor, each.currency)
                    for amount_minor in (
                        each.amount_minor,
                        each.old_commission_minor,
                        each.new_commission_minor,
                        each.old_seller_minor,
                        each.new_seller_minor,
                    )
                ),
            ]
            for each in totals
        ],
        empty=_("No sold orders."),
    )


def _orders(orders: Sequence[Repriced]) -> panels.Table:
    return panels.Table(
        title=_("Newest orders"),
        headings=[
            _("Order"),
            _("Paid by buyers"),
            _("Commission as agreed"),
            _("Commission as tried"),
            _("Difference"),
        ],
        numbers=[1, 2, 3, 4],
        rows=[
            [
                panels.link("orders_order", each.order_id, each.order_id),
                *(
                    panels.money(amount_minor, each.old.currency)
                    for amount_minor in (
                        each.old.amount_minor,
                        each.old.commission_minor,
                        each.new.commission_minor,
                        each.difference_minor,
                    )
                ),
            ]
            for each in orders
        ],
        empty=_("No sold orders."),
    )
