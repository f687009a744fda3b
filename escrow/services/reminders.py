"""Reminding sellers to ship and buyers to confirm, once each.

Escrow says when: while the money of an order is frozen nobody is told to hurry. It must never tell
why.
"""

from datetime import datetime

from escrow.locks import lock_hold
from escrow.models import HoldState
from ledger.usecases import use_case
from orders.locks import lock_order
from orders.services import lifecycle


@use_case()
def remind_of_shipment(*, order_id: str, at: datetime) -> bool:
    """Write the seller's reminder once. While the money is frozen it waits, and comes after that
    if it is still due. Money: none.

    Returns: whether it was written now. Locks: the order, its hold.
    """
    order = lock_order(order_id)
    if lock_hold(order_id).state != HoldState.HELD:
        return False
    return lifecycle.remind_of_shipment(order, at=at)


@use_case()
def remind_of_confirmation(*, order_id: str, at: datetime) -> bool:
    """Write the buyer's reminder once. While the money is frozen it waits; the term then runs on
    from where it stood still, and the reminder with it. Money: none.

    Returns: whether it was written now. Locks: the order, its hold.
    """
    order = lock_order(order_id)
    if lock_hold(order_id).state != HoldState.HELD:
        return False
    return lifecycle.remind_of_confirmation(order, at=at)
