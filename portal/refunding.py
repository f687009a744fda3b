"""Refunds as a person asks for them: looked at first, then done once.

It must never decide what may be refunded: escrow does.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from api.status import Picture
from common.errors import DomainError
from escrow.models import Hold, HoldState, Payee, Refund
from escrow.services import order_refunds
from escrow.services.shares import shares_after
from ledger.usecases import door
from orders import locks
from orders.models import Order, OrderState


class RefundSeenOtherwise(DomainError):
    """Since the person looked, something was refunded or released: what is left has changed."""

    code = "refund_seen_otherwise"


def refund_once(
    *,
    order_id: str,
    seen: str,
    reason: str,
    at: datetime,
    amount_minor: int | None = None,
    lines: Sequence[order_refunds.LineRefund] = (),
) -> Refund:
    """Refund what a person has looked at, unless the order's money has changed since: so that a
    button pressed twice refunds once.

    Money: as order_refunds.refund_order. Args: seen: what `mark_of` said when the person looked.
    Raises: RefundSeenOtherwise, and what refund_order raises.
    Locks: the order, then as refund_order.
    """
    with door():
        order = locks.lock_order(order_id)
        hold = Hold.objects.filter(order=order).first()
        if mark_of(hold) != seen:
            raise RefundSeenOtherwise(f"The money of order {order_id} has changed; look again.")
        return order_refunds.refund_order(
            order_id=order_id, amount_minor=amount_minor, lines=lines, reason=reason, at=at
        )


def mark_of(hold: Hold | None) -> str:
    """What tells whether an order's money has changed; after the release refunds go on counting
    in what is released."""
    return f"{hold.state}:{hold.released_minor}:{hold.refunded_minor}" if hold else ""


def left_of(order: Order, hold: Hold | None) -> int:
    """What of an order can still be refunded, in minor units of its currency."""
    if hold is None or order.state not in (
        OrderState.PAID,
        OrderState.SHIPPED,
        OrderState.CONFIRMED,
    ):
        return 0
    return hold.released_minor if order.state == OrderState.CONFIRMED else hold.remaining_minor


def given_by(picture: Picture, hold: Hold, *, amount_minor: int) -> dict[str, int]:
    """What each payee would give of a refund of held money, by payee; nothing while it cannot be
    said beforehand."""
    if hold.state != HoldState.HELD:
        return {}
    given: Counter[str] = Counter()
    for line in picture.split:
        given[_payee(line.payee)] += line.amount_minor
    for share in shares_after(picture.order, hold, amount_minor=amount_minor):
        given[share.payee] -= share.amount_minor
    return {payee: amount for payee, amount in given.items() if amount}


def _payee(payee: str) -> str:
    return Payee.MERCHANT if payee == Payee.RESERVE else payee
