"""Answers the description of the whole API. It must never need a key, nor be made twice."""

import hashlib
import json
import threading
from functools import cache

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import ApiView

MAX_AGE_SECONDS = 300
# drf-spectacular loads its extensions while it writes, and two threads at once trip over it.
_ONE_AT_A_TIME = threading.Lock()


class OpenApiView(ApiView):
    authentication_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the description, OpenAPI 3.1 as JSON."""
        body, etag = description(settings.PUBLIC_URL)
        fresh = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
        return get_conditional_response(request._request, etag=etag, response=fresh) or fresh

    def finalize_response(self, request: Request, response: Response, *args, **kwargs) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if final.status_code in (200, 304):
            final["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"  # it holds no secret
        return final


def description(public_url: str) -> tuple[bytes, str]:
    """The description as it is served at an address. Returns: the bytes, and their name."""
    with _ONE_AT_A_TIME:
        return _description(public_url)


@cache
def _description(_public_url: str) -> tuple[bytes, str]:
    """Make it once per process. Returns: the bytes, and their name."""
    schema = spectacular_settings.DEFAULT_GENERATOR_CLASS().get_schema(public=True)
    body = json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
