"""Writing to the outbox, relaying from it, and the webhook endpoints that are told.

Other apps call `from notifications import services as notifications`.
"""

from notifications.addresses import WebhookUrlRefused
from notifications.selectors import WebhookEndpointNotFound
from notifications.services.endpoints import (
    WebhookEndpointInvalid,
    WebhookEndpointLimit,
    WebhookSecretLimit,
    create_endpoint,
    delete_endpoint,
    roll_secret,
    update_endpoint,
)
from notifications.services.invitations import invite_person, resend_invitation
from notifications.services.mail_choices import MailKindInvalid, choose_mails
from notifications.services.outbox import EventDraft, event_row, record_event, record_events
from notifications.services.relay import relay_due_events
from notifications.services.resending import (
    DeliveryNotFailed,
    DeliveryNotFound,
    Resent,
    WebhookEndpointDisabled,
    resend_delivery,
    resend_since,
    retry_delivery,
    send_test_ping,
)
from notifications.services.rounds import send_due_webhooks

__all__ = [
    "DeliveryNotFailed",
    "DeliveryNotFound",
    "EventDraft",
    "MailKindInvalid",
    "Resent",
    "WebhookEndpointDisabled",
    "WebhookEndpointInvalid",
    "WebhookEndpointLimit",
    "WebhookEndpointNotFound",
    "WebhookSecretLimit",
    "WebhookUrlRefused",
    "choose_mails",
    "create_endpoint",
    "delete_endpoint",
    "event_row",
    "invite_person",
    "record_event",
    "record_events",
    "relay_due_events",
    "resend_delivery",
    "resend_invitation",
    "resend_since",
    "retry_delivery",
    "roll_secret",
    "send_due_webhooks",
    "send_test_ping",
    "update_endpoint",
]
