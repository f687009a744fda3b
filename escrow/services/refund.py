"""Money goes back to the buyer: the debt is booked first, the channel is asked after, and its
silence is a state."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from channels import contract, registry
from common.errors import DomainError
from common.ids import new_id
from escrow import events
from escrow.locks import lock_open_hold, lock_refund
from escrow.models import Hold, Refund, RefundState, Surplus
from escrow.services.bank_refunds import settle_with_channel
from escrow.services.shares import keep_refund_shares, take_held
from escrow.split import Share
from ledger import entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants import clocks
from orders import locks
from orders.models import CancelReason, Order, OrderState, Payment
from orders.services import lifecycle

LEASE = timedelta(seconds=60)
QUERY_EVERY = timedelta(minutes=5)
UNKNOWN_EVERY = timedelta(seconds=30)


class RefundMismatch(DomainError):
    """The channel says another amount or currency than we asked for. Nothing is booked."""

    code = "refund_mismatch"
    status = 422


@use_case()
def cancel_paid_order(*, order_id: str, reason: str, at: datetime) -> Order:
    """Cancel an order that is paid and not shipped, and owe the buyer everything.

    Money: Dr held / Cr refund in transit.
    Raises: OrderNotFound, OrderStateConflict, HoldFrozen.
    Locks: the order, its hold.
    """
    order = locks.lock_order(order_id)
    lifecycle.require_state(order, OrderState.PAID)
    _cancel_and_refund(order, reason=reason, at=at)
    return order


@use_case()
def cancel_unshipped_order(*, order_id: str, at: datetime) -> bool:
    """Cancel and refund an order whose `ship_by` has passed. Returns: whether it was due.

    Money: Dr held / Cr refund in transit. Raises: HoldFrozen. Locks: the order, its hold.
    """
    order = locks.lock_order(order_id)
    if order.state != OrderState.PAID or order.ship_by is None or order.ship_by >= at:
        return False
    _cancel_and_refund(order, reason=CancelReason.NOT_SHIPPED, at=at)
    return True


def _cancel_and_refund(order: Order, *, reason: str, at: datetime) -> None:
    hold = lock_open_hold(order.id)
    refund_held(hold, amount_minor=hold.remaining_minor, reason=reason, at=at)
    lifecycle.mark_canceled(order, reason=reason, at=at)


def refund_held(
    hold: Hold, *, amount_minor: int, reason: str, at: datetime, shares: Sequence[Share] = ()
) -> Refund:
    """Step: owe the buyer some of the money that is still held. The caller has locked the order
    and the hold, which is HELD.

    Money: Dr held / Cr refund in transit.
    Args: amount_minor: > 0, at most what is held; all of it closes the hold. shares: who gets what
        of the rest.
    """
    taken = take_held(hold, amount_minor=amount_minor, shares=shares, at=at)
    refund = ask_refund(
        hold=hold,
        surplus=None,
        payment=hold.payment,
        amount_minor=amount_minor,
        reason=reason,
        at=at,
    )
    keep_refund_shares(refund, taken)
    return refund


def ask_refund_of_surplus(surplus: Surplus, *, payment: Payment, at: datetime) -> Refund:
    """Step of booking a surplus: owe it back at once. Money: Dr surplus / Cr refund in transit."""
    return ask_refund(
        hold=None,
        surplus=surplus,
        payment=payment,
        amount_minor=surplus.amount_minor,
        reason=surplus.reason,
        at=at,
    )


def ask_refund(
    *,
    hold: Hold | None,
    surplus: Surplus | None,
    payment: Payment,
    amount_minor: int,
    reason: str,
    at: datetime,
    clawed_back: str = "",
) -> Refund:
    """Step: book what the buyer is owed, out of a hold or of surplus money, to be sent by the next
    sweep.

    Money: Dr held or surplus / Cr refund in transit.
    Args: clawed_back: the id under which released money was taken back for this refund, if it was.
    """
    assert connection.in_atomic_block
    refund = Refund(
        id=clawed_back or new_id("ref"),
        platform_id=payment.platform_id,
        payment=payment,
        hold=hold,
        surplus=surplus,
        after_release=bool(clawed_back),
        channel=payment.channel,
        currency=payment.currency,
        amount_minor=amount_minor,
        reason=reason,
        created_at=at,
        due_at=at,
    )
    refund.asked_entry_id = ledger.post(draft=_asked_draft(refund), at=at)
    events.record_refund_event(refund, "refund.created", at=at)
    refund.save(force_insert=True)
    return refund


def _asked_draft(refund: Refund) -> entries.Draft:
    if refund.hold is not None:
        return entries.refund_asked(
            refund_id=refund.id,
            order_id=refund.hold.order_id,
            channel=refund.channel,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
        )
    assert refund.surplus is not None
    return entries.surplus_refund_asked(
        refund_id=refund.id,
        surplus_id=refund.surplus.id,
        channel=refund.channel,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )


@use_case()
def claim_refund(*, refund_id: str, at: datetime) -> bool:
    """Take a refund that is to be sent: SUBMITTED is committed before the channel hears of it
    (rule R1).

    Returns: whether it was still to be sent. Locks: the refund.
    """
    refund = lock_refund(refund_id)
    if refund.state != RefundState.PENDING:
        return False
    refund.submit()
    refund.attempts += 1
    refund.due_at = at + LEASE
    refund.save(update_fields=["state", "attempts", "due_at"])
    return True


def submit_refund(*, refund_id: str, at: datetime) -> Refund:
    """Ask the channel to pay the buyer back. May be repeated: the reference is the refund's id
    and stays."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    answer = registry.get_channel(refund.channel).create_refund(
        contract.RefundRequest(
            reference=refund.id,
            payment_reference=refund.payment_id,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            reason=refund.reason,
            notify_url=f"{settings.PUBLIC_URL}/v1/inbound/channels/{refund.channel}",
        )
    )
    return record_refund_answer(refund_id=refund_id, answer=answer, at=at)


