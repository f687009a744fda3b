"""Bugs we know how to make in refunds, claw-backs, debts, disputes and chargebacks; the harness
must find each, as those of seeded_bugs.py.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from unittest import mock

from django.db import transaction

from common.ids import new_id
from escrow.locks import lock_debt, lock_dispute, lock_hold, lock_open_hold, lock_released_hold
from escrow.models import (
    Actor,
    Debt,
    DebtStep,
    DebtStepKind,
    Deduction,
    Dispute,
    DisputeState,
    Hold,
    Refund,
    StepKind,
    WaitsFor,
)
from escrow.reversal import Part, plan_reversal, shares_left
from escrow.services import clawback, debts, order_refunds, shares
from escrow.services import release as releases
from escrow.services.disputes import answering, chargebacks, clock, deadlines, deciding
from escrow.services.disputes.timeline import record_step
from escrow.services.refund import ask_refund
from escrow.split import Share
from ledger import entries
from ledger import services as ledger
from merchants.models import CommissionPlan, User
from orders import locks
from orders.models import ConfirmedBy, Order
from tests.faults.seeded_bugs import SeededBug, replace

# Two transactions instead of one


def _refund_in_two(
    *, order_id: str, amount_minor: int | None, reason: str, at: datetime, **_: Any
) -> Refund:
    """Owes the buyer first, and makes the hold smaller after."""
    amount_minor = amount_minor or 3334
    with transaction.atomic():
        order = locks.lock_order(order_id)
        hold = lock_open_hold(order_id)
        refund = ask_refund(
            hold=hold,
            surplus=None,
            payment=hold.payment,
            amount_minor=amount_minor,
            reason=reason,
            at=at,
        )
    with transaction.atomic():
        parts = shares.plan_returns(order, channel=hold.payment.channel)
        left = shares_left(parts, refunded_minor=hold.refunded_minor + amount_minor)
        hold.refund_part(amount_minor)
        hold.save()
        shares.keep_refund_shares(refund, shares.replace_shares(hold, left))
    return refund


def _claw_back_in_two(
    *, order_id: str, amount_minor: int | None, reason: str, at: datetime, **_: Any
) -> Refund:
    """Takes the money back first, and owes it to the buyer after."""
    refund_id = new_id("ref")
    with transaction.atomic():
        order = locks.lock_order(order_id)
        hold = lock_released_hold(order_id)
        amount_minor = amount_minor or hold.released_minor
        given = clawback._shares_to_give(order, hold, amount_minor)
        takings = clawback._take(given, order, currency=hold.currency)
        booked = clawback._book(refund_id, order, hold, takings, at=at)
    with transaction.atomic():
        refund = ask_refund(
            hold=hold,
            surplus=None,
            payment=hold.payment,
            amount_minor=amount_minor,
            reason=reason,
            at=at,
            clawed_back=refund_id,
        )
        shares.keep_refund_shares(refund, given)
        clawback._keep(takings, booked, refund=refund, at=at)
    return refund


def _guarantee_in_two(*, debt_id: str, at: datetime) -> int:
    """Books what the platform pays, and counts it as paid after."""
    with transaction.atomic():
        debt = lock_debt(debt_id)
        if debt.state != "OPEN":
            return 0
        step = _guarantee_step(debt, at=at)
        facts = debts._of_step(step)
        draft = entries.debt_guaranteed(platform_id=debt.platform_id, **facts)
        step.entry_id = ledger.post(draft=draft, at=at)
        step.save(force_insert=True)
    with transaction.atomic():
        debt.settle(at=at)
        debts.events.record_debt_event(debt, "debt.settled", at=at)
        debt.save()
        debts._end_request(debt, paid=False, at=at)
        Deduction.objects.create(
            refund_id=debt.refund_id,
            step=step,
            payee="PLATFORM",
            address=f"platform:{debt.platform_id}:commission",
            currency=debt.currency,
            amount_minor=step.amount_minor,
            taken_at=at,
        )
    return step.amount_minor


def _guarantee_step(debt: Debt, *, at: datetime) -> DebtStep:
    kind = DebtStepKind.GUARANTEED
    return DebtStep(debt=debt, kind=kind, amount_minor=debt.open_minor, happened_at=at)


def _accept_in_two(*, dispute_id: str, by: str, at: datetime) -> Dispute:
    """Pays the offer first, and resolves the dispute after."""
    with transaction.atomic():
        dispute = lock_dispute(dispute_id)
        order, hold = dispute.order, lock_hold(dispute.order_id)
        amount_minor = dispute.offer_minor or 0
        clock.restart(order, hold, at=at)
        refund = order_refunds.refund_open_hold(
            order, hold, amount_minor=amount_minor, reason="DISPUTE", at=at
        )
    with transaction.atomic():
        record_step(
            dispute, StepKind.OFFER_ACCEPTED, by=by, at=at, amount_minor=dispute.offer_minor
        )
        dispute.refund = refund
        dispute.resolve(at=at, amount_minor=amount_minor, by=by)
        releases.release_rest(order, confirmed_by=ConfirmedBy.DISPUTE, at=at)
        record_step(dispute, StepKind.RESOLVED, by=by, at=at, amount_minor=amount_minor)
    return dispute


def _approve_in_two(*, dispute_id: str, operator: User, at: datetime) -> Dispute:
    """Writes down who approved first, and carries it out after; what is approved is not approved
    again."""
    with transaction.atomic():
        dispute = deciding._lock_undecided(dispute_id, at=at)
        if dispute.approved_by_id:
            return dispute
        dispute.approved_by = operator
        dispute.save()
    with transaction.atomic():
        dispute = deciding._lock_undecided(dispute_id, at=at)
        deciding._carry_out(dispute, at=at)
    return dispute


def _lapse_in_two(*, dispute_id: str, at: datetime, real: Any = deadlines.lapse_deadline) -> bool:
    """Tells of a seller's silence first, and passes the dispute on after."""
    seen = Dispute.objects.get(pk=dispute_id)
    if (seen.state, seen.waits_for) != (DisputeState.OPEN, WaitsFor.MERCHANT):
        return bool(real(dispute_id=dispute_id, at=at))
    with transaction.atomic():
        dispute = lock_dispute(dispute_id)
        dispute.unanswered_at = at
        record_step(dispute, StepKind.UNANSWERED, by=Actor.DEADLINE, at=at)
    with transaction.atomic():
        dispute.await_move(WaitsFor.OPERATOR, due_at=dispute.decide_by)
        dispute.save()
    return True


