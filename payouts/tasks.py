"""Celery's doorbell to the sweeps: read the clock, say who acts, call one sweep by every clock."""

import pghistory
from celery import shared_task
from django.utils import timezone

from merchants import clocks
from payouts import sweeps


@shared_task(name="payouts.enter_due_accounts")
def enter_due_accounts() -> int:
    with pghistory.context(actor="sweep:enter_due_accounts"):
        return clocks.sweep_every_clock(sweeps.enter_due_accounts, now=timezone.now())


@shared_task(name="payouts.cut_due_settlements")
def cut_due_settlements() -> int:
    with pghistory.context(actor="sweep:cut_due_settlements"):
        return clocks.sweep_every_clock(sweeps.cut_due_settlements, now=timezone.now())


@shared_task(name="payouts.send_due_payouts")
def send_due_payouts() -> int:
    with pghistory.context(actor="sweep:send_due_payouts"):
        return clocks.sweep_every_clock(sweeps.send_due_payouts, now=timezone.now())


@shared_task(name="payouts.query_due_payouts")
def query_due_payouts() -> int:
    with pghistory.context(actor="sweep:query_due_payouts"):
        return clocks.sweep_every_clock(sweeps.query_due_payouts, now=timezone.now())


@shared_task(name="payouts.send_due_bank_refunds")
def send_due_bank_refunds() -> int:
    with pghistory.context(actor="sweep:send_due_bank_refunds"):
        return clocks.sweep_every_clock(sweeps.send_due_bank_refunds, now=timezone.now())


@shared_task(name="payouts.query_due_bank_refunds")
def query_due_bank_refunds() -> int:
    with pghistory.context(actor="sweep:query_due_bank_refunds"):
        return clocks.sweep_every_clock(sweeps.query_due_bank_refunds, now=timezone.now())
