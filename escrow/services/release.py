"""Held money goes to its payees. Three paths that give the same books, held together by a property
test:

`release_order` is one SQL function for one order, and is what buyers use; `release_due_orders` is
one for the thousands whose term has run out (both in escrow/sql/release_orders.sql).
`release_order_slowly` is the same in readable Python: the sweep falls back to it, order by order
(`release_due_order`), when a batch is refused, so that one bad order is named and never stops the
others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from escrow.locks import lock_open_hold
from escrow.models import Deduction, HoldShare, Release, ReleaseLine
from escrow.services import reserves
from ledger import entries
from ledger import services as ledger
from ledger.prepared import prepared_cursor, who_acts
from ledger.usecases import use_case
from orders import locks
from orders.models import ConfirmedBy, Order, OrderState
from orders.services import lifecycle

ATTEMPTS = 3  # of a confirmation whose order changes under it each time


@dataclass(frozen=True, slots=True)
class Released:
    order_id: str
    release_id: str
    entry_id: int


def confirm_receipt(*, order_id: str, at: datetime) -> Released:
    """The buyer has the goods: confirm the order and release its whole hold.

    One statement, and so one database transaction without a round trip to begin and to commit it.

    Money: Dr held / Cr merchant payable, Cr merchant reserve, Cr platform commission, Cr service
        fee.
    Raises: OrderNotFound, OrderStateConflict, HoldFrozen, HoldClosed, ClockPaused.
    Idempotent: a second confirmation is refused by the order's state. Locks: the order, its hold.
    """
    for _ in range(ATTEMPTS):
        released = release_order(order_id=order_id, confirmed_by=ConfirmedBy.BUYER, at=at)
        if released:
            return released
        _refuse(order_id)  # or go round again: what stood in the way is gone since
    raise lifecycle.OrderStateConflict(
        f"Order {order_id} is being changed by somebody else; try again.", order=order_id
    )


@transaction.atomic
def _refuse(order_id: str) -> None:
    order = locks.lock_order(order_id)
    lifecycle.require_state(order, OrderState.SHIPPED)
    lock_open_hold(order_id)
    lifecycle.require_running(order)


def release_order(*, order_id: str, confirmed_by: str, at: datetime) -> Released | None:
    """Confirm and release one order in one statement, in a transaction of its own unless the
    caller has one.

    Returns: None when it is not SHIPPED, its clock stands still or its hold is not HELD.
    Locks: the order with its hold, then the payees' accounts by id.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            "SELECT p_release, p_entry FROM escrow_release_order(%s, %s, %s, %s, %s)",
            (order_id, confirmed_by, at, *who_acts()),
        )
        release_id, entry_id = cursor.fetchone()
    return None if release_id is None else Released(order_id, release_id, entry_id)


def release_due_orders(*, limit: int, at: datetime, platform_id: str | None = None) -> int:
    """Confirm automatically and release up to `limit` orders whose `confirm_by` has come, oldest
    first.

    Rows another sweep works on are skipped, frozen holds wait.

    Args: platform_id: only that platform's, by its own clock; None: those of all platforms that
        live by the real one.
    Returns: how many were released.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH released AS (SELECT escrow_release_due_orders(%s, %s, %s) AS orders)"
            " SELECT orders FROM released",
            [limit, at, platform_id],
        )
        return int(cursor.fetchone()[0])


@use_case()
def release_order_slowly(*, order_id: str, confirmed_by: str, at: datetime) -> Released:
    """The readable path: the same effect as `release_order`, statement by statement.

    Money, raises, locks: as `confirm_receipt`.
    """
    order = locks.lock_order(order_id)
    lifecycle.require_state(order, OrderState.SHIPPED)
    return _release(order, confirmed_by=confirmed_by, at=at)


@use_case()
def release_due_order(*, order_id: str, at: datetime) -> bool:
    """Confirm automatically and release one order whose `confirm_by` has come: the readable path.

    Money, locks: as `confirm_receipt`.
    Returns: whether it was due; it is not when it was given more time, or paused, meanwhile.
    Raises: OrderNotFound, HoldFrozen, HoldClosed.
    """
    order = locks.lock_order(order_id)
    if order.state != OrderState.SHIPPED or order.paused_at is not None:
        return False
    if order.confirm_by is None or order.confirm_by > at:
        return False
    _release(order, confirmed_by=ConfirmedBy.AUTOMATIC, at=at)
    return True


def release_rest(order: Order, *, confirmed_by: str, at: datetime) -> Released:
    """Step of a resolved dispute: what is left of the hold goes to its payees. The caller has
    locked the order, which is SHIPPED.

    Money: as `confirm_receipt`. Raises: HoldFrozen, HoldClosed. Locks: the hold.
    """
    assert connection.in_atomic_block
    return _release(order, confirmed_by=confirmed_by, at=at)


def _release(order: Order, *, confirmed_by: str, at: datetime) -> Released:
    hold = lock_open_hold(order.id)
    lifecycle.require_running(order)
    shares = list(HoldShare.objects.filter(hold=hold).order_by("leg"))
    release = Release(
        hold=hold,
        currency=hold.currency,
        amount_minor=hold.remaining_minor,
        confirmed_by=confirmed_by,
        released_at=at,
    )
    draft = entries.release(
        release_id=release.id,
        order_id=order.id,
        currency=hold.currency,
        shares=[entries.Leg(share.address, share.amount_minor) for share in shares],
    )
    release.entry_id = ledger.post(draft=draft, at=at)
    release.save(force_insert=True)
    ReleaseLine.objects.bulk_create(
        ReleaseLine(
            release=release,
            payee=share.payee,
            address=share.address,
            currency=hold.currency,
            amount_minor=share.amount_minor,
        )
        for share in shares
    )
    reserves.keep_slice(order, release, shares, days=hold.reserve_days, at=at)
    hold.release(at=at)
    hold.save(update_fields=["state", "released_minor", "closed_at"])
    lifecycle.mark_confirmed(order, confirmed_by=confirmed_by, at=at)
    return Released(order.id, release.id, release.entry_id)


def assign_lines(*, line_ids: Sequence[int], settlement_id: str) -> None:
    """Step of payouts' cutoff: put release lines on a statement, each on one only.

    The caller holds the payee's cutoff lock, so nobody else assigns these lines.
    """
    assert connection.in_atomic_block
    _assign(ReleaseLine.objects.filter(pk__in=line_ids), len(line_ids), settlement_id)


def assign_deductions(*, deduction_ids: Sequence[str], settlement_id: str) -> None:
    """Step of payouts' cutoff: put deductions on a statement, as `assign_lines` does lines."""
    assert connection.in_atomic_block
    rows = Deduction.objects.filter(pk__in=deduction_ids)
    _assign(rows, len(deduction_ids), settlement_id)


def _assign(rows: QuerySet[Any], wanted: int, settlement_id: str) -> None:
    assigned = rows.filter(settlement_id__isnull=True).update(settlement_id=settlement_id)
    assert assigned == wanted, (settlement_id, assigned, wanted)
