"""Payout schedules, settlements (statements) and payouts: columns, constraints and the payout's
state graph."""

from datetime import datetime

import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import (
    BankAccount,
    Merchant,
    Party,
    Platform,
    address_of,
    payee_check,
    payee_field,
)
from notifications.sequence import Sequenced


class Cadence(models.TextChoices):
    INSTANT = "INSTANT", _("At once")
    DAILY = "DAILY", _("Daily")
    WEEKLY = "WEEKLY", _("Weekly")


class PayoutState(models.TextChoices):
    PENDING = "PENDING", _("Waiting for approval")
    APPROVED = "APPROVED", _("Approved, to be sent")
    SENDING = "SENDING", _("Sent to the bank")
    PAID = "PAID", _("Paid")
    FAILED = "FAILED", _("Failed")
    UNKNOWN = "UNKNOWN", _("Unknown, being asked")
    RETURNED = "RETURNED", _("Returned by the bank")


class Outcome(models.TextChoices):
    """What two persons have found out about a payout the bank gives no answer for."""

    PAID = "PAID", _("The bank has paid it")
    NOT_PAID = "NOT_PAID", _("The bank has not paid it")


NOT_PAID_CODE = "not_paid_two_persons"  # failure code of a payout that two persons gave up


class PayoutSchedule(models.Model):
    """When and how a seller, a further party or the platform itself is paid out."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="payout_schedules")
    payee = payee_field()
    merchant = models.OneToOneField(
        Merchant, models.PROTECT, related_name="payout_schedule", null=True, blank=True
    )
    party = models.OneToOneField(
        Party, models.PROTECT, related_name="payout_schedule", null=True, blank=True
    )
    rail = models.CharField(max_length=32)
    cadence = models.CharField(max_length=8, choices=Cadence.choices, default=Cadence.INSTANT)
    weekday = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(6)]
    )  # Monday 0, weekly only
    minimum_minor = models.BigIntegerField(default=1)  # minor units below which a payout waits
    approval_above_minor = models.BigIntegerField(
        null=True, blank=True
    )  # above it a person must approve
    next_cutoff_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payout schedule")
        verbose_name_plural = _("payout schedules")
        constraints = [
            payee_check("schedule_of_one_payee"),
            models.UniqueConstraint(
                fields=["platform"],
                condition=Q(payee="PLATFORM"),
                name="schedule_of_platform_once",
            ),
            models.CheckConstraint(
                condition=Q(minimum_minor__gte=1, weekday__lte=6), name="schedule_in_range"
            ),
        ]
        indexes = [models.Index("next_cutoff_at", "id", name="schedule_due")]

    def __str__(self) -> str:
        return f"{self.merchant_id or self.party_id or self.platform_id} {self.cadence}"

    @property
    def address(self) -> str:
        """The ledger account this schedule empties."""
        return address_of(
            platform_id=self.platform_id, merchant_id=self.merchant_id, party_id=self.party_id
        )


class Settlement(models.Model):
    """The statement of one cutoff: which release lines are paid together. Its lines name it
    (ReleaseLine)."""

    id = IdField(prefix="set", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="settlements")
    payee = payee_field()
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="settlements", null=True, blank=True
    )
    party = models.ForeignKey(
        Party, models.PROTECT, related_name="settlements", null=True, blank=True
    )
    address = models.CharField(max_length=80)  # ledger account that is emptied
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units, sum of its lines
    line_count = models.PositiveIntegerField()
    cutoff_at = models.DateTimeField()

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        constraints = [
            payee_check("settlement_of_one_payee"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, line_count__gt=0), name="settlement_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Payout(FSMModelMixin, Sequenced):
    """One attempt to pay a settlement to a bank account. Its id is our reference at the bank,
    for ever."""

    id = IdField(prefix="po", primary_key=True)
    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="payouts")
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="payouts")
    payee = payee_field()
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="payouts", null=True, blank=True
    )
    party = models.ForeignKey(Party, models.PROTECT, related_name="payouts", null=True, blank=True)
    rail = models.CharField(max_length=32)
    state = FSMField(default=PayoutState.PENDING, choices=PayoutState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the payee receives
    # The payee as it was when the payout was cut; a later change of the account does not move this
    # payout.
    bank_account = models.ForeignKey(BankAccount, models.PROTECT, related_name="payouts")
    holder_name = models.CharField(max_length=120)
    last_four = models.CharField(max_length=4)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # empty: cut by the schedule
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    needs_approval = models.BooleanField(default=False)

    claimed_outcome = models.CharField(
        max_length=8, choices=Outcome.choices, blank=True
    )  # what one person says
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(
        max_length=200, blank=True
    )  # where that person read it: statement line, bank's letter
    outcome_confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    created_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # when to send or ask next; empty: nothing to do
    attempts = models.PositiveIntegerField(default=0)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    last_sent_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(
        null=True, blank=True
    )  # only a person can say what became of it
    paid_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    provider_reference = models.CharField(max_length=64, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.CharField(max_length=200, blank=True)
    sent_entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")
    paid_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [
            payee_check("payout_of_one_payee"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_positive"),
            models.UniqueConstraint(
                fields=["settlement"],
                condition=~Q(state__in=["FAILED", "RETURNED"]),
                name="payout_live_once",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(approved_by=F("requested_by")),
                name="payout_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(outcome_confirmed_by__isnull=True)
                | Q(claimed_by__isnull=False)
                & ~Q(claimed_outcome="")
                & ~Q(claimed_by=F("outcome_confirmed_by")),
                name="payout_outcome_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(failure_code=NOT_PAID_CODE) | Q(outcome_confirmed_by__isnull=False),
                name="payout_given_up_by_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(state__in=["PENDING", "FAILED"])
                | Q(approved_by__isnull=False),
                name="payout_approved_by_a_person",
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="payout_due"),
        ]
        triggers = [
            StateGraph(
                name="payout_state_graph",
                field="state",
                transitions=[
                    ("PENDING", "APPROVED"),
                    ("PENDING", "FAILED"),
                    ("APPROVED", "SENDING"),
                    ("SENDING", "PAID"),
                    ("SENDING", "FAILED"),
                    ("SENDING", "UNKNOWN"),
                    ("UNKNOWN", "SENDING"),
                    ("UNKNOWN", "PAID"),
                    ("UNKNOWN", "FAILED"),
                    ("PAID", "RETURNED"),
                ],
                requires={"PAID": ("paid_at", "paid_entry"), "RETURNED": ("paid_at", "paid_entry")},
            )
        ]

    def __str__(self) -> str:
        return self.id

    OPEN = (PayoutState.SENDING, PayoutState.UNKNOWN)

    @transition(field=state, source=PayoutState.PENDING, target=PayoutState.APPROVED)
    def approve(self, *, at: datetime) -> None:
        self.approved_at = at
        self.due_at = at

    @transition(field=state, source=PayoutState.APPROVED, target=PayoutState.SENDING)
    def send(self, *, at: datetime, lease_until: datetime) -> None:
        self.first_sent_at = self.first_sent_at or at
        self.last_sent_at = at
        self.due_at = lease_until
        self.attempts += 1

    @transition(field=state, source=OPEN, target=PayoutState.PAID)
    def pay(self, *, at: datetime, provider_reference: str) -> None:
        self.paid_at = at
        self.provider_reference = provider_reference or self.provider_reference
        self.due_at = None
        self.parked_at = None

    @transition(field=state, source=[PayoutState.PENDING, *OPEN], target=PayoutState.FAILED)
    def fail(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message
        self.due_at = None
        self.parked_at = None

    @transition(field=state, source=PayoutState.SENDING, target=PayoutState.UNKNOWN)
    def lose_sight(self) -> None:
        pass

    @transition(field=state, source=PayoutState.UNKNOWN, target=PayoutState.SENDING)
    def regain_sight(self) -> None:
        pass

    @transition(field=state, source=PayoutState.PAID, target=PayoutState.RETURNED)
    def return_to_sender(self, *, at: datetime, code: str, message: str) -> None:
        self.returned_at = at
        self.failure_code = code
        self.failure_message = message


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="PayoutAudit",
    fields=[
        "id",
        "state",
        "amount_minor",
        "requested_by",
        "approved_by",
        "attempts",
        "provider_reference",
        "failure_code",
        "parked_at",
        "claimed_outcome",
        "claimed_by",
        "outcome_confirmed_by",
    ],
)(Payout)
pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="PayoutScheduleAudit",
    fields=["id", "cadence", "weekday", "minimum_minor", "approval_above_minor", "rail"],
)(PayoutSchedule)
