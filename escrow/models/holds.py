"""What is held for an order, and who gets it: columns, constraints and the state graph.

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

from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models.people import RESERVE_IN_RANGE
from orders.models import Order, Payment


class HoldState(models.TextChoices):
    HELD = "HELD", _("Held")
    FROZEN = "FROZEN", _("Frozen")
    RELEASED = "RELEASED", _("Released")
    REFUNDED = "REFUNDED", _("Refunded")


class Payee(models.TextChoices):
    MERCHANT = "MERCHANT", _("Seller")
    RESERVE = "RESERVE", _("Seller, held back")  # of its share, into its rolling reserve
    PLATFORM = "PLATFORM", _("Shopping platform")
    TAX = "TAX", _("Tax on the commission")  # to the platform, beside its commission
    PARTY = "PARTY", _("Further party")
    SERVICE_FEE = "SERVICE_FEE", _("Service fee")


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
    # Of the order's terms: basis points of the seller's share held back at the release, for so many
    # days. Here, because the release reads no terms.
    reserve_bps = models.PositiveSmallIntegerField(default=0, db_default=0)
    reserve_days = models.PositiveSmallIntegerField(default=0, db_default=0)
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
            models.CheckConstraint(condition=RESERVE_IN_RANGE, name="hold_reserve_in_range"),
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

    def refund_part(self, amount_minor: int) -> None:
        """Take less than what is left. Not a transition: the hold stays HELD."""
        assert 0 < amount_minor < self.remaining_minor, (self.pk, amount_minor)
        self.refunded_minor += amount_minor

    def refund_released(self, amount_minor: int) -> None:
        """Count released money that was taken back and refunded. It stays RELEASED."""
        assert 0 < amount_minor <= self.released_minor, (self.pk, amount_minor)
        self.released_minor -= amount_minor
        self.refunded_minor += amount_minor

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
