"""The due work of station 2. Each sweep takes `at`, may run twice or late, and one bad row never
stops the rest.

`platform_id`: only that platform, by its own clock; None: all that live by the real one.
"""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError

from channels import contract, registry
from escrow import selectors
from escrow.services import debit_requests, debts, reminders, reserves
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services.disputes import deadlines
from escrow.services.hold import record_capture
from merchants import clocks
from orders.claims import MISSED, by_clock, claim_due, lease_due
from orders.models import Payment, PaymentState
from orders.services import payments
from orders.sweeps import run_each

log = logging.getLogger(__name__)
BATCH = 500
RELEASE_BATCH = 1000
NETWORK_BATCH = 50


def remind_due_shipments(*, at: datetime, platform_id: str | None = None) -> int:
    """Remind sellers before `ship_by`, not while the money is frozen."""
    due = claim_due(
        selectors.unshipped_orders(),
        field="remind_ship_at",
        at=at + MISSED,  # a reminder comes at its instant, not after it
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda order_id: reminders.remind_of_shipment(order_id=order_id, at=at),
        sweep="remind_due_shipments",
    )


def remind_due_confirmations(*, at: datetime, platform_id: str | None = None) -> int:
    """Remind buyers before `confirm_by`, not while the money is frozen."""
    due = claim_due(
        selectors.unconfirmed_orders(),
        field="remind_confirm_at",
        at=at + MISSED,  # a reminder comes at its instant, not after it
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda order_id: reminders.remind_of_confirmation(order_id=order_id, at=at),
        sweep="remind_due_confirmations",
    )


def cancel_due_shipments(*, at: datetime, platform_id: str | None = None) -> int:
    """Cancel and refund orders not shipped by `ship_by`."""
    due = claim_due(
        selectors.unshipped_orders(),
        field="ship_by",
        at=at,
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda order_id: refunds.cancel_unshipped_order(order_id=order_id, at=at),
        sweep="cancel_due_shipments",
    )


def release_due_confirmations(*, at: datetime, platform_id: str | None = None) -> int:
    """Confirm and release orders whose `confirm_by` has come, in batches; a refused batch goes
    one by one."""
    total = 0
    while True:
        try:
            released = releases.release_due_orders(
                limit=RELEASE_BATCH, at=at, platform_id=platform_id
            )
        except DatabaseError:
            log.exception("a release batch was refused, going on order by order")
            return total + _release_one_by_one(at=at, platform_id=platform_id)
        total += released
        if released < RELEASE_BATCH:
            return total


def _release_one_by_one(*, at: datetime, platform_id: str | None) -> int:
    orders = by_clock(selectors.unconfirmed_orders(), platform_id).filter(confirm_by__lte=at)
    due = list(orders.order_by("confirm_by", "pk").values_list("pk", flat=True)[:RELEASE_BATCH])
    return run_each(
        due,
        lambda order_id: releases.release_due_order(order_id=order_id, at=at),
        sweep="release_due_confirmations",
    )


def lapse_due_disputes(*, at: datetime, platform_id: str | None = None) -> int:
    """Do what silence means in disputes whose deadline has passed."""
    due = claim_due(
        selectors.open_disputes(), field="due_at", at=at, limit=BATCH, platform_id=platform_id
    )
    return run_each(
        due,
        lambda dispute_id: deadlines.lapse_deadline(dispute_id=dispute_id, at=at),
        sweep="lapse_due_disputes",
    )