def query_refund(*, refund_id: str, at: datetime) -> Refund:
    """Ask the channel what became of a refund; one it has never heard of is asked for again,
    same reference."""
    refund = Refund.objects.get(pk=refund_id)
    answer = registry.get_channel(refund.channel).query_refund(reference=refund.id)
    if answer.status == contract.Status.NOT_FOUND:
        return submit_refund(refund_id=refund_id, at=at)
    return record_refund_answer(refund_id=refund_id, answer=answer, at=at)


@use_case()
def record_refund_answer(*, refund_id: str, answer: contract.Answer, at: datetime) -> Refund:
    """Keep what the channel says about a refund, from an answer, a query or a notification.

    Money: on success Dr refund in transit / Cr channel receivable; Dr loss instead, when the bank
        pays it too.
    Raises: RefundMismatch. Idempotent: a second success changes nothing.
    Locks: the refund, what is under way for it by the bank.
    """
    refund = lock_refund(refund_id)
    if refund.state == RefundState.SUCCEEDED:
        if answer.status == contract.Status.SUCCEEDED:
            _check_amount(refund, answer)
            settle_with_channel(refund, at=at)  # the bank may have paid it instead
            refund.save(update_fields=["event_sequence"])
        return refund
    if refund.state == RefundState.PENDING:
        # The channel knows it though we never sent it: one step of the state graph at a time.
        refund.submit()
        refund.save(update_fields=["state"])
    if answer.status == contract.Status.SUCCEEDED:
        _succeed(refund, answer, at=at)
    elif refund.state == RefundState.FAILED:
        return refund
    elif answer.status == contract.Status.FAILED:
        refund.fail(failure_code=answer.code or "refused_by_channel")
        events.record_refund_event(refund, "refund.failed", at=at)
    elif answer.status == contract.Status.PENDING:
        if refund.state == RefundState.UNKNOWN:
            refund.regain_sight()
        refund.due_at = at + QUERY_EVERY
    else:
        if refund.state == RefundState.SUBMITTED:
            refund.lose_sight()
        refund.due_at = at + UNKNOWN_EVERY
    refund.save()
    return refund


def _succeed(refund: Refund, answer: contract.Answer, *, at: datetime) -> None:
    _check_amount(refund, answer)
    refund.done_entry_id = settle_with_channel(refund, at=at) or _book_done(refund, answer, at=at)
    refund.succeed(at=at, provider_reference=answer.provider_reference)
    events.record_refund_event(refund, "refund.succeeded", at=at)


def _book_done(refund: Refund, answer: contract.Answer, *, at: datetime) -> int:
    draft = entries.refund_done(
        refund_id=refund.id,
        subject=refund.hold.order_id if refund.hold else str(refund.surplus_id),
        channel=refund.channel,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
    )
    told_at = answer.event_at
    done_at = at if told_at is None else clocks.now_of(refund.platform, now=told_at)
    return ledger.post(draft=draft, at=done_at)


def _check_amount(refund: Refund, answer: contract.Answer) -> None:
    if (answer.amount_minor, answer.currency) != (refund.amount_minor, refund.currency):
        raise RefundMismatch(
            f"The channel says {answer.amount_minor} {answer.currency}, refund {refund.id} is for "
            f"{refund.amount_minor} {refund.currency}.",
            refund=refund.id,
        )
