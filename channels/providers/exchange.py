"""One pooled HTTP client for a provider, and the strict reading of what providers say.

Every trouble on the way becomes a Reply without fields, never an exception; nothing a provider
says may be trusted further than its shape was checked here.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from common.money import MAX_AMOUNT_MINOR

MAX_ANSWER_BYTES = 64 * 1024
MAX_TEXT = 200
TOTAL_SECONDS = 20.0  # also ends an answer that drips in byte by byte
TIMEOUT = httpx.Timeout(connect=3.0, read=10.0, write=5.0, pool=5.0)
_REFERENCE = re.compile(r"[!-~]{1,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")

Clock = Callable[[], datetime]
Sign = Callable[[str, str, bytes], Mapping[str, str]]  # method, path, body -> headers


class Unreadable(Exception):
    """Something a provider said is not in the documented shape; the message names it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` is the HTTP status, 0 when none came; `fields` only when it was one JSON object."""

    status: int
    fields: Mapping[str, Any] | None
    trouble: str = ""


class Exchange:
    def __init__(
        self, *, base_url: str, sign: Sign, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._base_url, self._sign = base_url.rstrip("/"), sign
        self._client = httpx.Client(
            transport=transport,
            timeout=TIMEOUT,
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        )

    def ask(self, method: str, path: str, fields: Mapping[str, Any] | None = None) -> Reply:
        """Send one signed request, once: a retry is a decision of whoever owns the row."""
        body = b"" if fields is None else json.dumps(fields, separators=(",", ":")).encode()
        try:
            request = self._client.build_request(method, self._base_url + path, content=body)
            request.headers["Content-Type"] = "application/json"
            request.headers.update(self._sign(method, request.url.raw_path.decode("ascii"), body))
            answer = self._client.send(request, stream=True)
            try:
                return _read(answer)
            finally:
                answer.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            return Reply(status=0, fields=None, trouble=type(error).__name__)


def parse(body: bytes) -> Mapping[str, Any]:
    """Read exactly one JSON object without duplicate names. Raises: Unreadable."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("the body is not one JSON object")
    return found


def amount(fields: Mapping[str, Any], name: str = "amount_minor", *, least: int = 1) -> int:
    """A true int of minor units, `least` <= x <= 10^15; no bool or float. Raises: Unreadable."""
    value = fields.get(name)
    if type(value) is not int or not least <= value <= MAX_AMOUNT_MINOR:
        raise Unreadable(f"{name} is not an amount")
    return value


def currency(fields: Mapping[str, Any]) -> str:
    value = fields.get("currency")
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise Unreadable("currency is not a code")
    return value


def reference(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise Unreadable(f"{name} is not a reference")
    return value


def instant(fields: Mapping[str, Any], name: str) -> datetime | None:
    """An aware instant in UTC, None when absent. Raises: Unreadable."""
    value = fields.get(name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError("naive")
        return found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise Unreadable(f"{name} is not an instant") from None


def text(value: object) -> str:
    """Words for people: printable, at most 200 characters, "" for anything that is not text."""
    if not isinstance(value, str):
        return ""
    return "".join(one if one.isprintable() else " " for one in value[:MAX_TEXT]).strip()


def web_address(fields: Mapping[str, Any], name: str) -> str:
    """An http or https address of at most 2,048 plain characters. Raises: Unreadable."""
    value = fields.get(name)
    try:
        parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
        plain = re.fullmatch(r"[!-~]{1,2048}", str(value)) is not None
    except ValueError:
        raise Unreadable(f"{name} is not an address") from None
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreadable(f"{name} is not an address")
    return str(value)


def _read(answer: httpx.Response) -> Reply:
    deadline, body = time.monotonic() + TOTAL_SECONDS, b""
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            return Reply(answer.status_code, None, "the answer is too long")
        if time.monotonic() > deadline:
            return Reply(answer.status_code, None, "the answer is too slow")
    try:
        return Reply(answer.status_code, parse(body))
    except Unreadable as error:
        return Reply(answer.status_code, None, str(error))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found
