"""Sends webhooks, in rounds: what is due for several endpoints at once, each on its own.

It must never let one endpoint's trouble become another's, nor call the world inside a transaction,
nor let a second thread near the database.

The endpoint, not the delivery, is what a round claims. So at most one relay of all serves an
endpoint at a time, `LANES` requests to it are under way at most however many workers there are, and
the order of a subject's events can be kept. A round makes the requests in `THREADS` threads that
know nothing but HTTP, and does everything else itself. An endpoint that fails at present gets one
lane, and endpoints that fail get `FAILING_AT_ONCE` of the threads together; the others never wait
for them, because a round that waits for a dead one goes on taking up whoever has work. An endpoint
that has given no answer at all is left alone until the next round. Mails are sent by another sweep,
from another queue.

Weighed against this: threads over all due deliveries with a count per endpoint (two relays would
double the count, and lose the order), and one endpoint after the other (a dead one costs 15 s).
"""

import logging
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Exists, F, OuterRef, Q

from ledger.usecases import use_case
from notifications import webhooks
from notifications.dialing import Answer
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    EndpointState,
    WebhookEndpoint,
    WebhookSecret,
)
from notifications.services import attempts, fan_out

THREADS = 16
LANES = 4  # requests to one endpoint at once
FAILING_AT_ONCE = 4  # endpoints that fail, in one round
FAN_OUTS = 10  # batches of events that are passed on before a round
BATCH = 100  # deliveries of one endpoint that are read at once
NEW_WORK_SECONDS = 15.0  # after this a round only ends what it has begun
CLAIM_SECONDS = 1.0  # how often a round looks for further endpoints
ENDPOINT_LEASE = timedelta(minutes=2)  # longer than a round may take

log = logging.getLogger(__name__)


def send_due_webhooks(*, at: datetime) -> int:
    """Pass on the events that are due, and send the webhooks that are due.

    Never raises for what a receiver or one row does: that is tried again later. Two at once serve
    different endpoints; after a crash an endpoint is served again when its lease has run out.

    Args: at: the real time, for platforms with a moved clock too: receivers compare it with theirs.
    Returns: how many deliveries their receivers have taken; 0 when none was due or all failed.
    """
    for _ in range(FAN_OUTS):
        if fan_out.pass_on_due_events(at=at) < fan_out.BATCH:
            break
    attempts.give_up_disabled()
    with ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="webhook") as pool:
        return _Round(pool, at).run()


