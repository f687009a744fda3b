"""What was said and shown in a dispute: the timeline both sides read, and the evidence.

A step is written once and never changed; a file's bytes can only be read.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from escrow.models.disputes import MAX_TEXT, Actor, Dispute
from ledger.fields import IdField

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_FILES_PER_SIDE = 10


class StepKind(models.TextChoices):
    OPENED = "OPENED", _("Opened")
    EVIDENCE = "EVIDENCE", _("File added")
    ACCEPTED = "ACCEPTED", _("Accepted by the seller")
    OFFERED = "OFFERED", _("Offer of the seller")
    CONTESTED = "CONTESTED", _("Contested by the seller")
    UNANSWERED = "UNANSWERED", _("The seller did not answer")
    OFFER_ACCEPTED = "OFFER_ACCEPTED", _("Offer accepted")
    OFFER_DECLINED = "OFFER_DECLINED", _("Offer declined")
    OFFER_STOOD = "OFFER_STOOD", _("The buyer did not answer: the offer stands")
    SENT_BACK = "SENT_BACK", _("Goods sent back")
    NOT_SENT_BACK = "NOT_SENT_BACK", _("The goods were not sent back in time")
    RETURN_RECEIVED = "RETURN_RECEIVED", _("Returned goods received")
    RETURN_REFUSED = "RETURN_REFUSED", _("Returned goods refused")
    RETURN_TAKEN = "RETURN_TAKEN", _("The seller did not say: the goods count as received")
    DECIDED = "DECIDED", _("Decided by the operator")
    UNDECIDED = "UNDECIDED", _("Not decided in time")
    PARKED = "PARKED", _("Decided; the money was released before")
    CHARGED_BACK = "CHARGED_BACK", _("Taken back through the channel")
    RESOLVED = "RESOLVED", _("Resolved")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


class MediaType(models.TextChoices):
    """What a file may be; found in its bytes, never in its name."""

    PDF = "application/pdf", "PDF"
    PNG = "image/png", "PNG"
    JPEG = "image/jpeg", "JPEG"
    WEBP = "image/webp", "WEBP"
    TEXT = "text/plain", _("Plain text")


class Evidence(models.Model):
    """A file one side shows. Its bytes are in the database so that they are backed up, restored
    and erased with what they are about (ADR 0033)."""

    id = IdField(prefix="evi", primary_key=True)
    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="evidence")
    side = models.CharField(max_length=8, choices=Actor.choices)  # BUYER or MERCHANT
    name = models.CharField(max_length=120)  # what its owner calls it: shown, never a file's name
    media_type = models.CharField(max_length=16, choices=MediaType.choices)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)  # of the bytes, hex
    content = models.BinaryField()
    added_at = models.DateTimeField()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    size_bytes__gt=0, size_bytes__lte=MAX_FILE_BYTES, size_bytes=Length("content")
                ),
                name="evidence_size_in_range",
            ),
            models.CheckConstraint(
                condition=Q(side__in=["BUYER", "MERCHANT"]), name="evidence_of_a_side"
            ),
            models.UniqueConstraint(fields=["dispute", "side", "sha256"], name="evidence_once"),
        ]
        triggers = [pgtrigger.Protect(name="evidence_kept_as_is", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.id


class DisputeStep(models.Model):
    """One thing that happened in a dispute, as both sides read it."""

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()  # 1, 2, 3 … as it happened
    kind = models.CharField(max_length=15, choices=StepKind.choices)
    by = models.CharField(max_length=8, choices=Actor.choices)
    at = models.DateTimeField()
    text = models.CharField(max_length=MAX_TEXT, blank=True)
    amount_minor = models.BigIntegerField(
        null=True, blank=True
    )  # minor units to the buyer that this step speaks of
    evidence_id = models.CharField(max_length=40, blank=True)  # a file may be erased, a step not
    sha256 = models.CharField(max_length=64, blank=True)  # of that file
    due_at = models.DateTimeField(null=True, blank=True)  # the next deadline, as told then

    class Meta:
        verbose_name = _("step of a dispute")
        verbose_name_plural = _("steps of disputes")
        constraints = [
            models.UniqueConstraint(fields=["dispute", "position"], name="step_position_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="step_position_positive"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="step_written_once", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"
