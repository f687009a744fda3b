"""Bugs we know how to make. Each is switched on alone, by patching, and the harness must find it.

A harness that has never found anything proves nothing. No product code knows of this file.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest import mock

from django.db import transaction

from api import inbound
from channels import contract, registry
from channels import services as inbox
from demo import local_sandbox
from demo.local_sandbox import deliver_here
from escrow.models import Hold, Refund
from escrow.services import hold as holds
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services.shares import plan_shares
from notifications import services as notifications
from orders import locks, selectors
from orders.models import Payment
from orders.services import lifecycle, payments
from payouts import sweeps
from payouts.models import Payout, PayoutState
from payouts.services import cutoff, sending

Patch = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class SeededBug:
    """`flow` and `step`, counted from 0, are where it shows. `forgetful`: the bank it shows with.

    `without_crash`: the flow itself goes wrong, nobody has to be killed.
    """

    name: str
    flow: str
    step: int
    patch: Patch
    forgetful: bool = False
    without_crash: bool = False


def replace(target: Any, name: str, new: Any) -> Patch:
    """Put `new` in the place of what `target` calls `name`."""
    return lambda: mock.patch.object(target, name, new)


# Two transactions instead of one


def _capture_in_two(
    *, payment_id: str, provider_reference: str, paid_at: datetime, at: datetime, **_: Any
) -> None:
    with transaction.atomic():
        payment = locks.lock_payment(payment_id)
        if payment.state not in Payment.OPEN:
            return
        payments.mark_succeeded(
            payment, provider_reference=provider_reference, paid_at=paid_at, at=at
        )
    with transaction.atomic():
        orders = locks.lock_orders(selectors.order_ids_of_payment(payment_id))
        plans = {
            order.id: holds.plan_hold(order, channel=payment.channel) for order in orders.values()
        }
        shares = {order_id: planned for order_id, (planned, _reserve) in plans.items()}
        accounts = holds._open_accounts(shares, payment=payment)
        for order in orders.values():
            reserve = plans[order.id][1]
            hold = holds._hold(order, payment=payment, reserve=reserve, paid_at=paid_at, at=at)
            holds.keep_shares(hold, shares[order.id], accounts=accounts)
            lifecycle.mark_paid(order, paid_at=paid_at, at=at)


@contextlib.contextmanager
def _capture_in_two_transactions() -> Iterator[None]:
    with mock.patch("escrow.sweeps.record_capture", _capture_in_two):
        yield


def _cancel_in_two(*, order_id: str, at: datetime) -> bool:
    """Asks for the refund first and looks at nothing; cancels the order after."""
    with transaction.atomic():
        order = locks.lock_order(order_id)
        hold = Hold.objects.get(order=order)
        refund = refunds.ask_refund(
            hold=hold,
            surplus=None,
            payment=hold.payment,
            amount_minor=hold.amount_minor,
            reason="NOT_SHIPPED",
            at=at,
        )
        refunds.keep_refund_shares(refund, plan_shares(order))
    with transaction.atomic():
        order = locks.lock_order(order_id)
        hold.refund(at=at)
        hold.save()
        lifecycle.mark_canceled(order, reason="NOT_SHIPPED", at=at)
    return True


def _settle_in_two(
    *, schedule_id: int, at: datetime, real: Any = cutoff.cut_settlements
) -> list[Payout]:
    """Cuts settlement and payout in one transaction, and marks the lines as paid in another."""
    later: list[Mapping[str, Any]] = []
    with mock.patch.object(cutoff.escrow, "assign_lines", lambda **lines: later.append(lines)):
        made: list[Payout] = real(schedule_id=schedule_id, at=at)
    for lines in later:
        with transaction.atomic():
            releases.assign_lines(**lines)
    return made


# Calls in the wrong order, or again


def _send_before_intent(payout_id: str, *, at: datetime) -> None:
    """Calls the bank, and writes down afterwards that it did."""
    payout = Payout.objects.select_related("bank_account").get(pk=payout_id)
    rail = registry.get_rail(payout.rail)
    answer = rail.send_payout(_request(payout, reference=payout.id))
    if sending.claim_payout(payout_id=payout_id, at=at):
        sending.record_payout_answer(payout_id=payout_id, answer=answer, at=at)


def _request(payout: Payout, *, reference: str) -> contract.PayoutRequest:
    return contract.PayoutRequest(
        reference=reference,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        holder_name=payout.holder_name,
        bank_code=payout.bank_account.bank_code,
        account_number=sending.merchants.read_account_number(bank_account=payout.bank_account),
        remark=payout.settlement_id,
        notify_url="",
    )


def _retry_under_new_reference(*, payout_id: str, at: datetime) -> Payout | None:
    """No answer yet, so send it again, as something new."""
    attempt = sending._claim_again(payout_id=payout_id, at=at)
    payout = Payout.objects.select_related("bank_account").get(pk=payout_id)
    if attempt is None:
        return None
    reference = f"{payout_id}.{attempt}"
    rail = registry.get_rail(payout.rail)
    answer = rail.send_payout(_request(payout, reference=reference))
    return sending.record_payout_answer(payout_id=payout_id, answer=answer, at=at)


def _retry_blindly(*, payout_id: str, at: datetime) -> Payout | None:
    """No answer yet, so send it again."""
    attempt = sending._claim_again(payout_id=payout_id, at=at)
    return sending.submit_payout(payout_id=payout_id, attempt=attempt, at=at) if attempt else None


def _silence_is_failure(
    payout: Payout, answer: contract.Answer, *, at: datetime, real: Any = sending._record_open
) -> None:
    if answer.status == contract.Status.UNKNOWN:
        return sending.book_failed(payout, code="timeout", message="", at=at)
    return real(payout, answer, at=at)


def _refund_without_state_check(*, refund_id: str, at: datetime) -> Refund:
    """No answer yet, so ask for a refund, whatever may have become of the one asked for before."""
    refund = Refund.objects.get(pk=refund_id)
    channel = registry.get_channel(refund.channel)
    money = (refund.payment_id, refund.amount_minor, refund.currency)
    answer = channel.create_refund(contract.RefundRequest(f"{refund.id}.again", *money, "", ""))
    return refunds.record_refund_answer(refund_id=refund_id, answer=answer, at=at)


# Messages


def _event_after_commit(real: Any = notifications.record_event, **facts: Any) -> None:
    def write() -> None:
        with transaction.atomic():
            real(**facts)

    transaction.on_commit(write)


def _answer_before_storing(
    url: str, headers: Mapping[str, str], body: bytes, *, at: datetime
) -> int:
    """Says 200 at once and remembers the message in this process only."""
    _UNSTORED.append((url, dict(headers), body))
    return 200


_UNSTORED: list[tuple[str, dict[str, str], bytes]] = []


@contextlib.contextmanager
def _inbox_in_memory() -> Iterator[None]:
    _UNSTORED.clear()
    tick = local_sandbox.LocalSandbox.tick

    def tick_and_store(self: local_sandbox.LocalSandbox) -> int:
        done = tick(self)
        while _UNSTORED:
            url, headers, body = _UNSTORED[0]
            deliver_here(url, headers, body, at=self.clock.now)
            _UNSTORED.pop(0)
        return done

    with ExitStack() as stack:
        stack.enter_context(
            mock.patch.object(local_sandbox, "deliver_here", _answer_before_storing)
        )
        stack.enter_context(mock.patch.object(local_sandbox.LocalSandbox, "tick", tick_and_store))
        yield
    _UNSTORED.clear()


def _apply_after_marking(*, notification_id: int, at: datetime) -> str:
    row, notification = inbox.get_notification(notification_id)
    if row.state != "APPLIED":
        inbox.mark_applied(notification_id=notification_id, at=at)
        inbound._act(row.source, notification, at=at)
    return "APPLIED"


# A doorbell instead of a row


@contextlib.contextmanager
def _payouts_by_doorbell() -> Iterator[None]:
    """The payout is sent when the cutoff commits, and no sweep looks for one whose doorbell was
    lost.
    """
    real = cutoff._cut_payout

    def cut_and_ring(*args: Any, at: datetime, **facts: Any) -> Payout:
        payout = real(*args, at=at, **facts)
        transaction.on_commit(lambda: sweeps._send(payout.id, at=at))
        return payout

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(cutoff, "_cut_payout", cut_and_ring))
        stack.enter_context(mock.patch.object(Payout.objects, "filter", _without_approved()))
        yield


def _without_approved() -> Any:
    real = Payout.objects.filter

    def kept(*args: Any, **facts: Any) -> Any:
        found = real(*args, **facts)
        return found.none() if facts == {"state": PayoutState.APPROVED} else found

    return kept


BUGS: tuple[SeededBug, ...] = (
    SeededBug("capture in two transactions", "happy_path", 2, _capture_in_two_transactions),
    SeededBug(
        "refund asked in one transaction, order canceled in the next",
        "missed_shipping_deadline",
        4,
        replace(refunds, "cancel_unshipped_order", _cancel_in_two),
    ),
    SeededBug(
        "settlement in one transaction, its lines in the next",
        "happy_path",
        5,
        replace(cutoff, "cut_settlements", _settle_in_two),
    ),
    SeededBug(
        "call before intent",
        "happy_path",
        5,
        replace(sweeps, "_send", _send_before_intent),
        forgetful=True,
    ),
    SeededBug(
        "new reference per retry",
        "happy_path",
        5,
        replace(sending, "query_payout", _retry_under_new_reference),
    ),
    SeededBug(
        "blind retry",
        "happy_path",
        5,
        replace(sending, "query_payout", _retry_blindly),
        forgetful=True,
    ),
    SeededBug(
        "silence taken for failure",
        "payout_unknown_then_paid",
        5,
        replace(sending, "_record_open", _silence_is_failure),
        without_crash=True,
    ),
    SeededBug(
        "refund without state check",
        "duplicate_capture",
        2,
        replace(refunds, "query_refund", _refund_without_state_check),
    ),
    SeededBug(
        "event outside the transaction",
        "happy_path",
        3,
        replace(notifications, "record_event", _event_after_commit),
    ),
    SeededBug("answer before storing", "happy_path", 4, _inbox_in_memory),
    SeededBug(
        "message marked before it is acted on",
        "happy_path",
        4,
        replace(inbound, "apply_notification", _apply_after_marking),
    ),
    SeededBug(
        "no duplicate check on capture",
        "happy_path",
        2,
        replace(holds, "_already_booked", lambda payment, provider_reference: False),
    ),
    SeededBug("payout by doorbell", "happy_path", 5, _payouts_by_doorbell),
)
