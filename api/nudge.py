"""Rings for a sweep right after a commit, so that people see things happen.

It must never raise, wait or matter: the sweep comes by the clock anyway, and what it finds is rows
in PostgreSQL.
"""

import logging
import threading
import time

from celery import current_app

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 0.3  # the longest a request ever waits for a dead broker
PAUSE_SECONDS = 10.0  # how long a broker that failed is left alone
GAP_SECONDS = 0.2  # a sweep that was rung for this recently is not rung for again
EXPIRE_SECONDS = 60  # a ring nobody heard by then is dropped

_TRANSPORT = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "max_retries": 0,
    "retry_on_timeout": False,
}


class _Bell:
    """Remembers when each sweep was last rung for, and how long to leave a dead broker alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._silent_until = 0.0

    def may_ring(self, task: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if now < self._silent_until or now < self._next.get(task, 0.0):
                return False
            self._next[task] = now + GAP_SECONDS
        return True

    def stay_silent(self) -> None:
        self._silent_until = time.monotonic() + PAUSE_SECONDS


_bell = _Bell()


def after_confirmation() -> None:
    """Money was released: cut the settlements that are due, then send their payouts."""
    _ring("payouts.cut_due_settlements", then="payouts.send_due_payouts")


def after_cancellation() -> None:
    """A refund is owed: send it."""
    _ring("escrow.send_due_refunds")


def after_asking_for_job() -> None:
    """A person waits for long work: begin it."""
    _ring("portal.run_due_jobs")


def _ring(task: str, *, then: str | None = None) -> None:
    if not _bell.may_ring(task):
        return
    follow = current_app.signature(then, immutable=True, ignore_result=True) if then else None
    try:
        with current_app.connection_for_write(
            connect_timeout=TIMEOUT_SECONDS, transport_options=_TRANSPORT
        ) as connection:
            current_app.send_task(
                task,
                connection=connection,
                link=follow,
                retry=False,
                ignore_result=True,
                expires=EXPIRE_SECONDS,
            )
    except (
        Exception
    ) as trouble:  # whatever is wrong with the broker, the caller's work is committed
        _bell.stay_silent()
        log.warning("could not ring for %s: %s", task, trouble)
