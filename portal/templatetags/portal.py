"""What templates of people's pages say money, time, states and icons with."""

from datetime import date, datetime
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.http import QueryDict
from django.utils.safestring import SafeString, mark_safe

from portal import formats

register = template.Library()


@register.simple_tag
def money(amount_minor: int | None, currency: str) -> str:
    """`{% money order.amount_minor order.currency %}`; a dash for nothing."""
    return "–" if amount_minor is None else formats.money(amount_minor, currency)


@register.simple_tag
def signed_money(amount_minor: int, currency: str) -> str:
    """`+CN¥1.20`, `−CN¥0.30`; without a sign where nothing changes."""
    sign = "+" if amount_minor > 0 else "−" if amount_minor else ""
    return f"{sign}{formats.money(abs(amount_minor), currency)}"


@register.filter
def number(amount: int) -> str:
    return formats.number(amount)


@register.filter
def percent(rate_bps: int) -> str:
    return formats.percent(rate_bps)


@register.filter
def signed_percent(rate_bps: int) -> str:
    """`+8.2%`, `−3%`."""
    return f"{'+' if rate_bps >= 0 else '−'}{formats.percent(abs(rate_bps))}"


@register.filter
def instant(at: datetime | None) -> str:
    return formats.instant(at)


@register.filter
def day(at: datetime | date | None) -> str:
    return formats.day(at)


@register.filter
def time_left(until: datetime, at: datetime) -> str:
    """`{{ order.ship_by|time_left:member.at }}`."""
    return formats.time_left(until, at=at)


@register.simple_tag
def icon(name: str, css: str = "size-5") -> SafeString:
    """Draw an icon of templates/icons/, hidden from screen readers: words stand beside it."""
    return mark_safe(_drawing(name).replace("<svg", f'<svg aria-hidden="true" class="{css}"', 1))  # noqa: S308


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's own query string with some of it changed; an empty value drops the name."""
    words: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            words.pop(name, None)
        else:
            words[name] = str(value)
    return f"?{words.urlencode()}"


@cache
def _drawing(name: str) -> str:
    """Files of ours, chosen by templates of ours: never what somebody sent."""
    path = settings.BASE_DIR / "templates" / "icons" / f"{name}.svg"
    return path.read_text(encoding="utf-8").strip()
