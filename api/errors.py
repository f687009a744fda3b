"""Every refusal as one problem document (RFC 9457), from one handler.

It must never show the text of an exception that was not written for the caller.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from common.errors import DomainError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 50
# What PostgreSQL says when it rolled everything back because somebody else was faster: lock
# timeout, serialization failure, deadlock, statement timeout.
BUSY_SQLSTATES = ("55P03", "40001", "40P01", "57014")
OURS = "Something went wrong on our side. Quote the request id when you ask us about it."
BUSY = (
    "Somebody else is working on the same thing. Nothing was changed; send the same request again."
)
TOO_LARGE = "The body is larger than this address accepts."

# Refusals that do not come from the domain, as the framework calls them: their code.
CODES: dict[type[Exception], str] = {
    exceptions.ParseError: "body_unreadable",
    exceptions.NotAuthenticated: "api_key_refused",
    exceptions.AuthenticationFailed: "api_key_refused",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "media_type_unsupported",
    exceptions.Throttled: "too_many_requests",
}
# What the codes without a DomainError mean, for api/v1/problems.py.
MEANINGS: dict[str, tuple[int, str]] = {
    "request_invalid": (
        422,
        "A field of the body is missing, unknown or wrong; `errors` names each.",
    ),
    "body_unreadable": (400, "The body is not one well-formed JSON document in UTF-8."),
    "request_refused": (400, "The request is malformed."),
    "permission_denied": (403, "This is not allowed with the given credentials."),
    "not_found": (404, "There is nothing at this address."),
    "method_not_allowed": (405, "The address exists, not with this method; see the header Allow."),
    "not_acceptable": (406, "Answers are JSON; the header Accept excludes it."),
    "length_required": (411, "Send the header Content-Length; chunked bodies are not accepted."),
    "body_too_large": (413, TOO_LARGE),
    "media_type_unsupported": (415, "Bodies are sent as application/json."),
    "too_many_requests": (
        429,
        "Too many requests; wait for the seconds the header Retry-After names.",
    ),
    "internal_error": (500, OURS),
    "busy": (503, BUSY),
}


class QueryParameterUnknown(DomainError):
    """The address knows no such query parameter; nothing is ignored silently."""

    code = "query_parameter_unknown"
    status = 400


class ExpansionUnknown(DomainError):
    """`expand` names a relation that cannot be expanded here."""

    code = "expansion_unknown"
    status = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, before it knows to which request it is the answer."""

    status: int
    code: str
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_exception(exception: Exception, context: Mapping[str, Any]) -> Response:
    """Answer for an exception in a view: the one handler of the whole API."""
    request = context["request"]
    problem = problem_of(exception)
    headers = dict(problem.headers)
    if problem.status >= 500:
        log.error(
            "%s: %s",
            problem.code,
            request.path,
            exc_info=exception,
            extra={"request_id": _request_id(request)},
        )
    if problem.status == 401:
        key_wanted = context["view"].get_authenticate_header(request)
        headers["WWW-Authenticate"] = key_wanted or 'Signature realm="holdfast"'
    return Response(
        document(problem, request), problem.status, headers=headers, content_type=MEDIA_TYPE
    )


def answer_plainly(problem: Problem, request: HttpRequest) -> JsonResponse:
    """Answer outside a view, where no renderer runs."""
    answer = JsonResponse(
        document(problem, request),
        status=problem.status,
        content_type=MEDIA_TYPE,
        headers=dict(problem.headers),
    )
    answer["Content-Length"] = len(answer.content)
    return answer


def document(problem: Problem, request: Any) -> dict[str, Any]:
    """Write the problem document. `type` is an address that explains the code."""
    written: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL}/v1/problems/{problem.code}",
        "title": title_of(problem.code),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": request.path,
        "request_id": _request_id(request),
        "errors": list(problem.errors),
    }
    if problem.facts:
        written["facts"] = {name: _plain(value) for name, value in problem.facts.items()}
    return written


def title_of(code: str) -> str:
    """Say a code in words; the same for every occurrence."""
    return code.replace("_", " ").capitalize()


