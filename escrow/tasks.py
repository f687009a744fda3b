"""Celery's doorbell to the sweeps: read the clock, say who acts, call one sweep by every clock."""

import pghistory
from celery import shared_task
from django.utils import timezone

from escrow import sweeps
from merchants import clocks


@shared_task(name="escrow.query_due_payments")
def query_due_payments() -> int:
    with pghistory.context(actor="sweep:query_due_payments"):
        return clocks.sweep_every_clock(sweeps.query_due_payments, now=timezone.now())


@shared_task(name="escrow.remind_due_shipments")
def remind_due_shipments() -> int:
    with pghistory.context(actor="sweep:remind_due_shipments"):
        return clocks.sweep_every_clock(sweeps.remind_due_shipments, now=timezone.now())


@shared_task(name="escrow.remind_due_confirmations")
def remind_due_confirmations() -> int:
    with pghistory.context(actor="sweep:remind_due_confirmations"):
        return clocks.sweep_every_clock(sweeps.remind_due_confirmations, now=timezone.now())


@shared_task(name="escrow.cancel_due_shipments")
def cancel_due_shipments() -> int:
    with pghistory.context(actor="sweep:cancel_due_shipments"):
        return clocks.sweep_every_clock(sweeps.cancel_due_shipments, now=timezone.now())


@shared_task(name="escrow.release_due_confirmations")
def release_due_confirmations() -> int:
    with pghistory.context(actor="sweep:release_due_confirmations"):
        return clocks.sweep_every_clock(sweeps.release_due_confirmations, now=timezone.now())


@shared_task(name="escrow.lapse_due_disputes")
def lapse_due_disputes() -> int:
    with pghistory.context(actor="sweep:lapse_due_disputes"):
        return clocks.sweep_every_clock(sweeps.lapse_due_disputes, now=timezone.now())


@shared_task(name="escrow.send_due_refunds")
def send_due_refunds() -> int:
    with pghistory.context(actor="sweep:send_due_refunds"):
        return clocks.sweep_every_clock(sweeps.send_due_refunds, now=timezone.now())


@shared_task(name="escrow.query_due_refunds")
def query_due_refunds() -> int:
    with pghistory.context(actor="sweep:query_due_refunds"):
        return clocks.sweep_every_clock(sweeps.query_due_refunds, now=timezone.now())


@shared_task(name="escrow.free_due_reserves")
def free_due_reserves() -> int:
    with pghistory.context(actor="sweep:free_due_reserves"):
        return clocks.sweep_every_clock(sweeps.free_due_reserves, now=timezone.now())


@shared_task(name="escrow.guarantee_due_debts")
def guarantee_due_debts() -> int:
    with pghistory.context(actor="sweep:guarantee_due_debts"):
        return clocks.sweep_every_clock(sweeps.guarantee_due_debts, now=timezone.now())


@shared_task(name="escrow.request_due_debits")
def request_due_debits() -> int:
    with pghistory.context(actor="sweep:request_due_debits"):
        return clocks.sweep_every_clock(sweeps.request_due_debits, now=timezone.now())


@shared_task(name="escrow.remind_due_debits")
def remind_due_debits() -> int:
    with pghistory.context(actor="sweep:remind_due_debits"):
        return clocks.sweep_every_clock(sweeps.remind_due_debits, now=timezone.now())
