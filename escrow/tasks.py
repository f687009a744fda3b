"""Celery's doorbell to the sweeps: read the clock, say who acts, call one sweep."""

import pghistory
from celery import shared_task
from django.utils import timezone

from escrow import sweeps


@shared_task(name="escrow.query_due_payments")
def query_due_payments() -> int:
    with pghistory.context(actor="sweep:query_due_payments"):
        return sweeps.query_due_payments(at=timezone.now())


@shared_task(name="escrow.cancel_due_shipments")
def cancel_due_shipments() -> int:
    with pghistory.context(actor="sweep:cancel_due_shipments"):
        return sweeps.cancel_due_shipments(at=timezone.now())


@shared_task(name="escrow.release_due_confirmations")
def release_due_confirmations() -> int:
    with pghistory.context(actor="sweep:release_due_confirmations"):
        return sweeps.release_due_confirmations(at=timezone.now())


@shared_task(name="escrow.send_due_refunds")
def send_due_refunds() -> int:
    with pghistory.context(actor="sweep:send_due_refunds"):
        return sweeps.send_due_refunds(at=timezone.now())


@shared_task(name="escrow.query_due_refunds")
def query_due_refunds() -> int:
    with pghistory.context(actor="sweep:query_due_refunds"):
        return sweeps.query_due_refunds(at=timezone.now())
