"""Holds, releases, refunds, surplus and remittances: columns, constraints and state graphs.

The Hold row guards an order's held money: `released + refunded <= amount`, closed exactly when
they are equal.
"""

from datetime import datetime

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from common.ids import MAX_LENGTH
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Platform
from notifications.sequence import Sequenced
from orders.models import ConfirmedBy, Order, Payment


class HoldState(models.TextChoices):
    HELD = "HELD", _("Held")
    FROZEN = "FROZEN", _("Frozen")
    RELEASED = "RELEASED", _("Released")
    REFUNDED = "REFUNDED", _("Refunded")


class RefundState(models.TextChoices):
    PENDING = "PENDING", _("To be sent")
    SUBMITTED = "SUBMITTED", _("Sent to the channel")
    SUCCEEDED = "SUCCEEDED", _("Refunded")
    FAILED = "FAILED", _("Refused by the channel")
    UNKNOWN = "UNKNOWN", _("Unknown, being asked")


class Payee(models.TextChoices):
    MERCHANT = "MERCHANT", _("Seller")
    PLATFORM = "PLATFORM", _("Shopping platform")
    PARTY = "PARTY", _("Further party")
    SERVICE_FEE = "SERVICE_FEE", _("Service fee")


class SurplusReason(models.TextChoices):
    LATE = "LATE", _("Came after the order was given up")
    DUPLICATE = "DUPLICATE", _("The order was paid already")


class Hold(FSMModelMixin, models.Model):
    """One order's money in the reserve."""

    id = IdField(prefix="hld", primary_key=True)
    order = models.OneToOneField(Order, models.PROTECT, related_name="hold")
    payment = models.ForeignKey(Payment, models.PROTECT, related_name="holds")
    state = FSMField(default=HoldState.HELD, choices=HoldState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units taken from the buyer
    released_minor = models.BigIntegerField(default=0)  # minor units released so far
    refunded_minor = models.BigIntegerField(default=0)  # minor units refunded so far
    held_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    capture_entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    released_minor__gte=0,
                    refunded_minor__gte=0,
                    amount_minor__gte=F("released_minor") + F("refunded_minor"),
                ),
                name="hold_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["HELD", "FROZEN"],
                    amount_minor__gt=F("released_minor") + F("refunded_minor"),
                )
                | Q(
                    state__in=["RELEASED", "REFUNDED"],
                    amount_minor=F("released_minor") + F("refunded_minor"),
                ),
                name="hold_closed_when_empty",
            ),
        ]
        triggers = [
            StateGraph(
                name="hold_state_graph",
                field="state",
                transitions=[
                    ("HELD", "FROZEN"),
                    ("FROZEN", "HELD"),
                    ("HELD", "RELEASED"),
                    ("HELD", "REFUNDED"),
                ],
            )
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def remaining_minor(self) -> int:
        """Minor units still held."""
        return self.amount_minor - self.released_minor - self.refunded_minor

    @transition(field=state, source=HoldState.HELD, target=HoldState.RELEASED)
    def release(self, *, at: datetime) -> None:
        self.released_minor += self.remaining_minor
        self.closed_at = at

    @transition(field=state, source=HoldState.HELD, target=HoldState.REFUNDED)
    def refund(self, *, at: datetime) -> None:
        self.refunded_minor += self.remaining_minor
        self.closed_at = at

    @transition(field=state, source=HoldState.HELD, target=HoldState.FROZEN)
    def freeze(self) -> None:
        pass

    @transition(field=state, source=HoldState.FROZEN, target=HoldState.HELD)
    def unfreeze(self) -> None:
        pass


class HoldShare(models.Model):
    """Who gets how much when a hold is released whole. Computed once, from the frozen terms,
    when money arrives."""

    hold = models.ForeignKey(Hold, models.PROTECT, related_name="shares")
    leg = (
        models.PositiveSmallIntegerField()
    )  # 2, 3, …: the leg of the release entry (leg 1 is the held account)
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger address that is credited
    # No database constraint: it would lock the hot fee account on every insert, and accounts are
    # never deleted.
    account = models.ForeignKey(
        "ledger.Account", models.PROTECT, related_name="+", db_constraint=False
    )
    amount_minor = models.BigIntegerField()  # minor units of the hold's currency, > 0

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hold", "leg"], name="holdshare_leg_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, leg__gte=2), name="holdshare_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payee} {self.amount_minor}"


class Release(models.Model):
    """Held money given to its payees because the buyer has the goods."""

    id = IdField(prefix="rel", primary_key=True)
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="releases")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units taken out of the hold
    confirmed_by = models.CharField(max_length=9, choices=ConfirmedBy.choices)
    released_at = models.DateTimeField()
    # The entry's unique reference names this release and entries are never deleted: no constraint
    # or index more.
    entry = models.ForeignKey(
        "ledger.JournalEntry", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="release_positive")
        ]

    def __str__(self) -> str:
        return self.id


class ReleaseLine(models.Model):
    """One payee's part of a release. `settlement_id` names the statement (payouts.Settlement)
    that pays it."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="lines")
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger address that was credited
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the payee received
    settlement_id = models.CharField(max_length=MAX_LENGTH, null=True, blank=True)

    class Meta:
        verbose_name = _("release line")
        verbose_name_plural = _("release lines")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="releaseline_positive")
        ]
        indexes = [
            models.Index(
                "address",
                "currency",
                condition=Q(settlement_id__isnull=True) & ~Q(payee="SERVICE_FEE"),
                name="releaseline_unsettled",
            ),
            models.Index(
                "settlement_id",
                condition=Q(settlement_id__isnull=False),
                name="releaseline_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payee} {self.amount_minor}"


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
                ],
                requires={"SUCCEEDED": ("done_entry", "succeeded_at")},
            )
        ]

    def __str__(self) -> str:
        return self.id

    OPEN = (RefundState.SUBMITTED, RefundState.UNKNOWN)

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

    @transition(field=state, source=RefundState.SUBMITTED, target=RefundState.UNKNOWN)
    def lose_sight(self) -> None:
        pass

    @transition(field=state, source=RefundState.UNKNOWN, target=RefundState.SUBMITTED)
    def regain_sight(self) -> None:
        pass


class Remittance(models.Model):
    """A channel's money arriving in the supervised reserve, net of what the channel kept."""

    id = IdField(prefix="rem", primary_key=True)
    channel = models.CharField(max_length=32)
    custodian = models.CharField(max_length=32)
    provider_reference = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    gross_minor = (
        models.BigIntegerField()
    )  # minor units collected less refunded, before the channel's fee
    fee_minor = models.BigIntegerField(default=0)  # minor units the channel kept
    remitted_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("remittance")
        verbose_name_plural = _("remittances")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "provider_reference"], name="remittance_once"
            ),
            models.CheckConstraint(
                condition=Q(fee_minor__gte=0, gross_minor__gt=F("fee_minor")),
                name="remittance_net_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.id


# What money does to a hold is in the books, a Release or a Refund, all append-only. Audited is what
# people do to it: stop it and let it go again.
pghistory.track(
    pghistory.UpdateEvent(
        level=pgtrigger.Row,
        condition=pgtrigger.Q(old__state="FROZEN") | pgtrigger.Q(new__state="FROZEN"),
    ),
    model_name="HoldAudit",
    fields=["id", "order", "state", "released_minor", "refunded_minor", "closed_at"],
)(Hold)
pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="RefundAudit",
    fields=["id", "state", "amount_minor", "attempts", "provider_reference", "failure_code"],
)(Refund)
