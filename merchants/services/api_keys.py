"""Keys to the API: `sk_test_<8 characters>_<secret>`. A key is shown once, never stored."""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from common.errors import DomainError
from ledger.prepared import columns, prepared_cursor, row_of
from ledger.usecases import use_case
from merchants.models import ApiKey, Platform
from merchants.scopes import SCOPES
from merchants.services.checks import check_row

API_VERSION = "2026-11-23"  # the shape of requests and answers a new key speaks
PUBLIC_LENGTH = 8
SECRET_BYTES = 32
LAST_USED_EVERY = timedelta(minutes=1)  # one write per key and minute, not one per request
MAX_ACTIVE_KEYS = 10  # of one platform
MAX_OVERLAP = timedelta(days=30)  # how long a key may outlive its successor's birth

_FIND = f"""
SELECT {columns(ApiKey, "key")}, {columns(Platform, "platform")}
FROM merchants_apikey AS key JOIN merchants_platform AS platform ON platform.id = key.platform_id
WHERE key.public_id = %s
"""
_WIDTH = len(ApiKey._meta.concrete_fields)
_ALPHABET = string.ascii_lowercase + string.digits
_SHAPE = re.compile(rf"sk_[a-z]+_([a-z0-9]{{{PUBLIC_LENGTH}}})_")
_NO_HASH = "0" * 64  # compared against when there is no such key, so that the time tells nothing


class ApiKeyInvalid(DomainError):
    """The new key cannot be made as described."""

    code = "api_key_invalid"
    status = 422


class ApiKeyRefused(DomainError):
    """Missing, malformed, unknown, wrong, revoked or expired: the answer is the same for all."""

    code = "api_key_refused"
    status = 401


class ApiKeyLimit(DomainError):
    """The platform has as many valid keys as it may have; revoke one."""

    code = "api_key_limit"