def send_due_refunds(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask channels for refunds that are owed and not yet asked for."""
    due = lease_due(
        selectors.unsent_refunds(),
        at=at,
        lease=refunds.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(due, lambda refund_id: _send_refund(refund_id, at=at), sweep="send_due_refunds")


def _send_refund(refund_id: str, *, at: datetime) -> None:
    if refunds.claim_refund(refund_id=refund_id, at=at):
        refunds.submit_refund(refund_id=refund_id, at=at)


def query_due_refunds(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask channels what became of refunds that gave no final answer."""
    due = lease_due(
        selectors.open_refunds(),
        at=at,
        lease=refunds.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda refund_id: refunds.query_refund(refund_id=refund_id, at=at),
        sweep="query_due_refunds",
    )


def guarantee_due_debts(*, at: datetime, platform_id: str | None = None) -> int:
    """Let platforms pay what their sellers still owe, where they said so."""
    due = claim_due(
        selectors.guaranteed_debts(),
        field="guaranteed_at",
        at=at,
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda debt_id: debts.guarantee_debt(debt_id=debt_id, at=at),
        sweep="guarantee_due_debts",
    )


def free_due_reserves(*, at: datetime, platform_id: str | None = None) -> int:
    """Owe sellers what was held back of their releases and is left, when its days are over."""
    due = claim_due(
        selectors.held_slices(), field="due_at", at=at, limit=BATCH, platform_id=platform_id
    )
    return run_each(
        due,
        lambda slice_id: reserves.free_slice(slice_id=slice_id, at=at),
        sweep="free_due_reserves",
    )


def request_due_debits(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask sellers to pay what they have owed for longer than the term."""
    due = claim_due(
        selectors.unrequested_debts(),
        field="request_at",
        at=at,
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda debt_id: debit_requests.request_due_debit(debt_id=debt_id, at=at),
        sweep="request_due_debits",
    )


def remind_due_debits(*, at: datetime, platform_id: str | None = None) -> int:
    """Remind sellers once of what they were asked to pay, before it is due."""
    due = claim_due(
        selectors.unreminded_requests(),
        field="remind_at",
        at=at,
        limit=BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda request_id: debit_requests.remind_due_debit(debit_request_id=request_id, at=at),
        sweep="remind_due_debits",
    )


def query_due_payments(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask channels about payments that gave no final answer, and close those given up."""
    due = lease_due(
        selectors.watched_payments(),
        at=at,
        lease=payments.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda payment_id: query_payment(payment_id=payment_id, at=at),
        sweep="query_due_payments",
    )


def query_payment(*, payment_id: str, at: datetime) -> None:
    """Ask a channel about one payment and act on the answer: book it, submit it again, give it
    up, or close it.

    It lives here and not in orders because the answer may be money, and money is held by this
    station.
    """
    payment = Payment.objects.get(pk=payment_id)
    channel = registry.get_channel(payment.channel)
    given_up = payment.state == PaymentState.EXPIRED
    answer = (
        channel.close_payment(reference=payment.id)
        if given_up
        else channel.query_payment(reference=payment.id)
    )
    if answer.status == contract.Status.SUCCEEDED:
        book_answer(payment_id=payment_id, answer=answer, at=at)
        if given_up:  # its money is surplus and on its way back: there is nothing left to close
            payments.plan_next_question(payment_id=payment_id, due_at=None)
    elif given_up:
        payments.plan_next_question(
            payment_id=payment_id, due_at=_next_close(payment, answer, at=at)
        )
    elif payments.give_up_payment(payment_id=payment_id, at=at):
        return  # the next sweep closes it
    elif at < payment.expires_at and _misses_its_cashier(payment, answer):
        payments.submit_payment(payment_id=payment_id, at=at)
    elif answer.status == contract.Status.NOT_FOUND:
        payments.plan_next_question(payment_id=payment_id, due_at=at + payments.QUERY_EVERY)
    else:
        payments.record_channel_answer(payment_id=payment_id, answer=answer, at=at)


def _misses_its_cashier(payment: Payment, answer: contract.Answer) -> bool:
    """Whether our request never arrived, or its answer, which says where the buyer can pay, was
    lost."""
    lost = answer.status == contract.Status.PENDING and not payment.cashier_url
    return lost or answer.status == contract.Status.NOT_FOUND


def book_answer(*, payment_id: str, answer: contract.Answer, at: datetime) -> None:
    """Book a channel's word that a payment succeeded. The channel tells the real time of it.

    Raises: what `record_capture` raises.
    """
    paid_at = at
    if answer.event_at is not None:
        rows = Payment.objects.filter(pk=payment_id)
        paid_at = min(clocks.now_for(rows, now=answer.event_at), at)
    record_capture(
        payment_id=payment_id,
        provider_reference=answer.provider_reference,
        amount_minor=answer.amount_minor,
        currency=answer.currency,
        paid_at=paid_at,
        at=at,
    )


def _next_close(payment: Payment, answer: contract.Answer, *, at: datetime) -> datetime | None:
    final = answer.status in (contract.Status.FAILED, contract.Status.NOT_FOUND)
    if final or at > payment.expires_at + payments.CLOSE_FOR:
        return None
    return at + timedelta(minutes=1)
