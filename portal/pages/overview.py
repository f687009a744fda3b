"""The first page: where the money is, how it moved, and what needs doing today."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.money import exponent
from portal import figures, todo
from portal.access import PortalRequest, member_page
from portal.days import on_axis
from portal.pages.orders import with_status

RECENT = 8


@require_safe
@member_page()
def show_overview(request: PortalRequest) -> HttpResponse:
    """Show figures per currency, a month's course, the newest orders, and the list of tasks."""
    member = request.member
    read = figures.read(member)
    recent = list(member.orders().order_by("-pk")[:RECENT])
    return render(
        request,
        "portal/pages/overview.html",
        {
            "figures": read,
            "currencies": [_with_chart(read, each) for each in read.currencies],
            "tasks": todo.tasks_of(member),
            "recent": with_status(recent),
        },
    )


def _with_chart(read: figures.Figures, each: figures.CurrencyFigures) -> dict[str, Any]:
    """The figures, and the chart's points in whole units of the currency."""
    unit = 10 ** exponent(each.currency)
    change = each.paid_out_minor - each.paid_out_before_minor
    return {
        "figures": each,
        "chart_id": f"chart-{each.currency}",
        "change_bps": round(10_000 * change / each.paid_out_before_minor)
        if each.paid_out_before_minor
        else None,
        "chart": {
            "x": on_axis(read.days),
            "series": [
                {
                    "label": _("Paid by buyers"),
                    "color": "--brand",
                    "values": [amount / unit for amount in each.bought],
                },
                {
                    "label": _("Paid out"),
                    "color": "--good",
                    "values": [amount / unit for amount in each.paid_out],
                },
            ],
        },
    }
