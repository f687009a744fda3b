"""A refund the channel refused goes to the buyer's bank account, when two persons say so.

The rail is spoken to by payouts; here is who may, what is booked, and what happens when the channel
pays after all. It must never let the buyer be paid twice without the books saying so.
"""

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from channels import registry
from common.errors import DomainError
from escrow import events
from escrow.locks import lock_bank_refund, lock_live_bank_refund, lock_refund
from escrow.models import BankRefund, BankRefundState, Refund, RefundState
from escrow.services.debts import SecondPersonNeeded
from escrow.services.money_left import RefundChargedBack, money_left, require_money_left
from ledger import entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants import selectors as merchants
from merchants import services as merchant_services
from merchants.encryption import SealedField
from merchants.models import User
from orders.locks import lock_payment

CHANNEL_PAID = "channel_paid_after_all"  # failure code of a bank refund that became superfluous


class RefundNotRefused(DomainError):
    """The channel has not refused it: what it says will decide."""

    code = "refund_not_refused"


class RefundRerouted(DomainError):
    """A payment to the buyer's bank is under way for this refund already."""

    code = "refund_rerouted"


class BankRefundStateConflict(DomainError):
    code = "bank_refund_state_conflict"


@use_case()
def ask_channel_again(*, refund_id: str, at: datetime) -> Refund:
    """Ask the channel once more for a refund it refused, under the same reference.

    The same one, because a channel pays a reference at most once: should the refusal have been
    wrong, nothing is paid twice (rule R2).

    Raises: RefundNotFound, RefundNotRefused, RefundRerouted. Locks: the refund, what is under way.
    """
    refund = _lock_refused(refund_id)
    refund.ask_again(at=at)
    events.record_refund_event(refund, "refund.asked_again", at=at)
    refund.save(update_fields=["state", "failure_code", "due_at", "event_sequence"])
    return refund


@use_case()
def propose_bank_refund(
    *,
    refund_id: str,
    rail: str,
    holder_name: str,
    bank_code: str,
    account_number: str,
    reason: str,
    operator: User,
    at: datetime,
) -> BankRefund:
    """One person says into which account of the buyer a refused refund is to be paid.

    Money: none.
    Args: reason: how that person knows that it is the buyer's.
    Raises: RefundNotFound, RefundNotRefused, RefundRerouted, RefundChargedBack, BankAccountInvalid,
        ChannelDisabled.
    Locks: the payment, the refund, what is under way for it.
    """
    number = merchant_services.check_account_number(account_number)
    _lock_payment_of(Refund.objects.filter(pk=refund_id))
    refund = _lock_refused(refund_id)
    require_money_left(refund)
    registry.check_rail(rail, live=merchants.is_live(platform_id=refund.platform_id))
    made = BankRefund(
        platform_id=refund.platform_id,
        refund=refund,
        rail=rail,
        currency=refund.currency,
        amount_minor=refund.amount_minor,
        holder_name=holder_name,
        bank_code=bank_code,
        last_four=number[-4:],
        reason=reason,
        proposed_by=operator,
        created_at=at,
    )
    _number_field().seal(made, number)
    made.save(force_insert=True)
    return made


@use_case()
def approve_bank_refund(*, bank_refund_id: str, operator: User, at: datetime) -> BankRefund:
    """Another person lets the refund go to the buyer's bank.

    Money: Dr refund in transit with the channel / Cr refund in transit with the rail.
    Raises: BankRefundNotFound, BankRefundStateConflict, SecondPersonNeeded, RefundChargedBack.
    Locks: the payment, the refund, then its bank refund.
    """
    _lock_payment_of(Refund.objects.filter(bank_refunds=bank_refund_id))
    found = _lock_in(bank_refund_id, BankRefundState.PROPOSED)
    if found.proposed_by_id == operator.pk:
        raise SecondPersonNeeded("Another person must approve than the one who proposed.")
    refund = found.refund
    require_money_left(refund)
    draft = entries.refund_rerouted(
        bank_refund_id=found.id,
        subject=_subject(refund),
        channel=refund.channel,
        rail=found.rail,
        amount_minor=found.amount_minor,
        currency=found.currency,
    )
    found.moved_entry_id = ledger.post(draft=draft, at=at)
    found.approved_by = operator
    found.approve(at=at)
    _tell(found, "refund.rerouted", at=at)
    found.save()
    return found


