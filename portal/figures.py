"""The figures of the first page, per currency, computed at most once in a while for its readers.

They say for which instant they hold. It must never be asked for anything that decides about money.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.db.models import Count, DateField, Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from redis.exceptions import RedisError

from escrow.models import Refund
from orders.models import Order
from payouts import balances
from payouts.models import Payout, PayoutState
from portal.access import Member

KEPT_SECONDS = 60
OF_ALL_SECONDS = 300  # a platform's figures are read from all its sellers' orders
DAYS = 30

Found = TypeVar("Found")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CurrencyFigures:
    """One currency. Minor units; the series have one value per day, oldest first."""

    currency: str
    held_minor: int
    payable_minor: int
    reserved_minor: int
    in_transit_minor: int
    paid_out_minor: int  # in the last DAYS days
    paid_out_before_minor: int  # in the DAYS days before those
    bought: list[int]
    paid_out: list[int]


@dataclass(frozen=True, slots=True)
class Figures:
    """`at`: when they were read. The refund rate is of the orders paid in the last DAYS days, in
    basis points; None without any."""

    at: datetime
    days: list[date]
    currencies: list[CurrencyFigures]
    refund_rate_bps: int | None


def read(member: Member) -> Figures:
    """Return the reader's figures: a minute old at most, a platform's five."""
    seconds = KEPT_SECONDS if member.merchant else OF_ALL_SECONDS
    return kept("figures", member, _compute, seconds=seconds)


def kept(name: str, member: Member, compute: Callable[[Member], Found], *, seconds: int) -> Found:
    """Return what was computed within so many seconds for the reader's seller or platform in the
    reader's time zone, or compute it now; without a cache, always."""
    whose = member.merchant or member.platform
    key = f"portal:{name}:{whose.pk}:{member.zone.key}"
    try:
        found = cache.get(key)
        if found is None:
            found = compute(member)
            cache.set(key, found, seconds)
        return cast(Found, found)
    except RedisError:
        log.warning("figures are not kept: the cache does not answer")
        return compute(member)


def _compute(member: Member) -> Figures:
    today = timezone.localtime(member.at).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = member.at - timedelta(days=DAYS)
    sales = _own(member, Order.objects.all()).filter(paid_at__gte=since, paid_at__lte=member.at)
    own = _own(member, Payout.objects.filter(state=PayoutState.PAID))
    if member.merchant is None:
        own = own.filter(merchant=None, party=None)
    bought, sold, refunded = _sold(sales)
    paid = _per_day(own.filter(paid_at__gte=since - timedelta(days=DAYS)), "paid_at")
    before = set(days)
    rows = [
        CurrencyFigures(
            currency=each.currency,
            held_minor=each.held_minor,
            payable_minor=each.payable_minor,
            reserved_minor=each.reserved_minor,
            in_transit_minor=each.in_transit_minor,
            paid_out_minor=sum(paid[each.currency].get(day, 0) for day in days),
            paid_out_before_minor=sum(
                amount for day, amount in paid[each.currency].items() if day not in before
            ),
            bought=[bought[each.currency].get(day, 0) for day in days],
            paid_out=[paid[each.currency].get(day, 0) for day in days],
        )
        for each in _balances(member)
    ]
    return Figures(member.at, days, rows, round(10_000 * refunded / sold) if sold else None)


def _own(member: Member, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of the reader's sellers: by the index that begins with the seller."""
    if member.merchant is not None:
        return rows.filter(merchant=member.merchant)
    return rows.filter(platform=member.platform)


def _balances(member: Member) -> Iterable[balances.Balance]:
    if member.merchant is not None:
        return balances.balances_of(platform=member.platform, merchant_ids=[member.merchant.pk])
    found = balances.balances_of(platform=member.platform)
    return [each for each in found if each.merchant_id is None and each.party_id is None]


PerDay = dict[str, dict[date, int]]


def _sold(sales: QuerySet[Order]) -> tuple[PerDay, int, int]:
    """Sum sales by currency and by the reader's day, and count them: all, and those refunded."""
    refunded = Exists(Refund.objects.filter(hold__order_id=OuterRef("pk")))
    rows = _by_day(sales, "paid_at").annotate(
        sold=Count("pk"), refunded=Count("pk", filter=refunded)
    )
    found: PerDay = defaultdict(dict)
    counts = [0, 0]
    for currency, day, amount_minor, sold, refunded_too in rows:
        found[currency][day] = amount_minor
        counts = [counts[0] + sold, counts[1] + refunded_too]
    return found, counts[0], counts[1]


def _per_day(rows: QuerySet[Any], at: str) -> PerDay:
    """Sum amounts by currency and by the reader's day."""
    found: PerDay = defaultdict(dict)
    for currency, day, amount_minor in _by_day(rows, at):
        found[currency][day] = amount_minor
    return found


def _by_day(rows: QuerySet[Any], at: str) -> QuerySet[Any, Any]:
    by_day = rows.annotate(day=TruncDate(at, output_field=DateField()))
    return by_day.values_list("currency", "day").annotate(sum=Sum("amount_minor")).order_by()
