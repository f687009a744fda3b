"""One effect per Idempotency-Key: the answer is stored in the transaction of the effect.

A key belongs to a platform. The same request again gets the stored bytes; while the first one runs,
409; another request under the same key, 422. A refused request leaves nothing behind, so it may be
mended and sent again. What an effect is known by (an order's reference, a payment's id) stays
unique for ever; the answer is kept for 30 days.

It must never store an answer without its effect, nor make a call to the outside inside the
transaction: views that need one define `conclude`.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.db import IntegrityError
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.models import StoredAnswer
from common.errors import DomainError
from ledger.prepared import columns, prepared_cursor, row_of
from ledger.usecases import door
from merchants.encryption import SealedField
from merchants.models import Platform

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT = timedelta(days=30)
CONCLUDED_WITHIN = timedelta(seconds=60)  # a call to the outside world takes less
FORGET_AT_ONCE = 10_000
KEY_SHAPE = re.compile(r"[!-~]{1,255}")
_CLAIM = f"""
SELECT claim.mine, {columns(StoredAnswer, "answer")}
FROM (SELECT pg_try_advisory_xact_lock(%s) AS mine) AS claim
LEFT JOIN api_storedanswer AS answer ON answer.platform_id = %s AND answer.key = %s
"""
_BODY = cast(SealedField, StoredAnswer._meta.get_field("body"))


class IdempotencyKeyInvalid(DomainError):
    """An Idempotency-Key is 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"
    status = 400


class IdempotencyKeyRunning(DomainError):
    """A request with this key is being answered now; send it again in a moment."""

    code = "idempotency_key_running"
    status = 409


class IdempotencyKeyReused(DomainError):
    """This key was used for another request. Take a new key for each new request."""

    code = "idempotency_key_reused"
    status = 422


P = ParamSpec("P")


class View(Protocol):
    """What a view needs for its POST to be idempotent."""

    @property
    def platform(self) -> Platform: ...

    # After the commit, outside any transaction; None: there is nothing to conclude.
    conclude: Callable[[Request, dict[str, Any]], dict[str, Any]] | None


V = TypeVar("V", bound=View)


def idempotent(
    post: Callable[Concatenate[V, Request, P], Response],
) -> Callable[Concatenate[V, Request, P], HttpResponse]:
    """Make a view's method one transaction with its stored answer. Without the header nothing is
    stored, and the request is an effect of its own.

    Raises: IdempotencyKeyInvalid, IdempotencyKeyRunning, IdempotencyKeyReused.
    """

    @wraps(post)
    def once(view: V, request: Request, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        key = request.headers.get(HEADER)
        if key is None:
            with door():
                answer = post(view, request, *args, **kwargs)
            if view.conclude is not None:
                answer.data = view.conclude(request, answer.data)
            return answer
        stored, replayed = _effect(view, request, key, lambda: post(view, request, *args, **kwargs))
        if not stored.finished and view.conclude is not None:
            _BODY.seal(stored, _written(view.conclude(request, json.loads(_BODY.open(stored)))))
            stored.finished = True
            stored.save(update_fields=["body", "finished"])
        return _answer(stored, replayed=replayed)

    once.idempotent = True  # type: ignore[attr-defined]  # for the description of the API
    return once


def forget_old_answers(*, at: datetime) -> int:
    """Delete answers older than 30 days. Returns: how many; more may be left."""
    old = StoredAnswer.objects.filter(created_at__lt=at - KEPT).order_by("created_at")
    return StoredAnswer.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:FORGET_AT_ONCE])
    ).delete()[0]


def _effect(
    view: View, request: Request, key: str, post: Callable[[], Response]
) -> tuple[StoredAnswer, bool]:
    """Answer from the store, or have the effect and store its answer, in one transaction."""
    if not KEY_SHAPE.fullmatch(key):
        raise IdempotencyKeyInvalid("Send 1 to 255 visible ASCII characters.", header=HEADER)
    fingerprint = _fingerprint(request)
    try:
        with door():
            found = _claim(view.platform, key)
            if found is not None:
                _check(found, fingerprint)
                return found, True
            answer = post()
            stored = StoredAnswer(
                platform=view.platform,
                key=key,
                request_hash=fingerprint,
                status=answer.status_code,
                location=answer.headers.get("Location", ""),
                finished=view.conclude is None,
                created_at=timezone.now(),
            )
            _BODY.seal(stored, _written(answer.data))
            stored.save(force_insert=True)
            return stored, False
    except IntegrityError as error:
        if "stored_answer_once" in str(error):
            raise _running(key) from None
        raise


def _claim(platform: Platform, key: str) -> StoredAnswer | None:
    """One request per key at a time; the lock ends with the transaction.

    A statement reads what was committed before it began. So the lock may be had just after another
    request has stored its answer, which is not seen: then the unique constraint refuses a second.
    """
    number = hashlib.sha256(f"{platform.pk} {key}".encode()).digest()[:8]
    with prepared_cursor() as cursor:
        cursor.execute(_CLAIM, [int.from_bytes(number, signed=True), platform.pk, key])
        mine, *found = cursor.fetchone()
    if not mine:
        raise _running(key)
    return row_of(StoredAnswer, found) if found[0] else None


def _check(found: StoredAnswer, fingerprint: str) -> None:
    if found.request_hash != fingerprint:
        raise IdempotencyKeyReused(
            f"The key {found.key!r} was used for another request; take a new one.", key=found.key
        )
    if not found.finished and timezone.now() < found.created_at + CONCLUDED_WITHIN:
        raise _running(found.key)


def _running(key: str) -> IdempotencyKeyRunning:
    return IdempotencyKeyRunning(
        f"A request with the key {key!r} is being answered; send it again in a moment.", key=key
    )


def _fingerprint(request: Request) -> str:
    asked = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(asked + request._request.body).hexdigest()


def _written(content: Any) -> str:
    return JSONRenderer().render(content).decode()


def _answer(stored: StoredAnswer, *, replayed: bool) -> HttpResponse:
    answer = HttpResponse(_BODY.open(stored), status=stored.status, content_type="application/json")
    if stored.location:
        answer["Location"] = stored.location
    if replayed:
        answer[REPLAYED] = "true"
    return answer
