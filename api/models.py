"""What the door itself remembers: the answers it has given. It must never hold a fact of money."""

from django.db import models
from django.db.models import Q
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


class LoggedRequest(models.Model):
    """A request to the API by somebody who has a key, as its platform may read it for 30 days. Its
    id is the answer's Request-Id. Instants are of the real clock."""

    id = IdField(prefix="req", primary_key=True)
    # No database constraint: it would lock the platform's row for every request.
    platform = models.ForeignKey(
        Platform, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    key_public_id = models.CharField(_("API key"), max_length=8)
    method = models.CharField(_("method"), max_length=8)
    path = models.CharField(_("path"), max_length=200)  # without what stands after `?`
    status = models.PositiveSmallIntegerField(_("status"))
    code = models.CharField(_("code"), max_length=60, blank=True)  # of the refusal
    duration_ms = models.PositiveIntegerField(_("milliseconds"))
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, blank=True)
    replayed = models.BooleanField(_("answered from the store"))
    api_version = models.CharField(_("API version"), max_length=10, blank=True)
    request_bytes = models.PositiveIntegerField(_("bytes sent"))
    answer_bytes = models.PositiveIntegerField(_("bytes answered"))
    # Of a refused request: see api.request_log. Sealed: a stolen backup tells nothing of it.
    detail = SealedField(_("detail"), null=True)
    created_at = models.DateTimeField(_("created"), db_index=True)

    class Meta:
        verbose_name = _("logged request")
        verbose_name_plural = _("logged requests")
        indexes = [
            models.Index(fields=["platform", "id"], name="request_of_platform"),
            models.Index(
                fields=["platform", "id"], condition=Q(status__gte=400), name="request_refused"
            ),
            models.Index(
                fields=["platform", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="request_by_idempotency_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