def problem_of(exception: Exception) -> Problem:
    """Translate any exception into a refusal; an unforeseen one is told without its text."""
    match exception:
        case DomainError():
            facts = {
                name: value
                for name, value in exception.facts.items()
                if name not in ("field", "fields") and not _is_by_position(value)
            }
            return Problem(
                exception.status,
                exception.code,
                exception.sentence,
                tuple(_named_fields(exception))[:MAX_ERRORS],
                facts,
            )
        case exceptions.ValidationError():
            errors = tuple(_flatten(exception.detail, "#"))[:MAX_ERRORS]
            return Problem(422, "request_invalid", MEANINGS["request_invalid"][1], errors)
        case exceptions.Throttled(wait=wait) if wait:
            return Problem(
                429,
                "too_many_requests",
                str(exception.detail),
                headers={"Retry-After": str(math.ceil(wait))},
            )
        case exceptions.APIException() if type(exception) in CODES:
            return Problem(exception.status_code, CODES[type(exception)], str(exception.detail))
        case Http404():
            return _known("not_found")
        case PermissionDenied():
            return _known("permission_denied")
        case RequestDataTooBig():
            return _known("body_too_large")
        case SuspiciousOperation() | UnreadablePostError():
            return _known("request_refused")
        case OperationalError() if getattr(exception.__cause__, "sqlstate", None) in BUSY_SQLSTATES:
            return _known("busy", headers={"Retry-After": "1"})
        case _:
            return _known("internal_error")


def _known(code: str, **rest: Any) -> Problem:
    status, meaning = MEANINGS[code]
    return Problem(status, code, meaning, **rest)


def body_too_large(limit: int) -> Problem:
    return Problem(413, "body_too_large", f"This address accepts bodies of at most {limit} bytes.")


def length_required() -> Problem:
    return _known("length_required")


def _named_fields(refusal: DomainError) -> Iterator[Mapping[str, str]]:
    """Point at the fields a refusal names in its facts, as `field` or `fields`; and, where a list
    in the body has wrong items, at each by its position."""
    facts = refusal.facts
    for name in [facts["field"]] if "field" in facts else facts.get("fields", []):
        yield _error(_point("#", name), refusal.code, refusal.sentence)
    for listed, items in facts.items():
        for item in items if _is_by_position(items) else ():
            pointer = _point(_point("#", listed), item["position"])
            pointer = _point(pointer, item["field"]) if "field" in item else pointer
            yield _error(pointer, item["code"], item["sentence"])


def _is_by_position(value: Any) -> bool:
    """Whether a fact lists wrong items of a list in the body, such as orders of a bulk request."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, Mapping) and "position" in item for item in value)


def _error(pointer: str, code: str, sentence: str) -> Mapping[str, str]:
    return {"pointer": pointer, "code": code, "detail": sentence}


def _flatten(detail: Any, pointer: str) -> Iterator[Mapping[str, str]]:
    """Walk the framework's nested errors. Pointers are JSON pointers (RFC 6901) into the body."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _flatten(below, pointer if whole else _point(pointer, name))
    elif isinstance(detail, list):
        for position, below in enumerate(detail):
            leaf = isinstance(below, exceptions.ErrorDetail)
            yield from _flatten(below, pointer if leaf else _point(pointer, position))
    else:
        yield _error(pointer, getattr(detail, "code", "invalid"), str(detail))


def _point(pointer: str, name: object) -> str:
    escaped = str(name).replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | list | None) else str(value)


def _request_id(request: Any) -> str:
    return getattr(request, "request_id", "")


def show_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's handler400."""
    if _is_api(request):
        return answer_plainly(problem_of(exception), request)
    return defaults.bad_request(request, exception)


def show_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's handler404."""
    return (
        answer_plainly(_known("not_found"), request)
        if _is_api(request)
        else defaults.page_not_found(request, exception)
    )


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Answer Django's handler500."""
    return (
        answer_plainly(_known("internal_error"), request)
        if _is_api(request)
        else defaults.server_error(request)
    )


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/")
