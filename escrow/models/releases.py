"""Held money given to its payees: columns and constraints. Written once, never changed but for
the statement that pays a line."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.ids import MAX_LENGTH
from escrow.models.holds import Hold, Payee
from ledger.fields import IdField
from orders.models import ConfirmedBy


class Release(models.Model):
    """Held money given to its payees because the buyer has the goods."""

    id = IdField(prefix="rel", primary_key=True)
    hold = models.ForeignKey(Hold, models.PROTECT, related_name="releases")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units taken out of the hold
    confirmed_by = models.CharField(max_length=9, choices=ConfirmedBy.choices)
    released_at = models.DateTimeField()
    # The entry's unique reference names this release and entries are never deleted: no constraint
    # or index more.
    entry = models.ForeignKey(
        "ledger.JournalEntry", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="release_positive")
        ]

    def __str__(self) -> str:
        return self.id


class ReleaseLine(models.Model):
    """One payee's part of a release. `settlement_id` names the statement (payouts.Settlement)
    that pays it."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="lines")
    payee = models.CharField(max_length=12, choices=Payee.choices)
    address = models.CharField(max_length=80)  # ledger address that was credited
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the payee received
    settlement_id = models.CharField(max_length=MAX_LENGTH, null=True, blank=True)
    # What was held back at the release and is owed now; empty: owed since the release. No database
    # constraint: slices are never deleted, and every release would check it.
    freed_slice = models.ForeignKey(
        "escrow.ReserveSlice",
        models.PROTECT,
        related_name="lines",
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        verbose_name = _("release line")
        verbose_name_plural = _("release lines")
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="releaseline_positive"),
            models.UniqueConstraint(
                fields=["freed_slice"],
                condition=Q(freed_slice__isnull=False),
                name="releaseline_freed_once",
            ),
        ]
        indexes = [
            models.Index(
                "address",
                "currency",
                condition=Q(settlement_id__isnull=True) & ~Q(payee="SERVICE_FEE"),
                name="releaseline_unsettled",
            ),
            models.Index(
                "settlement_id",
                condition=Q(settlement_id__isnull=False),
                name="releaseline_settled",
            ),
        ]

    @property
    def kind(self) -> str:
        """SALE, or RESERVE_FREED for what was held back at the release and is owed now."""
        return "SALE" if self.freed_slice_id is None else "RESERVE_FREED"

    @property
    def owed_at(self) -> datetime:
        """When the payee was owed it; `release` and `freed_slice` are at hand."""
        if self.freed_slice is None:
            return self.release.released_at
        assert self.freed_slice.closed_at is not None
        return self.freed_slice.closed_at

    def __str__(self) -> str:
        return f"{self.payee} {self.amount_minor}"
