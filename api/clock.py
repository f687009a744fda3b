"""The test clock: a platform in test mode moves its own clock ahead and sees what is due happen.

From one due instant to the next, so that everything happens at its own time and in order, and each
step is committed: whoever is stopped halfway has a clock that stands halfway, and goes on. It must
never run inside a transaction, and never touch another platform or a live one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max

from common.errors import DomainError
from escrow import selectors as escrow_dues
from escrow import sweeps as escrow
from merchants import clocks
from merchants import services as merchants
from merchants.models import MAX_CLOCK_OFFSET, Platform
from notifications.models import Event
from orders import selectors as orders_dues
from orders import sweeps as orders
from orders.claims import first_of
from payouts import selectors as payouts_dues
from payouts import sweeps as payouts

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=90)  # of one call
MOST_STEPS = 1_000  # due instants of one call; then it ends early and says so
MOST_ROUNDS = 200  # of all sweeps at one instant; each takes a batch
TRIES = 3  # rounds in which nothing moves, before what is still due is left behind
# The outside lives by the real clock. Once asking it has brought nothing new, it is asked again
# after this, then after twice as long, and so on: else ninety days would be a year of questions.
PAUSE = timedelta(seconds=30)
MOST_DOUBLINGS = 18  # 30 s * 2^18 is 91 days, longer than any call

# Every sweep that a platform's deadlines wait for, in the order in which the clockwork runs them.
SWEEPS: tuple[Callable[..., int], ...] = (
    escrow.query_due_payments,
    orders.expire_due_orders,
    escrow.remind_due_shipments,
    escrow.remind_due_confirmations,
    escrow.cancel_due_shipments,
    escrow.release_due_confirmations,
    escrow.lapse_due_disputes,
    escrow.query_due_refunds,
    escrow.send_due_refunds,
    escrow.request_due_debits,
    escrow.remind_due_debits,
    escrow.guarantee_due_debts,
    escrow.free_due_reserves,
    payouts.enter_due_accounts,
    payouts.cut_due_settlements,
    payouts.query_due_payouts,
    payouts.send_due_payouts,
    payouts.query_due_bank_refunds,
    payouts.send_due_bank_refunds,
)
# When each station is due next: its deadlines, and its questions to the outside world.
DEADLINES: dict[str, Callable[..., datetime | None]] = {
    "orders": orders_dues.next_due,
    "escrow": escrow_dues.next_due,
    "payouts": payouts_dues.next_due,
}
QUESTIONS: dict[str, Callable[..., datetime | None]] = {
    "escrow": escrow_dues.next_question,
    "payouts": payouts_dues.next_question,
}


class ClockStepInvalid(DomainError):
    """A clock moves ahead by one second to ninety days per call, and by ten years in all."""

    code = "clock_step_invalid"
    status = 422


@dataclass(frozen=True, slots=True)
class Fired:
    """An event that was recorded while the clock moved."""

    event_id: str
    type: str
    subject_id: str
    at: datetime  # on the platform's clock


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Something that was due and could not be worked off; the sweeps go on trying."""

    station: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AdvanceReport:
    """How far a clock went and what happened on the way.

    `reached_at` is earlier than `target_at` only when there was more to do than one call does:
    then move on by calling again.
    """

    platform_id: str
    started_at: datetime
    target_at: datetime
    reached_at: datetime
    fired: tuple[Fired, ...]  # in the order in which it happened
    left_behind: tuple[LeftBehind, ...]

    @property
    def complete(self) -> bool:
        return self.reached_at >= self.target_at


def advance(platform_id: str, *, by: timedelta, now: datetime) -> AdvanceReport:
    """Move a platform's clock ahead, and let everything happen that is due on the way.

    Money: what the due deadlines move.
    Args: by: 1 second to 90 days. now: the real time.
    Raises: LivePlatform, ClockIsMoving, ClockStepInvalid.
    Idempotent: no; `advance_to` is.
    Locks: the right to move this clock; then whatever each sweep locks.
    """
    if not SHORTEST <= by <= LONGEST:
        raise ClockStepInvalid(
            f"A clock moves ahead by 1 second to {LONGEST.days} days at a time.", field="by"
        )
    with clocks.moving(platform_id):
        platform = _test_platform(platform_id)
        return _advance(platform, to=clocks.now_of(platform, now=now) + by, now=now)


