"""What sellers, or a platform itself, had where at the end of each day: held, available, held back,
in transit, and paid out on it.

It must never keep a number of its own: held is what the holds planned, the rest is the books.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import connection

from escrow.models import Payee
from ledger import chart
from ledger.history import DayBalance, list_day_balances
from merchants.models import Merchant, Platform
from payouts import sql

SELLERS = [Payee.MERCHANT, Payee.RESERVE]
PLATFORM = [Payee.PLATFORM, Payee.TAX]


@dataclass(frozen=True, slots=True)
class Day:
    """One currency at the end of one day. Minor units."""

    currency: str
    day: date
    held_minor: int  # planned for them out of money still held
    available_minor: int
    reserved_minor: int
    in_transit_minor: int
    paid_minor: int  # on that day, less what came back on it


def days_of_sellers(
    *,
    platform: Platform,
    merchant_ids: Collection[str] | None = None,
    first: date,
    last: date,
    zone: ZoneInfo,
    at: datetime,
) -> list[Day]:
    """What sellers of a platform had together.

    Args: merchant_ids: of these; None: of all. first, last: days of `zone`, both included. at: the
        last day ends here.
    Returns: by currency and day, without gaps.
    """
    wanted = None if merchant_ids is None else list(merchant_ids)
    known = wanted
    if known is None:
        known = list(Merchant.objects.filter(platform=platform).values_list("pk", flat=True))
    addresses = [chart.merchant_payable(each) for each in known]
    addresses += [chart.merchant_reserve(each) for each in known]
    held = _held(platform, wanted, SELLERS, first=first, last=last, zone=zone, at=at)
    return _joined(
        list_day_balances(addresses=addresses, first=first, last=last, zone=zone.key, until=at),
        held,
    )


def days_of_platform(
    *, platform: Platform, first: date, last: date, zone: ZoneInfo, at: datetime
) -> list[Day]:
    """What a platform itself had: its commission. See `days_of_sellers`."""
    addresses = [chart.platform_commission(platform.pk)]
    held = _held(platform, None, PLATFORM, first=first, last=last, zone=zone, at=at)
    return _joined(
        list_day_balances(addresses=addresses, first=first, last=last, zone=zone.key, until=at),
        held,
    )


def _held(
    platform: Platform,
    merchant_ids: list[str] | None,
    payees: list[Payee],
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    at: datetime,
) -> dict[tuple[str, date], int]:
    asked = {
        "platform": platform.pk,
        "merchants": merchant_ids,
        "payees": [str(payee) for payee in payees],
        "since": datetime.combine(first, time(), tzinfo=zone),
        "first": first,
        "last": last,
        "zone": zone.key,
        "until": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.load("held_by_day"), asked)
        return {(currency, day): held for currency, day, held in cursor.fetchall()}


def _joined(booked: list[DayBalance], held: dict[tuple[str, date], int]) -> list[Day]:
    known = {(each.currency, each.day): each for each in booked}
    days = []
    for key in sorted(known.keys() | held.keys()):
        each = known.get(key) or DayBalance(*key, 0, 0, 0, 0)
        days.append(
            Day(
                *key,
                held_minor=held.get(key, 0),
                available_minor=each.available_minor,
                reserved_minor=each.reserved_minor,
                in_transit_minor=each.in_transit_minor,
                paid_minor=each.paid_minor,
            )
        )
    return days
