"""Entries by hand: one person proposes, another one approves. Columns, constraints, state graph.

A row must never be changed but to be decided, nor deleted: it is the evidence behind its entry.
"""

from datetime import datetime

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from ledger.fields import IdField
from ledger.triggers import StateGraph


class CorrectionState(models.TextChoices):
    PROPOSED = "PROPOSED", _("Waits for a second person")
    POSTED = "POSTED", _("Booked")
    DROPPED = "DROPPED", _("Not booked")


class Correction(FSMModelMixin, models.Model):
    """What somebody wants to be booked by hand, why, and where it can be read that it is so."""

    id = IdField(prefix="cor", primary_key=True)
    state = FSMField(
        default=CorrectionState.PROPOSED, choices=CorrectionState.choices, protected=True
    )
    debit_address = models.CharField(max_length=80)
    credit_address = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units, debited and credited
    reason = models.CharField(max_length=200)
    evidence = models.CharField(max_length=500)  # where it can be read: a statement's line, a mail
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    entry = models.OneToOneField(
        "ledger.JournalEntry", models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("manual entry")
        verbose_name_plural = _("manual entries")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="correction_positive"),
            models.CheckConstraint(
                condition=~Q(debit_address=F("credit_address")), name="correction_of_two_accounts"
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(evidence=""), name="correction_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state="POSTED") | ~Q(decided_by=F("proposed_by")),
                name="correction_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(state="POSTED", entry__isnull=False)
                | ~Q(state="POSTED") & Q(entry__isnull=True),
                name="correction_booked_when_posted",
            ),
        ]
        indexes = [
            models.Index("id", condition=Q(state="PROPOSED"), name="correction_undecided"),
        ]
        triggers = [
            StateGraph(
                name="correction_state_graph",
                field="state",
                transitions=[("PROPOSED", "POSTED"), ("PROPOSED", "DROPPED")],
                requires={
                    "POSTED": ("decided_by", "decided_at"),
                    "DROPPED": ("decided_by", "decided_at"),
                },
            ),
            pgtrigger.ReadOnly(
                name="correction_only_decided",
                exclude=["state", "decided_by", "decided_at", "entry"],
            ),
            pgtrigger.Protect(
                name="correction_decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="PROPOSED"),
            ),
            pgtrigger.Protect(name="correction_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.id

    @transition(field=state, source=CorrectionState.PROPOSED, target=CorrectionState.POSTED)
    def post(self, *, entry_id: int, at: datetime) -> None:
        self.entry_id = entry_id
        self.decided_at = at

    @transition(field=state, source=CorrectionState.PROPOSED, target=CorrectionState.DROPPED)
    def drop(self, *, at: datetime) -> None:
        self.decided_at = at


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="CorrectionAudit",
    fields=["id", "state", "amount_minor", "proposed_by", "decided_by"],
)(Correction)