def advance_to(platform_id: str, *, to: datetime, now: datetime) -> AdvanceReport:
    """The same up to an instant on the platform's clock, at most 90 days away.

    Idempotent: a clock that shows `to` or later stays where it is, and what is due happens.
    """
    with clocks.moving(platform_id):
        platform = _test_platform(platform_id)
        if to - clocks.now_of(platform, now=now) > LONGEST:
            raise ClockStepInvalid(
                f"A clock moves ahead by {LONGEST.days} days at most at a time.", field="to"
            )
        return _advance(platform, to=to, now=now)


def _test_platform(platform_id: str) -> Platform:
    platform = Platform.objects.get(pk=platform_id)
    clocks.require_test(platform)
    return platform


def _advance(platform: Platform, *, to: datetime, now: datetime) -> AdvanceReport:
    assert not connection.in_atomic_block, "each step of the clock is committed by itself"
    if to - now > MAX_CLOCK_OFFSET:
        raise ClockStepInvalid(
            f"A clock goes {MAX_CLOCK_OFFSET.days} days ahead of the real one at most.", field="by"
        )
    started_at = clocks.now_of(platform, now=now)
    mark = _last_event()
    run = _Run(platform_id=platform.pk, now=now, at=started_at)
    run.live(until=max(to, started_at))
    return AdvanceReport(
        platform_id=platform.pk,
        started_at=started_at,
        target_at=to,
        reached_at=run.at,
        fired=_fired_since(mark, platform_id=platform.pk),
        left_behind=tuple(run.left_behind),
    )


@dataclass
class _Run:
    """One way of a clock from instant to instant. `at` is where it stands."""

    platform_id: str
    now: datetime
    at: datetime
    left_behind: list[LeftBehind] = field(default_factory=list)
    _passed: datetime | None = None  # what was due until here is left behind
    _quiet: int = 0  # steps in a row that brought nothing new

    def live(self, *, until: datetime) -> None:
        for _ in range(MOST_STEPS):
            due = self._next_stop()
            if due is None or due > until:
                break
            self._work_at(max(due, self.at))
        else:
            return
        self._move_to(until)

    def _next_stop(self) -> datetime | None:
        question = self._next(QUESTIONS)
        if question is not None and self._quiet:
            question = max(question, self.at + PAUSE * 2 ** min(self._quiet, MOST_DOUBLINGS))
        return first_of(self._next(DEADLINES), question)

    def _next(self, dues: dict[str, Callable[..., datetime | None]]) -> datetime | None:
        return first_of(*self._by_station(dues).values())

    def _by_station(
        self, dues: dict[str, Callable[..., datetime | None]]
    ) -> dict[str, datetime | None]:
        known: dict[str, Any] = {"platform_id": self.platform_id, "after": self._passed}
        return {station: next_due(**known) for station, next_due in dues.items()}

    def _work_at(self, at: datetime) -> None:
        """Run the sweeps at one instant until nothing is due there, or nothing moves any more."""
        self._move_to(at)
        mark, idle = _last_event(), 0
        for _ in range(MOST_ROUNDS):
            done = sum(sweep(at=at, platform_id=self.platform_id) for sweep in SWEEPS)
            due = first_of(self._next(DEADLINES), self._next(QUESTIONS))
            if due is None or due > at:
                break
            idle = 0 if done else idle + 1
            if idle == TRIES:
                self._leave_behind()
                break
        else:
            self._leave_behind()
        self._quiet = 0 if _fired_since(mark, platform_id=self.platform_id) else self._quiet + 1

    def _leave_behind(self) -> None:
        for dues in (DEADLINES, QUESTIONS):
            for station, due in self._by_station(dues).items():
                if due is not None and due <= self.at:
                    self.left_behind.append(LeftBehind(station, due))
        self._passed = self.at

    def _move_to(self, at: datetime) -> None:
        if at > self.at:
            merchants.move_clock(platform_id=self.platform_id, offset=at - self.now)
            self.at = at


def _last_event() -> int:
    return Event.objects.aggregate(last=Max("id"))["last"] or 0


def _fired_since(mark: int, *, platform_id: str) -> tuple[Fired, ...]:
    """What a platform's outbox has got since, in the order in which it was written."""
    events = Event.objects.filter(platform_id=platform_id, id__gt=mark).order_by("id")
    rows = events.values_list("public_id", "type", "subject_id", "created_at")
    return tuple(Fired(*row) for row in rows)
