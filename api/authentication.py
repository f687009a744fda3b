"""Who is asking: a platform, by `Authorization: Bearer sk_test_…`.

It must never tell why a key is refused.
"""

import pghistory
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from merchants import services as merchants
from merchants.models import ApiKey

SCHEME = "Bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """Finds the key: `request.auth` becomes its ApiKey row, `request.user` stays empty."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        """Return the key's row, and name its platform as the actor of what is written from here on.

        Raises: ApiKeyRefused, the same for a missing, malformed, unknown, wrong, expired or revoked
            key.
        """
        key = merchants.find_api_key(secret=shown_secret(request), at=request.at)
        request._request.api_key = key  # for the log of requests
        pghistory.context(actor=f"platform:{key.platform_id}")
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """Say what was missing, in the words of RFC 6750."""
        return f'{SCHEME} realm="holdfast"'


def shown_secret(request: HttpRequest | Request) -> str:
    """The key a request shows, or an empty text."""
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return secret.strip() if scheme.lower() == SCHEME.lower() else ""
