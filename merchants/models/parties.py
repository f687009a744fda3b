"""Further parties of a split: affiliates, carriers, tax offices. Rules name them."""

import pghistory
import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.fields import IdField
from merchants.models.people import Platform


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="PartyAudit",
    fields=["platform", "reference", "name"],
)
class Party(models.Model):
    """Somebody a platform gives a part of its sellers' sales to; neither seller nor platform."""

    id = IdField(prefix="pty", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="parties", db_index=False)
    reference = models.CharField(_("reference"), max_length=64)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("further party")
        verbose_name_plural = _("further parties")
        constraints = [
            # Its index finds a platform's parties too.
            models.UniqueConstraint(fields=["platform", "reference"], name="party_reference_once"),
            # What bank accounts refer to, so that none names another platform's party.
            models.UniqueConstraint(fields=["platform", "id"], name="party_with_its_platform"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="party_of_platform", fields=["id", "platform"]),
            pgtrigger.Protect(name="party_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.name
