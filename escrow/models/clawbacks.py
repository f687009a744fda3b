"""What payees give back of released money: deductions from what they are owed, and debts.

The cause of each is a refund, or a chargeback: a dispute the channel decided. A payee's debt is its
own: nobody else's money ever pays it but the platform's, where it said so.
"""

from datetime import datetime
from typing import Any

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from common.ids import MAX_LENGTH
from escrow.models.disputes import Dispute
from escrow.models.holds import Payee
from escrow.models.refunds import Refund, one_cause
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Merchant, Platform
from notifications.sequence import Sequenced


class DebtState(models.TextChoices):
    OPEN = "OPEN", _("Open")
    SETTLED = "SETTLED", _("Paid")
    WRITTEN_OFF = "WRITTEN_OFF", _("Written off")


class DebtStepKind(models.TextChoices):
    """How a debt gets smaller, in the order of the waterfall."""

    NETTED = "NETTED", _("Later sales")
    REPAID = "REPAID", _("Paid by the debtor")
    GUARANTEED = "GUARANTEED", _("Paid by the platform")
    WRITTEN_OFF = "WRITTEN_OFF", _("Written off")


class Caused:
    """A row of one refund or one chargeback."""

    refund: Refund | None
    dispute: Dispute | None

    @property
    def order_id(self) -> str | None:
        """The order whose money went back."""
        if self.refund is not None:
            return self.refund.order_id
        assert self.dispute is not None
        return self.dispute.order_id


