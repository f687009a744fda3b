"""Seals single columns with AES-256-GCM so that a stolen table, backup or replica shows nothing.

A sealed value is bound to its table, row and column; it must never be opened anywhere else, and the
plaintext must never become an attribute of a model.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core import checks
from django.db import models

from common.errors import DomainError

KEY_BYTES = 32
NONCE_BYTES = 12  # Source: NIST SP 800-38D, section 8.2.2 (random nonces of 96 bits)
TAG_BYTES = 16
_KEY_ID = re.compile(r"^[a-z0-9-]{1,16}$")
_SEPARATOR = b":"  # key id, separator, nonce, ciphertext with tag


class SealBroken(DomainError):
    """The sealed bytes were changed, moved to another row, or sealed with a key we do not know."""

    code = "seal_broken"
    status = 500


class EncryptionKeyMissing(DomainError):
    """The setting FIELD_ENCRYPTION_KEYS is missing or malformed; nothing is stored unsealed."""

    code = "encryption_key_missing"
    status = 500


class SealedField(models.BinaryField):
    """A column whose attribute only ever holds sealed bytes; `seal` writes it, `open` reads it."""

    def seal(self, row: models.Model, plaintext: str) -> None:
        """Put the sealed plaintext on the row, which must already know its primary key."""
        setattr(row, self.attname, _seal(plaintext, self._place(row)))

    def open(self, row: models.Model) -> str:
        """Read the plaintext. Raises: SealBroken, EncryptionKeyMissing."""
        return _open(bytes(getattr(row, self.attname)), self._place(row))

    def _place(self, row: models.Model) -> bytes:
        assert row.pk, "a value is sealed to its row, so the row needs its primary key first"
        return f"{row._meta.db_table}:{row.pk}:{self.column}".encode()


def seal_text(plaintext: str, *, purpose: str) -> str:
    """Seal a text for a column of a library's model, which knows no row yet; bound to `purpose`."""
    return base64.b64encode(_seal(plaintext, purpose.encode())).decode()


def open_text(sealed: str, *, purpose: str) -> str:
    """Read a text that was sealed for `purpose`. Raises: SealBroken, EncryptionKeyMissing."""
    try:
        kept = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken("This text was not sealed by us.") from None
    return _open(kept, purpose.encode())


def search_hash(plaintext: str) -> str:
    """Hash a value with the first key, to be stored beside the sealed value for searching."""
    key_id, key = _first_key()
    return _keyed_hash(key_id, key, plaintext)


def search_hashes(plaintext: str) -> list[str]:
    """List the hashes a value may be stored under, one for each configured key."""
    return [_keyed_hash(key_id, key, plaintext) for key_id, key in _keys().items()]


def check_keys(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Refuse to start without usable keys (a Django system check)."""
    try:
        _keys()
    except EncryptionKeyMissing as missing:
        return [checks.Critical(missing.sentence, id="merchants.E001")]
    return []


def _seal(plaintext: str, place: bytes) -> bytes:
    key_id, key = _first_key()
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, plaintext.encode(), place)
    return key_id.encode() + _SEPARATOR + nonce + ciphertext


def _open(sealed: bytes, place: bytes) -> str:
    key_id, found, rest = sealed.partition(_SEPARATOR)
    key = _keys().get(key_id.decode("ascii", "replace"))
    if not found or key is None or len(rest) < NONCE_BYTES + TAG_BYTES:
        raise SealBroken("This sealed value was written with a key that is not configured.")
    try:
        opened = AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place)
    except InvalidTag:
        raise SealBroken("This sealed value was changed or belongs to another row.") from None
    return opened.decode()


def _keyed_hash(key_id: str, key: bytes, plaintext: str) -> str:
    # The hash gets a key of its own, so that it never shares one with the cipher.
    hash_key = hmac.digest(key, b"holdfast search hash", hashlib.sha256)
    return f"{key_id}:{hmac.new(hash_key, plaintext.encode(), hashlib.sha256).hexdigest()}"


def _first_key() -> tuple[str, bytes]:
    return next(iter(_keys().items()))


def _keys() -> dict[str, bytes]:
    configured: dict[str, str] = getattr(settings, "FIELD_ENCRYPTION_KEYS", None) or {}
    if not configured:
        raise EncryptionKeyMissing("Set FIELD_ENCRYPTION_KEYS to {key id: base64 of 32 bytes}.")
    return {key_id: _decode(key_id, encoded) for key_id, encoded in configured.items()}


def _decode(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES or not _KEY_ID.match(key_id):
        raise EncryptionKeyMissing(
            f"FIELD_ENCRYPTION_KEYS: key {key_id!r} must be base64 of {KEY_BYTES} bytes, "
            "with a name of lower-case letters, digits and dashes."
        )
    return key
