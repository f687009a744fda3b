"""Asking a seller to pay its debt, reminding it once, and booking what it then pays.

Asking moves no money. The request ends with its debt (services/debts.py).
"""

from datetime import datetime, timedelta

from channels import registry
from channels.reserve_accounts import find_reserve_account
from common.errors import DomainError
from escrow import events
from escrow.locks import lock_debit_request, lock_debt
from escrow.models import DebitRequest, DebitRequestState, Debt, DebtState, DebtStep, Payee
from escrow.services import debts
from ledger.usecases import use_case
from merchants.models import Mode, Platform, User

REMIND_BEFORE = timedelta(days=3)  # how long before its due date a request is repeated
ASK_AGAIN = timedelta(hours=1)  # no rail serves the platform: look again


class DebitRequestUnknown(DomainError):
    """No request has the reference of this payment; a person finds out whose money it is."""

    code = "debit_request_unknown"
    status = 404


class DebitRequestInForce(DomainError):
    """The seller has been asked already and the request still stands."""

    code = "debit_request_in_force"


class DebtorIsNoSeller(DomainError):
    """Only sellers are asked; a platform or a further party is spoken to by people."""

    code = "debtor_is_no_seller"


class NoReserveToPayInto(DomainError):
    """No enabled rail serves this platform, or the account of its custodian is not configured: the
    seller could not be told where to pay."""

    code = "no_reserve_to_pay_into"


class RepaymentMismatch(DomainError):
    """The payment is in another currency than the debt, or the bank told another amount before."""

    code = "repayment_mismatch"
    status = 422


@use_case()
def request_debit(*, debt_id: str, asked_by: User, at: datetime) -> DebitRequest:
    """Ask a seller at once to pay its debt. Money: none.

    Raises: DebtNotFound, DebtClosed, DebtorIsNoSeller, DebitRequestInForce, NoReserveToPayInto.
    Locks: the debt.
    """
    debt = lock_debt(debt_id)
    debts.require_open(debt)
    if debt.payee != Payee.MERCHANT:
        raise DebtorIsNoSeller(f"Debt {debt.id} is of {debt.payee}.", debt=debt.id)
    if DebitRequest.objects.filter(debt=debt, state=DebitRequestState.OPEN).exists():
        raise DebitRequestInForce(f"The seller was asked to pay {debt.id}.", debt=debt.id)
    return _ask(debt, custodian=_custodian(debt.platform), asked_by=asked_by, at=at)


@use_case()
def request_due_debit(*, debt_id: str, at: datetime) -> DebitRequest | None:
    """Ask a seller whose debt has stood for its term. Money: none.

    Returns: the request; None when there is nothing to ask any more, or no account to name yet.
    Locks: the debt.
    """
    debt = lock_debt(debt_id)
    due = debt.request_at is not None and debt.request_at < at
    if debt.state != DebtState.OPEN or not due:
        return None
    try:
        custodian = _custodian(debt.platform)
    except NoReserveToPayInto:
        debt.request_at = at + ASK_AGAIN
        debt.save(update_fields=["request_at"])
        return None
    return _ask(debt, custodian=custodian, asked_by=None, at=at)


@use_case()
def remind_due_debit(*, debit_request_id: str, at: datetime) -> bool:
    """Repeat a request once, shortly before its due date. Money: none.

    Returns: whether the seller is told now. Locks: the debt, then its request.
    """
    request = lock_debit_request(debit_request_id)
    if request.remind_at is None or request.remind_at >= at:
        return False
    request.remind_at, request.reminded_at = None, at
    events.record_debit_request_event(request, "debit_request.reminder", at=at)
    request.save(update_fields=["remind_at", "reminded_at", "event_sequence"])
    return True


def record_debit_payment(
    *,
    payment_reference: str,
    amount_minor: int,
    currency: str,
    rail: str,
    provider_reference: str,
    at: datetime,
) -> Debt:
    """Book what a bank says came into the reserve under the reference of a request.

    Money: Dr reserve / Cr the payee's receivable, by `record_repayment`.
    Args: payment_reference: as the payer wrote it, capital letters or not.
    Raises: DebitRequestUnknown, RepaymentMismatch, ChannelDisabled, DebtClosed, RepaymentTooLarge.
    Idempotent: by (debt, provider_reference).
    """
    rows = DebitRequest.objects.select_related("platform")
    request = rows.filter(payment_reference=payment_reference.upper()).first()
    if request is None:
        raise DebitRequestUnknown(f"No request has the reference {payment_reference}.")
    registry.check_rail(rail, live=request.platform.mode == Mode.LIVE)
    booked = DebtStep.objects.filter(debt=request.debt_id, provider_reference=provider_reference)
    before = booked.values_list("amount_minor", flat=True).first()
    if currency != request.currency or before not in (None, amount_minor):
        raise RepaymentMismatch(
            f"Payment {provider_reference} of {amount_minor} {currency} does not fit request"
            f" {request.id} in {request.currency}.",
            debit_request=request.id,
        )
    return debts.record_repayment(
        debt_id=request.debt_id,
        amount_minor=amount_minor,
        rail=rail,
        provider_reference=provider_reference,
        at=at,
    )


def _ask(debt: Debt, *, custodian: str, asked_by: User | None, at: datetime) -> DebitRequest:
    due_at = at + debts.term_to_pay()
    request = DebitRequest(
        platform_id=debt.platform_id,
        debt=debt,
        currency=debt.currency,
        amount_minor=debt.open_minor,
        custodian=custodian,
        created_at=at,
        due_at=due_at,
        remind_at=due_at - REMIND_BEFORE,
        asked_by=asked_by,
    )
    events.record_debit_request_event(request, "debit_request.created", at=at)
    request.save(force_insert=True)
    debt.request_at = None
    if debt.guaranteed_at is not None:  # the platform's turn comes after the seller's
        debt.guaranteed_at = max(debt.guaranteed_at, due_at)
    debt.save(update_fields=["request_at", "guaranteed_at"])
    return request


def _custodian(platform: Platform) -> str:
    """Whose account sellers of this platform pay into: that of the first rail that serves it.

    Raises: NoReserveToPayInto.
    """
    rail = registry.first_rail(live=platform.mode == Mode.LIVE)
    if rail is None:
        raise NoReserveToPayInto(f"No rail serves platform {platform.id}.", platform=platform.id)
    if find_reserve_account(rail.custodian) is None:
        raise NoReserveToPayInto(
            f"RESERVE_ACCOUNTS names no account at {rail.custodian}.", platform=platform.id
        )
    return rail.custodian