class Debt(Caused, FSMModelMixin, Sequenced):
    """What one payee still has to give back for one refund or chargeback, because its payable did
    not cover it.

    The operator's own funds stand in for it until it is paid.
    """

    id = IdField(prefix="dbt", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="debts")
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="debts", null=True, blank=True
    )
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="debts", null=True, blank=True)
    dispute = models.ForeignKey(
        Dispute, models.PROTECT, related_name="debts", null=True, blank=True
    )  # a chargeback
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger account of what the payee is owed
    state = FSMField(default=DebtState.OPEN, choices=DebtState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the payee owes us at first
    settled_minor = models.BigIntegerField(default=0)  # minor units of them paid or written off
    created_at = models.DateTimeField()
    # When the platform's commission pays it next; empty: the platform guarantees nothing.
    guaranteed_at = models.DateTimeField(null=True, blank=True)
    # When the seller is asked to pay by itself; empty: it was asked, or never is.
    request_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")
    # One person proposes to write the rest off; another decides.
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    proposed_reason = models.CharField(max_length=200, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("debt")
        verbose_name_plural = _("debts")
        constraints = [
            models.UniqueConstraint(
                fields=["refund", "dispute", "payee", "address"],
                nulls_distinct=False,
                name="debt_of_payee_once",
            ),
            one_cause(name="debt_of_refund_or_chargeback"),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    settled_minor__gte=0,
                    settled_minor__lte=F("amount_minor"),
                ),
                name="debt_never_overpaid",
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", settled_minor__lt=F("amount_minor"))
                | Q(state__in=["SETTLED", "WRITTEN_OFF"], settled_minor=F("amount_minor")),
                name="debt_closed_when_settled",
            ),
        ]
        indexes = [
            models.Index("address", "currency", "id", condition=Q(state="OPEN"), name="debt_open"),
            models.Index(
                "guaranteed_at",
                "id",
                condition=Q(state="OPEN", guaranteed_at__isnull=False),
                name="debt_due",
            ),
            models.Index(
                "request_at",
                "id",
                condition=Q(state="OPEN", request_at__isnull=False),
                name="debt_to_request",
            ),
        ]
        triggers = [
            StateGraph(
                name="debt_state_graph",
                field="state",
                transitions=[("OPEN", "SETTLED"), ("OPEN", "WRITTEN_OFF")],
                requires={"SETTLED": ("closed_at",), "WRITTEN_OFF": ("closed_at",)},
            )
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def open_minor(self) -> int:
        """Minor units still owed."""
        return self.amount_minor - self.settled_minor

    @property
    def debit_request(self) -> Any:
        """The last request to pay it (DebitRequest), if there is any."""
        return max(self.requests.all(), key=lambda request: request.pk, default=None)

    def settle_part(self, amount_minor: int) -> None:
        """Count a payment that leaves something owed. Not a transition: it stays OPEN."""
        assert 0 < amount_minor < self.open_minor, (self.pk, amount_minor)
        self.settled_minor += amount_minor

    @transition(field=state, source=DebtState.OPEN, target=DebtState.SETTLED)
    def settle(self, *, at: datetime) -> None:
        self.settled_minor = self.amount_minor
        self.closed_at = at

    @transition(field=state, source=DebtState.OPEN, target=DebtState.WRITTEN_OFF)
    def write_off(self, *, at: datetime) -> None:
        self.settled_minor = self.amount_minor
        self.closed_at = at


class DebtStep(models.Model):
    """One payment of a debt, or the end of it. Its id is the fact its entry is booked under."""

    id = IdField(prefix="dbs", primary_key=True)
    debt = models.ForeignKey(Debt, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=DebtStepKind.choices)
    amount_minor = models.BigIntegerField()  # minor units of the debt's currency, > 0
    reason = models.CharField(max_length=200, blank=True)  # what a person says of it
    provider_reference = models.CharField(max_length=64, blank=True)  # the bank's, of a payment
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # empty: by itself
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    happened_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("debt step")
        verbose_name_plural = _("debt steps")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="debtstep_positive"),
            models.UniqueConstraint(
                fields=["debt", "provider_reference"],
                condition=~Q(provider_reference=""),
                name="debtstep_payment_once",
            ),
            models.CheckConstraint(
                condition=~Q(kind="WRITTEN_OFF")
                | Q(requested_by__isnull=False, approved_by__isnull=False)
                & ~Q(approved_by=F("requested_by")),
                name="debtstep_two_persons",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="debtstep_kept", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"


class Deduction(Caused, models.Model):
    """What was taken from a payee's payable outside a payout, for a refund, a chargeback or a debt:
    a line with a minus on its next statement, which `settlement_id` names (payouts.Settlement)."""

    id = IdField(prefix="ded", primary_key=True)
    refund = models.ForeignKey(
        Refund, models.PROTECT, related_name="deductions", null=True, blank=True
    )
    dispute = models.ForeignKey(
        Dispute, models.PROTECT, related_name="deductions", null=True, blank=True
    )  # a chargeback
    step = models.OneToOneField(
        DebtStep, models.PROTECT, related_name="deduction", null=True, blank=True
    )  # empty: taken at once for refund or chargeback; else: later, for the debt it left
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger address that was debited
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units taken from the payee, > 0
    taken_at = models.DateTimeField()
    settlement_id = models.CharField(max_length=MAX_LENGTH, null=True, blank=True)

    class Meta:
        verbose_name = _("deduction")
        verbose_name_plural = _("deductions")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="deduction_positive"),
            models.UniqueConstraint(
                fields=["refund", "dispute", "payee", "address"],
                condition=Q(step__isnull=True),
                nulls_distinct=False,
                name="deduction_of_cause_once",
            ),
            one_cause(name="deduction_of_refund_or_chargeback"),
        ]
        indexes = [
            models.Index(
                "address",
                "currency",
                condition=Q(settlement_id__isnull=True),
                name="deduction_unsettled",
            ),
            models.Index(
                "settlement_id",
                condition=Q(settlement_id__isnull=False),
                name="deduction_settled",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="deduction_only_settled", exclude=["settlement_id"]),
            pgtrigger.Protect(name="deduction_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.payee} -{self.amount_minor}"


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="DebtAudit",
    fields=["id", "state", "amount_minor", "settled_minor", "closed_at", "proposed_by"],
)(Debt)
