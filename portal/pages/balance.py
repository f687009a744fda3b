"""How balances moved, day by day: a chart, and the table that says the same without it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import dropwhile
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.money import exponent
from payouts.balance_days import Day, days_of_platform, days_of_sellers
from portal.access import Member, PortalRequest, member_page
from portal.days import on_axis
from portal.figures import kept

SPANS = (30, 90, 365)
SELLERS, OWN = "sellers", "own"
KEPT_SECONDS = 300  # a history moves on its last day only; the page says of when it is


@dataclass(frozen=True, slots=True)
class Course:
    """The days of one currency, oldest first; `at`: when they were read."""

    currency: str
    at: datetime
    days: list[Day]


@require_safe
@member_page()
def show_balance(request: PortalRequest) -> HttpResponse:
    """Show what was held, available, on its way and paid out by day: of a seller; of all sellers
    of a platform together, or its own commission."""
    member = request.member
    span = request.GET.get("days", "")
    days = int(span) if span in map(str, SPANS) else SPANS[0]
    of = OWN if request.GET.get("of") == OWN and not member.is_seller else SELLERS
    read = partial(_read, of=of, days=days)
    courses = kept(f"balance:{of}:{days}", member, read, seconds=KEPT_SECONDS)
    return render(
        request,
        "portal/pages/balance.html",
        {"courses": [_shown(each) for each in courses], "days": days, "spans": SPANS, "of": of},
    )


def _read(member: Member, *, of: str, days: int) -> list[Course]:
    last = timezone.localtime(member.at, member.zone).date()
    asked: dict[str, Any] = {
        "platform": member.platform,
        "first": last - timedelta(days=days - 1),
        "last": last,
        "zone": member.zone,
        "at": member.at,
    }
    if of == OWN:
        found = days_of_platform(**asked)
    else:
        ids = [member.merchant.pk] if member.merchant else None
        found = days_of_sellers(merchant_ids=ids, **asked)
    by_currency: dict[str, list[Day]] = defaultdict(list)
    for day in found:
        by_currency[day.currency].append(day)
    return [Course(currency, member.at, rows) for currency, rows in by_currency.items()]


def _is_empty(day: Day) -> bool:
    stands = day.held_minor, day.available_minor, day.reserved_minor, day.in_transit_minor
    return not any((*stands, day.paid_minor))


def _shown(course: Course) -> dict[str, Any]:
    """The rows newest first, without the days before anything moved, and the chart's points in
    whole units of the currency."""
    unit = 10 ** exponent(course.currency)
    has_reserve = any(day.reserved_minor for day in course.days)
    lines = [
        (_("Held in escrow"), "--brand", "held_minor"),
        (_("Available"), "--good", "available_minor"),
        (_("In transit"), "--warn", "in_transit_minor"),
        (_("Paid out"), "--muted", "paid_minor"),
    ]
    return {
        "course": course,
        "latest": course.days[-1],
        "paid_minor": sum(day.paid_minor for day in course.days),
        "has_reserve": has_reserve,
        "rows": list(dropwhile(_is_empty, course.days))[::-1],
        "chart_id": f"balance-{course.currency}",
        "chart": {
            "x": on_axis(day.day for day in course.days),
            "series": [
                {
                    "label": label,
                    "color": color,
                    "values": [getattr(day, name) / unit for day in course.days],
                }
                for label, color, name in lines
            ],
        },
    }
