"""Opening a dispute: the money is frozen, the clock stops, and the seller has to answer."""

from collections.abc import Sequence
from datetime import datetime

from common.errors import DomainError
from escrow.locks import lock_hold
from escrow.models import (
    CLOSED,
    MAX_TEXT,
    Actor,
    Dispute,
    DisputeKind,
    DisputeLine,
    DisputeReason,
    DisputeState,
    Hold,
    StepKind,
    WaitsFor,
)
from escrow.services.disputes import clock
from escrow.services.disputes.rules import DisputeTooLate, policy_of
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case
from orders import locks
from orders.models import ConfirmedBy, Order, OrderLine, OrderState
from orders.services import lifecycle

MAX_DISPUTES = 3  # of one order: whoever withdraws may think better of it, not for ever


class DisputeOpenAlready(DomainError):
    """One dispute at a time: go on with the one that is open."""

    code = "dispute_open_already"


class DisputeDecidedAlready(DomainError):
    """This order's dispute was resolved; that is final."""

    code = "dispute_decided_already"


class TooManyDisputes(DomainError):
    """This order was disputed and the dispute withdrawn as often as it may be."""

    code = "too_many_disputes"


class DisputeInvalid(DomainError):
    """The dispute makes no sense for this order."""

    code = "dispute_invalid"
    status = 422


@use_case()
def open_dispute(
    *,
    order_id: str,
    by: str,
    reason: str,
    at: datetime,
    asked_minor: int | None = None,
    text: str = "",
    line_positions: Sequence[int] = (),
) -> Dispute:
    """Dispute a shipped order, or one whose receipt was confirmed not long ago.

    Money: none; what is held is frozen, and neither confirmed nor released until the end.
    Args: by: Actor.BUYER or Actor.PLATFORM. asked_minor: minor units of the order's currency, up
        to what was not given back; None: all of it. line_positions: 1, 2, 3 … of the order's
        lines; empty: all.
    Raises: OrderNotFound, OrderStateConflict, DisputeTooLate, DisputeOpenAlready,
        DisputeDecidedAlready, TooManyDisputes, DisputeInvalid, ConfirmationTooLate.
    Idempotent: no: a second one is refused while the first is open. Locks: the order, its hold.
    """
    assert by in (Actor.BUYER, Actor.PLATFORM), by
    order = locks.lock_order(order_id)
    lifecycle.require_state(order, OrderState.SHIPPED, OrderState.CONFIRMED)
    _require_first(order)
    held = order.state == OrderState.SHIPPED
    if not held:
        _require_window(order, at=at)
    hold = lock_hold(order_id)  # a freeze is no reason to keep the buyer from complaining
    lines = _lines(order, line_positions)
    dispute = _make(order, hold, by=by, reason=reason, asked_minor=asked_minor, text=text, at=at)
    dispute.save(force_insert=True)
    DisputeLine.objects.bulk_create(DisputeLine(dispute=dispute, line=line) for line in lines)
    if held:
        clock.stop(order, hold, at=at)
    record_step(
        dispute,
        StepKind.OPENED,
        by=by,
        at=at,
        text=dispute.text,
        amount_minor=dispute.asked_minor,
    )
    return dispute


def _require_first(order: Order) -> None:
    if order.disputes.exclude(state__in=CLOSED).exists():
        raise DisputeOpenAlready(f"Order {order.id} is disputed already.", order=order.id)
    before = list(order.disputes.filter(kind=DisputeKind.COMPLAINT).values_list("state", flat=True))
    if DisputeState.RESOLVED in before:
        raise DisputeDecidedAlready(f"The dispute of order {order.id} is over.", order=order.id)
    if len(before) >= MAX_DISPUTES:
        raise TooManyDisputes(
            f"Order {order.id} was disputed {MAX_DISPUTES} times.", order=order.id
        )


def _require_window(order: Order, *, at: datetime) -> None:
    assert order.confirmed_at is not None
    assert order.confirmed_by != ConfirmedBy.DISPUTE, "its resolved dispute was found before"
    last = order.confirmed_at + policy_of(order).span("window")
    if at > last:
        raise DisputeTooLate(
            f"This order could be disputed until {last:%Y-%m-%d %H:%M:%S} UTC.",
            order=order.id,
            until=last.isoformat(),
        )


def _lines(order: Order, positions: Sequence[int]) -> list[OrderLine]:
    found = {line.position: line for line in order.lines.all()} if positions else {}
    unknown = sorted(set(positions) - found.keys())
    if unknown:
        raise DisputeInvalid(f"This order has no line {unknown[0]}.", field="lines")
    return [found[position] for position in sorted(set(positions))]


def _make(
    order: Order,
    hold: Hold,
    *,
    by: str,
    reason: str,
    asked_minor: int | None,
    text: str,
    at: datetime,
) -> Dispute:
    stake_minor = hold.amount_minor - hold.refunded_minor
    asked_minor = stake_minor if asked_minor is None else asked_minor
    if reason not in set(DisputeReason.values) - {DisputeReason.CHARGEBACK}:
        raise DisputeInvalid("`reason` is not one of the reasons.", field="reason")
    if not 0 < asked_minor <= stake_minor:
        raise DisputeInvalid(
            f"`asked_minor` is 1 to {stake_minor}, what of this order was not given back.",
            field="asked_minor",
        )
    if len(text) > MAX_TEXT:
        raise DisputeInvalid(f"`text` has {MAX_TEXT} characters at most.", field="text")
    policy = policy_of(order)
    return Dispute(
        platform_id=order.platform_id,
        order=order,
        waits_for=WaitsFor.MERCHANT,
        due_at=at + policy.span("answer"),
        decide_by=at + policy.span("decide"),
        reason=reason,
        opened_by=by,
        opened_at=at,
        text=text,
        currency=order.currency,
        stake_minor=stake_minor,
        asked_minor=asked_minor,
    )
