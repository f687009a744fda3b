"""What holds for every page of the operators' admin: its own policy, and a second factor."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

PREFIX = "/admin/"


class OperatorsMiddleware:
    """Sends an operator without a second factor to set one up, before any page of the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        if _lacks_second_factor(request.user):
            messages.warning(request, _("Operators need a second factor: set one up to go on."))
            return redirect("mfa_activate_totp")
        answer = self.get_response(request)
        answer._csp_update = settings.ADMIN_POLICY  # type: ignore[attr-defined]
        return answer


def _lacks_second_factor(user: Any) -> bool:
    return settings.OPERATOR_MFA and user.is_authenticated and not is_mfa_enabled(user)
