"""Disputes: columns, constraints and the state graph.

A dispute never moves money by itself: its outcome is a refund and a release
(escrow/services/disputes/outcome.py).
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
from merchants.models import Platform
from notifications.sequence import Sequenced
from orders.models import Order, OrderLine

MAX_TEXT = 2000  # characters of what somebody says in a dispute


class DisputeKind(models.TextChoices):
    COMPLAINT = "COMPLAINT", _("Complaint of the buyer")
    CHARGEBACK = "CHARGEBACK", _("Chargeback of the channel")


class DisputeState(models.TextChoices):
    OPEN = "OPEN", _("Open")
    ANSWERED = "ANSWERED", _("Answered by the seller")
    RETURNING = "RETURNING", _("Goods on their way back")
    RESOLVED = "RESOLVED", _("Resolved")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


class DisputeReason(models.TextChoices):
    NOT_RECEIVED = "NOT_RECEIVED", _("Not received")
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED", _("Not as described")
    DAMAGED = "DAMAGED", _("Damaged")
    WRONG_GOODS = "WRONG_GOODS", _("Wrong goods")
    INCOMPLETE = "INCOMPLETE", _("Incomplete")
    OTHER = "OTHER", _("Other")
    CHARGEBACK = "CHARGEBACK", _("Chargeback")


class Actor(models.TextChoices):
    """Who does something in a dispute."""

    BUYER = "BUYER", _("Buyer")
    MERCHANT = "MERCHANT", _("Seller")
    PLATFORM = "PLATFORM", _("Shopping platform")
    OPERATOR = "OPERATOR", _("Operator")
    DEADLINE = "DEADLINE", _("Deadline")
    CHANNEL = "CHANNEL", _("Payment channel")


class WaitsFor(models.TextChoices):
    """Whose move it is."""

    MERCHANT = "MERCHANT", _("Seller")
    BUYER = "BUYER", _("Buyer")
    OPERATOR = "OPERATOR", _("Operator")


class SellerAnswer(models.TextChoices):
    ACCEPT = "ACCEPT", _("Accepted")
    OFFER = "OFFER", _("Offer")
    CONTEST = "CONTEST", _("Contested")


class Resolution(models.TextChoices):
    FULL = "FULL", _("All to the buyer")
    PARTIAL = "PARTIAL", _("Part to the buyer")
    NONE = "NONE", _("Nothing to the buyer")


CLOSED = (DisputeState.RESOLVED, DisputeState.WITHDRAWN)


class Dispute(FSMModelMixin, Sequenced):
    """What a buyer, or the buyer's bank, holds against a sale. While one is open, the order's
    money is frozen."""

    id = IdField(prefix="dsp", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="disputes")
    order = models.ForeignKey(Order, models.PROTECT, related_name="disputes")
    kind = models.CharField(
        max_length=10, choices=DisputeKind.choices, default=DisputeKind.COMPLAINT
    )
    state = FSMField(default=DisputeState.OPEN, choices=DisputeState.choices, protected=True)
    waits_for = models.CharField(max_length=8, choices=WaitsFor.choices, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # whoever it waits for is in time at this instant; empty: no deadline
    decide_by = models.DateTimeField()  # undecided after it, the buyer gets what was asked
    reason = models.CharField(max_length=16, choices=DisputeReason.choices)
    opened_by = models.CharField(max_length=8, choices=Actor.choices)
    opened_at = models.DateTimeField()
    text = models.CharField(max_length=MAX_TEXT, blank=True)
    currency = models.CharField(max_length=3)
    stake_minor = models.BigIntegerField()  # minor units of the order not given back when opened
    asked_minor = models.BigIntegerField()  # minor units the buyer wants back, 0 < x <= stake

    answer = models.CharField(max_length=7, choices=SellerAnswer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    unanswered_at = models.DateTimeField(null=True, blank=True)  # the seller let the time pass
    offer_minor = models.BigIntegerField(
        null=True, blank=True
    )  # minor units the buyer would get back: the seller's offer, or what a return is for
    needs_return = models.BooleanField(default=False)  # and only when the goods come back

    return_carrier = models.CharField(max_length=64, blank=True)
    return_tracking_number = models.CharField(max_length=64, blank=True)
    sent_back_at = models.DateTimeField(null=True, blank=True)

    proposed_minor = models.BigIntegerField(
        null=True, blank=True
    )  # minor units to the buyer by the decision that is proposed or made
    proposed_return = models.BooleanField(default=False)
    proposed_reason = models.CharField(max_length=200, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    needs_approval = models.BooleanField(default=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )

    resolution = models.CharField(max_length=7, choices=Resolution.choices, blank=True)
    resolved_minor = models.BigIntegerField(null=True, blank=True)  # minor units to the buyer
    resolved_by = models.CharField(max_length=8, choices=Actor.choices, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    refund = models.OneToOneField(
        Refund, models.PROTECT, related_name="dispute", null=True, blank=True
    )
    # Decided, and the money cannot be moved yet: it was released before, and its payees lack it, or
    # somebody has frozen the order besides.
    parked_at = models.DateTimeField(null=True, blank=True)
    parked_minor = models.BigIntegerField(null=True, blank=True)  # minor units owed to the buyer
    parked_by = models.CharField(max_length=8, choices=Actor.choices, blank=True)  # who ended it

    channel = models.CharField(max_length=32, blank=True)  # of a chargeback, as its number there
    provider_reference = models.CharField(max_length=64, blank=True)
    entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )  # the chargeback's
    # Of a chargeback: whether its money was released before, and so was taken back from its payees.
    after_release = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(kind="COMPLAINT") & ~Q(state__in=["RESOLVED", "WITHDRAWN"]),
                name="dispute_open_once",
            ),
            models.UniqueConstraint(
                fields=["channel", "provider_reference", "order"],
                condition=Q(kind="CHARGEBACK"),
                name="dispute_chargeback_once",
            ),
            models.CheckConstraint(
                condition=Q(asked_minor__gt=0, asked_minor__lte=F("stake_minor")),
                name="dispute_asks_for_what_is_there",
            ),
            models.CheckConstraint(
                condition=Q(offer_minor__isnull=True)
                | Q(offer_minor__gt=0, offer_minor__lte=F("stake_minor")),
                name="dispute_offer_in_range",
            ),
            models.CheckConstraint(
                condition=Q(proposed_minor__isnull=True, proposed_by__isnull=True)
                | Q(
                    proposed_minor__gte=0,
                    proposed_minor__lte=F("stake_minor"),
                    proposed_by__isnull=False,
                ),
                name="dispute_proposal_whole",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(proposed_by__isnull=False) & ~Q(approved_by=F("proposed_by")),
                name="dispute_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(resolved_by="OPERATOR")
                | Q(proposed_by__isnull=False, needs_approval=False)
                | Q(approved_by__isnull=False),
                name="dispute_decided_by_two",
            ),
            models.CheckConstraint(
                condition=Q(resolution="", resolved_minor__isnull=True, resolved_by="")
                | Q(resolution="NONE", resolved_minor=0) & ~Q(resolved_by="")
                | Q(
                    resolution="PARTIAL",
                    resolved_minor__gt=0,
                    resolved_minor__lt=F("stake_minor"),
                )
                & ~Q(resolved_by="")
                | Q(resolution="FULL", resolved_minor=F("stake_minor")) & ~Q(resolved_by=""),
                name="dispute_resolution_is_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(parked_at__isnull=True, parked_minor__isnull=True, parked_by="")
                | Q(parked_at__isnull=False, parked_minor__gte=0) & ~Q(parked_by=""),
                name="dispute_parked_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["RESOLVED", "WITHDRAWN"], waits_for="", due_at__isnull=True)
                | Q(state__in=["OPEN", "ANSWERED", "RETURNING"]) & ~Q(waits_for=""),
                name="dispute_waits_while_open",
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="dispute_due"),
        ]
        triggers = [
            StateGraph(
                name="dispute_state_graph",
                field="state",
                transitions=[
                    ("OPEN", "ANSWERED"),
                    ("OPEN", "RETURNING"),
                    ("OPEN", "RESOLVED"),
                    ("OPEN", "WITHDRAWN"),
                    ("ANSWERED", "RETURNING"),
                    ("ANSWERED", "RESOLVED"),
                    ("ANSWERED", "WITHDRAWN"),
                    ("RETURNING", "RESOLVED"),
                    ("RETURNING", "WITHDRAWN"),
                ],
                requires={
                    "ANSWERED": ("answer", "answered_at"),
                    "RETURNING": ("offer_minor",),
                    "RESOLVED": ("resolution", "resolved_by", "closed_at"),
                    "WITHDRAWN": ("closed_at",),
                },
            )
        ]

    def __str__(self) -> str:
        return self.id

    @transition(field=state, source=DisputeState.OPEN, target=DisputeState.ANSWERED)
    def reply(self, *, at: datetime, answer: str) -> None:
        self.answer = answer
        self.answered_at = at

    @transition(
        field=state,
        source=[DisputeState.OPEN, DisputeState.ANSWERED],
        target=DisputeState.RETURNING,
    )
    def await_goods(self, *, amount_minor: int) -> None:
        self.offer_minor = amount_minor
        self.needs_return = True

    @transition(
        field=state,
        source=[DisputeState.OPEN, DisputeState.ANSWERED, DisputeState.RETURNING],
        target=DisputeState.RESOLVED,
    )
    def resolve(self, *, at: datetime, amount_minor: int, by: str) -> None:
        whole = Resolution.FULL if amount_minor == self.stake_minor else Resolution.PARTIAL
        self.resolution = whole if amount_minor else Resolution.NONE
        self.resolved_minor = amount_minor
        self.resolved_by = by
        self._close(at)

    @transition(
        field=state,
        source=[DisputeState.OPEN, DisputeState.ANSWERED],
        target=DisputeState.WITHDRAWN,
    )
    def withdraw(self, *, at: datetime) -> None:
        self._close(at)

    @transition(
        field=state,
        source=[DisputeState.OPEN, DisputeState.ANSWERED, DisputeState.RETURNING],
        target=DisputeState.WITHDRAWN,
    )
    def supersede(self, *, at: datetime) -> None:
        """The channel took the money back: there is nothing left to decide here."""
        self._close(at)

    def await_move(self, who: str, *, due_at: datetime | None) -> None:
        """Say whose move it is and until when. Not a transition."""
        self.waits_for = who
        self.due_at = due_at

    def _close(self, at: datetime) -> None:
        self.closed_at = at
        self.waits_for = ""
        self.due_at = None


class DisputeLine(models.Model):
    """One line of the order that a dispute is about. A dispute without any is about all of it."""

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispute", "line"], name="disputeline_once")]

    def __str__(self) -> str:
        return str(self.line)


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="DisputeAudit",
    fields=[
        "id",
        "state",
        "waits_for",
        "due_at",
        "asked_minor",
        "answer",
        "offer_minor",
        "needs_return",
        "proposed_minor",
        "proposed_return",
        "proposed_reason",
        "proposed_by",
        "needs_approval",
        "approved_by",
        "resolution",
        "resolved_minor",
        "resolved_by",
        "parked_at",
        "parked_minor",
    ],
)(Dispute)
