"""Legal and risk freezes: one operator places one, a second person lets it be lifted
(docs/adr/0036).

A frozen order is neither released nor refunded, and its clock stands still. A frozen seller goes on
selling and is not paid out; a frozen payout is not sent (payouts/services/freezing.py). It must
never move money, and never tell a platform or a seller why.
"""

from datetime import datetime
from typing import Any

from django.db import connection

from common.errors import DomainError
from escrow import events, selectors
from escrow.locks import lock_freeze, lock_hold, lock_seller
from escrow.models import (
    CLOSED,
    Freeze,
    FreezeKind,
    FreezeState,
    HoldState,
    WaitsFor,
)
from escrow.services.disputes import clock
from ledger.usecases import use_case
from merchants.models import User
from orders import locks
from orders.models import Order


class FreezeReasonMissing(DomainError):
    """Whoever freezes money says why, and whoever lets it go too."""

    code = "freeze_reason_missing"
    status = 422


class FrozenAlready(DomainError):
    """A freeze for this very reason is in force."""

    code = "frozen_already"


class FreezeTooLate(DomainError):
    """The money has moved on, so there is nothing left to freeze."""

    code = "freeze_too_late"


class FreezeStateConflict(DomainError):
    """The freeze is lifted already, or nobody has proposed to lift it."""

    code = "freeze_state_conflict"


class SecondLifter(DomainError):
    """Another operator than the one who proposed it has to lift a freeze."""

    code = "freeze_needs_second_person"
    status = 403


@use_case()
def freeze_order(*, order_id: str, kind: str, reason: str, operator: User, at: datetime) -> Freeze:
    """Freeze what is held for an order: it is neither released nor refunded, nor does its term to
    confirm run, until the last freeze and the last dispute are over.

    Goods may still be shipped, a dispute may be opened and decided, and a channel may still take
    the money back: none of this is in our power, or moves the money.

    Money: none.
    Raises: OrderNotFound, HoldNotFound, FreezeTooLate, FrozenAlready, FreezeReasonMissing.
    Idempotent: by (order, kind, reason) while it is in force. Locks: the order, its hold.
    """
    order = locks.lock_order(order_id)
    hold = lock_hold(order_id)
    if hold.state not in (HoldState.HELD, HoldState.FROZEN):
        raise FreezeTooLate(
            f"The money of order {order_id} is {hold.state} already.",
            order=order_id,
            state=hold.state,
        )
    freeze = write_freeze(
        platform_id=order.platform_id,
        kind=kind,
        reason=reason,
        operator=operator,
        at=at,
        order=order,
    )
    clock.stop_for_freeze(order, hold, at=at)
    return freeze


@use_case()
def freeze_seller(
    *, merchant_id: str, kind: str, reason: str, operator: User, at: datetime
) -> Freeze:
    """Freeze a seller: nothing is paid out to it until the last of its freezes is lifted.

    Its orders go on being paid, held, released and refunded; what is released waits as payable.

    Money: none.
    Raises: SellerNotFound, FrozenAlready, FreezeReasonMissing.
    Idempotent: by (seller, kind, reason) while it is in force. Locks: the seller.
    """
    seller = lock_seller(merchant_id)
    return write_freeze(
        platform_id=seller.platform_id,
        kind=kind,
        reason=reason,
        operator=operator,
        at=at,
        merchant=seller,
    )


def write_freeze(
    *, platform_id: str, kind: str, reason: str, operator: User, at: datetime, **subject: Any
) -> Freeze:
    """Step of whoever freezes something, which the caller has locked: the row, its event, its
    audit row.

    Args: subject: exactly one of `order`, `merchant`, `payout_id`.
    Raises: FrozenAlready, FreezeReasonMissing.
    """
    assert connection.in_atomic_block
    assert kind in FreezeKind.values, kind
    if not reason.strip():
        raise FreezeReasonMissing("Say why it is frozen.", field="reason")
    if selectors.freezes_in_force().filter(kind=kind, reason=reason, **subject).exists():
        raise FrozenAlready("It is frozen already, for this very reason.")
    freeze = Freeze(
        platform_id=platform_id,
        kind=kind,
        reason=reason,
        placed_by=operator,
        placed_at=at,
        **subject,
    )
    events.record_freeze_event(freeze, "freeze.placed", at=at)
    freeze.save(force_insert=True)
    return freeze


@use_case()
def propose_lift(*, freeze_id: str, operator: User, reason: str, at: datetime) -> Freeze:
    """Say that a freeze should be lifted, and why. It stays in force until a second person agrees.

    Money: none. Raises: FreezeNotFound, FreezeStateConflict, FreezeReasonMissing.
    Locks: its order, the freeze.
    """
    if not reason.strip():
        raise FreezeReasonMissing("Say why it is lifted.", field="reason")
    freeze = _lock_in(FreezeState.ACTIVE, freeze_id)
    freeze.propose(at=at, reason=reason)
    freeze.lift_proposed_by = operator
    freeze.save()
    return freeze


@use_case()
def keep_freeze(*, freeze_id: str) -> Freeze:
    """Turn down that a freeze be lifted, or take the proposal back: it goes on as before.

    Money: none. Raises: FreezeNotFound, FreezeStateConflict. Locks: its order, the freeze.
    """
    freeze = _lock_in(FreezeState.PROPOSED, freeze_id)
    freeze.keep()
    freeze.save()
    return freeze


@use_case()
def lift_freeze(*, freeze_id: str, operator: User, at: datetime) -> Freeze:
    """Lift a freeze as the second person. What waits for nothing else goes on with the next sweep,
    and what was decided in a dispute meanwhile is carried out.

    Money: none.
    Raises: FreezeNotFound, FreezeStateConflict, SecondLifter.
    Locks: its order, the freeze, the order's open dispute, its hold.
    """
    freeze = _lock_in(FreezeState.PROPOSED, freeze_id)
    if freeze.lift_proposed_by_id == operator.pk:
        raise SecondLifter(
            "You proposed it yourself; another operator has to lift it.", freeze=freeze.id
        )
    if freeze.order is not None:
        _unstop(freeze, freeze.order, at=at)
    freeze.lift(at=at)
    freeze.lifted_by = operator
    events.record_freeze_event(freeze, "freeze.lifted", at=at)
    freeze.save()
    return freeze


def _unstop(freeze: Freeze, order: Order, *, at: datetime) -> None:
    """One reason less. The money is let go when it was the last."""
    dispute = order.disputes.exclude(state__in=CLOSED).select_for_update().first()
    hold = lock_hold(order.id)
    if hold.state != HoldState.FROZEN:
        return  # the channel has taken all of it meanwhile
    clock.catch_up(order, hold, at=at)
    if selectors.freezes_in_force().filter(order=order).exclude(pk=freeze.pk).exists():
        return
    if dispute is None:
        clock.let_go(order, hold, at=at)
    elif dispute.parked_at is not None:
        dispute.await_move(WaitsFor.OPERATOR, due_at=at)
        dispute.save(update_fields=["waits_for", "due_at"])


def _lock_in(state: str, freeze_id: str) -> Freeze:
    freeze = lock_freeze(freeze_id)
    if freeze.state != state:
        raise FreezeStateConflict(
            f"Freeze {freeze.id} is {freeze.state}; this needs {state}.",
            freeze=freeze.id,
            state=freeze.state,
        )
    return freeze
