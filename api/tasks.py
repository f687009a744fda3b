"""Celery's doorbell to the inbox sweep."""

import pghistory
from celery import shared_task
from django.utils import timezone

from api import inbound


@shared_task(name="api.apply_due_notifications")
def apply_due_notifications() -> int:
    with pghistory.context(actor="sweep:apply_due_notifications"):
        return inbound.apply_due_notifications(at=timezone.now())
