"""The buyer's bank takes money back through the channel: a dispute of its own kind, decided
outside.

What is still held for the order pays it. Money that was released would have to be taken back from
its payees: that is parked for operators, and nothing moves.
"""

from datetime import datetime

from common.errors import DomainError
from common.money import allocate
from escrow.locks import lock_hold
from escrow.models import (
    CLOSED,
    Actor,
    Dispute,
    DisputeKind,
    DisputeReason,
    Hold,
    HoldState,
    StepKind,
    WaitsFor,
)
from escrow.reversal import shares_left
from escrow.services.disputes import clock, outcome
from escrow.services.disputes.rules import policy_of
from escrow.services.disputes.timeline import record_step
from escrow.services.shares import plan_returns, replace_shares
from ledger import entries
from ledger import services as ledger
from ledger.usecases import use_case
from orders import locks, selectors
from orders.models import CancelReason, Order, Payment
from orders.services import lifecycle


class ChargebackMismatch(DomainError):
    """The channel takes back more than is ours of this payment, or in another currency. Nothing is
    booked."""

    code = "chargeback_mismatch"
    status = 422


@use_case()
def record_chargeback(
    *, payment_id: str, provider_reference: str, amount_minor: int, currency: str, at: datetime
) -> list[Dispute]:
    """The channel says that it has taken money of a payment back for the buyer.

    A cart's chargeback falls on its orders in proportion to what each cost.

    Money: Dr held / Cr channel receivable, per order whose money is still held.
    Args: amount_minor: minor units of `currency` that the channel took.
    Returns: a dispute per order: resolved by the channel, or parked where money was released.
    Raises: OrderNotFound, PaymentNotFound, ChargebackMismatch.
    Idempotent: by (channel, provider_reference).
    Locks: the payment's orders by id, the payment, the holds.
    """
    orders = locks.lock_orders(selectors.order_ids_of_payment(payment_id))
    payment = locks.lock_payment(payment_id)
    known = list(
        Dispute.objects.filter(
            kind=DisputeKind.CHARGEBACK,
            channel=payment.channel,
            provider_reference=provider_reference,
        ).order_by("order_id")
    )
    if known:
        return known
    _check(payment, amount_minor=amount_minor, currency=currency)
    parts = list(payment.parts.order_by("order_id"))
    shares = allocate(amount_minor, [part.amount_minor for part in parts])
    return [
        _charge_back(
            orders[part.order_id],
            payment=payment,
            provider_reference=provider_reference,
            amount_minor=share,
            at=at,
        )
        for part, share in zip(parts, shares, strict=True)
        if share
    ]


def _check(payment: Payment, *, amount_minor: int, currency: str) -> None:
    in_range = 0 < amount_minor <= payment.amount_minor
    if not in_range or currency != payment.currency or payment.succeeded_at is None:
        raise ChargebackMismatch(
            f"The channel takes back {amount_minor} {currency}, payment {payment.id} is"
            f" {payment.state} and for {payment.amount_minor} {payment.currency}.",
            payment=payment.id,
        )


def _charge_back(
    order: Order, *, payment: Payment, provider_reference: str, amount_minor: int, at: datetime
) -> Dispute:
    _supersede(order, at=at)
    hold = lock_hold(order.id)
    stake_minor = hold.amount_minor - hold.refunded_minor
    if amount_minor > stake_minor or hold.payment_id != payment.id:
        raise ChargebackMismatch(
            f"Of order {order.id} only {stake_minor} {hold.currency} were not given back.",
            order=order.id,
        )
    dispute = Dispute(
        platform_id=order.platform_id,
        order=order,
        kind=DisputeKind.CHARGEBACK,
        waits_for=WaitsFor.OPERATOR,
        decide_by=at + policy_of(order).span("decide"),
        reason=DisputeReason.CHARGEBACK,
        opened_by=Actor.CHANNEL,
        opened_at=at,
        currency=hold.currency,
        stake_minor=stake_minor,
        asked_minor=amount_minor,
        channel=payment.channel,
        provider_reference=provider_reference,
    )
    dispute.save(force_insert=True)
    by = Actor.CHANNEL
    record_step(dispute, StepKind.OPENED, by=by, at=at, amount_minor=amount_minor)
    if hold.state in (HoldState.HELD, HoldState.FROZEN):
        _pay(dispute, hold, amount_minor=amount_minor, at=at)
    else:
        outcome.park(dispute, amount_minor=amount_minor, by=by, at=at, again_at=None)
    return dispute


def _supersede(order: Order, *, at: datetime) -> None:
    """A dispute the buyer opened here is over: the bank has taken the money the other way."""
    complaints = Dispute.objects.filter(order=order, kind=DisputeKind.COMPLAINT)
    complaint = complaints.exclude(state__in=CLOSED).select_for_update().first()
    if complaint is not None:
        complaint.order = order
        complaint.supersede(at=at)
        record_step(complaint, StepKind.CHARGED_BACK, by=Actor.CHANNEL, at=at)
        record_step(complaint, StepKind.WITHDRAWN, by=Actor.CHANNEL, at=at)


def _pay(dispute: Dispute, hold: Hold, *, amount_minor: int, at: datetime) -> None:
    order = dispute.order
    if hold.state == HoldState.FROZEN:
        clock.restart(order, hold, at=at)
    draft = entries.chargeback(
        dispute_id=dispute.id,
        order_id=order.id,
        channel=dispute.channel,
        amount_minor=amount_minor,
        currency=hold.currency,
    )
    dispute.entry_id = ledger.post(draft=draft, at=at)
    _take(order, hold, amount_minor=amount_minor, at=at)
    if not hold.remaining_minor:
        lifecycle.mark_canceled(order, reason=CancelReason.CHARGEBACK, at=at)
    by = Actor.CHANNEL
    record_step(dispute, StepKind.CHARGED_BACK, by=by, at=at, amount_minor=amount_minor)
    dispute.resolve(at=at, amount_minor=amount_minor, by=by)
    record_step(dispute, StepKind.RESOLVED, by=by, at=at, amount_minor=amount_minor)


def _take(order: Order, hold: Hold, *, amount_minor: int, at: datetime) -> None:
    """So much less is held; each payee gives its part, as in a refund of as much."""
    shares = shares_left(
        plan_returns(order, channel=hold.payment.channel),
        refunded_minor=hold.refunded_minor + amount_minor,
    )
    if amount_minor == hold.remaining_minor:
        hold.refund(at=at)
    else:
        hold.refund_part(amount_minor)
    hold.save(update_fields=["state", "refunded_minor", "closed_at"])
    replace_shares(hold, shares)
