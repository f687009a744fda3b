"""Money on its way back to buyers, and money nobody waits for: columns, constraints and the state
graph."""

from datetime import datetime

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from escrow.models.holds import Hold, Payee
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Platform
from notifications.sequence import Sequenced
from orders.models import Order, OrderLine, Payment


class RefundState(models.TextChoices):
    PENDING = "PENDING", _("To be sent")
    SUBMITTED = "SUBMITTED", _("Sent to the channel")
    SUCCEEDED = "SUCCEEDED", _("Refunded")
    FAILED = "FAILED", _("Refused by the channel")
    UNKNOWN = "UNKNOWN", _("Unknown, being asked")


def one_cause(*, name: str) -> models.CheckConstraint:
    """Say that a row has its cause in a refund or in a chargeback, and not in both."""
    return models.CheckConstraint(
        condition=Q(refund__isnull=False, dispute__isnull=True)
        | Q(refund__isnull=True, dispute__isnull=False),
        name=name,
    )


class SurplusReason(models.TextChoices):
    LATE = "LATE", _("Came after the order was given up")
    DUPLICATE = "DUPLICATE", _("The order was paid already")


class Surplus(models.Model):
    """Money received that no order waits for. It is refunded by itself; our books show it until
    it is back."""

    id = IdField(prefix="sur", primary_key=True)
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="surpluses")
    order = models.ForeignKey(Order, models.PROTECT, related_name="surpluses")
    provider_reference = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units received beyond what any order waits for
    reason = models.CharField(max_length=9, choices=SurplusReason.choices)
    received_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("surplus")
        verbose_name_plural = _("surpluses")
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "order", "provider_reference"], name="surplus_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="surplus_positive"),
        ]

    def __str__(self) -> str:
        return self.id


class Refund(FSMModelMixin, Sequenced):
    """Money on its way back to the buyer, out of a hold or out of a surplus. Its id is our
    reference at the channel."""

    id = IdField(prefix="ref", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="refunds", null=True, blank=True)
    surplus = models.OneToOneField(
        Surplus, models.PROTECT, related_name="refund", null=True, blank=True
    )
    # Whether the money was released before, and so had to be taken back from its payees.
    after_release = models.BooleanField(default=False)
    channel = models.CharField(max_length=32)
    state = FSMField(default=RefundState.PENDING, choices=RefundState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the buyer gets back
    reason = models.CharField(max_length=64)
    provider_reference = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # when to send or ask next; empty: nothing to do
    attempts = models.PositiveIntegerField(default=0)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    asked_entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")
    done_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_positive"),
            models.CheckConstraint(
                condition=Q(hold__isnull=False, surplus__isnull=True)
                | Q(hold__isnull=True, surplus__isnull=False),
                name="refund_of_hold_or_surplus",
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="refund_due")
        ]
        triggers = [
            StateGraph(
                name="refund_state_graph",
                field="state",
                transitions=[
                    ("PENDING", "SUBMITTED"),
                    ("SUBMITTED", "SUCCEEDED"),
                    ("SUBMITTED", "FAILED"),
                    ("SUBMITTED", "UNKNOWN"),
                    ("UNKNOWN", "SUBMITTED"),
                    ("UNKNOWN", "SUCCEEDED"),
                    ("UNKNOWN", "FAILED"),
                    ("FAILED", "SUCCEEDED"),
                    ("FAILED", "PENDING"),
                    ("SUCCEEDED", "FAILED"),
                ],
                requires={"SUCCEEDED": ("done_entry", "succeeded_at")},
            )
        ]

    def __str__(self) -> str:
        return self.id

    OPEN = (RefundState.SUBMITTED, RefundState.UNKNOWN)

    @property
    def order_id(self) -> str:
        """The order whose money goes back, or for which too much came."""
        source = self.hold or self.surplus
        assert source is not None
        return str(source.order_id)

    @transition(field=state, source=RefundState.PENDING, target=RefundState.SUBMITTED)
    def submit(self) -> None:
        pass

    @transition(field=state, source=[*OPEN, RefundState.FAILED], target=RefundState.SUCCEEDED)
    def succeed(self, *, at: datetime, provider_reference: str) -> None:
        self.succeeded_at = at
        self.provider_reference = provider_reference
        self.due_at = None

    @transition(field=state, source=OPEN, target=RefundState.FAILED)
    def fail(self, *, failure_code: str) -> None:
        self.failure_code = failure_code
        self.due_at = None

    @transition(field=state, source=RefundState.FAILED, target=RefundState.PENDING)
    def ask_again(self, *, at: datetime) -> None:
        """A person wants the channel asked once more."""
        self.failure_code = ""
        self.due_at = at

    @transition(field=state, source=RefundState.SUCCEEDED, target=RefundState.FAILED)
    def come_back(self, *, failure_code: str) -> None:
        """The buyer's bank has sent it back: it is owed again."""
        self.failure_code = failure_code
        self.succeeded_at = None
        self.done_entry_id = None

    @transition(field=state, source=RefundState.SUBMITTED, target=RefundState.UNKNOWN)
    def lose_sight(self) -> None:
        pass

    @transition(field=state, source=RefundState.UNKNOWN, target=RefundState.SUBMITTED)
    def regain_sight(self) -> None:
        pass


class RefundShare(models.Model):
    """What a refund or a chargeback took from one payee's part of the order; the shares sum to it.

    A refund of surplus money has none: it was nobody's.
    """

    refund = models.ForeignKey(Refund, models.PROTECT, related_name="shares", null=True, blank=True)
    dispute = models.ForeignKey(
        "escrow.Dispute", models.PROTECT, related_name="shares", null=True, blank=True
    )  # a chargeback
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger address of what the payee gets less of
    amount_minor = models.BigIntegerField()  # minor units of the order's currency, > 0

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["refund", "dispute", "payee", "address"],
                nulls_distinct=False,
                name="refundshare_once",
            ),
            one_cause(name="refundshare_of_refund_or_chargeback"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refundshare_positive"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="refundshare_kept", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.payee} {self.amount_minor}"


class RefundLine(models.Model):
    """What of a refund is for one line of the order, when it was asked for by lines."""

    refund = models.ForeignKey(Refund, models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="refunds")
    amount_minor = models.BigIntegerField()  # minor units of the refund's currency, > 0

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["refund", "line"], name="refundline_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refundline_positive"),
        ]
        triggers = [
            pgtrigger.Protect(name="refundline_kept", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.amount_minor}"


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="RefundAudit",
    fields=["id", "state", "amount_minor", "attempts", "provider_reference", "failure_code"],
)(Refund)
