"""What goes over the sandbox's wire: signatures, the reading of requests, refusals, times.

Signatures are HMAC-SHA256 in hex over lines joined by "\\n": timestamp (unix seconds), nonce, for
requests also METHOD and path, then the raw body. It must never accept an unsigned request to /v1/.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Request

WINDOW_SECONDS = 300
MAX_AMOUNT_MINOR = 10**15
REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
Clock = Callable[[], datetime]


class Refused(Exception):
    """Answer with `status` and a JSON body of code and message."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def signature(secret: str, *parts: str, body: bytes) -> str:
    signed = "".join(f"{part}\n" for part in parts).encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def signed_headers(
    *, key_id: str, secret: str, at: datetime, body: bytes, method: str = "", path: str = ""
) -> dict[str, str]:
    """Headers for a notification, or for a request when method and path are given."""
    timestamp, nonce = str(int(at.timestamp())), secrets.token_hex(16)
    target = (method, path) if method else ()
    return {
        "Content-Type": "application/json",
        "X-Sandbox-Key": key_id,
        "X-Sandbox-Timestamp": timestamp,
        "X-Sandbox-Nonce": nonce,
        "X-Sandbox-Signature": signature(secret, timestamp, nonce, *target, body=body),
    }


class Gate:
    """Lets signed requests in, each nonce once."""

    def __init__(self, *, key_id: str, secret: str, clock: Clock) -> None:
        if not key_id.strip() or not secret.strip():
            raise ValueError("A sandbox service needs a key id and a secret.")
        self.key_id, self.secret, self.clock = key_id, secret, clock
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def check(self, request: Request) -> None:
        """Raises: Refused 401 when a header is missing, old, unknown, wrong, or was seen before."""
        headers = request.headers
        timestamp = headers.get("X-Sandbox-Timestamp", "")
        nonce = headers.get("X-Sandbox-Nonce", "")
        given = headers.get("X-Sandbox-Signature", "")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not re.fullmatch(
            r"[\x21-\x7e]{8,64}", nonce
        ):
            raise Refused(401, "SIGNATURE_INVALID", "Timestamp or nonce is missing or malformed.")
        now = self.clock().timestamp()
        if abs(now - int(timestamp)) > WINDOW_SECONDS:
            raise Refused(401, "SIGNATURE_EXPIRED", "The timestamp is more than five minutes away.")
        expected = signature(
            self.secret, timestamp, nonce, request.method, request.path, body=request.get_data()
        )
        known = hmac.compare_digest(headers.get("X-Sandbox-Key", "").encode(), self.key_id.encode())
        if not hmac.compare_digest(given.encode(), expected.encode()) or not known:
            raise Refused(401, "SIGNATURE_INVALID", "The signature does not fit the request.")
        self._use_once(nonce, now)

    def _use_once(self, nonce: str, now: float) -> None:
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen = {
                    one: at for one, at in self._seen.items() if abs(now - at) <= 2 * WINDOW_SECONDS
                }
            if nonce in self._seen:
                raise Refused(401, "NONCE_REPLAYED", "This nonce was used before.")
            self._seen[nonce] = now


class Fields:
    """Reads one JSON object strictly. Raises: Refused 422 naming the first wrong field."""

    def __init__(self, request: Request) -> None:
        found = request.get_json(force=True, silent=True)
        if not isinstance(found, dict):
            raise Refused(422, "INVALID_REQUEST", "The body must be one JSON object.")
        self._fields: Mapping[str, Any] = found

    def text(self, name: str, *, most: int = 200, empty: bool = False) -> str:
        value = self._fields.get(name, "" if empty else None)
        if not isinstance(value, str) or len(value) > most or not (value or empty):
            raise _wrong(name)
        return value

    def reference(self, name: str = "reference") -> str:
        value = self.text(name, most=64)
        if not REFERENCE.fullmatch(value):
            raise _wrong(name)
        return value

    def amount(self, name: str = "amount_minor") -> int:
        value = self._fields.get(name)
        if type(value) is not int or not 0 < value <= MAX_AMOUNT_MINOR:
            raise _wrong(name)
        return value

    def currency(self) -> str:
        value = self.text("currency", most=3)
        if not re.fullmatch(r"[A-Z]{3}", value):
            raise _wrong("currency")
        return value

    def url(self, name: str) -> str:
        value = self.text(name, most=2048, empty=True)
        if value and not is_web_address(value):
            raise _wrong(name)
        return value

    def instant(self, name: str) -> float:
        try:
            found = datetime.fromisoformat(self.text(name, most=40))
        except ValueError:
            raise _wrong(name) from None
        if found.tzinfo is None:
            raise _wrong(name)
        return found.timestamp()

    def flag(self, name: str) -> bool:
        return self._fields.get(name) is True


def is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and value.isprintable()


def iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, tz=UTC).isoformat()


def _wrong(name: str) -> Refused:
    return Refused(422, "INVALID_REQUEST", f"The field {name} is missing or wrong.")
