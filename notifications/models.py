"""The outbox, its deliveries, and where platforms want to be told: columns and constraints only.

An event must never hold more than ids, instants and what a mail needs to be understood; a signing
secret is never stored in clear.
"""

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.ids import MAX_LENGTH
from ledger.fields import IdField
from merchants.encryption import SealedField
from merchants.models import Language, Platform
from notifications.sequence import Sequenced

MAX_URL = 500  # characters of a webhook endpoint's address
MAX_EXCERPT = 1024  # bytes of a receiver's answer that are kept


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    WEBHOOK = "webhook", _("Webhook")


class Audience(models.TextChoices):
    SELLER = "SELLER", _("Seller")
    BUYER = "BUYER", _("Buyer")
    PLATFORM = "PLATFORM", _("Platform")
    INVITED = "INVITED", _("Invited person")


class MailKind(models.TextChoices):
    """What people of sellers and platforms are told of; notifications/kinds.py says who is."""

    ORDERS = "ORDERS", _("New and changed orders")
    SHIPPING = "SHIPPING", _("Time to ship runs out")
    DISPUTES = "DISPUTES", _("Disputes that wait for you")
    DISPUTE_ENDS = "DISPUTE_ENDS", _("Disputes that have ended")
    PAYOUTS = "PAYOUTS", _("Money paid out")
    PAYOUT_PROBLEMS = "PAYOUT_PROBLEMS", _("Payouts that failed or came back")
    DEBTS = "DEBTS", _("Money you are asked to pay")
    WEBHOOKS = "WEBHOOKS", _("Webhooks that stopped working")
    SECURITY = "SECURITY", _("Bank accounts and other changes that need your eyes")


class DeliveryState(models.TextChoices):
    PENDING = "PENDING", _("Waiting")
    SENT = "SENT", _("Sent")
    FAILED = "FAILED", _("Given up")


class EndpointState(models.TextChoices):
    ENABLED = "ENABLED", _("Enabled")
    DISABLED = "DISABLED", _("Disabled")


class DisabledReason(models.TextChoices):
    REQUESTED = "REQUESTED", _("Asked for by the platform")
    FAILING = "FAILING", _("Failed for too long")
    DELETED = "DELETED", _("Deleted")


class Failure(models.TextChoices):
    """Why an attempt did not succeed; on purpose no more than the receiver may know of us."""

    NO_PUBLIC_ADDRESS = "NO_PUBLIC_ADDRESS", _("The name leads to no public address")
    CONNECTION_FAILED = "CONNECTION_FAILED", _("Nobody answers there")
    TLS_FAILED = "TLS_FAILED", _("The certificate or the encryption was not accepted")
    TIMED_OUT = "TIMED_OUT", _("No answer in time")
    ANSWER_UNREADABLE = "ANSWER_UNREADABLE", _("The answer was cut off or is not HTTP")
    REDIRECTED = "REDIRECTED", _("A redirect, which is not followed")
    STATUS = "STATUS", _("The answer says no")
    INTERNAL = "INTERNAL", _("Our own mistake")


