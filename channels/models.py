"""The raw inbox: every verified message of a channel or a bank, kept as it came, before anybody
acts on it."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InboxState(models.TextChoices):
    RECEIVED = "RECEIVED", _("Received")
    APPLIED = "APPLIED", _("Applied")
    ORPHAN = "ORPHAN", _("Nothing here matches it yet")
    FLAGGED = "FLAGGED", _("Contradicts our books, needs a person")


class InboundNotification(models.Model):
    """A message from outside whose signature was good. The body is never changed; only `state`
    moves."""

    source = models.CharField(max_length=64)  # "channels/sandbox" or "rails/sandbox-bank"
    event_id = models.CharField(max_length=128)  # theirs
    subject = models.CharField(max_length=16)  # channels.contract.Subject
    reference = models.CharField(max_length=64)  # ours, as they repeat it
    body = models.BinaryField()
    answer = models.JSONField()  # what the provider's client read from the body
    state = models.CharField(max_length=8, choices=InboxState.choices, default=InboxState.RECEIVED)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # when to try to apply it (again); empty: never
    attempts = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("inbound notification")
        verbose_name_plural = _("inbound notifications")
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="inbox_event_once")
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="inbox_due"),
            models.Index(
                "reference", condition=Q(subject="chargeback"), name="inbox_chargebacks_of"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


# Only what an operator does is kept: the inbox itself says what every message has come to.
pghistory.track(
    pghistory.UpdateEvent(
        condition=pgtrigger.Q(
            old__state__in=[InboxState.FLAGGED.value, InboxState.ORPHAN.value],
            new__state=InboxState.RECEIVED.value,
        )
    ),
    model_name="InboundNotificationAudit",
    fields=["id", "state", "attempts", "note"],
)(InboundNotification)
