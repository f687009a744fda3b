"""Claiming due rows: the one way a sweep takes work. Two sweeps at once take different rows;
none waits.

Each run of a sweep is by one clock: the real one, for all platforms that have no other, or that of
one platform (merchants.clocks).
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet

from ledger.usecases import use_case
from merchants import clocks

# A deadline is kept at its very instant and missed after it.
MISSED = timedelta(microseconds=1)


def by_clock(queryset: QuerySet[Any], platform_id: str | None) -> QuerySet[Any]:
    """The rows of one platform; for None, of every platform that lives by the real clock."""
    if platform_id is not None:
        return queryset.filter(platform_id=platform_id)
    return queryset.exclude(platform_id__in=clocks.moved().values("pk"))


def claim_due(
    queryset: QuerySet[Any],
    *,
    field: str,
    at: datetime,
    limit: int,
    platform_id: str | None = None,
) -> list[str]:
    """Return ids of rows whose deadline `field` has passed, oldest first, skipping rows somebody
    works on now.

    The caller's service locks each row again and decides on what it then reads: a claimed row is
    a hint.
    """
    with transaction.atomic():
        due = by_clock(queryset, platform_id).filter(**{f"{field}__lt": at})
        return list(
            due.order_by(field, "pk")
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", flat=True)[:limit]
        )


@use_case()
def lease_due(
    queryset: QuerySet[Any],
    *,
    at: datetime,
    lease: timedelta,
    limit: int,
    platform_id: str | None = None,
) -> list[str]:
    """Take rows whose `due_at` has come and move `due_at` on by a lease, so that no other sweep
    asks meanwhile.

    Returns: their ids, oldest first. If the sweep dies, the rows come back when the lease is
        over.
    """
    due = by_clock(queryset, platform_id).filter(due_at__lte=at).order_by("due_at", "pk")
    ids = list(
        due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit]
    )
    queryset.model._default_manager.filter(pk__in=ids).update(due_at=at + lease)
    return ids


def earliest(
    queryset: QuerySet[Any],
    field: str,
    *,
    after: datetime | None,
    wait: timedelta = timedelta(0),
) -> datetime | None:
    """Return the first instant later than `after` (None: ever) at which a row is due.

    Args: wait: how long after `field` a row is due; MISSED for deadlines that must have passed.
    """
    if after is not None:
        queryset = queryset.filter(**{f"{field}__gt": after - wait})
    found: datetime | None = queryset.aggregate(found=Min(field))["found"]
    return found + wait if found is not None else None


def first_of(*dues: datetime | None) -> datetime | None:
    """Return the earliest of what is due at all."""
    return min((due for due in dues if due is not None), default=None)
