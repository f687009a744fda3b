"""The sandbox's signatures, from our side: HMAC-SHA256 over timestamp, nonce, target and raw body.

It shares no code with the sandbox on purpose: a mistake on one side must not cancel out on the
other. It must never accept a message when no secret is set.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from channels.contract import NotificationForged

MAX_AGE_SECONDS = 300
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"[!-~]{8,64}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def request_headers(
    *, key_id: str, secret: str, method: str, path: str, body: bytes, at: datetime
) -> dict[str, str]:
    """Sign one request; every call makes a new nonce.

    Args: path: with its leading slash, as it goes over the wire.
    """
    timestamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
    signed = "\n".join([timestamp, nonce, method, path, ""]).encode() + body
    return {
        "X-Sandbox-Key": key_id,
        "X-Sandbox-Timestamp": timestamp,
        "X-Sandbox-Nonce": nonce,
        "X-Sandbox-Signature": _digest(secret, signed),
    }


def verify_notification(
    *, key_id: str, secret: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> None:
    """Check the raw bytes of a notification before anybody parses them.

    Raises: NotificationForged, the same sentence for every reason, so that it teaches nothing.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("x-sandbox-timestamp", "")
    nonce = given.get("x-sandbox-nonce", "")
    signature = given.get("x-sandbox-signature", "")
    shaped = (
        _TIMESTAMP.fullmatch(timestamp)
        and _NONCE.fullmatch(nonce)
        and _SIGNATURE.fullmatch(signature)
    )
    if not secret or not shaped:
        raise _forged()
    expected = _digest(secret, f"{timestamp}\n{nonce}\n".encode() + body)
    known_key = hmac.compare_digest(given.get("x-sandbox-key", "").encode(), key_id.encode())
    fits = hmac.compare_digest(signature, expected)
    fresh = abs(at.timestamp() - int(timestamp)) <= MAX_AGE_SECONDS
    if not (known_key and fits and fresh):
        raise _forged()


def _digest(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _forged() -> NotificationForged:
    return NotificationForged("The notification's signature is missing, wrong or too old.")