class Event(models.Model):
    """Something that happened, written with the change itself and passed on at `relayed_at`."""

    public_id = IdField(verbose_name=_("public id"), prefix="evt", unique=True)
    type = models.CharField(_("type"), max_length=60)
    # No database constraint: it would lock the platform's row for every event of every order.
    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="events", db_constraint=False, db_index=False
    )
    subject_id = models.CharField(_("subject"), max_length=MAX_LENGTH)  # an order, payment, …
    sequence = models.PositiveIntegerField(_("sequence"))  # 1, 2, 3 … per subject
    data = models.JSONField(_("facts"), default=dict)
    created_at = models.DateTimeField(_("created"))
    relayed_at = models.DateTimeField(_("passed on"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))  # by the platform's own clock
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "sequence"], name="event_sequence_once"),
        ]
        indexes = [
            models.Index("id", condition=Q(relayed_at__isnull=True), name="event_not_relayed"),
            models.Index("platform", "public_id", name="event_of_platform"),
            BrinIndex("created_at", name="event_created", autosummarize=True),
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
    """One event on its way to one recipient. Unique, so a repeated fan-out adds nothing.

    `recipient` is an e-mail address, or the id of a webhook endpoint.
    """

    public_id = IdField(verbose_name=_("public id"), prefix="dlv", unique=True)
    # The event's; a copy, so that a platform's deliveries are found without asking its events.
    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="deliveries", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    recipient = models.CharField(_("recipient"), max_length=254)
    audience = models.CharField(_("audience"), max_length=8, choices=Audience.choices)
    language = models.CharField(_("language"), max_length=10, choices=Language.choices)
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)  # ever; it never falls
    # Attempts made before it was last sent again: those since then count against the schedule.
    attempts_before = models.PositiveIntegerField(_("attempts before"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))  # by the real clock
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
            # Apart, so that mail never waits behind what a dead receiver has piled up.
            models.Index(
                "next_attempt_at",
                "id",
                condition=Q(state="PENDING", channel="email"),
                name="delivery_mail_due",
            ),
            models.Index(
                "recipient",
                "next_attempt_at",
                "id",
                condition=Q(state="PENDING", channel="webhook"),
                name="delivery_webhook_due",
            ),
            models.Index(
                "platform",
                "public_id",
                condition=Q(channel="webhook"),
                name="delivery_of_platform",
            ),
            models.Index(
                "recipient",
                "public_id",
                condition=Q(channel="email"),
                name="delivery_mail_to",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.recipient}"

    @property
    def tries(self) -> int:
        """Attempts since it was made or last sent again."""
        return self.attempts - self.attempts_before


class MailChoice(models.Model):
    """Whether a person wants mails of a kind that is not always sent. None: not chosen yet."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="mail_choices", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=15, choices=MailKind.choices)
    wanted = models.BooleanField(_("wanted"))
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("choice of mails")
        verbose_name_plural = _("choices of mails")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="mail_choice_once"),
        ]

    def __str__(self) -> str:
        return self.kind


class DeliveryAttempt(models.Model):
    """One try to reach a webhook endpoint, written when its outcome is known. Never changed."""

    delivery = models.ForeignKey(
        Delivery, models.PROTECT, related_name="attempt_log", db_index=False
    )
    number = models.PositiveIntegerField(_("number"))  # 1, 2, 3 … per delivery
    at = models.DateTimeField(_("at"))  # when it began
    duration_ms = models.PositiveIntegerField(_("duration (milliseconds)"))
    status_code = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=20, choices=Failure.choices, blank=True)
    answer = models.TextField(_("answer"), blank=True)  # its first KiB, undecoded bytes replaced

    class Meta:
        verbose_name = _("delivery attempt")
        verbose_name_plural = _("delivery attempts")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]
        triggers = [pgtrigger.ReadOnly(name="attempt_fixed")]

    def __str__(self) -> str:
        return f"#{self.number}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="WebhookEndpointAudit",
    fields=["platform", "url", "description", "event_types", "state", "disabled_reason"],
)
class WebhookEndpoint(Sequenced):
    """Where a platform wants to be told of its events. Never deleted: its log names it."""

    id = IdField(prefix="whe", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(_("URL"), max_length=MAX_URL)
    description = models.CharField(_("description"), max_length=200, blank=True)
    # Names of notifications/events.py; empty: all, also those that come later.
    event_types = models.JSONField(_("event types"), default=list, blank=True)
    api_version = models.CharField(_("API version"), max_length=10)
    state = models.CharField(
        _("state"), max_length=8, choices=EndpointState.choices, default=EndpointState.ENABLED
    )
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    disabled_reason = models.CharField(
        _("disabled because"), max_length=9, choices=DisabledReason.choices, blank=True
    )
    # The first failure since the last success; empty while all is well.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    # A relay serves it until then; once that has passed, since when nobody has.
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="ENABLED", disabled_at__isnull=True, disabled_reason="")
                | Q(state="DISABLED", disabled_at__isnull=False) & ~Q(disabled_reason=""),
                name="endpoint_disabled_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class WebhookSecret(models.Model):
    """A secret an endpoint's deliveries are signed with; several while they are rotated."""

    id = IdField(prefix="whs", primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, models.PROTECT, related_name="secrets")
    secret = SealedField(_("secret"))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)  # not included

    class Meta:
        verbose_name = _("webhook secret")
        verbose_name_plural = _("webhook secrets")

    def __str__(self) -> str:
        return self.id
