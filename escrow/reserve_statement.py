"""What a rolling reserve kept, freed and lost between two instants. It must never lock or write."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Sum

from escrow.models import ReserveSlice, ReserveState, ReserveTaking


@dataclass(frozen=True, slots=True)
class ReserveStatement:
    """One seller's reserve in one currency. Minor units, none negative:
    `opening + kept - freed - taken = closing`."""

    opening_minor: int
    kept_minor: int  # held back of releases
    freed_minor: int  # given to the seller, and on its statement
    taken_minor: int  # for refunds and chargebacks the seller's other money did not cover
    closing_minor: int

    @property
    def is_empty(self) -> bool:
        """Whether there never was anything to tell."""
        return not (self.opening_minor or self.kept_minor or self.closing_minor)


def reserve_between(
    *, merchant_id: str, currency: str, since: datetime | None, until: datetime
) -> ReserveStatement:
    """Sum what happened to a seller's reserve.

    Args: since: included; None: from the beginning. until: not included.
    """
    slices = ReserveSlice.objects.filter(merchant_id=merchant_id, currency=currency)
    takings = ReserveTaking.objects.filter(slice__merchant_id=merchant_id, slice__currency=currency)
    freed = slices.filter(state=ReserveState.FREED)
    before = (
        0
        if since is None
        else _sum(slices.filter(held_at__lt=since), "amount_minor")
        - _sum(freed.filter(closed_at__lt=since), _LEFT)
        - _sum(takings.filter(taken_at__lt=since), "amount_minor")
    )
    kept = _sum(_within(slices, "held_at", since, until), "amount_minor")
    given = _sum(_within(freed, "closed_at", since, until), _LEFT)
    taken = _sum(_within(takings, "taken_at", since, until), "amount_minor")
    return ReserveStatement(before, kept, given, taken, before + kept - given - taken)


_LEFT = F("amount_minor") - F("taken_minor")  # what a freed slice gave


def _within(
    rows: QuerySet[Any], column: str, since: datetime | None, until: datetime
) -> QuerySet[Any]:
    found = rows.filter(**{f"{column}__lt": until})
    return found if since is None else found.filter(**{f"{column}__gte": since})


def _sum(rows: QuerySet[Any], what: Any) -> int:
    return int(rows.aggregate(sum=Sum(what))["sum"] or 0)
