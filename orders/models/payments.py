"""Payments and which orders they are for: columns, constraints and the payment's state graph."""

from datetime import datetime

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from common.money import MAX_AMOUNT_MINOR
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Platform
from notifications.sequence import Sequenced
from orders.models.orders import Order


class PaymentState(models.TextChoices):
    PENDING = "PENDING", _("Waiting for the buyer")
    SUCCEEDED = "SUCCEEDED", _("Paid")
    FAILED = "FAILED", _("Failed")
    EXPIRED = "EXPIRED", _("Expired")
    UNKNOWN = "UNKNOWN", _("Unknown, being asked")


class Payment(FSMModelMixin, Sequenced):
    """One attempt of a buyer to pay one or several orders through one channel. Its id is our
    reference there."""

    id = IdField(prefix="pay", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="payments")
    channel = models.CharField(max_length=32)
    state = FSMField(default=PaymentState.PENDING, choices=PaymentState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units, sum of the orders
    return_url = models.URLField(max_length=500, blank=True)
    cashier_url = models.URLField(max_length=500, blank=True)
    provider_reference = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # when to ask the channel next; empty: nothing to ask
    attempts = models.PositiveIntegerField(default=0)
    failure_code = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_AMOUNT_MINOR),
                name="payment_amount_in_range",
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(due_at__isnull=False), name="payment_due")
        ]
        triggers = [
            StateGraph(
                name="payment_state_graph",
                field="state",
                transitions=[
                    ("PENDING", "SUCCEEDED"),
                    ("PENDING", "FAILED"),
                    ("PENDING", "EXPIRED"),
                    ("PENDING", "UNKNOWN"),
                    ("UNKNOWN", "PENDING"),
                    ("UNKNOWN", "SUCCEEDED"),
                    ("UNKNOWN", "FAILED"),
                    ("UNKNOWN", "EXPIRED"),
                ],
                requires={"SUCCEEDED": ("succeeded_at", "provider_reference")},
            )
        ]

    def __str__(self) -> str:
        return self.id

    OPEN = (PaymentState.PENDING, PaymentState.UNKNOWN)

    @transition(field=state, source=OPEN, target=PaymentState.SUCCEEDED)
    def succeed(self, *, at: datetime, provider_reference: str) -> None:
        self.succeeded_at = at
        self.provider_reference = provider_reference
        self.due_at = None

    @transition(field=state, source=OPEN, target=PaymentState.FAILED)
    def fail(self, *, failure_code: str) -> None:
        self.failure_code = failure_code
        self.due_at = None

    @transition(field=state, source=OPEN, target=PaymentState.EXPIRED)
    def expire(self, *, close_at: datetime) -> None:
        self.due_at = close_at

    @transition(field=state, source=PaymentState.PENDING, target=PaymentState.UNKNOWN)
    def lose_sight(self) -> None:
        pass

    @transition(field=state, source=PaymentState.UNKNOWN, target=PaymentState.PENDING)
    def regain_sight(self) -> None:
        pass


class PaymentOrder(models.Model):
    """Which part of a payment is for which order. Never changed after the payment is created."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="parts")
    order = models.ForeignKey(Order, models.PROTECT, related_name="payment_parts")
    amount_minor = models.BigIntegerField()  # minor units of the payment's currency

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "order"], name="paymentorder_once")
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} → {self.order_id}"


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="PaymentAudit",
    fields=[
        "id",
        "state",
        "amount_minor",
        "provider_reference",
        "succeeded_at",
        "failure_code",
        "attempts",
    ],
)(Payment)
