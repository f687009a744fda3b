"""Tells whoever runs the server whether it lives and can serve. It must never tell more."""

from celery import current_app
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

TIMEOUT_SECONDS = 0.5


def show_liveness(_request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process answers at all."""
    return JsonResponse({"alive": True})


def show_readiness(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503.

    A missing broker only delays, so it is told and not fatal.
    """
    answers = {"database": _database_answers(), "broker": _broker_answers()}
    return JsonResponse(answers, status=200 if answers["database"] else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    limits = {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "max_retries": 0,
    }
    try:
        with current_app.connection_for_write(
            connect_timeout=TIMEOUT_SECONDS, transport_options=limits
        ) as broker:
            broker.ensure_connection(max_retries=0, timeout=TIMEOUT_SECONDS)
    except Exception:  # every transport has its own exceptions; any of them means no
        return False
    return True
