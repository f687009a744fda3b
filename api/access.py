"""What a key may do, how often, and in which version it speaks."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common.errors import DomainError
from merchants.models import ApiKey
from merchants.services.api_keys import API_VERSION

VERSION_HEADER = "Holdfast-Version"
VERSIONS = (API_VERSION,)  # oldest first; a key speaks the one it was made with
WINDOW_SECONDS = 60

log = logging.getLogger(__name__)


class ScopeMissing(DomainError):
    """The key is valid but was not given this scope: use another key, or make one with it."""

    code = "scope_missing"
    status = 403


class ApiVersionUnknown(DomainError):
    """The header Holdfast-Version names a version that never was."""

    code = "api_version_unknown"
    status = 400


def require_scope(key: ApiKey, scope: str, *, reads: bool) -> None:
    """Check that the key was given the view's scope. Raises: ScopeMissing."""
    wanted = f"{scope}:{'read' if reads else 'write'}"
    if scope and wanted not in key.scopes:
        raise ScopeMissing(f"This key lacks the scope {wanted}.", scope=wanted)


def require_version(request: Request) -> None:
    """Raises: ApiVersionUnknown."""
    wanted = request.headers.get(VERSION_HEADER)
    if wanted is not None and wanted not in VERSIONS:
        raise ApiVersionUnknown(
            f"There is no version {wanted!r}; known: {', '.join(VERSIONS)}.", header=VERSION_HEADER
        )


def version_of(request: Request) -> str:
    """The version this answer is written in: the request's own, else the key's, else the newest."""
    wanted = request.headers.get(VERSION_HEADER)
    if wanted in VERSIONS:
        return str(wanted)
    # Not `auth`, which would ask again for a key that was refused.
    key = getattr(request, "_auth", None)
    return key.api_version if isinstance(key, ApiKey) else VERSIONS[-1]


class KeyRate(BaseThrottle):
    """Counts a key's requests per minute, reads and writes apart.

    A guard against a runaway caller, not a limit for money: while Redis is away, nobody is refused.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            return True
        reads = request.method in SAFE_METHODS
        limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        window, passed = divmod(time.time(), WINDOW_SECONDS)
        self._wait = WINDOW_SECONDS - passed
        kind = "r" if reads else "w"
        return _count(f"api:{kind}:{request.auth.public_id}:{window:.0f}") <= limit

    def wait(self) -> float:
        return self._wait


def _count(name: str) -> int:
    try:
        try:
            return int(cache.incr(name))
        except ValueError:  # the first of this window
            return 1 if cache.add(name, 1, timeout=2 * WINDOW_SECONDS) else int(cache.incr(name))
    except RedisError:
        log.warning("requests are not counted: the cache does not answer")
        return 0
