"""What every answer carries and no request may exceed. It must never read a body."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from api import errors
from common.ids import new_id

BODY_LIMIT = 256 * 1024
INBOUND_BODY_LIMIT = 64 * 1024
INBOUND_PATH = "/v1/inbound/"
# A file of 5 MiB in base64, with what is said about it. Only these addresses take files.
UPLOAD_BODY_LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
UPLOAD_PATH = re.compile(
    r"/v1/(disputes/[\w-]{1,64}|orders/[\w-]{1,64}/dispute)/evidence"
    r"|/o/[\w-]{1,64}/(complain|dispute/files)"
)
# Spreadsheets people upload: a file of 1 MiB and what a form says about it.
SHEET_BODY_LIMIT = 1200 * 1024
SHEET_PATH = "/portal/orders/bulk"
HEADER = "Request-Id"

Next = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Names every request, for people who ask later. A name the caller sends is ignored."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_id("req")  # type: ignore[attr-defined]
        response = self.get_response(request)
        response[HEADER] = request.request_id  # type: ignore[attr-defined]
        return response


class BodyLimitMiddleware:
    """Refuses a body that is too large by what its sender declares, before a byte of it is read.

    A server reads no further than Content-Length, so a lie cannot make the body larger. Without the
    header only a chunked body could follow; it has no declared size and is refused.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = limit_of(request.path_info)
        declared = request.META.get("CONTENT_LENGTH") or ""
        if not declared and request.META.get("HTTP_TRANSFER_ENCODING"):
            return errors.answer_plainly(errors.length_required(), request)
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            return _too_large(request, limit)
        return self.get_response(request)


def _too_large(request: HttpRequest, limit: int) -> HttpResponse:
    if request.path_info.startswith("/v1/"):
        return errors.answer_plainly(errors.body_too_large(limit), request)
    with translation.override(translation.get_language_from_request(request)):
        return render(request, "413.html", status=413)


def limit_of(path: str) -> int:
    """How many bytes a body sent to an address may have."""
    if UPLOAD_PATH.fullmatch(path):
        return UPLOAD_BODY_LIMIT
    if path == SHEET_PATH:
        return SHEET_BODY_LIMIT
    return INBOUND_BODY_LIMIT if path.startswith(INBOUND_PATH) else BODY_LIMIT