# Again, or at the wrong rate


def _charge_back_again(
    *, provider_reference: str, real: Any = chargebacks.record_chargeback, **facts: Any
) -> list[Dispute]:
    """Takes every message for a new chargeback."""
    known = Dispute.objects.filter(provider_reference__startswith=provider_reference).count()
    found: list[Dispute] = real(provider_reference=f"{provider_reference}{'.' * known}", **facts)
    return found


def _returns_of_today(order: Order, *, channel: str) -> tuple[Part, ...]:
    """Takes back what the plan says today, not what it said when the order was made."""
    plan = CommissionPlan.objects.get()
    kept = {
        "PLATFORM": plan.commission_returned_bps,
        "TAX": plan.commission_returned_bps,
        "SERVICE_FEE": plan.service_fee_returned_bps,
        "PARTY": plan.party_returned_bps,
    }
    return plan_reversal(
        shares.plan_shares(order, channel=channel),
        returned_bps=kept,
        merchant_address=f"merchant:{order.merchant_id}:payable",
    )


@contextlib.contextmanager
def _rate_of_today() -> Iterator[None]:
    with (
        mock.patch.object(shares, "plan_returns", _returns_of_today),
        mock.patch.object(clawback, "plan_returns", _returns_of_today),
    ):
        yield


def _rounded_alone(order: Order, hold: Hold, amount_minor: int) -> Sequence[Share]:
    """Rounds each refund down by itself instead of all of them together."""
    parts = shares.plan_returns(order, channel=hold.payment.channel)
    others = [
        Share(
            part.share.payee,
            part.share.address,
            part.gives_minor * amount_minor // hold.amount_minor,
        )
        for part in parts[1:]
    ]
    rest = amount_minor - sum(share.amount_minor for share in others)
    seller = Share("MERCHANT", parts[0].share.address, rest)
    return [share for share in (seller, *others) if share.amount_minor]


@contextlib.contextmanager
def _netting_off_the_statement() -> Iterator[None]:
    """Later sales pay a debt, and no statement tells it."""
    with mock.patch.object(Deduction.objects, "create"):
        yield


AFTERSALES_BUGS: tuple[SeededBug, ...] = (
    SeededBug(
        "refund owed in one transaction, hold made smaller in the next",
        "partial_refunds_before_release",
        6,
        replace(order_refunds, "refund_order", _refund_in_two),
    ),
    SeededBug(
        "money taken back in one transaction, owed to the buyer in the next",
        "full_refund_after_release",
        9,
        replace(order_refunds, "refund_order", _claw_back_in_two),
    ),
    SeededBug(
        "guarantee booked in one transaction, counted in the next",
        "debt_guaranteed",
        15,
        replace(debts, "guarantee_debt", _guarantee_in_two),
    ),
    SeededBug(
        "offer paid in one transaction, dispute resolved in the next",
        "dispute_offer_accepted",
        7,
        replace(answering, "accept_offer", _accept_in_two),
    ),
    SeededBug(
        "decision approved in one transaction, carried out in the next",
        "dispute_decided_by_two",
        8,
        replace(deciding, "approve_decision", _approve_in_two),
    ),
    SeededBug(
        "silence told in one transaction, passed on in the next",
        "late_dispute_parked",
        6,
        replace(deadlines, "lapse_deadline", _lapse_in_two),
    ),
    SeededBug(
        "no duplicate check on chargeback",
        "chargeback_of_held_money",
        6,
        replace(chargebacks, "record_chargeback", _charge_back_again),
    ),
    SeededBug(
        "refund at the rate of today",
        "rate_change_in_between",
        7,
        _rate_of_today,
        without_crash=True,
    ),
    SeededBug(
        "each refund rounded down by itself",
        "full_refund_after_release",
        7,
        replace(clawback, "_shares_to_give", _rounded_alone),
        without_crash=True,
    ),
    SeededBug(
        "netting off the statement",
        "refund_after_payout",
        10,
        _netting_off_the_statement,
        without_crash=True,
    ),
)
