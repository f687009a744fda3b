"""Changing when and how a payee is paid out. It must never move money: the next cutoff does."""

from datetime import datetime

from common.errors import DomainError
from common.money import MAX_AMOUNT_MINOR
from ledger.usecases import use_case
from payouts import calendar
from payouts.locks import lock_schedule
from payouts.models import Cadence, PayoutSchedule


class ScheduleInvalid(DomainError):
    """The schedule cannot be as asked for; nothing was changed."""

    code = "schedule_invalid"
    status = 422


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
