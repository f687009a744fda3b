"""Celery's doorbell to the portal's sweeps. Jobs live by the real clock."""

from celery import shared_task
from django.utils import timezone

from portal import sweeps


@shared_task(name="portal.run_due_jobs")
def run_due_jobs() -> int:
    return sweeps.run_due_jobs(at=timezone.now())


@shared_task(name="portal.forget_old_jobs")
def forget_old_jobs() -> int:
    return sweeps.forget_old_jobs(at=timezone.now())
