"""The outbox and its deliveries: columns and constraints only.

An event must never hold more than ids, instants and what a mail needs to be understood.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.ids import MAX_LENGTH
from ledger.fields import IdField
from merchants.models import Language, Platform


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")


class Audience(models.TextChoices):
    SELLER = "SELLER", _("Seller")
    BUYER = "BUYER", _("Buyer")


class DeliveryState(models.TextChoices):
    PENDING = "PENDING", _("Waiting")
    SENT = "SENT", _("Sent")
    FAILED = "FAILED", _("Given up")


class Event(models.Model):
    """Something that happened, written with the change itself and passed on at `relayed_at`."""

    public_id = IdField(verbose_name=_("public id"), prefix="evt", unique=True)
    type = models.CharField(_("type"), max_length=60)
    # No database constraint: it would lock the platform's row for every event of every order.
    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="events", db_constraint=False
    )
    subject_id = models.CharField(_("subject"), max_length=MAX_LENGTH)  # an order, payment, …
    sequence = models.PositiveIntegerField(_("sequence"))  # 1, 2, 3 … per subject
    data = models.JSONField(_("facts"), default=dict)
    created_at = models.DateTimeField(_("created"))
    relayed_at = models.DateTimeField(_("passed on"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "sequence"], name="event_sequence_once"),
        ]
        indexes = [
            models.Index(
                "next_attempt_at",
                "id",
                condition=Q(relayed_at__isnull=True),
                name="event_due",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="event_facts_fixed",
                exclude=["relayed_at", "attempts", "next_attempt_at", "last_error"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id} #{self.sequence}"


class Delivery(models.Model):
    """One event on its way to one recipient. Unique, so a repeated fan-out adds nothing."""

    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    recipient = models.CharField(_("recipient"), max_length=254)
    audience = models.CharField(_("audience"), max_length=8, choices=Audience.choices)
    language = models.CharField(_("language"), max_length=10, choices=Language.choices)
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "recipient"], name="delivery_once_per_recipient"
            ),
            models.CheckConstraint(
                condition=~Q(state="SENT") | Q(sent_at__isnull=False),
                name="delivery_sent_says_when",
            ),
        ]
        indexes = [
            models.Index(
                "next_attempt_at", "id", condition=Q(state="PENDING"), name="delivery_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.recipient}"
