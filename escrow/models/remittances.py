"""Money of the channels arriving in the reserve: columns and constraints."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ledger.fields import IdField


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
