"""Refunds of an order, whole or in part, by lines or by amount.

It must never ask a channel: what is owed is booked here, and the sweep sends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Sum

from common.errors import DomainError
from escrow.locks import HoldFrozen, lock_open_hold, lock_released_hold
from escrow.models import CLOSED, Hold, Refund, RefundLine
from escrow.services.clawback import refund_released
from escrow.services.refund import refund_held
from escrow.services.shares import shares_after
from ledger.usecases import use_case
from orders import locks
from orders.models import CancelReason, Order, OrderLine, OrderState
from orders.services import lifecycle

MAX_REASON = 64


class RefundInvalid(DomainError):
    """What is to be refunded makes no sense."""

    code = "refund_invalid"
    status = 422


class RefundTooLarge(DomainError):
    """More than is left of the order, or of one of its lines."""

    code = "refund_too_large"


@dataclass(frozen=True, slots=True)
class LineRefund:
    """A part of one line. `amount_minor` in minor units; None: all that is left of it."""

    position: int  # 1, 2, 3 … in the order
    amount_minor: int | None = None


@use_case()
def refund_order(
    *,
    order_id: str,
    reason: str,
    at: datetime,
    amount_minor: int | None = None,
    lines: Sequence[LineRefund] = (),
) -> Refund:
    """Owe the buyer some of an order's money, or all that is left of it.

    While the money is held, a refund of everything cancels the order; after a smaller one it goes
    on, and what is left is split anew. After the release the order stays confirmed, and the money
    is taken back from its payees (escrow/services/clawback.py). Each payee gives its part of the
    refund (escrow/reversal.py).

    Money: Dr held / Cr refund in transit; after the release first Dr payees / Cr held.
    Args: amount_minor: > 0; None with `lines`: their sum; None without: everything that is left.
        lines: what is refunded of which lines; their amounts sum to `amount_minor` if that is
        given.
    Raises: OrderNotFound, OrderStateConflict, RefundInvalid, RefundTooLarge, RefundNotCovered,
        HoldFrozen.
    Idempotent: no; the door's Idempotency-Key is.
    Locks: the order, its hold; after the release the payees' balances.
    """
    if not 1 <= len(reason) <= MAX_REASON:
        raise RefundInvalid(f"`reason` has 1 to {MAX_REASON} characters.", field="reason")
    order = locks.lock_order(order_id)
    lifecycle.require_state(order, OrderState.PAID, OrderState.SHIPPED, OrderState.CONFIRMED)
    released = order.state == OrderState.CONFIRMED
    if released:
        _require_undisputed(order)
    hold = lock_released_hold(order.id) if released else lock_open_hold(order.id)
    parts = _parts_of_lines(order, lines)
    wanted = _wanted(
        amount_minor, parts, left=hold.released_minor if released else hold.remaining_minor
    )
    refund_it = refund_released if released else refund_open_hold
    refund = refund_it(order, hold, amount_minor=wanted, reason=reason, at=at)
    RefundLine.objects.bulk_create(
        RefundLine(refund=refund, line=line, amount_minor=part) for line, part in parts.items()
    )
    return refund


def refund_open_hold(
    order: Order,
    hold: Hold,
    *,
    amount_minor: int,
    reason: str,
    at: datetime,
    cancel_reason: str = CancelReason.REFUNDED,
) -> Refund:
    """Step: refund some or all of what is held. The caller has locked the order and the hold, which
    is HELD.

    Money: Dr held / Cr refund in transit. Raises: RefundTooLarge.
    """
    assert connection.in_atomic_block
    _require_left(amount_minor, left=hold.remaining_minor)
    shares = shares_after(order, hold, amount_minor=amount_minor)
    everything = amount_minor == hold.remaining_minor
    refund = refund_held(hold, amount_minor=amount_minor, reason=reason, at=at, shares=shares)
    if everything:
        lifecycle.mark_canceled(order, reason=cancel_reason, at=at)
    return refund


def _require_undisputed(order: Order) -> None:
    """A late dispute freezes no money, yet what it decides must still be there to give back."""
    if order.disputes.exclude(state__in=CLOSED).exists():
        raise HoldFrozen(f"Order {order.id} is disputed: what goes back is decided there.")


def _wanted(amount_minor: int | None, parts: Mapping[OrderLine, int], *, left: int) -> int:
    if parts:
        total = sum(parts.values())
        if amount_minor not in (None, total):
            raise RefundInvalid(
                f"The lines come to {total}, `amount_minor` says {amount_minor}.",
                field="amount_minor",
            )
        amount_minor = total
    if amount_minor is None:
        amount_minor = left
    if amount_minor <= 0:
        raise RefundInvalid("There is nothing to refund.", field="amount_minor")
    _require_left(amount_minor, left=left)
    return amount_minor


def _require_left(amount_minor: int, *, left: int) -> None:
    if amount_minor > left:
        raise RefundTooLarge(
            f"{left} minor units of the order are left to refund.",
            field="amount_minor",
            left_minor=left,
        )


def _parts_of_lines(order: Order, wanted: Sequence[LineRefund]) -> dict[OrderLine, int]:
    """What is refunded of each line. The order is locked, so nobody refunds a line meanwhile."""
    rows = {line.position: line for line in order.lines.all()} if wanted else {}
    refunded = dict(
        RefundLine.objects.filter(line__in=rows.values())
        .values_list("line_id")
        .annotate(total=Sum("amount_minor"))
    )
    found: dict[OrderLine, int] = {}
    for each in wanted:
        line = rows.get(each.position)
        if line is None or line in found:
            raise RefundInvalid(
                f"There is no line {each.position} in the order, or it is named twice.",
                field="lines",
            )
        left = line.amount_minor - refunded.get(line.pk, 0)
        part = left if each.amount_minor is None else each.amount_minor
        if part <= 0:
            raise RefundInvalid(f"Nothing of line {each.position} is left.", field="lines")
        if part > left:
            raise RefundTooLarge(
                f"{left} minor units of line {each.position} are left to refund.",
                field="lines",
                position=each.position,
                left_minor=left,
            )
        found[line] = part
    return found
