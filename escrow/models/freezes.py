"""Freezes of an order, a seller or a payout: columns, constraints and the state graph.

A freeze moves no money: it is what every verb that would move some asks about first.
"""

from datetime import datetime

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from common.ids import MAX_LENGTH
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Merchant, Platform
from notifications.sequence import Sequenced
from orders.models import Order


class FreezeKind(models.TextChoices):
    LEGAL = "LEGAL", _("Legal: a court or an authority")
    RISK = "RISK", _("Risk: our own suspicion")


class FreezeState(models.TextChoices):
    ACTIVE = "ACTIVE", _("In force")
    PROPOSED = "PROPOSED", _("Lifting proposed, still in force")
    LIFTED = "LIFTED", _("Lifted")


SUBJECTS = ("order", "merchant", "payout_id")


def _of_one(subject: str) -> Q:
    return Q(**{f"{name}__isnull": name != subject for name in SUBJECTS})


def _once(subject: str) -> models.UniqueConstraint:
    """One subject may be frozen for several reasons at once, for each of them once. It is also the
    index by which everybody asks."""
    return models.UniqueConstraint(
        fields=[subject, "kind", "reason"],
        condition=Q(**{f"{subject}__isnull": False}) & ~Q(state="LIFTED"),
        name=f"freeze_of_{subject.removesuffix('_id')}_once",
    )


class Freeze(FSMModelMixin, Sequenced):
    """Why the money of an order, of a seller or of a payout stays where it is, until two persons
    let it go."""

    id = IdField(prefix="frz", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="freezes")
    kind = models.CharField(max_length=5, choices=FreezeKind.choices)
    state = FSMField(default=FreezeState.ACTIVE, choices=FreezeState.choices, protected=True)
    # Exactly one of the three is frozen. A payout is named by its id only: the next station comes
    # after this one, as with ReleaseLine.settlement_id (docs/adr/0015).
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="freezes", null=True, blank=True, db_index=False
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="freezes", null=True, blank=True, db_index=False
    )
    payout_id = models.CharField(max_length=MAX_LENGTH, null=True, blank=True)
    reason = models.CharField(max_length=200)  # for operators; neither platform nor seller reads it
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lift_reason = models.CharField(max_length=200, blank=True)
    lift_proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    lift_proposed_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        constraints = [
            models.CheckConstraint(
                condition=_of_one("order") | _of_one("merchant") | _of_one("payout_id"),
                name="freeze_of_one_subject",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="freeze_has_a_reason"),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True)
                | Q(lift_proposed_by__isnull=False) & ~Q(lift_proposed_by=F("lifted_by")),
                name="freeze_two_persons",
            ),
            *map(_once, SUBJECTS),
        ]
        triggers = [
            StateGraph(
                name="freeze_state_graph",
                field="state",
                transitions=[
                    ("ACTIVE", "PROPOSED"),
                    ("PROPOSED", "ACTIVE"),
                    ("PROPOSED", "LIFTED"),
                ],
                requires={
                    "PROPOSED": ("lift_proposed_by", "lift_proposed_at", "lift_reason"),
                    "LIFTED": ("lift_proposed_by", "lift_reason", "lifted_by", "lifted_at"),
                },
            )
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def subject(self) -> str:
        """Id of the order, the seller or the payout."""
        subject = self.order_id or self.merchant_id or self.payout_id
        assert subject is not None
        return subject

    @transition(field=state, source=FreezeState.ACTIVE, target=FreezeState.PROPOSED)
    def propose(self, *, at: datetime, reason: str) -> None:
        self.lift_proposed_at = at
        self.lift_reason = reason

    @transition(field=state, source=FreezeState.PROPOSED, target=FreezeState.ACTIVE)
    def keep(self) -> None:
        self.lift_proposed_by = None
        self.lift_proposed_at = None
        self.lift_reason = ""

    @transition(field=state, source=FreezeState.PROPOSED, target=FreezeState.LIFTED)
    def lift(self, *, at: datetime) -> None:
        self.lifted_at = at


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="FreezeAudit",
    fields=[
        "id",
        "state",
        "kind",
        "order",
        "merchant",
        "payout_id",
        "reason",
        "placed_by",
        "lift_reason",
        "lift_proposed_by",
        "lifted_by",
    ],
)(Freeze)
