"""API keys: the list, a new one that is shown once, its successor, and the end of one."""

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import DomainError
from merchants import services as merchants
from merchants.models import ApiKey
from merchants.scopes import KINDS, SCOPES
from merchants.services.api_keys import is_valid
from portal.access import PortalRequest, Power, member_page
from portal.refusals import attempt, sentence

OVERLAPS = [(0, _("at once")), (24, _("in 24 hours")), (7 * 24, _("in 7 days"))]


class NewKeyForm(forms.Form):
    """What somebody says about a new key."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("Who uses it, such as: shop server.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=[(scope, scope) for scope in SCOPES],
        initial=SCOPES,
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def grid(self) -> list[tuple[str, list[Any]]]:
        """The checkboxes by kind of thing: reading and writing side by side."""
        boxes = list(self["scopes"])
        return [(kind, boxes[2 * row : 2 * row + 2]) for row, kind in enumerate(KINDS)]


@require_safe
@member_page(of="platform")
def list_keys(request: PortalRequest) -> HttpResponse:
    """Show the keys of the side somebody looks at, valid ones first."""
    now = timezone.now()
    rows = list(ApiKey.objects.filter(platform=request.member.platform).order_by("-pk"))
    keys = [{"key": key, "valid": is_valid(key, at=now)} for key in rows]
    keys.sort(key=lambda each: not each["valid"])
    return render(request, "portal/pages/keys.html", {"keys": keys, "overlaps": OVERLAPS})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
@reauthentication_required
def add_key(request: PortalRequest) -> HttpResponse:
    """Make a key and show it this once."""
    form = NewKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = merchants.create_api_key(
                platform=request.member.platform, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return _show_once(request, row, secret)
    return render(request, "portal/pages/key_new.html", {"form": form})


@never_cache
@require_POST
@member_page(of="platform", power=Power.SETUP)
@reauthentication_required
def roll_key(request: PortalRequest, public_id: str) -> HttpResponse:
    """Make a key's successor and show it this once."""
    _own_key(request, public_id)
    hours = request.POST.get("overlap", "")
    known = {str(hours): hours for hours, _label in OVERLAPS}
    made = attempt(
        request,
        lambda: merchants.roll_api_key(
            public_id=public_id, overlap=timedelta(hours=known.get(hours, 24)), at=timezone.now()
        ),
        done=_("Put the new key in place before the old one ends."),
    )
    return redirect("portal:keys") if made is None else _show_once(request, *made)


@require_POST
@member_page(of="platform", power=Power.SETUP)
def revoke_key(request: PortalRequest, public_id: str) -> HttpResponse:
    """End a key now."""
    _own_key(request, public_id)
    attempt(
        request,
        lambda: merchants.revoke_api_key(public_id=public_id, at=timezone.now()),
        done=_("The key does not open anything any more."),
    )
    return redirect("portal:keys")


def _own_key(request: PortalRequest, public_id: str) -> ApiKey:
    key = ApiKey.objects.filter(platform=request.member.platform, public_id=public_id).first()
    if key is None:
        raise Http404
    return key


def _show_once(request: PortalRequest, key: ApiKey, secret: str) -> HttpResponse:
    return render(request, "portal/pages/key_shown.html", {"key": key, "secret": secret})
