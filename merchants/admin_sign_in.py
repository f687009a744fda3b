"""How an operator proved who they are, and how long ago: what the admin asks before it lets them.

It reads what django-allauth wrote into the session. It must never sign anybody in by itself.
"""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def has_second_factor(user: Any) -> bool:
    """Say whether a person has set up an authenticator app or a passkey."""
    return bool(is_mfa_enabled(user, types=SECOND_FACTORS))


def used_second_factor(request: HttpRequest) -> bool:
    """Say whether this very session was opened, or confirmed, with more than a password.

    A session that is older than the second factor was opened with a password alone.
    """
    return any(record["method"] == "mfa" for record in _records(request))


def signed_in_lately(request: HttpRequest) -> bool:
    """Say whether this person gave a password or a code within the last minutes.

    Source: ACCOUNT_REAUTHENTICATION_TIMEOUT, as for changing a password.
    """
    proofs = [record["at"] for record in _records(request)]
    return bool(proofs) and time.time() - proofs[-1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ask_again(request: HttpRequest, *, said: str = "") -> HttpResponseRedirect:
    """Send somebody to prove again who they are, and back here: by the second factor if they have
    one.

    Raises: PermissionDenied for an account with neither a password nor a second factor.
    """
    methods = get_adapter().get_reauthentication_methods(request.user)
    if not methods:
        raise PermissionDenied
    # A stable sort: where there is no second factor, the password stays first.
    methods.sort(key=lambda method: not method["id"].startswith("mfa"))
    messages.info(request, said or _("This decision moves money: confirm that it is you."))
    back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
    return HttpResponseRedirect(f"{methods[0]['url']}?{back}")


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    user: Any = request.user
    return list(get_authentication_records(request, user))
