"""The clock's door to the relay: it takes the time and makes one call.

The real time, for every platform: deliveries, retries and signatures live by it, also where a
platform's own clock has been moved.
"""

import pghistory
from celery import shared_task
from django.utils import timezone

from notifications import services


@shared_task(name="notifications.relay_due_events")
def relay_due_events() -> int:
    """Pass on what is due in the outbox, and send its mails. Twice or late does no harm."""
    return services.relay_due_events(at=timezone.now())


@shared_task(name="notifications.send_due_webhooks")
def send_due_webhooks() -> int:
    """Send the webhooks that are due. Running twice or late does no harm."""
    with pghistory.context(actor="sweep:send_due_webhooks"):
        return services.send_due_webhooks(at=timezone.now())
