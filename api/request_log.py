"""Who called what, when, and how it was answered: for a platform that looks for its own mistake.

It must never hold a secret or anything of a person, never make a request fail or wait, and never be
read by anything that decides about money.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from api import redaction
from api.access import VERSION_HEADER
from api.authentication import shown_secret
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.idempotency import KEY_SHAPE, REPLAYED
from api.models import LoggedRequest
from ledger.prepared import prepared_cursor
from merchants import services as merchants
from merchants.encryption import SealedField
from merchants.models import ApiKey

DOOR = "/v1/"
KEPT = timedelta(days=30)
FORGET_AT_ONCE, MOST_BATCHES = 10_000, 100
MOST_DETAIL = 4096  # bytes of what is kept of a refused request, before it is sealed
MOST_FIELDS = 20  # wrong fields that are named

log = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponse]

_DETAIL = cast(SealedField, LoggedRequest._meta.get_field("detail"))
_COLUMNS = [str(field.column) for field in LoggedRequest._meta.concrete_fields]
# A commit that does not wait for the disk: a crash may forget the last half second of this table,
# and of no other.
_INSERT = f"""
WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO api_loggedrequest ({", ".join(_COLUMNS)})
SELECT {", ".join(["%s"] * len(_COLUMNS))} FROM unhurried
"""  # noqa: S608 (the columns are the model's own)


class RequestLogMiddleware:
    """Writes each request of the API down, once the answer has been sent."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(DOOR):
            return self.get_response(request)
        at, began = timezone.now(), time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - began
        # Django closes an answer when its last byte has gone out: nobody waits for this any more.
        response._resource_closers.append(  # type: ignore[attr-defined]
            lambda: _write(request, response, at=at, seconds=seconds)
        )
        return response


def forget_old_requests(*, at: datetime) -> int:
    """Delete requests older than 30 days. Returns: how many; more may be left."""
    total = 0
    for _batch in range(MOST_BATCHES):
        old = LoggedRequest.objects.filter(created_at__lt=at - KEPT).order_by("created_at")
        keys = list(old.values_list("pk", flat=True)[:FORGET_AT_ONCE])
        total += LoggedRequest.objects.filter(pk__in=keys).delete()[0]
        if len(keys) < FORGET_AT_ONCE:
            break
    return total


def detail_of(row: LoggedRequest) -> dict[str, Any]:
    """What is kept of a refused request: `said`, `sentence`, `fields`. Empty for any other."""
    return json.loads(_DETAIL.open(row)) if row.detail else {}


def _write(request: HttpRequest, response: HttpResponse, *, at: datetime, seconds: float) -> None:
    """Write one row, for a request that showed a key of ours. Whatever goes wrong here, the answer
    stands."""
    try:
        key = getattr(request, "api_key", None)
        if key is None and response.status_code >= 400:
            key = merchants.recognize_api_key(secret=shown_secret(request))
        if key is None:
            return
        row = _row(request, response, key)
        row.created_at, row.duration_ms = at, round(seconds * 1000)
        if row.status >= 400:
            _keep_detail(row, response, getattr(request, "refused_body", None))
        with prepared_cursor() as cursor:
            fields = LoggedRequest._meta.concrete_fields
            cursor.execute(_INSERT, [getattr(row, field.attname) for field in fields])
    except Exception:
        log.exception("a request was not written down")


def _row(request: HttpRequest, response: HttpResponse, key: ApiKey) -> LoggedRequest:
    sent = request.headers.get(IDEMPOTENCY_KEY, "")
    length = response.headers.get("Content-Length", "")
    size = len(response.content) if not response.streaming else int(length or 0)
    return LoggedRequest(
        id=request.request_id,  # type: ignore[attr-defined]
        platform_id=key.platform_id,
        key_public_id=key.public_id,
        method=(request.method or "")[:8],
        path=redaction.path_of(request.path_info),
        status=response.status_code,
        idempotency_key=sent if KEY_SHAPE.fullmatch(sent) else "",
        replayed=REPLAYED in response,
        api_version=response.headers.get(VERSION_HEADER, "")[:10],
        request_bytes=_declared(request),
        answer_bytes=size,
    )


def _declared(request: HttpRequest) -> int:
    said = request.META.get("CONTENT_LENGTH") or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


def _keep_detail(row: LoggedRequest, response: HttpResponse, said: Any) -> None:
    """Keep why it was refused, and the shape of what was sent. The caller knows its status."""
    problem = json.loads(response.content) if not response.streaming and response.content else {}
    row.code = str(problem.get("code", ""))[:60]
    kept: dict[str, Any] = {
        "sentence": redaction.sentence_of(str(problem.get("detail", ""))),
        "fields": [
            [redaction.path_of(str(each["pointer"]).lstrip("#")), str(each["code"])]
            for each in problem.get("errors", [])[:MOST_FIELDS]
        ],
        "said": redaction.shape_of(said) if said else None,
    }
    written = json.dumps(kept, ensure_ascii=False)
    if len(written.encode()) > MOST_DETAIL:
        written = json.dumps(kept | {"said": redaction.HIDDEN}, ensure_ascii=False)
    _DETAIL.seal(row, written)
