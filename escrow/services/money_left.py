"""What is left at all of a payment's money, before some of it goes to the buyer a second way.

It must never count on a channel's word being booked: a chargeback that contradicts our books is
flagged and moves nothing here, and the buyer has its money all the same.
"""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from channels import contract
from channels import services as inbox
from common.errors import DomainError
from escrow.models import (
    OVER,
    BankRefund,
    Dispute,
    DisputeKind,
    Hold,
    Refund,
    RefundState,
    Surplus,
)
from orders.models import Payment


class RefundChargedBack(DomainError):
    """The buyer's bank has taken so much back through the channel that this refund would pay the
    buyer twice. Nothing is sent."""

    code = "refund_charged_back"


def require_money_left(refund: Refund) -> None:
    """Step of a bank refund: refuse it when captured less charged back less refunded, what is on
    its way included, does not cover it.

    Raises: RefundChargedBack.
    Locks: none; the caller has locked the payment, so that one refund of it is judged at a time.
    """
    assert connection.in_atomic_block
    left_minor = money_left(refund)
    if refund.amount_minor > left_minor:
        raise RefundChargedBack(
            f"Of payment {refund.payment_id} only {max(left_minor, 0)} minor units were not given"
            f" back to the buyer, refund {refund.id} is of {refund.amount_minor}.",
            refund=refund.id,
            left_minor=max(left_minor, 0),
        )


def money_left(refund: Refund) -> int:
    """Minor units of its payment that the buyer has not got back yet by other refunds or by
    chargebacks, booked or not; below zero when it has got more than it paid."""
    payment = refund.payment
    captured = _sum(Hold.objects.filter(payment=payment)) + _sum(
        Surplus.objects.filter(payment=payment)
    )
    live = BankRefund.objects.filter(refund=OuterRef("pk")).exclude(state__in=OVER)
    others = Refund.objects.filter(payment=payment).exclude(pk=refund.pk)
    underway = others.filter(~Q(state=RefundState.FAILED) | Exists(live))
    return captured - _charged_back(payment) - _sum(underway)


def _charged_back(payment: Payment) -> int:
    booked = Dispute.objects.filter(kind=DisputeKind.CHARGEBACK, order__hold__payment=payment)
    numbers = set(booked.values_list("provider_reference", flat=True))
    told = {
        answer.provider_reference: answer.amount_minor
        for answer in inbox.list_unapplied_answers(
            source=f"channels/{payment.channel}",
            subject=contract.Subject.CHARGEBACK,
            reference=payment.id,
        )
        if answer.provider_reference not in numbers and answer.currency == payment.currency
    }
    return _sum(booked, "asked_minor") + sum(told.values())


def _sum(rows: QuerySet[Any], field: str = "amount_minor") -> int:
    return rows.aggregate(found=Sum(field))["found"] or 0
