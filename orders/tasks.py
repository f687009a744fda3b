"""Celery's doorbell to the sweeps: read the clock, say who acts, call one sweep by every clock."""

import pghistory
from celery import shared_task
from django.utils import timezone

from merchants import clocks
from orders import sweeps


@shared_task(name="orders.expire_due_orders")
def expire_due_orders() -> int:
    with pghistory.context(actor="sweep:expire_due_orders"):
        return clocks.sweep_every_clock(sweeps.expire_due_orders, now=timezone.now())