@use_case()
def drop_bank_refund(*, bank_refund_id: str, reason: str, at: datetime) -> BankRefund:
    """A person stops a bank refund that is not sent yet. Another can be proposed.

    Money: the reversal of Dr refund in transit with the channel / Cr with the rail, if approved.
    Raises: BankRefundNotFound, BankRefundStateConflict. Locks: the refund, then its bank refund.
    """
    found = _lock_in(bank_refund_id, BankRefundState.PROPOSED, BankRefundState.APPROVED)
    _drop(found, code="given_up", message=reason[:200], at=at)
    return found


def drop_if_charged_back(found: BankRefund, *, at: datetime) -> bool:
    """Step of sending: do not send what the buyer got by a chargeback since it was approved.

    Money: the reversal of Dr refund in transit with the channel / Cr with the rail.
    Returns: whether it was dropped. Locks: none; the caller has locked the refund and this.
    """
    assert connection.in_atomic_block
    if found.amount_minor <= money_left(found.refund):
        return False
    _drop(found, code=RefundChargedBack.code, message="", at=at)
    return True


def settle_with_channel(refund: Refund, *, at: datetime) -> int | None:
    """Step of the channel's success: what is under way by the bank stops, or was paid twice.

    The caller has locked the refund. Money: none, or the reversal of an approved one, or Dr loss /
    Cr channel receivable when the bank may have paid, or has.
    Returns: the entry of the loss, which then stands for the refund's own; None: book that.
    """
    assert connection.in_atomic_block
    found = lock_live_bank_refund(refund)
    if found is None:
        return None
    if found.state in (BankRefundState.PROPOSED, BankRefundState.APPROVED):
        _drop(found, code=CHANNEL_PAID, message="", at=at)
        return None
    if found.doubled_entry_id is None:
        draft = entries.refund_doubled(
            bank_refund_id=found.id,
            subject=_subject(refund),
            channel=refund.channel,
            amount_minor=found.amount_minor,
            currency=found.currency,
        )
        found.doubled_entry_id = ledger.post(draft=draft, at=at)
        found.save(update_fields=["doubled_entry"])
        if found.state == BankRefundState.PAID:
            events.record_refund_event(refund, "refund.paid_twice", route=found, at=at)
    return found.doubled_entry_id


def book_paid(
    found: BankRefund, *, custodian: str, provider_reference: str, paid_at: datetime, at: datetime
) -> None:
    """Step: the bank has paid the buyer. The caller has locked both rows and saves the bank refund.

    Money: Dr refund in transit with the rail / Cr reserve.
    """
    assert connection.in_atomic_block
    refund = found.refund
    draft = entries.refund_paid(
        bank_refund_id=found.id,
        subject=_subject(refund),
        rail=found.rail,
        custodian=custodian,
        amount_minor=found.amount_minor,
        currency=found.currency,
    )
    found.paid_entry_id = ledger.post(draft=draft, at=paid_at)
    found.pay(at=at, provider_reference=provider_reference)
    if found.doubled_entry_id is None:
        refund.done_entry_id = found.paid_entry_id
        refund.succeed(at=at, provider_reference=refund.provider_reference)
        _tell(found, "refund.succeeded", at=at)
    else:
        _tell(found, "refund.paid_twice", at=at)


