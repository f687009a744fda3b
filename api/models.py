"""What the door itself remembers: the answers it has given. It must never hold a fact of money."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger.fields import IdField
from merchants.encryption import SealedField
from merchants.models import Platform


class StoredAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, committed together with its effect."""

    id = IdField(prefix="idm", primary_key=True)
    # No database constraint: it would lock the platform's row for every request.
    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    key = models.CharField(_("key"), max_length=255)
    request_hash = models.CharField(max_length=64, editable=False)  # sha256 of method, path, body
    status = models.PositiveSmallIntegerField(_("status"))
    location = models.CharField(max_length=255, blank=True)
    body = SealedField(_("answer"))  # sealed: it may carry a token that is kept nowhere else
    # False while what follows the effect, a call to the outside world, is still to be answered.
    finished = models.BooleanField(_("finished"))
    created_at = models.DateTimeField(_("created"), db_index=True)

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [
            models.UniqueConstraint(fields=["platform", "key"], name="stored_answer_once")
        ]

    def __str__(self) -> str:
        return f"{self.platform_id} {self.key}"
