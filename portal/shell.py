"""What stands around every page of the portal: menu, language, theme."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.access import Member, Power, find_member

THEME = "theme"  # cookie
ACCOUNTS = "/accounts/"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. `of`: any, seller, platform, or test platform. `power`: without it the
    page is refused, and nobody is led to it."""

    label: str | Promise
    page: str
    icon: str
    of: str = "any"
    power: Power | None = None


MENU: list[tuple[str | Promise, list[Entry]]] = [
    (
        "",
        [
            Entry(_("Overview"), "portal:overview", "layout-dashboard"),
            Entry(_("Orders"), "portal:orders", "receipt-text"),
            Entry(_("Disputes"), "portal:disputes", "gavel"),
            Entry(_("Payouts"), "portal:payouts", "banknote"),
            Entry(_("Balance"), "portal:balance", "chart-line"),
            Entry(_("Bank accounts"), "portal:accounts", "landmark"),
            Entry(_("Amounts owed"), "portal:debts", "scale"),
            Entry(_("Sellers"), "portal:sellers", "store", of="platform"),
            Entry(_("Commission"), "portal:plans", "percent", of="platform"),
            Entry(_("Your commission"), "portal:commission", "percent", of="seller"),
            Entry(_("Branding"), "portal:branding", "palette", of="platform", power=Power.SETUP),
        ],
    ),
    (
        _("Developers"),
        [
            Entry(_("API keys"), "portal:keys", "key-round", of="platform"),
            Entry(_("Webhooks"), "portal:webhooks", "webhook", of="platform"),
            Entry(_("Events"), "portal:events", "bolt", of="platform"),
            Entry(_("Requests"), "portal:requests", "list-checks", of="platform"),
            Entry(_("Test clock"), "portal:clock", "timer", of="test platform", power=Power.SETUP),
        ],
    ),
    (
        _("Settings"),
        [
            Entry(_("People"), "portal:people", "users"),
            Entry(_("Notifications"), "portal:notifications", "bell"),
        ],
    ),
]


@dataclass(frozen=True, slots=True)
class Item:
    label: str | Promise
    url: str
    icon: str
    current: bool


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every template; pages that are not the portal's use little of it."""
    member = _member(request)
    theme = request.COOKIES.get(THEME)
    return {
        "member": member,
        "menu": list(_menu(member, request.path)) if member else [],
        "account_layout": "portal/page.html" if member else "portal/entrance.html",
        "two_sides": member is not None and member.has_two_sides,
        "theme": theme if theme in THEMES else "auto",
        "languages": settings.LANGUAGES,
    }


def _member(request: HttpRequest) -> Member | None:
    """Who the page was opened for; the pages of somebody's own sign-in have the menu too."""
    user = getattr(request, "user", None)
    if request.path.startswith(ACCOUNTS) and user is not None and user.is_authenticated:
        return find_member(request)
    return getattr(request, "member", None)


def _menu(member: Member, path: str) -> Iterator[tuple[str | Promise, list[Item]]]:
    for title, entries in MENU:
        items = [
            Item(entry.label, url, entry.icon, _is_current(url, path))
            for entry in entries
            if _leads(entry, member)
            for url in [reverse(entry.page)]
        ]
        if items:
            yield title, items


def _leads(entry: Entry, member: Member) -> bool:
    if entry.power is not None and not member.may(entry.power):
        return False
    tests = entry.of == "test platform" and member.kind == "platform" and member.is_test
    return tests or entry.of in ("any", member.kind)


def _is_current(url: str, path: str) -> bool:
    return path == url or (url != reverse("portal:overview") and path.startswith(f"{url}/"))
