"""What one operator wants done and another one has to approve: columns, constraints, state graph.

It moves nothing by itself. A row must never be changed but to be decided, nor deleted.
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
from merchants.models.people import Platform


class ProposalState(models.TextChoices):
    PROPOSED = "PROPOSED", _("Waits for a second person")
    DONE = "DONE", _("Done")
    DROPPED = "DROPPED", _("Dropped")


class ProposalVerb(models.TextChoices):
    """What may only be done by two persons, besides what has a desk of its own."""

    REPAYMENT = "REPAYMENT", _("Record a payment of a debtor")
    SCHEDULE = "SCHEDULE", _("Change a payout schedule")
    PLAN_RESERVE = "PLAN_RESERVE", _("Change a plan's rolling reserve")
    BANK_ACCOUNT = "BANK_ACCOUNT", _("Change a bank account")
    COOLOFF = "COOLOFF", _("Change the cool-off of bank accounts")


class Proposal(FSMModelMixin, models.Model):
    """A service somebody wants to be called, with its arguments, and why."""

    id = IdField(prefix="prp", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="proposals")
    verb = models.CharField(_("what"), max_length=16, choices=ProposalVerb.choices)
    subject = models.CharField(max_length=40)  # the id of the row it is about
    arguments = models.JSONField(default=dict)  # of the service; amounts in minor units
    state = FSMField(default=ProposalState.PROPOSED, choices=ProposalState.choices, protected=True)
    reason = models.CharField(max_length=200)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("proposed change")
        verbose_name_plural = _("proposed changes")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="proposal_says_why"),
            models.CheckConstraint(
                condition=~Q(state="DONE") | ~Q(decided_by=F("proposed_by")),
                name="proposal_two_persons",
            ),
            models.UniqueConstraint(
                fields=["verb", "subject"],
                condition=Q(state="PROPOSED"),
                name="proposal_open_once",
            ),
        ]
        triggers = [
            StateGraph(
                name="proposal_state_graph",
                field="state",
                transitions=[("PROPOSED", "DONE"), ("PROPOSED", "DROPPED")],
                requires={
                    "DONE": ("decided_by", "decided_at"),
                    "DROPPED": ("decided_by", "decided_at"),
                },
            ),
            pgtrigger.ReadOnly(
                name="proposal_only_decided", exclude=["state", "decided_by", "decided_at"]
            ),
            pgtrigger.Protect(
                name="proposal_decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="PROPOSED"),
            ),
            pgtrigger.Protect(name="proposal_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.id

    @transition(field=state, source=ProposalState.PROPOSED, target=ProposalState.DONE)
    def finish(self, *, at: datetime) -> None:
        self.decided_at = at

    @transition(field=state, source=ProposalState.PROPOSED, target=ProposalState.DROPPED)
    def drop(self, *, at: datetime) -> None:
        self.decided_at = at


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="ProposalAudit",
    fields=["id", "verb", "subject", "state", "proposed_by", "decided_by"],
)(Proposal)
