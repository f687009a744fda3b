"""People who have signed in as people do: with a password, or a second factor, a moment ago.

It must never be used where signing in itself is tested: it writes what django-allauth would write.
"""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.test import Client

from merchants.models import User


def sign_in(
    user: User, *, client: Client | None = None, method: str = "password", again: bool = False
) -> Client:
    """Open a session that knows by what it was opened, and when. `method`: password or mfa.
    `again`: it was asked for once more since, as pages that open doors to money do."""
    client = client or Client()
    client.force_login(user)
    session = client.session
    record = {"method": method, "at": time.time()}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        record | ({"reauthenticated": True} if again else {})
    ]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
    session.save()
    return client
