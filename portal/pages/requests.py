"""What a platform's servers asked of the API, and how it was answered: for 30 days."""

import json
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from api import request_log
from api.models import LoggedRequest
from merchants.models import ApiKey
from portal.access import Member, PortalRequest, member_page
from portal.lists import page_of

CLASSES: dict[str, tuple[str | Promise, dict[str, int]]] = {
    "": (_("All"), {}),
    "done": (_("Worked"), {"status__lt": 400}),
    "refused": (_("Refused"), {"status__gte": 400, "status__lt": 500}),
    "failed": (_("Failed on our side"), {"status__gte": 500}),
}


class RequestFilters(forms.Form):
    """What to look for; each narrows the list."""

    path = forms.CharField(label=_("Path begins with"), max_length=200, required=False)
    key = forms.ChoiceField(label=_("API key"), required=False)
    idempotency_key = forms.CharField(label=_("Idempotency key"), max_length=255, required=False)
    request = forms.CharField(label=_("Request id"), max_length=40, required=False)

    def __init__(self, asked: Any, *, keys: dict[str, str]) -> None:
        super().__init__(asked)
        field = self.fields["key"]
        assert isinstance(field, forms.ChoiceField)
        named = ((public_id, f"{name} ({public_id})") for public_id, name in keys.items())
        field.choices = [("", _("All")), *named]

    def wanted(self) -> dict[str, Any]:
        """The filters that were said, for a queryset. A wrong one is said beside its field."""
        said = self.cleaned_data if self.is_valid() else {}
        columns = {
            "path": "path__startswith",
            "key": "key_public_id",
            "idempotency_key": "idempotency_key",
        }
        return {column: said[name] for name, column in columns.items() if said.get(name)}


@require_safe
@member_page(of="platform")
def list_requests(request: PortalRequest) -> HttpResponse:
    """Show requests, newest first; a request id leads to its page."""
    member = request.member
    keys = _keys(member)
    filters = RequestFilters(request.GET, keys=keys)
    wanted = filters.wanted()
    named = filters.cleaned_data.get("request") if filters.is_valid() else ""
    if named and _own(member).filter(pk=named).exists():
        return redirect("portal:request", named)
    chosen = request.GET.get("status", "")
    _label, of_class = CLASSES.get(chosen, CLASSES[""])
    rows = _own(member).filter(**wanted, **of_class)
    return render(
        request,
        "portal/pages/requests.html",
        {
            "listing": page_of(request, rows.none() if named else rows, prepare=_told(keys)),
            "classes": [(name, label) for name, (label, _rows) in CLASSES.items()],
            "chosen": chosen if chosen in CLASSES else "",
            "filters": filters,
            "narrows": bool(wanted or named),
        },
    )


@require_safe
@member_page(of="platform")
def show_request(request: PortalRequest, request_id: str) -> HttpResponse:
    """Show one request: who asked, how it was answered, and why it was refused."""
    row = _own(request.member).filter(pk=request_id).first()
    if row is None:
        raise Http404
    detail = request_log.detail_of(row)
    said = detail.get("said")
    return render(
        request,
        "portal/pages/request.html",
        {
            "row": row,
            "tone": tone_of(row.status),
            "key_name": _keys(request.member).get(row.key_public_id, ""),
            "detail": detail,
            "said": json.dumps(said, ensure_ascii=False, indent=2) if said else "",
        },
    )


def tone_of(status: int) -> str:
    """The color of an answer."""
    return "success" if status < 400 else "warning" if status < 500 else "danger"


def _own(member: Member) -> Any:
    return LoggedRequest.objects.filter(platform=member.platform)


def _keys(member: Member) -> dict[str, str]:
    """Names of all keys of the platform, those that are over too, by what they begin with."""
    rows = ApiKey.objects.filter(platform=member.platform).order_by("-pk")
    return {key.public_id: key.name for key in rows}


def _told(keys: dict[str, str]) -> Any:
    def prepare(rows: list[LoggedRequest]) -> list[dict[str, Any]]:
        return [
            {"row": row, "tone": tone_of(row.status), "key": keys.get(row.key_public_id, "")}
            for row in rows
        ]

    return prepare
