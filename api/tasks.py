"""Celery's doorbell to the inbox sweep."""

import pghistory
from celery import shared_task
from django.utils import timezone

from api import idempotency, inbound, request_log


@shared_task(name="api.apply_due_notifications")
def apply_due_notifications() -> int:
    with pghistory.context(actor="sweep:apply_due_notifications"):
        return inbound.apply_due_notifications(at=timezone.now())


@shared_task(name="api.forget_old_answers")
def forget_old_answers() -> int:
    return idempotency.forget_old_answers(at=timezone.now())


@shared_task(name="api.forget_old_requests")
def forget_old_requests() -> int:
    return request_log.forget_old_requests(at=timezone.now())
