"""What a buyer can do with an order now.

The services decide; this only keeps a page from offering what they would refuse.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from escrow import selectors as escrow
from escrow.models import CLOSED, Dispute, DisputeKind, DisputeState, Hold, HoldState, WaitsFor
from escrow.services.disputes.rules import policy_of
from orders.models import Order, OrderState


@dataclass(frozen=True, slots=True)
class Acts:
    """What is offered. `dispute_until`: None while it is held, for then there is no date."""

    pay: bool
    confirm: bool
    extend: bool
    dispute: bool
    dispute_until: datetime | None
    longer: timedelta


@dataclass(frozen=True, slots=True)
class Moves:
    """What is offered in a dispute."""

    answer: bool
    send_back: bool
    withdraw: bool
    add_files: bool


def hold_of(order: Order) -> Hold | None:
    """The order's money, when it was paid."""
    return escrow.holds_of(platform_id=order.platform_id).filter(order=order).first()


def acts_of(order: Order, *, hold: Hold | None, dispute: Dispute | None, at: datetime) -> Acts:
    """Say what the buyer can do now."""
    running = order.state == OrderState.SHIPPED and order.paused_at is None
    free = running and hold is not None and hold.state == HoldState.HELD
    in_time = order.confirm_by is not None and at < order.confirm_by
    until = None
    if order.state == OrderState.CONFIRMED and order.confirmed_at is not None:
        until = order.confirmed_at + policy_of(order).span("window")
    # What a bank took back leaves the buyer free to complain about the rest.
    disputable = (
        dispute is None
        or dispute.state == DisputeState.WITHDRAWN
        or dispute.kind == DisputeKind.CHARGEBACK
    )
    return Acts(
        pay=order.state == OrderState.CREATED and at < order.pay_by,
        confirm=free,
        extend=running and in_time and order.confirm_extended_at is None,
        dispute=disputable
        and _has_money(hold)
        and (_is_shipped(order, at=at) or (until is not None and at <= until)),
        dispute_until=until,
        longer=timedelta(seconds=order.confirm_extension_seconds),
    )


def _is_shipped(order: Order, *, at: datetime) -> bool:
    """Shipped, and the time to confirm not over; a freeze is no reason not to complain."""
    if order.state != OrderState.SHIPPED or order.confirm_by is None:
        return False
    return order.paused_at is not None or at < order.confirm_by


def _has_money(hold: Hold | None) -> bool:
    return hold is not None and hold.amount_minor > hold.refunded_minor


def moves_of(dispute: Dispute) -> Moves:
    """Say what the buyer can do in a dispute now."""
    theirs = dispute.waits_for == WaitsFor.BUYER
    return Moves(
        answer=theirs and dispute.state == DisputeState.ANSWERED,
        send_back=theirs and dispute.state == DisputeState.RETURNING,
        withdraw=dispute.state in (DisputeState.OPEN, DisputeState.ANSWERED)
        and dispute.parked_at is None,
        add_files=dispute.state not in CLOSED,
    )
