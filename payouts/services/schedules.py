"""Saying when and how a payee is paid out. It must never move money: the next cutoff does."""

from datetime import datetime

from django.db import IntegrityError

from channels import registry
from common.errors import DomainError
from common.money import MAX_AMOUNT_MINOR
from ledger.usecases import use_case
from merchants.models import Merchant, Mode, Party, Platform, kind_of
from payouts import calendar
from payouts.locks import lock_schedule
from payouts.models import Cadence, PayoutSchedule

# What the database's word names when a payee has a schedule already.
_ONCE = ("schedule_of_platform_once", "(merchant_id)", "(party_id)")


class ScheduleInvalid(DomainError):
    """The schedule cannot be as asked for; nothing was changed."""

    code = "schedule_invalid"
    status = 422


class ScheduleTaken(DomainError):
    """This payee has a payout schedule already; change it."""

    code = "schedule_taken"


def open_schedule(
    *,
    platform: Platform,
    merchant: Merchant | None,
    rail: str,
    at: datetime,
    cadence: str = Cadence.INSTANT,
    weekday: int = 0,
    minimum_minor: int = 1,
    approval_above_minor: int | None = None,
    party: Party | None = None,
) -> PayoutSchedule:
    """Pay a payee out from now on. Whoever has no schedule is never paid out: the money waits.

    Args: merchant, party: who is paid; None of both: the platform, its own commission. rail: the
        bank that pays. The others as for `change_schedule`.
    Raises: ScheduleInvalid, ScheduleTaken, ChannelDisabled.
    Idempotent: by payee: the second one is refused.
    """
    _check(cadence, weekday, minimum_minor, approval_above_minor)
    registry.get_rail(rail)
    if merchant is not None and merchant.platform_id != platform.pk:
        raise ScheduleInvalid("This seller is not a seller of the platform.")
    if party is not None and (merchant is not None or party.platform_id != platform.pk):
        raise ScheduleInvalid("This party is no party of the platform, or a seller is named too.")
    schedule = PayoutSchedule(
        platform=platform,
        payee=kind_of(merchant=merchant, party=party),
        merchant=merchant,
        party=party,
        rail=rail,
        cadence=cadence,
        weekday=weekday,
        minimum_minor=minimum_minor,
        approval_above_minor=approval_above_minor,
        next_cutoff_at=calendar.next_cutoff(
            cadence=cadence, weekday=weekday, time_zone=platform.time_zone, after=at
        ),
    )
    try:
        with use_case():
            schedule.save(force_insert=True)
    except IntegrityError as error:
        if any(name in str(error) for name in _ONCE):
            raise ScheduleTaken("This payee has a payout schedule already.") from None
        raise
    return schedule


def ensure_schedule(
    *, platform: Platform, merchant: Merchant | None, at: datetime, party: Party | None = None
) -> None:
    """Pay a payee that has given an account at each release, unless it has a schedule already.

    By the first rail that serves the platform; where there is none, the money waits.
    """
    known = PayoutSchedule.objects.filter(platform=platform, merchant=merchant, party=party)
    if known.exists():
        return
    rail = registry.first_rail(live=platform.mode == Mode.LIVE)
    if rail is not None:
        open_schedule(platform=platform, merchant=merchant, party=party, rail=rail.name, at=at)


@use_case()
def change_schedule(
    *,
    schedule_id: int,
    cadence: str,
    weekday: int,
    minimum_minor: int,
    approval_above_minor: int | None,
    at: datetime,
) -> PayoutSchedule:
    """Change a payee's cadence, minimum and approval limit, from the next cutoff on.

    Args: weekday: Monday 0 to Sunday 6, counts for weekly schedules only. minimum_minor: minor
    units below which a payout waits, >= 1. approval_above_minor: minor units above which a person
    must approve, >= 0; None: never.
    Raises: ScheduleInvalid. Locks: the schedule.
    """
    _check(cadence, weekday, minimum_minor, approval_above_minor)
    schedule = lock_schedule(schedule_id)
    schedule.cadence = cadence
    schedule.weekday = weekday
    schedule.minimum_minor = minimum_minor
    schedule.approval_above_minor = approval_above_minor
    schedule.next_cutoff_at = calendar.next_cutoff(
        cadence=cadence, weekday=weekday, time_zone=schedule.platform.time_zone, after=at
    )
    schedule.save(
        update_fields=[
            "cadence",
            "weekday",
            "minimum_minor",
            "approval_above_minor",
            "next_cutoff_at",
        ]
    )
    return schedule


def _check(
    cadence: str, weekday: int, minimum_minor: int, approval_above_minor: int | None
) -> None:
    if cadence not in Cadence.values:
        raise ScheduleInvalid(f"{cadence!r} is no cadence.")
    if not 0 <= weekday <= 6:
        raise ScheduleInvalid("The weekday is 0 (Monday) to 6 (Sunday).")
    if not 1 <= minimum_minor <= MAX_AMOUNT_MINOR:
        raise ScheduleInvalid("The minimum is at least 1 minor unit.")
    if approval_above_minor is not None and not 0 <= approval_above_minor <= MAX_AMOUNT_MINOR:
        raise ScheduleInvalid("The approval limit cannot be below zero.")
