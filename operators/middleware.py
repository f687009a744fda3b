"""What holds for every page of the operators' admin: its own policy, and a second factor."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from merchants import admin_sign_in

PREFIX = "/admin/"


class OperatorsMiddleware:
    """Lets nobody see a page of the admin who has not used a second factor in this session.

    Who has none is sent to set one up; who has one, but came with a password alone, is asked for
    it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        if settings.OPERATOR_MFA and request.user.is_authenticated:
            if not admin_sign_in.has_second_factor(request.user):
                said = _("Operators need a second factor: set one up to go on.")
                messages.warning(request, said)
                return redirect("mfa_activate_totp")
            if not admin_sign_in.used_second_factor(request):
                said = _("Operators come in with a second factor: use it to go on.")
                return admin_sign_in.ask_again(request, said=said)
        answer = self.get_response(request)
        answer._csp_update = settings.ADMIN_POLICY  # type: ignore[attr-defined]
        return answer
