"""Signing people in for tests, without a form."""

import time

from django.test import Client

from merchants.models import User


def signed_in(user: User, *, recently: bool = False, **options: object) -> Client:
    """A client somebody is signed in with. Args: recently: has given the password again just now,
    as pages that open doors to money ask for."""
    client = Client(**options)  # type: ignore[arg-type]
    client.force_login(user)
    if recently:
        session = client.session
        session["account_authentication_methods_user"] = str(user.pk)
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "reauthenticated": True}
        ]
        session.save()
    return client
