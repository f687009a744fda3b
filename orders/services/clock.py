"""A stopped clock: while a dispute is open the term to confirm stands still.

Steps for later stations, which decide when: what they call from is their own use case, with the
order locked. It must never move money, nor the order's state.
"""

from datetime import datetime

from django.db import connection

from common.errors import DomainError
from orders import events
from orders.models import Order, OrderState
from orders.services.extensions import ConfirmationTooLate
from orders.services.lifecycle import require_running, require_state


class ClockRuns(DomainError):
    """The term to confirm does not stand still, so it cannot go on."""

    code = "clock_not_paused"


def pause_clock(order: Order, *, at: datetime) -> None:
    """Step: stop the term to confirm of an order the caller has locked.

    Nothing is confirmed, reminded of or extended until `resume_clock`; the database refuses it.

    Money: none.
    Raises: OrderStateConflict, ClockPaused, ConfirmationTooLate.
    Idempotent: no: a clock that stands still is refused. Locks: none; the caller holds the order.
    """
    assert connection.in_atomic_block
    require_state(order, OrderState.SHIPPED)
    require_running(order)
    assert order.confirm_by is not None
    if at >= order.confirm_by:
        raise ConfirmationTooLate(
            f"Receipt had to be confirmed before {order.confirm_by:%Y-%m-%d %H:%M:%S} UTC.",
            confirm_by=order.confirm_by.isoformat(),
        )
    order.pause(at=at)
    events.record_order_event(
        order,
        "order.clock_paused",
        at=at,
        sequence=order.next_sequence(),
        extra={"paused_at": events.instant(at)},
    )
    order.save(update_fields=["paused_at", "remind_confirm_at", "event_sequence"])


def resume_clock(order: Order, *, at: datetime) -> None:
    """Step: let the term to confirm go on. `confirm_by`, and the reminder, move by the pause.

    Money: none.
    Args: at: not earlier than the pause began.
    Raises: OrderStateConflict, ClockRuns.
    Idempotent: no: a clock that runs is refused. Locks: none; the caller holds the order.
    """
    assert connection.in_atomic_block
    require_state(order, OrderState.SHIPPED)
    if order.paused_at is None:
        raise ClockRuns(f"The clock of order {order.id} runs already.", order=order.id)
    assert at >= order.paused_at, (order.id, at, order.paused_at)
    assert order.confirm_by is not None
    extra = {
        "paused_at": events.instant(order.paused_at),
        "before": events.instant(order.confirm_by),
    }
    order.resume(at=at)
    events.record_order_event(
        order, "order.clock_resumed", at=at, sequence=order.next_sequence(), extra=extra
    )
    order.save(
        update_fields=[
            "confirm_by", "paused_at", "paused_for", "remind_confirm_at", "event_sequence",
        ]
    )  # fmt: skip
