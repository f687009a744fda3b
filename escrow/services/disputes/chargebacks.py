"""The buyer's bank takes money back through the channel: a dispute of its own kind, decided
outside.

What is still held for the order pays it; what was released is taken back from its payees. The
channel has the money already, so nothing here may be refused for lack of it (docs/adr/0034).
"""

import logging
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
from escrow.services import clawback
from escrow.services.disputes import clock
from escrow.services.disputes.rules import policy_of
from escrow.services.disputes.timeline import record_step
from escrow.services.shares import keep_chargeback_shares, shares_after, take_held
from ledger import entries
from ledger import selectors as books
from ledger import services as ledger
from ledger.usecases import use_case
from orders import locks, selectors
from orders.models import CancelReason, Order, Payment
from orders.services import lifecycle

log = logging.getLogger(__name__)


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

    Money: Dr held / Cr channel receivable, per order; where money was released, before that Dr
        payees and their receivables / Cr held (`clawback.charge_back_released`).
    Args: amount_minor: minor units of `currency` that the channel took.
    Returns: a dispute per order, resolved by the channel.
    Raises: OrderNotFound, PaymentNotFound, ChargebackMismatch.
    Idempotent: by (channel, provider_reference).
    Locks: the payment's orders by id, the payment, the holds, then the payees' balances.
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
    shares = _shares(payment, amount_minor=amount_minor)
    for order_id in shares:
        _supersede(orders[order_id], at=at)
    holds = [lock_hold(order_id) for order_id in shares]
    released = [orders[hold.order_id] for hold in holds if hold.state == HoldState.RELEASED]
    clawback.lock_payees(released, channel=payment.channel, currency=payment.currency)
    return [
        _charge_back(
            orders[hold.order_id],
            hold,
            payment=payment,
            provider_reference=provider_reference,
            amount_minor=shares[hold.order_id],
            at=at,
        )
        for hold in holds
    ]


def _shares(payment: Payment, *, amount_minor: int) -> dict[str, int]:
    """What falls on each order of the payment, by order id, without zeros."""
    parts = list(payment.parts.order_by("order_id"))
    amounts = allocate(amount_minor, [part.amount_minor for part in parts])
    return {part.order_id: share for part, share in zip(parts, amounts, strict=True) if share}


def _check(payment: Payment, *, amount_minor: int, currency: str) -> None:
    in_range = 0 < amount_minor <= payment.amount_minor
    if not in_range or currency != payment.currency or payment.succeeded_at is None:
        raise ChargebackMismatch(
            f"The channel takes back {amount_minor} {currency}, payment {payment.id} is"
            f" {payment.state} and for {payment.amount_minor} {payment.currency}.",
            payment=payment.id,
        )


def _charge_back(
    order: Order,
    hold: Hold,
    *,
    payment: Payment,
    provider_reference: str,
    amount_minor: int,
    at: datetime,
) -> Dispute:
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
        after_release=hold.state == HoldState.RELEASED,
    )
    dispute.save(force_insert=True)
    record_step(dispute, StepKind.OPENED, by=Actor.CHANNEL, at=at, amount_minor=amount_minor)
    if dispute.after_release:
        _take_back(dispute, hold, at=at)
    else:
        _take_held(dispute, hold, at=at)
    _book(dispute, at=at)
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


def _take_held(dispute: Dispute, hold: Hold, *, at: datetime) -> None:
    order, amount_minor = dispute.order, dispute.asked_minor
    if hold.state == HoldState.FROZEN:  # the channel asks nobody: the money has left already
        clock.let_go(order, hold, at=at)
    shares = shares_after(order, hold, amount_minor=amount_minor)
    taken = take_held(hold, amount_minor=amount_minor, shares=shares, at=at)
    keep_chargeback_shares(dispute, taken)
    if hold.remaining_minor:
        clock.freeze_rest(order, hold, at=at)
    else:
        lifecycle.mark_canceled(order, reason=CancelReason.CHARGEBACK, at=at)


def _take_back(dispute: Dispute, hold: Hold, *, at: datetime) -> None:
    """Take released money back. Whatever own funds cannot stand in for is told: until they are
    topped up, other customers' money does."""
    debts = clawback.charge_back_released(
        dispute, dispute.order, hold, amount_minor=dispute.asked_minor, at=at
    )
    free_minor = books.free_own_funds(currency=dispute.currency) if debts else 0
    if free_minor < 0:
        log.error(
            "own funds lack %s minor units of %s after chargeback %s: top them up",
            -free_minor,
            dispute.currency,
            dispute.id,
        )


def _book(dispute: Dispute, *, at: datetime) -> None:
    """Book that the channel has the money, and close the dispute."""
    by, amount_minor = Actor.CHANNEL, dispute.asked_minor
    draft = entries.chargeback(
        dispute_id=dispute.id,
        order_id=dispute.order_id,
        channel=dispute.channel,
        amount_minor=amount_minor,
        currency=dispute.currency,
    )
    dispute.entry_id = ledger.post(draft=draft, at=at)
    record_step(dispute, StepKind.CHARGED_BACK, by=by, at=at, amount_minor=amount_minor)
    dispute.resolve(at=at, amount_minor=amount_minor, by=by)
    record_step(dispute, StepKind.RESOLVED, by=by, at=at, amount_minor=amount_minor)
