"""Keys to the API: `sk_test_<8 characters>_<secret>`. A key is shown once, never stored."""

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime, timedelta

from django.db.models import Q

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import ApiKey, KeyMode, Platform
from merchants.services.checks import check_row

API_VERSION = "2026-11-23"  # the shape of requests and answers a new key speaks
PUBLIC_LENGTH = 8
SECRET_BYTES = 32
LAST_USED_EVERY = timedelta(minutes=1)  # one write per key and minute, not one per request

_ALPHABET = string.ascii_lowercase + string.digits
_SHAPE = re.compile(rf"sk_[a-z]+_([a-z0-9]{{{PUBLIC_LENGTH}}})_")
_NO_HASH = "0" * 64  # compared against when there is no such key, so that the time tells nothing


class ApiKeyInvalid(DomainError):
    """The new key cannot be made as described."""

    code = "api_key_invalid"
    status = 422


class ApiKeyRefused(DomainError):
    """Missing, malformed, unknown, wrong or revoked: the answer is the same for all."""

    code = "api_key_refused"
    status = 401


@use_case()
def create_api_key(
    *, platform: Platform, name: str, at: datetime, mode: str = KeyMode.TEST
) -> tuple[ApiKey, str]:
    """Make a key. Several keys of a platform may be valid at once, so that they can be rotated.

    Returns: the row, and the key itself, which is never shown again.
    Raises: ApiKeyInvalid.
    """
    public_id = "".join(secrets.choice(_ALPHABET) for _ in range(PUBLIC_LENGTH))
    secret = f"sk_{mode.lower()}_{public_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    row = ApiKey(
        platform=platform,
        public_id=public_id,
        mode=mode,
        name=name,
        api_version=API_VERSION,
        secret_hash=_hash(secret),
        created_at=at,
    )
    check_row(row, ApiKeyInvalid)
    row.save(force_insert=True)
    return row, secret


def find_api_key(*, secret: str, at: datetime) -> ApiKey:
    """Find the key somebody shows, with its platform, in constant time.

    Raises: ApiKeyRefused.
    """
    shape = _SHAPE.match(secret)
    public_id = shape[1] if shape else ""
    row = ApiKey.objects.select_related("platform").filter(public_id=public_id).first()
    genuine = hmac.compare_digest(row.secret_hash if row else _NO_HASH, _hash(secret))
    if row is None or not genuine or (row.revoked_at is not None and row.revoked_at <= at):
        raise ApiKeyRefused("This API key is not valid.")
    _note_use(row, at)
    return row


@use_case()
def revoke_api_key(*, public_id: str, at: datetime) -> ApiKey:
    """Make a key useless from now on.

    Raises: ApiKeyInvalid when there is no such key.
    Idempotent: by key: the first revocation stays. Locks: the key.
    """
    row = ApiKey.objects.select_for_update(of=("self",)).filter(public_id=public_id).first()
    if row is None:
        raise ApiKeyInvalid(f"There is no API key {public_id!r}.", public_id=public_id)
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
    return row


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
