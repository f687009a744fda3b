"""A refund the channel refused, on its way by another route: columns, constraints, state graph.

Its id is our reference at the bank. It must never exist for a refund the channel may still pay.
"""

from datetime import datetime

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from escrow.models.refunds import Refund
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.encryption import SealedField
from merchants.models import Platform


class BankRefundState(models.TextChoices):
    PROPOSED = "PROPOSED", _("Waits for a second person")
    APPROVED = "APPROVED", _("Approved, to be sent")
    SENDING = "SENDING", _("Sent to the bank")
    UNKNOWN = "UNKNOWN", _("Unknown, being asked")
    PAID = "PAID", _("Paid to the buyer")
    FAILED = "FAILED", _("Refused by the bank")
    RETURNED = "RETURNED", _("Returned by the bank")
    DROPPED = "DROPPED", _("Given up before it was sent")


class BankOutcome(models.TextChoices):
    """What two persons have found out about one the bank gives no answer for."""

    PAID = "PAID", _("The bank has paid it")
    NOT_PAID = "NOT_PAID", _("The bank has not paid it")


OVER = (BankRefundState.FAILED, BankRefundState.RETURNED, BankRefundState.DROPPED)


class BankRefund(FSMModelMixin, models.Model):
    """One attempt to pay a refund into the buyer's bank account. Its id is our reference there."""

    id = IdField(prefix="brf", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="bank_refunds")
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="bank_refunds")
    rail = models.CharField(max_length=32)
    state = FSMField(
        default=BankRefundState.PROPOSED, choices=BankRefundState.choices, protected=True
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the buyer gets, all of the refund
    holder_name = models.CharField(max_length=120)
    bank_code = models.CharField(max_length=20)
    account_number = SealedField()
    last_four = models.CharField(max_length=4)
    reason = models.CharField(max_length=200)  # how we know that this is the buyer's account

    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    claimed_outcome = models.CharField(max_length=8, choices=BankOutcome.choices, blank=True)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    evidence = models.CharField(max_length=200, blank=True)  # where that person read it
    outcome_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    created_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # when to send or ask next; empty: nothing to do
    attempts = models.PositiveIntegerField(default=0)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(
        null=True, blank=True
    )  # only a person can say what became of it
    paid_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    provider_reference = models.CharField(max_length=64, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=200, blank=True)
    moved_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )
    paid_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )
    # The loss that is booked when the channel has paid the buyer too.
    doubled_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("bank refund")
        verbose_name_plural = _("bank refunds")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="bankrefund_positive"),
            models.UniqueConstraint(
                fields=["refund"],
                condition=~Q(state__in=["FAILED", "RETURNED", "DROPPED"]),
                name="bankrefund_live_once",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="bankrefund_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["PROPOSED", "DROPPED"]) | Q(approved_by__isnull=False),
                name="bankrefund_approved_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(outcome_confirmed_by__isnull=True)
                | Q(claimed_by__isnull=False)
                & ~Q(claimed_outcome="")
                & ~Q(claimed_by=F("outcome_confirmed_by")),
                name="bankrefund_outcome_two_persons",
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="bankrefund_due")
        ]
        triggers = [
            StateGraph(
                name="bankrefund_state_graph",
                field="state",
                transitions=[
                    ("PROPOSED", "APPROVED"),
                    ("PROPOSED", "DROPPED"),
                    ("APPROVED", "DROPPED"),
                    ("APPROVED", "SENDING"),
                    ("SENDING", "PAID"),
                    ("SENDING", "FAILED"),
                    ("SENDING", "UNKNOWN"),
                    ("UNKNOWN", "SENDING"),
                    ("UNKNOWN", "PAID"),
                    ("UNKNOWN", "FAILED"),
                    ("PAID", "RETURNED"),
                ],
                requires={
                    "APPROVED": ("moved_entry",),
                    "PAID": ("paid_at", "paid_entry"),
                    "RETURNED": ("paid_at", "paid_entry"),
                },
            )
        ]

    def __str__(self) -> str:
        return self.id

    OPEN = (BankRefundState.SENDING, BankRefundState.UNKNOWN)

    @transition(field=state, source=BankRefundState.PROPOSED, target=BankRefundState.APPROVED)
    def approve(self, *, at: datetime) -> None:
        self.approved_at = at
        self.due_at = at

    @transition(
        field=state,
        source=[BankRefundState.PROPOSED, BankRefundState.APPROVED],
        target=BankRefundState.DROPPED,
    )
    def drop(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message
        self.due_at = None

    @transition(field=state, source=BankRefundState.APPROVED, target=BankRefundState.SENDING)
    def send(self, *, at: datetime, lease_until: datetime) -> None:
        self.last_sent_at = at
        self.due_at = lease_until
        self.attempts += 1

    @transition(field=state, source=OPEN, target=BankRefundState.PAID)
    def pay(self, *, at: datetime, provider_reference: str) -> None:
        self.paid_at = at
        self.provider_reference = provider_reference or self.provider_reference
        self.due_at = None
        self.parked_at = None

    @transition(field=state, source=OPEN, target=BankRefundState.FAILED)
    def fail(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message
        self.due_at = None
        self.parked_at = None

    @transition(field=state, source=BankRefundState.SENDING, target=BankRefundState.UNKNOWN)
    def lose_sight(self) -> None:
        pass

    @transition(field=state, source=BankRefundState.UNKNOWN, target=BankRefundState.SENDING)
    def regain_sight(self) -> None:
        pass

    @transition(field=state, source=BankRefundState.PAID, target=BankRefundState.RETURNED)
    def return_to_sender(self, *, at: datetime, code: str, message: str) -> None:
        self.returned_at = at
        self.failure_code = code
        self.failure_message = message


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="BankRefundAudit",
    fields=[
        "id",
        "state",
        "amount_minor",
        "proposed_by",
        "approved_by",
        "attempts",
        "provider_reference",
        "failure_code",
        "parked_at",
        "claimed_outcome",
        "claimed_by",
        "outcome_confirmed_by",
    ],
)(BankRefund)
