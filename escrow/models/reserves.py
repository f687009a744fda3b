"""What is held back of sellers' releases, to be freed some days later: the rolling reserve.

A slice is one seller's: it pays what that seller has to give back, and nobody else's.
"""

from datetime import datetime

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from escrow.models.disputes import Dispute
from escrow.models.refunds import Refund, one_cause
from escrow.models.releases import Release
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Merchant, Platform
from notifications.sequence import Sequenced


class ReserveState(models.TextChoices):
    HELD = "HELD", _("Held back")
    FREED = "FREED", _("Freed")
    TAKEN = "TAKEN", _("Taken for claw-backs")


class ReserveSlice(FSMModelMixin, Sequenced):
    """What was held back of one release; the release's own entry has booked it."""

    id = IdField(prefix="rsv", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="reserve_slices")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="reserve_slices")
    release = models.OneToOneField(Release, models.PROTECT, related_name="reserve_slice")
    state = FSMField(default=ReserveState.HELD, choices=ReserveState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units held back of the seller at first
    # Minor units of them taken since, for what the seller had to give back.
    taken_minor = models.BigIntegerField(default=0, db_default=0)
    held_at = models.DateTimeField()
    due_at = models.DateTimeField()  # when the seller is owed what is left
    closed_at = models.DateTimeField(null=True, blank=True)
    freed_entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("reserve slice")
        verbose_name_plural = _("rolling reserve")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0, taken_minor__gte=0, taken_minor__lte=F("amount_minor")
                ),
                name="reserveslice_never_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["HELD", "FREED"], taken_minor__lt=F("amount_minor"))
                | Q(state="TAKEN", taken_minor=F("amount_minor")),
                name="reserveslice_taken_when_empty",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("held_at")), name="reserveslice_due_later"
            ),
        ]
        indexes = [
            models.Index("due_at", "id", condition=Q(state="HELD"), name="reserveslice_due"),
            models.Index(
                "merchant",
                "currency",
                "due_at",
                condition=Q(state="HELD"),
                name="reserveslice_open",
            ),
        ]
        triggers = [
            StateGraph(
                name="reserveslice_state_graph",
                field="state",
                transitions=[("HELD", "FREED"), ("HELD", "TAKEN")],
                requires={"FREED": ("closed_at", "freed_entry"), "TAKEN": ("closed_at",)},
            ),
            pgtrigger.Protect(name="reserveslice_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def open_minor(self) -> int:
        """Minor units that nothing has taken: what is or was freed, unless it is closed."""
        return self.amount_minor - self.taken_minor

    def take(self, amount_minor: int, *, at: datetime) -> None:
        """Take a part for what the seller has to give back; all of it closes the slice."""
        assert 0 < amount_minor <= self.open_minor, (self.pk, amount_minor)
        self.taken_minor += amount_minor
        if not self.open_minor:
            self.take_rest(at=at)

    @transition(field=state, source=ReserveState.HELD, target=ReserveState.TAKEN)
    def take_rest(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(field=state, source=ReserveState.HELD, target=ReserveState.FREED)
    def free(self, *, at: datetime, entry_id: int) -> None:
        self.freed_entry_id = entry_id
        self.closed_at = at


class ReserveTaking(models.Model):
    """What one refund or chargeback took of one slice. Its id is the fact its entry is booked
    under."""

    id = IdField(prefix="rst", primary_key=True)
    slice = models.ForeignKey(ReserveSlice, models.PROTECT, related_name="takings")
    refund = models.ForeignKey(
        Refund, models.PROTECT, related_name="reserve_takings", null=True, blank=True
    )
    dispute = models.ForeignKey(
        Dispute, models.PROTECT, related_name="reserve_takings", null=True, blank=True
    )  # a chargeback
    amount_minor = models.BigIntegerField()  # minor units taken from the seller's slice, > 0
    taken_at = models.DateTimeField()
    entry = models.OneToOneField("ledger.JournalEntry", models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("taking of a reserve")
        verbose_name_plural = _("takings of a reserve")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="reservetaking_positive"),
            models.UniqueConstraint(
                fields=["slice", "refund", "dispute"],
                nulls_distinct=False,
                name="reservetaking_once",
            ),
            one_cause(name="reservetaking_of_refund_or_chargeback"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="reservetaking_kept", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"-{self.amount_minor}"


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="ReserveSliceAudit",
    fields=["id", "state", "amount_minor", "taken_minor", "due_at", "closed_at"],
)(ReserveSlice)
