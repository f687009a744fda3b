"""Invitations: who was asked to join a seller or a platform, as what, and what became of it.

A link is signed, never stored. A row must never be used twice, nor changed once it is closed.
"""

import pghistory
import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from ledger.fields import IdField
from merchants.models.people import Language, Merchant, Platform, Role


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="InvitationAudit",
    fields=["id", "email", "role", "round", "accepted_by", "withdrawn_at"],
)
class Invitation(models.Model):
    """Somebody may join: by the link of the newest round alone, once, until it expires."""

    id = IdField(prefix="inv", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="invitations")
    # Empty: to the platform itself.
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="invitations", null=True, blank=True
    )
    email = models.EmailField(_("e-mail"))
    role = models.CharField(_("role"), max_length=7, choices=Role.choices)
    language = models.CharField(_("language"), max_length=10, choices=Language.choices)
    # 1, 2, 3 … each time it is sent: the links of the rounds before open nothing any more.
    round = models.PositiveSmallIntegerField(_("round"), default=1)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(_("sent"))
    expires_at = models.DateTimeField(_("expires"))
    accepted_by = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="invitation",
        null=True,
        blank=True,
        verbose_name=_("accepted by"),
    )
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                "platform",
                "merchant",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(
                    accepted_at__isnull=False,
                    accepted_by__isnull=False,
                    withdrawn_at__isnull=True,
                ),
                name="invitation_closed_one_way",
            ),
            models.CheckConstraint(condition=~Q(email=""), name="invitation_to_somebody"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="invitation_says_the_same",
                fields=["id", "platform", "merchant", "email", "role"],
            ),
            pgtrigger.Protect(
                name="invitation_closed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__accepted_at__isnull=False)
                | pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            pgtrigger.Protect(name="invitation_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.id
