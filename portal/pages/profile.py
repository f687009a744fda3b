"""Somebody's own page: name, language, time zone, how they sign in, and where they are signed in.

It must never show or change anybody else, nor a role: that is an owner's act (people.py).
"""

import zoneinfo
from functools import cache

from allauth.mfa.models import Authenticator
from allauth.usersessions.forms import ManageUserSessionsForm
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import DomainError
from merchants import services as merchants
from merchants.models import Language, User
from portal.access import Member, PortalRequest, member_page
from portal.devices import devices_of
from portal.people import ROLE_WORDS
from portal.refusals import sentence

AREAS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


class ProfileForm(forms.Form):
    """What people say about themselves."""

    name = forms.CharField(
        label=_("Your name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Language.choices,
        help_text=_("Of pages and of mails to you."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: object, member: Member, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        usual = (member.merchant and member.merchant.time_zone) or member.platform.time_zone
        usual_label = _now("As %(name)s: %(zone)s") % {"name": member.name, "zone": usual}
        zones = [(zone, zone) for zone in time_zones()]
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", usual_label), *zones]


@cache
def time_zones() -> list[str]:
    """Zones by place, in order, without old and technical names."""
    return sorted(each for each in zoneinfo.available_timezones() if each.startswith(AREAS))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def show_profile(request: PortalRequest) -> HttpResponse:
    """Show somebody's own page, and keep what they change."""
    user = request.member.user
    initial = {
        "name": user.get_full_name(),
        "language": user.language,
        "time_zone": user.time_zone,
    }
    form = ProfileForm(request.POST or None, initial=initial, member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            merchants.update_profile(user=user, **form.cleaned_data)
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return _saved(request, form.cleaned_data["language"])
    return render(
        request,
        "portal/pages/profile.html",
        {
            "form": form,
            "may": ROLE_WORDS[user.role],
            "devices": devices_of(user, session_key=request.session.session_key),
            **_ways_in(user),
        },
    )


@require_POST
@member_page()
def sign_out_elsewhere(request: PortalRequest) -> HttpResponse:
    """End all sessions of the person but this one."""
    ManageUserSessionsForm({}, request=request).save(request)
    messages.success(request, _now("You are signed in on this device alone."))
    return redirect("portal:profile")


def _saved(request: PortalRequest, language: str) -> HttpResponse:
    """Go on in the language that was chosen."""
    messages.success(request, _now("Saved."))
    answer = redirect("portal:profile")
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return answer


def _ways_in(user: User) -> dict[str, object]:
    """By what somebody signs in, besides the password."""
    kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return {
        "app": Authenticator.Type.TOTP in kinds,
        "recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "passkeys": kinds.count(Authenticator.Type.WEBAUTHN),
    }
