"""Pages of the operators' door that belong to no single model. They only read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from ledger import admin_panels as panels
from merchants import selectors as merchants
from merchants.models import Merchant
from operators import glance, health, trail
from portal.at_once import read_at_once

Text = str | Promise
View = Callable[[HttpRequest], HttpResponse]
PER_PAGE = 50
MISSING: dict[str, Text] = {
    "active": _("Suspended"),
    "email": _("E-mail"),
    "bank_account": _("Bank account"),
}


def desk_page(*, permission: str) -> Callable[[View], View]:
    """Open a page to operators with one right; everybody else is refused."""

    def open_to(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request)

        opened.permission = permission  # type: ignore[attr-defined]
        return admin.site.admin_view(require_safe(opened))

    return open_to


def _page(request: HttpRequest, title: Text, shown: list[Any], **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "panels": shown, **more}
    return TemplateResponse(request, "admin/desk_page.html", context)


@desk_page(permission="merchants.view_user")
def show_trail(request: HttpRequest) -> HttpResponse:
    """Who changed what, by row and by person."""
    subject = request.GET.get("subject", "").strip()[:40]
    person = request.GET.get("person", "").strip()[:150]
    found = trail.changes(may=request.user.has_perm, subject=subject, person=person)
    table = panels.Table(
        title=_("Changes, newest first"),
        headings=[_("When"), _("Who"), _("What"), _("Row"), _("Says now"), _("Why")],
        rows=[
            [
                _unbroken(panels.instant(each.at)),
                each.actor,
                each.kind,
                _unbroken(each.row),
                each.facts or panels.NOTHING,
                each.reason or panels.NOTHING,
            ]
            for each in found
        ],
        empty=_("Nothing was changed."),
    )
    fields = [
        ("subject", _("Id of the row, in full"), subject),
        ("person", _("User name, in full"), person),
    ]
    return _page(request, _("Audit trail"), [table], fields=fields)


@desk_page(permission="notifications.view_delivery")
def show_health(request: HttpRequest) -> HttpResponse:
    """Whether the machinery runs."""
    at = timezone.now()
    [overdue] = read_at_once([glance.stuck(at=at)])
    shown = [
        overdue,
        health.queues(at=at),
        health.heartbeats(),
        health.services(at=at),
    ]
    return _page(request, _("System health"), shown)


@desk_page(permission="merchants.view_merchant")
def list_onboarding(request: HttpRequest) -> HttpResponse:
    """What each seller still lacks to be paid, newest seller first."""
    before = request.GET.get("before", "").strip()[:40]
    sellers = Merchant.objects.select_related("platform").order_by("-pk")
    if before:
        sellers = sellers.filter(pk__lt=before)
    page = list(sellers[:PER_PAGE])
    found = merchants.onboarding_of_all(page)
    table = panels.Table(
        title=_("What sellers still lack"),
        headings=[_("Seller"), _("Platform"), _("State"), _("Lacks"), _("Since")],
        rows=[
            [
                panels.link("merchants_merchant", seller.pk, seller.name),
                seller.platform.name,
                _standing(found[seller.pk]),
                ", ".join(str(MISSING[each]) for each in found[seller.pk].missing)
                or panels.NOTHING,
                panels.instant(seller.created_at),
            ]
            for seller in page
        ],
        empty=_("No sellers yet."),
    )
    older = page[-1].pk if len(page) == PER_PAGE else ""
    return _page(request, _("Onboarding"), [table], older=older)


def _unbroken(text: Any) -> Any:
    return format_html('<span class="hf-unbroken">{}</span>', text)


def _standing(found: merchants.Onboarding) -> Any:
    said: dict[str, tuple[Text, str]] = {
        merchants.OnboardingStatus.READY: (_("Can be paid"), "success"),
        merchants.OnboardingStatus.PENDING: (_("Incomplete"), "warning"),
        merchants.OnboardingStatus.SUSPENDED: (_("Suspended"), "danger"),
    }
    return panels.badge(*said[found.status])
