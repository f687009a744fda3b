"""The way in, and what a browser remembers of its reader."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from portal.access import find_member
from portal.shell import THEME, THEMES

YEAR = 365 * 86400


@require_safe
def go_home(request: HttpRequest) -> HttpResponse:
    """Send everybody to their own door."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if find_member(request) is not None:
        return redirect("portal:overview")
    return redirect("admin:index" if request.user.is_staff else "mfa_index")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's in a cookie, and go back."""
    back = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    answer = HttpResponseRedirect(back if own else reverse("portal:home"))
    theme = request.POST.get("theme")
    if theme in THEMES:
        secure = settings.SESSION_COOKIE_SECURE
        answer.set_cookie(THEME, theme, max_age=YEAR, secure=secure, samesite="Lax")
    return answer
