"""Claiming due rows: the one way a sweep takes work. Two sweeps at once take different rows;
none waits."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ledger.usecases import use_case


def claim_due(queryset: QuerySet[Any], *, field: str, at: datetime, limit: int) -> list[str]:
    """Return ids of rows whose deadline `field` has passed, oldest first, skipping rows somebody
    works on now.

    The caller's service locks each row again and decides on what it then reads: a claimed row is
    a hint.
    """
    with transaction.atomic():
        due = queryset.filter(**{f"{field}__lt": at}).order_by(field, "pk")
        return list(
            due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
                :limit
            ]
        )


@use_case()
def lease_due(queryset: QuerySet[Any], *, at: datetime, lease: timedelta, limit: int) -> list[str]:
    """Take rows whose `due_at` has come and move `due_at` on by a lease, so that no other sweep
    asks meanwhile.

    Returns: their ids, oldest first. If the sweep dies, the rows come back when the lease is
        over.
    """
    due = queryset.filter(due_at__lte=at).order_by("due_at", "pk")
    ids = list(
        due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit]
    )
    queryset.model._default_manager.filter(pk__in=ids).update(due_at=at + lease)
    return ids