@dataclass(slots=True)
class _Line:
    """What one endpoint has to do with the present round."""

    endpoint: WebhookEndpoint
    keys: list[bytes]
    waiting: deque[Delivery] = field(default_factory=deque)
    under_way: int = 0
    left_alone: bool = False  # until the next round

    @property
    def has_room(self) -> bool:
        return self.under_way < (1 if self.endpoint.failing_since else LANES)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A request under way, or ended."""

    line: _Line
    delivery: Delivery
    began_at: datetime


class _Round:
    """One round, run by one thread: the only one that asks the database."""

    def __init__(self, pool: ThreadPoolExecutor, at: datetime) -> None:
        self._pool, self._at = pool, at
        self._began = self._claimed_at = monotonic()
        self._lines: dict[str, _Line] = {}
        self._flights: dict[Future[Answer], _Flight] = {}
        self._done_with: set[str] = set()
        self._sent = 0

    def run(self) -> int:
        self._claim()
        while self._lines:
            self._begin_requests()
            self._end_requests()
            self._let_go()
            if monotonic() - self._claimed_at >= CLAIM_SECONDS:
                self._claim()
        return self._sent

    @property
    def _takes_work(self) -> bool:
        return monotonic() - self._began < NEW_WORK_SECONDS

    def _now(self) -> datetime:
        return self._at + timedelta(seconds=monotonic() - self._began)

    def _claim(self) -> None:
        self._claimed_at = monotonic()
        if not self._takes_work:
            return
        now = self._now()
        room = THREADS - len(self._lines)
        failing = sum(1 for line in self._lines.values() if line.endpoint.failing_since)
        claimed = _claim_endpoints(
            now, healthy=room, failing=FAILING_AT_ONCE - failing, without=self._done_with
        )
        for endpoint in claimed:
            line = _Line(endpoint, keys=[])
            self._lines[endpoint.pk] = line
            try:
                line.keys = _valid_keys(endpoint, now)
            except Exception:
                log.exception("the secrets of %s cannot be read", endpoint.pk)
                line.left_alone = True

    def _begin_requests(self) -> None:
        """One for each endpoint in turn, until nobody has room or work."""
        begun = self._takes_work
        while begun:
            begun = False
            for line in self._lines.values():
                if len(self._flights) < THREADS and self._next_of(line):
                    self._begin(line, line.waiting.popleft())
                    begun = True

    def _next_of(self, line: _Line) -> bool:
        if line.left_alone or not line.has_room:
            return False
        if not line.waiting and not line.under_way:
            line.waiting.extend(_due_deliveries(line.endpoint, self._now()))
        return bool(line.waiting)

    def _begin(self, line: _Line, delivery: Delivery) -> None:
        if not attempts.count_attempt(delivery):
            return
        now = self._now()
        future = self._pool.submit(
            webhooks.send, event=delivery.event, endpoint=line.endpoint, keys=line.keys, at=now
        )
        self._flights[future] = _Flight(line, delivery, now)
        line.under_way += 1

    def _end_requests(self) -> None:
        ended, _ = wait(self._flights, timeout=CLAIM_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            flight = self._flights.pop(future)
            flight.line.under_way -= 1
            try:
                self._record(flight, future.result())
            except Exception:
                log.exception("no outcome of delivery %s", flight.delivery.public_id)
                flight.line.left_alone = True

    def _record(self, flight: _Flight, answer: Answer) -> None:
        line = flight.line
        attempts.record_attempt(
            delivery=flight.delivery,
            endpoint=line.endpoint,
            answer=answer,
            began_at=flight.began_at,
            at=self._now(),
        )
        self._sent += not answer.failure
        disabled = line.endpoint.state != EndpointState.ENABLED
        line.left_alone |= answer.is_silence or disabled

    def _let_go(self) -> None:
        """Give back the endpoints that have nothing more to do in this round."""
        for line in list(self._lines.values()):
            if not line.under_way and (not self._takes_work or not self._next_of(line)):
                del self._lines[line.endpoint.pk]
                self._done_with |= {line.endpoint.pk} if line.left_alone else set()
                _give_back(line.endpoint, self._now())


@use_case()
def _claim_endpoints(
    now: datetime, *, healthy: int, failing: int, without: set[str]
) -> list[WebhookEndpoint]:
    """Take endpoints that have something due, those served longest ago first.

    Args: healthy, failing: how many of each at most.
    """
    due = Delivery.objects.filter(
        channel=Channel.WEBHOOK,
        state=DeliveryState.PENDING,
        recipient=OuterRef("id"),
        next_attempt_at__lte=now,
    )
    free = (
        WebhookEndpoint.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(Q(busy_until__isnull=True) | Q(busy_until__lte=now))
        .filter(Exists(due), state=EndpointState.ENABLED)
        .exclude(pk__in=without)
        .order_by(F("busy_until").asc(nulls_first=True), "id")
    )
    claimed = list(free.filter(failing_since__isnull=False)[: max(0, min(failing, healthy))])
    claimed += free.filter(failing_since__isnull=True)[: max(0, healthy - len(claimed))]
    for endpoint in claimed:
        endpoint.busy_until = now + ENDPOINT_LEASE
    WebhookEndpoint.objects.filter(pk__in=[each.pk for each in claimed]).update(
        busy_until=now + ENDPOINT_LEASE
    )
    return claimed


def _give_back(endpoint: WebhookEndpoint, now: datetime) -> None:
    # Unless our lease ran out and it is somebody else's now.
    WebhookEndpoint.objects.filter(pk=endpoint.pk, busy_until=endpoint.busy_until).update(
        busy_until=now
    )


def _due_deliveries(endpoint: WebhookEndpoint, now: datetime) -> list[Delivery]:
    """What may be sent to an endpoint now, when nothing to it is under way.

    An event waits while an earlier one of its subject has not been tried yet; a failed one holds
    nobody up, for receivers can tell the order by the sequence.
    """
    pending = Delivery.objects.filter(
        channel=Channel.WEBHOOK, state=DeliveryState.PENDING, recipient=endpoint.pk
    )
    earlier = pending.filter(
        attempts=F("attempts_before"),
        event__subject_id=OuterRef("event__subject_id"),
        event__sequence__lt=OuterRef("event__sequence"),
    )
    due = pending.filter(~Exists(earlier), next_attempt_at__lte=now).select_related("event")
    return list(due.order_by("next_attempt_at", "id")[:BATCH])


def _valid_keys(endpoint: WebhookEndpoint, now: datetime) -> list[bytes]:
    """The keys to sign with, newest first. Raises: SecretMissing, SealBroken."""
    rows = WebhookSecret.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), endpoint=endpoint
    )
    keys = webhooks.open_secrets(rows.order_by("-created_at", "-id"))
    if not keys:
        raise webhooks.SecretMissing("This webhook endpoint has no valid secret.")
    return keys