def book_failed(found: BankRefund, *, code: str, message: str, at: datetime) -> None:
    """Step: the bank has not paid and never will. The caller has locked both rows and saves the
    bank refund.

    Money: the reversal of Dr refund in transit with the channel / Cr with the rail.
    """
    assert connection.in_atomic_block
    _move_back(found, at=at)
    found.fail(code=code, message=message)
    _tell(found, "refund.route_failed", at=at)


def book_returned(found: BankRefund, *, code: str, message: str, at: datetime) -> None:
    """Step: the bank had paid and has sent the money back. The caller has locked both rows and
    saves the bank refund.

    Money: the reversals of both entries; the buyer is owed again, unless the channel has paid.
    """
    assert connection.in_atomic_block
    assert found.paid_entry_id is not None
    ledger.reverse(entry_id=found.paid_entry_id, at=at)
    if found.doubled_entry_id is None:
        found.refund.come_back(failure_code=code)
    _move_back(found, at=at)
    found.return_to_sender(at=at, code=code, message=message)
    _tell(found, "refund.route_returned", at=at)


def read_account_number(*, bank_refund: BankRefund) -> str:
    """Open the buyer's account number, to be handed to the bank and kept nowhere.

    Raises: SealBroken when the row was tampered with, EncryptionKeyMissing.
    """
    return _number_field().open(bank_refund)


def _move_back(found: BankRefund, *, at: datetime) -> None:
    """The refund is the channel's again: paid by it, when it has said so, else refused."""
    refund = found.refund
    assert found.moved_entry_id is not None
    ledger.reverse(entry_id=found.moved_entry_id, at=at)
    if found.doubled_entry_id is not None:  # once, not twice: there is no loss
        ledger.reverse(entry_id=found.doubled_entry_id, at=at)
        draft = entries.refund_done(
            refund_id=refund.id,
            subject=_subject(refund),
            channel=refund.channel,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
        )
        refund.done_entry_id = ledger.post(draft=draft, at=at)


def _drop(found: BankRefund, *, code: str, message: str, at: datetime) -> None:
    if found.moved_entry_id is not None:
        ledger.reverse(entry_id=found.moved_entry_id, at=at)
        _tell(found, "refund.route_dropped", at=at)
    found.drop(code=code, message=message)
    found.save(update_fields=["state", "failure_code", "failure_message", "due_at"])


def _tell(found: BankRefund, type: str, *, at: datetime) -> None:
    refund = found.refund
    events.record_refund_event(refund, type, route=found, at=at)
    refund.save()


def _lock_payment_of(refunds: QuerySet[Refund]) -> None:
    """Lock the payment of a refund before the refund, so that only one refund of a payment at a
    time is judged by what is left of it."""
    payment_id = refunds.values_list("payment_id", flat=True).first()
    if payment_id is not None:  # else there is no such refund, which its own lock says
        lock_payment(payment_id)


def _lock_refused(refund_id: str) -> Refund:
    refund = lock_refund(refund_id)
    if refund.state != RefundState.FAILED:
        raise RefundNotRefused(
            f"Refund {refund.id} is {refund.state}; only a FAILED one goes another way.",
            refund=refund.id,
            state=refund.state,
        )
    if lock_live_bank_refund(refund) is not None:
        raise RefundRerouted(
            f"Refund {refund.id} is on its way to the buyer's bank.", refund=refund.id
        )
    return refund


def _lock_in(bank_refund_id: str, *states: str) -> BankRefund:
    found = lock_bank_refund(bank_refund_id)
    if found.state not in states:
        raise BankRefundStateConflict(
            f"Bank refund {found.id} is {found.state}.", bank_refund=found.id, state=found.state
        )
    return found


def _subject(refund: Refund) -> str:
    """Whose timeline shows the entries: the order's, or the surplus's."""
    return refund.hold.order_id if refund.hold else str(refund.surplus_id)


def _number_field() -> SealedField:
    field = BankRefund._meta.get_field("account_number")
    assert isinstance(field, SealedField)
    return field