@use_case()
def create_api_key(
    *,
    platform: Platform,
    name: str,
    at: datetime,
    scopes: Collection[str] = SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key in its platform's mode. Several may be valid at once, so that they can be rotated.

    Args: scopes: of merchants.scopes.SCOPES, at least one. expires_at: later than `at`; None:
        never.
    Returns: the row, and the key itself, which is never shown again.
    Raises: ApiKeyInvalid, ApiKeyLimit.
    Locks: the platform, so that of two new keys at once the second one counts the first.
    """
    _lock_platform(platform.pk)
    return _make_key(
        platform, name=name, scopes=scopes, version=API_VERSION, expires_at=expires_at, at=at
    )


@use_case()
def roll_api_key(
    *, public_id: str, overlap: timedelta, at: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key's successor, of the same name, scopes and API version; the old one stays valid
    for `overlap` more.

    Args: overlap: 0 to 30 days. expires_at: of the successor, later than `at`; None: never.
    Returns: the successor, and the key itself, which is never shown again.
    Raises: ApiKeyInvalid when there is no such valid key, ApiKeyLimit.
    Locks: the platform, then the old key.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise ApiKeyInvalid(
            f"The old key stays valid for 0 to {MAX_OVERLAP.days} days.", fields=["overlap"]
        )
    old = ApiKey.objects.select_related("platform").filter(public_id=public_id).first()
    if old is None:
        raise _unknown(public_id)
    _lock_platform(old.platform_id)
    old = _lock_key(public_id)
    if not is_valid(old, at=at):
        raise ApiKeyInvalid(
            f"The API key {public_id!r} is not valid any more.", public_id=public_id
        )
    ends = at + overlap
    old.expires_at = ends if old.expires_at is None else min(old.expires_at, ends)
    old.save(update_fields=["expires_at"])
    return _make_key(
        old.platform,
        name=old.name,
        scopes=old.scopes,
        version=old.api_version,
        expires_at=expires_at,
        at=at,
    )


def is_valid(row: ApiKey, *, at: datetime) -> bool:
    """Whether a key is neither revoked nor expired."""
    return all(end is None or end > at for end in (row.revoked_at, row.expires_at))


def find_api_key(*, secret: str, at: datetime) -> ApiKey:
    """Find the key somebody shows, with its platform, in constant time.

    Raises: ApiKeyRefused.
    """
    row = recognize_api_key(secret=secret)
    if row is None or not is_valid(row, at=at):
        raise ApiKeyRefused("This API key is not valid.")
    _note_use(row, at)
    return row


def recognize_api_key(*, secret: str) -> ApiKey | None:
    """Find whose key somebody shows, though it may be over by now. It opens nothing."""
    shape = _SHAPE.match(secret)
    public_id = shape[1] if shape else ""
    row = _find_row(public_id)
    genuine = hmac.compare_digest(row.secret_hash if row else _NO_HASH, _hash(secret))
    return row if genuine else None


@use_case()
def revoke_api_key(*, public_id: str, at: datetime) -> ApiKey:
    """Make a key useless from now on.

    Raises: ApiKeyInvalid when there is no such key.
    Idempotent: by key: the first revocation stays. Locks: the key.
    """
    row = _lock_key(public_id)
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
    return row


def _find_row(public_id: str) -> ApiKey | None:
    """The key's row with its platform, in one prepared statement: every request begins with it."""
    with prepared_cursor() as cursor:
        cursor.execute(_FIND, [public_id])
        found = cursor.fetchone()
    if found is None:
        return None
    row = row_of(ApiKey, found[:_WIDTH])
    row.platform = row_of(Platform, found[_WIDTH:])
    return row


def _make_key(
    platform: Platform,
    *,
    name: str,
    scopes: Collection[str],
    version: str,
    expires_at: datetime | None,
    at: datetime,
) -> tuple[ApiKey, str]:
    """Write a key. The caller has locked the platform."""
    _check_new_key(scopes, expires_at, at=at)
    running = ApiKey.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=at),
        platform=platform,
        revoked_at__isnull=True,
    )
    if running.count() >= MAX_ACTIVE_KEYS:
        raise ApiKeyLimit(
            f"A platform has {MAX_ACTIVE_KEYS} valid API keys at most; revoke one first.",
            platform=platform.pk,
        )
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(PUBLIC_LENGTH))
    secret = f"sk_{platform.mode.lower()}_{public_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    row = ApiKey(
        platform=platform,
        public_id=public_id,
        mode=platform.mode,
        name=name,
        scopes=[scope for scope in SCOPES if scope in scopes],
        api_version=version,
        secret_hash=_hash(secret),
        created_at=at,
        expires_at=expires_at,
    )
    check_row(row, ApiKeyInvalid)
    row.save(force_insert=True)
    return row, secret


def _check_new_key(scopes: Collection[str], expires_at: datetime | None, *, at: datetime) -> None:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        said = f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope."
        raise ApiKeyInvalid(f"{said} Known: {', '.join(SCOPES)}.", fields=["scopes"])
    if expires_at is not None and expires_at <= at:
        raise ApiKeyInvalid("A new key must expire later than now.", fields=["expires_at"])


def _lock_platform(platform_id: str) -> None:
    Platform.objects.select_for_update(of=("self",), no_key=True).get(pk=platform_id)


def _lock_key(public_id: str) -> ApiKey:
    keys = ApiKey.objects.select_for_update(of=("self",)).select_related("platform")
    row = keys.filter(public_id=public_id).first()
    if row is None:
        raise _unknown(public_id)
    return row


def _unknown(public_id: str) -> ApiKeyInvalid:
    return ApiKeyInvalid(f"There is no API key {public_id!r}.", public_id=public_id)


def _note_use(row: ApiKey, at: datetime) -> None:
    seen = row.last_used_at
    if seen is not None and seen > at - LAST_USED_EVERY:
        return
    ApiKey.objects.filter(Q(last_used_at__isnull=True) | Q(last_used_at__lt=at), pk=row.pk).update(
        last_used_at=at
    )
    row.last_used_at = at


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash; argon2 would cost every request 144 ms.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
