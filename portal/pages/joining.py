"""Joining by an invitation's link: a name and a password, once.

It must never tell a forged link from an expired, withdrawn or used one; opening a link changes
nothing, as mail scanners open links too.
"""

from typing import Any

import pghistory
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import password_validation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from merchants import services as merchants
from merchants.models import Invitation
from notifications import buyer_links
from portal.people import ROLE_WORDS, name_of
from portal.refusals import sentence


class JoinForm(forms.Form):
    """What a new person says."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        help_text=_("At least 12 characters, and none of the common ones."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password again"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password

    def clean(self) -> dict[str, Any]:
        words = super().clean() or {}
        if words.get("password") and words["password"] != words.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return words


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, invitation_id: str, round: int, right: str) -> HttpResponse:
    """Ask for a name and a password, and take the person in."""
    invitation = _find(invitation_id, round, right)
    if invitation is None:
        return render(request, "portal/pages/join_closed.html", status=410)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(invitation.language)
        request.LANGUAGE_CODE = translation.get_language()
    words = {
        "invitation": invitation,
        "host": invitation.merchant or invitation.platform,
        "inviter": name_of(invitation.invited_by),
        "may": ROLE_WORDS[invitation.role],
    }
    if request.user.is_authenticated:
        # A new account beside one that is open would be the wrong person's by accident. Answered as
        # a page: a refused request would leave the link, which is still good, in the logs.
        return render(request, "portal/pages/join_signed_in.html", words)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _joined(form, invitation):
        said = _now("You have joined %(name)s. Sign in with your e-mail address and password.")
        messages.success(request, said % {"name": words["host"]})
        return redirect("account_login")
    return render(request, "portal/pages/join.html", {**words, "form": form})


def _find(invitation_id: str, round: int, right: str) -> Invitation | None:
    now = timezone.now()
    until = buyer_links.read(buyer_links.invitation_path(invitation_id, round), right)
    if until is None or until <= now:
        return None
    try:
        return merchants.find_invitation(invitation_id=invitation_id, round=round, at=now)
    except merchants.InvitationClosed:
        return None


def _joined(form: JoinForm, invitation: Invitation) -> bool:
    """Take somebody in, or say on the form why not."""
    try:
        with pghistory.context(actor=f"invitation:{invitation.pk}"):
            merchants.accept_invitation(
                invitation_id=invitation.pk,
                round=invitation.round,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                at=timezone.now(),
            )
    except merchants.PasswordTooWeak as weak:
        form.add_error("password", str(weak))
        return False
    except DomainError as refusal:
        form.add_error(None, sentence(refusal))
        return False
    return True
