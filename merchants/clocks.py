"""Each platform's own clock: in test mode a platform may move it ahead, to see its terms run out.

It must never be asked about keys, signatures or the network: those live by the real clock.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from common.errors import DomainError
from merchants.models import Mode, Platform

log = logging.getLogger(__name__)
NOT_MOVED = timedelta(0)
TRIES = 3  # a sweep that looks whether a clock moves holds the lock for the blink of a statement


class LivePlatform(DomainError):
    """A live platform lives by the real clock."""

    code = "clock_is_live"
    status = 403


class ClockIsMoving(DomainError):
    """Somebody is moving this platform's clock; wait until that has ended."""

    code = "clock_is_moving"


def now_of(platform: Platform, *, now: datetime) -> datetime:
    """Return what time it is on a platform's clock.

    Args: now: the real time; any other real instant is translated just as well.
    """
    return now + platform.clock_offset


def now_for(rows: QuerySet[Any], *, now: datetime) -> datetime:
    """Return what time it is on the clock of the platform whose row this is; `now` without a row.

    Args: rows: one row at most, of a model with a `platform`.
    """
    offset = rows.values_list("platform__clock_offset", flat=True).first()
    return now + (offset or NOT_MOVED)


def real_time(platform: Platform, *, at: datetime) -> datetime:
    """Return when, by the real clock, a platform's clock shows `at`, unless it is moved on."""
    return at - platform.clock_offset


def require_test(platform: Platform) -> None:
    """Raises: LivePlatform unless the platform is in test mode."""
    if platform.mode != Mode.TEST:
        raise LivePlatform("The clock of a live platform cannot be moved.", platform=platform.pk)


def moved() -> QuerySet[Platform]:
    """The platforms whose clock is ahead of the real one: few, and usually none."""
    return Platform.objects.filter(clock_offset__gt=NOT_MOVED)


def moved_platforms() -> dict[str, timedelta]:
    """How far the moved clocks are ahead, by platform id."""
    return dict(moved().values_list("id", "clock_offset"))


def sweep_every_clock(sweep: Callable[..., int], *, now: datetime) -> int:
    """Run a sweep by the real clock, then by each moved one for its platform alone.

    A platform whose clock is being moved is left out: whoever moves it works off what is due.

    Returns: how many rows were worked on.
    """
    done = sweep(at=now)
    for platform_id, offset in moved_platforms().items():
        if _is_moving(platform_id):
            continue
        try:
            done += sweep(at=now + offset, platform_id=platform_id)
        except Exception:  # one platform must not stop the others; its rows stay due
            log.exception("a sweep failed by the clock of %s", platform_id)
    return done


@contextmanager
def moving(platform_id: str) -> Iterator[None]:
    """Be the only one who moves this platform's clock. Raises: ClockIsMoving.

    The lock belongs to the database session: when this program dies, it is gone. It guards no
    money, only the order in which things happen.
    """
    key = [_lock_key(platform_id)]
    if not any(_ask("SELECT pg_try_advisory_lock(%s)", key) for _ in range(TRIES)):
        raise ClockIsMoving(
            "This platform's clock is being moved; try again when that has ended.",
            platform=platform_id,
        )
    try:
        yield
    finally:
        _ask("SELECT pg_advisory_unlock(%s)", key)


def _is_moving(platform_id: str) -> bool:
    return not _ask("SELECT pg_try_advisory_xact_lock_shared(%s)", [_lock_key(platform_id)])


def _ask(query: str, key: list[int]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, key)
        return bool(cursor.fetchone()[0])


def _lock_key(platform_id: str) -> int:
    digest = hashlib.sha256(f"clock {platform_id}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
