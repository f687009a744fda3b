"""Writing to the outbox, and relaying from it.

Other apps call `from notifications import services as notifications`.
"""

from notifications.services.outbox import EventDraft, record_event, record_events
from notifications.services.relay import relay_due_events, retry_delivery

__all__ = ["EventDraft", "record_event", "record_events", "relay_due_events", "retry_delivery"]
