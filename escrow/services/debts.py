"""How a payee's debt gets smaller: later sales, its own payment, the platform's guarantee, and in
the end a write-off by two persons. Each is a step with an entry of its own.

It must never take a payee's money for somebody else's debt.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from channels import registry
from common.errors import DomainError
from escrow import events
from escrow.locks import lock_debt
from escrow.models import (
    DebitRequest,
    DebitRequestState,
    Debt,
    DebtState,
    DebtStep,
    DebtStepKind,
    Deduction,
)
from ledger import accounts, chart, entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants.models import User

GUARANTEE_AGAIN = timedelta(hours=1)  # the platform's commission did not reach: look again


class DebtClosed(DomainError):
    """The debt is paid or written off already."""

    code = "debt_closed"


class RepaymentTooLarge(DomainError):
    """More than is owed. Nothing is booked; the rest must go back where it came from."""

    code = "repayment_too_large"
    status = 422


class WriteOffNotProposed(DomainError):
    """Nobody has proposed to write this debt off, or somebody has already."""

    code = "write_off_not_proposed"


class SecondPersonNeeded(DomainError):
    """Another person must decide than the one who proposed."""

    code = "second_person_needed"


def net_debts(*, address: str, currency: str, available_minor: int, at: datetime) -> int:
    """Step of payouts' cutoff: pay a payee's open debts, oldest first, out of what it is owed.

    Money: Dr the payee's payable / Cr its receivable.
    Args: available_minor: minor units of new sales the payee has on this statement.
    Returns: how much was taken. Locks: the debts by id, then the payee's guarded account.
    """
    assert connection.in_atomic_block
    if available_minor <= 0:
        return 0
    debts = Debt.objects.filter(address=address, currency=currency, state=DebtState.OPEN)
    left = available_minor
    for debt in debts.order_by("id").select_for_update(of=("self",)):
        part = min(left, debt.open_minor)
        if part:
            _deduct(debt, DebtStepKind.NETTED, part, address=address, payee=debt.payee, at=at)
            left -= part
    return available_minor - left


@use_case()
def record_repayment(
    *,
    debt_id: str,
    amount_minor: int,
    rail: str,
    provider_reference: str,
    at: datetime,
) -> Debt:
    """The debtor has paid into the reserve, as the bank tells.

    Money: Dr reserve / Cr the payee's receivable.
    Args: amount_minor: minor units of the debt's currency, > 0, at most what is owed.
    Raises: DebtNotFound, DebtClosed, RepaymentTooLarge.
    Idempotent: by (debt, provider_reference). Locks: the debt.
    """
    debt = lock_debt(debt_id)
    if DebtStep.objects.filter(debt=debt, provider_reference=provider_reference).exists():
        return debt
    require_open(debt)
    if not 0 < amount_minor <= debt.open_minor:
        raise RepaymentTooLarge(
            f"{debt.open_minor} minor units of debt {debt.id} are open, {amount_minor} came.",
            debt=debt.id,
            open_minor=debt.open_minor,
        )
    custodian = registry.get_rail(rail).custodian
    step = DebtStep(
        debt=debt,
        kind=DebtStepKind.REPAID,
        amount_minor=amount_minor,
        provider_reference=provider_reference,
        happened_at=at,
    )
    draft = entries.debt_repaid(custodian=custodian, **_of_step(step))
    _take_step(step, draft, at=at)
    return debt


@use_case()
def guarantee_debt(*, debt_id: str, at: datetime) -> int:
    """Let the platform's commission pay a seller's debt whose guarantee has begun, as far as it
    reaches. The seller is asked first: until its term is over, the guarantee waits.

    Money: Dr platform commission / Cr the seller's receivable.
    Returns: how much was paid; the rest is asked for again. Locks: the debt, then the platform's
        guarded account.
    """
    debt = lock_debt(debt_id)
    due = debt.guaranteed_at is not None and debt.guaranteed_at <= at
    if debt.state != DebtState.OPEN or not due:
        return 0
    asked_until = _asked_until(debt, at=at)
    if asked_until is not None and asked_until > at:
        debt.guaranteed_at = asked_until
        debt.save(update_fields=["guaranteed_at"])
        return 0
    address = chart.platform_commission(debt.platform_id)
    there = accounts.lock_payables(addresses=[address], currency=debt.currency)[address]
    part = min(there, debt.open_minor)
    if part < debt.open_minor:
        debt.guaranteed_at = at + GUARANTEE_AGAIN
        debt.save(update_fields=["guaranteed_at"])
    if part:
        _deduct(debt, DebtStepKind.GUARANTEED, part, address=address, payee="PLATFORM", at=at)
    return part


@use_case()
def propose_write_off(*, debt_id: str, reason: str, proposed_by: User, at: datetime) -> Debt:
    """One person says that nobody will pay this debt. Money: none.

    Raises: DebtNotFound, DebtClosed, WriteOffNotProposed when somebody has proposed already.
    Locks: the debt.
    """
    debt = lock_debt(debt_id)
    require_open(debt)
    if debt.proposed_by_id is not None:
        raise WriteOffNotProposed(f"Debt {debt.id} is proposed already.", debt=debt.id)
    debt.proposed_by, debt.proposed_reason, debt.proposed_at = proposed_by, reason, at
    debt.save(update_fields=["proposed_by", "proposed_reason", "proposed_at"])
    return debt


@use_case()
def decide_write_off(*, debt_id: str, decided_by: User, approve: bool, at: datetime) -> Debt:
    """Another person writes off what is left of a debt, or lets it stand.

    Money: Dr loss / Cr receivable, when approved.
    Raises: DebtNotFound, DebtClosed, WriteOffNotProposed, SecondPersonNeeded. Locks: the debt.
    """
    debt = lock_debt(debt_id)
    require_open(debt)
    if debt.proposed_by_id is None:
        raise WriteOffNotProposed(f"Nobody has proposed to write debt {debt.id} off.", debt=debt.id)
    if debt.proposed_by_id == decided_by.pk:
        raise SecondPersonNeeded("Another person must decide than the one who proposed.")
    if not approve:
        debt.proposed_by, debt.proposed_reason, debt.proposed_at = None, "", None
        debt.save(update_fields=["proposed_by", "proposed_reason", "proposed_at"])
        return debt
    step = DebtStep(
        debt=debt,
        kind=DebtStepKind.WRITTEN_OFF,
        amount_minor=debt.open_minor,
        reason=debt.proposed_reason,
        requested_by=debt.proposed_by,
        approved_by=decided_by,
        happened_at=at,
    )
    _take_step(step, entries.debt_written_off(**_of_step(step)), at=at)
    return debt


def term_to_pay() -> timedelta:
    """How long a seller that was asked to pay has."""
    return timedelta(days=settings.DEBIT_REQUEST_TERM_DAYS)


def _asked_until(debt: Debt, *, at: datetime) -> datetime | None:
    """Until when the seller may pay the debt itself. None: it is not asked any more, or never is.
    The caller has locked the debt, and with it its requests."""
    if debt.request_at is not None:  # its request is late, as a sweep may be: it has its term still
        return max(debt.request_at, at) + term_to_pay()
    requests = DebitRequest.objects.filter(debt=debt, state=DebitRequestState.OPEN)
    return requests.values_list("due_at", flat=True).first()


def _deduct(
    debt: Debt, kind: DebtStepKind, amount_minor: int, *, address: str, payee: str, at: datetime
) -> None:
    """Pay a part of a debt out of what somebody is owed; it shows on their next statement."""
    step = DebtStep(debt=debt, kind=kind, amount_minor=amount_minor, happened_at=at)
    if kind == DebtStepKind.GUARANTEED:
        draft = entries.debt_guaranteed(platform_id=debt.platform_id, **_of_step(step))
    else:
        draft = entries.debt_netted(payable=address, **_of_step(step))
    _take_step(step, draft, at=at)
    Deduction.objects.create(
        refund_id=debt.refund_id,
        dispute_id=debt.dispute_id,
        step=step,
        payee=payee,
        address=address,
        currency=debt.currency,
        amount_minor=amount_minor,
        taken_at=at,
    )


def _of_step(step: DebtStep) -> dict[str, Any]:
    return {
        "step_id": step.id,
        "debt_id": step.debt_id,
        "receivable": chart.receivable_of(step.debt.address),
        "amount_minor": step.amount_minor,
        "currency": step.debt.currency,
    }


def _take_step(step: DebtStep, draft: entries.Draft, *, at: datetime) -> None:
    debt = step.debt
    step.entry_id = ledger.post(draft=draft, at=at)
    step.save(force_insert=True)
    if step.amount_minor < debt.open_minor:
        debt.settle_part(step.amount_minor)
        events.record_debt_event(debt, "debt.reduced", at=at)
    elif step.kind == DebtStepKind.WRITTEN_OFF:
        debt.write_off(at=at)
        events.record_debt_event(debt, "debt.written_off", at=at)
    else:
        debt.settle(at=at)
        events.record_debt_event(debt, "debt.settled", at=at)
    debt.save(update_fields=["state", "settled_minor", "closed_at", "event_sequence"])
    if debt.state != DebtState.OPEN:
        _end_request(debt, paid=step.kind == DebtStepKind.REPAID, at=at)


def _end_request(debt: Debt, *, paid: bool, at: datetime) -> None:
    """End what the seller was asked for, with the debt. The caller has locked the debt."""
    rows = DebitRequest.objects.filter(debt=debt, state=DebitRequestState.OPEN)
    request = rows.select_for_update(of=("self",)).first()
    if request is None:
        return
    request.debt = debt
    if paid:
        request.pay(at=at)
        events.record_debit_request_event(request, "debit_request.paid", at=at)
    else:
        request.withdraw(at=at)
        events.record_debit_request_event(request, "debit_request.withdrawn", at=at)
    request.save(update_fields=["state", "closed_at", "remind_at", "event_sequence"])


def require_open(debt: Debt) -> None:
    """Step: refuse what needs an open debt. Raises: DebtClosed."""
    if debt.state != DebtState.OPEN:
        raise DebtClosed(f"Debt {debt.id} is {debt.state}.", debt=debt.id, state=debt.state)
