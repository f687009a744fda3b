"""From a provider's message to one domain call. The message is in the inbox already, so nothing
here can lose it; everything here may run twice.

`at` is the real time, by which the inbox lives; what a message moves, it moves by the clock of its
platform.
"""

import logging
from datetime import datetime

from channels import contract, registry
from channels import services as inbox
from channels.models import InboxState
from common.errors import DomainError
from escrow import sweeps as escrow_sweeps
from escrow.locks import BankRefundNotFound, RefundNotFound
from escrow.models import BankRefund, DebitRequest, Refund
from escrow.services import debit_requests
from escrow.services import refund as refunds
from escrow.services import remittance as remittances
from escrow.services.disputes import chargebacks
from merchants import clocks
from orders.locks import PaymentNotFound
from orders.models import Payment
from orders.services import payments
from payouts.locks import PayoutNotFound
from payouts.models import Payout
from payouts.services import bank_refunds, sending

log = logging.getLogger(__name__)
BATCH = 200
NOT_YET = (PaymentNotFound, RefundNotFound, PayoutNotFound, BankRefundNotFound)


class NotificationSubjectWrong(DomainError):
    """This source does not speak about such things."""

    code = "notification_subject_wrong"
    status = 422


def apply_notification(*, notification_id: int, at: datetime) -> str:
    """Act on one message of the inbox. Returns: the state the message ends in.

    A message about something we do not know yet stays as an orphan and is tried again; one that
    contradicts our books is flagged for a person, and nothing moves.
    """
    row, notification = inbox.get_notification(notification_id)
    if row.state in (InboxState.APPLIED, InboxState.FLAGGED):
        return row.state
    try:
        _act(row.source, notification, at=at)
    except NOT_YET as unknown:
        inbox.mark_orphan(notification_id=row.pk, note=unknown.sentence, at=at)
        return InboxState.ORPHAN
    except DomainError as refusal:
        log.warning("notification %s contradicts our books: %s", row.pk, refusal.sentence)
        inbox.mark_flagged(notification_id=row.pk, note=f"{refusal.code}: {refusal.sentence}")
        return InboxState.FLAGGED
    inbox.mark_applied(notification_id=row.pk, at=at)
    return InboxState.APPLIED


def _act(source: str, notification: contract.Notification, *, at: datetime) -> None:
    kind, _, name = source.partition("/")
    answer = notification.answer
    if kind == "channels" and notification.subject == contract.Subject.PAYMENT:
        _act_on_payment(name, answer, at=at)
    elif kind == "channels" and notification.subject == contract.Subject.REFUND:
        refunds.record_refund_answer(
            refund_id=answer.reference,
            answer=answer,
            at=clocks.now_for(Refund.objects.filter(pk=answer.reference), now=at),
        )
    elif kind == "channels" and notification.subject == contract.Subject.CHARGEBACK:
        _act_on_chargeback(name, answer, at=at)
    elif kind == "channels" and notification.subject == contract.Subject.REMITTANCE:
        remittances.record_remittance(
            channel=name,
            custodian=registry.get_channel(name).custodian,
            provider_reference=answer.reference,
            gross_minor=answer.amount_minor,
            fee_minor=int(notification.extra.get("fee_minor", 0)),
            currency=answer.currency,
            at=at,
        )
    elif kind == "rails" and notification.subject == contract.Subject.PAYOUT:
        _act_on_payout(answer, at=at)
    elif kind == "rails" and notification.subject == contract.Subject.INCOMING:
        _act_on_incoming(name, answer, at=at)
    else:
        raise NotificationSubjectWrong(f"{source} does not speak about {notification.subject}.")


def _act_on_payout(answer: contract.Answer, *, at: datetime) -> None:
    """A bank calls all that it pays payouts; our reference says whether it went to a buyer."""
    if answer.reference.startswith("brf_"):
        rows = BankRefund.objects.filter(pk=answer.reference)
        bank_refunds.record_bank_answer(
            bank_refund_id=answer.reference, answer=answer, at=clocks.now_for(rows, now=at)
        )
    else:
        sending.record_payout_answer(
            payout_id=answer.reference,
            answer=answer,
            at=clocks.now_for(Payout.objects.filter(pk=answer.reference), now=at),
        )


def _act_on_incoming(rail: str, answer: contract.Answer, *, at: datetime) -> None:
    """Money that came by itself is a seller's who was asked for it, or a person finds out whose."""
    if answer.status != contract.Status.SUCCEEDED:
        raise NotificationSubjectWrong(f"Money that came in is there, not {answer.status}.")
    rows = DebitRequest.objects.filter(payment_reference=answer.reference.upper())
    debit_requests.record_debit_payment(
        payment_reference=answer.reference,
        amount_minor=answer.amount_minor,
        currency=answer.currency,
        rail=rail,
        provider_reference=answer.provider_reference,
        at=clocks.now_for(rows, now=at),
    )


def _act_on_chargeback(channel: str, answer: contract.Answer, *, at: datetime) -> None:
    payment = _find_payment(channel, answer)
    if answer.status != contract.Status.SUCCEEDED:
        raise NotificationSubjectWrong(
            f"A chargeback is done when it is told, not {answer.status}."
        )
    chargebacks.record_chargeback(
        payment_id=payment.id,
        provider_reference=answer.provider_reference,
        amount_minor=answer.amount_minor,
        currency=answer.currency,
        at=clocks.now_of(payment.platform, now=at),
    )


def _find_payment(channel: str, answer: contract.Answer) -> Payment:
    payment = Payment.objects.select_related("platform").filter(pk=answer.reference).first()
    if payment is None:
        raise PaymentNotFound(f"There is no payment {answer.reference}.", payment=answer.reference)
    if payment.channel != channel:
        raise NotificationSubjectWrong(f"Payment {payment.id} was not made through {channel}.")
    return payment


def _act_on_payment(channel: str, answer: contract.Answer, *, at: datetime) -> None:
    payment = _find_payment(channel, answer)
    at = clocks.now_of(payment.platform, now=at)
    if answer.status == contract.Status.SUCCEEDED:
        escrow_sweeps.book_answer(payment_id=payment.id, answer=answer, at=at)
    else:
        payments.record_channel_answer(payment_id=payment.id, answer=answer, at=at)


def apply_due_notifications(*, at: datetime) -> int:
    """Act on messages that are in the inbox and not applied: those whose first try died, and
    orphans."""
    done = 0
    for notification_id in inbox.claim_due_notifications(at=at, limit=BATCH):
        try:
            apply_notification(notification_id=notification_id, at=at)
            done += 1
        except (
            Exception
        ):  # one message must not stop the sweep; its lease ends and it is tried again
            log.exception("notification %s could not be applied", notification_id)
    return done
