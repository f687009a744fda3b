"""The cutoff: what has been released to a payee since the last one becomes a settlement and a
payout."""

import logging
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection

from channels import registry
from common.errors import DomainError
from escrow import selectors as escrow_selectors
from escrow.services import debts
from escrow.services import release as escrow
from ledger import accounts, entries
from ledger import services as ledger
from ledger.usecases import use_case
from merchants import selectors as merchants
from merchants.models import BankAccount, User
from payouts import calendar, events
from payouts.locks import lock_payout, lock_schedule, lock_settlement
from payouts.models import Payout, PayoutSchedule, PayoutState, Settlement
from payouts.services import freezing
from payouts.services.bank_accounts import enter_due_accounts

log = logging.getLogger(__name__)
INSTANT_RETRY = timedelta(minutes=1)


class NoBankAccount(DomainError):
    """The payee has no active account in this currency: add one, the money waits."""

    code = "bank_account_missing"


class PayoutNotReplaceable(DomainError):
    code = "payout_not_replaceable"


@use_case()
def cut_settlements(*, schedule_id: int, at: datetime) -> list[Payout]:
    """Cut what a payee is owed into one settlement and payout per currency, if the schedule is due.

    Currencies below the minimum or without a bank account wait for the next cutoff, and so does
    what was released after a daily or weekly cutoff, however late the sweep is.

    What was taken from the payee meanwhile is deducted, and its debts are paid first. Nothing of a
    frozen seller is cut.

    It is paid into the account that is in force at `at`; one whose cool-off is not over waits.

    Money: Dr payable / Cr payout in transit; before that Dr payable / Cr its receivable for debts.
    Raises: ChannelDisabled when the rail does not serve platforms of this mode.
    Idempotent: by the lines: a release line is on one settlement for ever.
    Locks: the schedule, the seller, the payee's guarded account, so that nobody takes from it
        between reading and booking, then its open debts.
    """
    schedule = lock_schedule(schedule_id)
    if schedule.next_cutoff_at > at or freezing.is_seller_frozen(schedule.merchant_id):
        return []
    _enter_due_accounts(schedule, at=at)
    by_currency = defaultdict(list)
    before = _cutoff_passed(schedule, at=at)
    for line in escrow_selectors.list_unsettled_lines(address=schedule.address, before=before):
        by_currency[line.currency].append(line)
    made = []
    for currency, lines in sorted(by_currency.items()):
        payout = _cut_currency(schedule, currency=currency, lines=lines, at=at)
        if payout is not None:
            made.append(payout)
    schedule.next_cutoff_at = _next_cutoff(schedule, waiting=len(by_currency) - len(made), at=at)
    schedule.save(update_fields=["next_cutoff_at"])
    return made


def _cutoff_passed(schedule: PayoutSchedule, *, at: datetime) -> datetime | None:
    """The cutoff that is cut at `at`; None on an instant schedule, which cuts whatever is there."""
    if schedule.cadence == calendar.INSTANT:
        return None
    latest = calendar.latest_cutoff(
        cadence=schedule.cadence,
        weekday=schedule.weekday,
        time_zone=schedule.platform.time_zone,
        at=at,
    )
    return max(latest, schedule.next_cutoff_at)


def _next_cutoff(schedule: PayoutSchedule, *, waiting: int, at: datetime) -> datetime:
    """When to look again: an instant schedule with money that has to wait looks once a minute."""
    if waiting and schedule.cadence == calendar.INSTANT:
        return at + INSTANT_RETRY
    return calendar.next_cutoff(
        cadence=schedule.cadence,
        weekday=schedule.weekday,
        time_zone=schedule.platform.time_zone,
        after=at,
    )


def _cut_currency(
    schedule: PayoutSchedule, *, currency: str, lines: list[escrow_selectors.OpenLine], at: datetime
) -> Payout | None:
    accounts.lock_payables(addresses=[schedule.address], currency=currency)
    deductions = _deductions(schedule, currency)
    amount_minor = sum(line.amount_minor for line in lines)
    amount_minor -= sum(each.amount_minor for each in deductions)
    netted_minor = debts.net_debts(
        address=schedule.address, currency=currency, available_minor=amount_minor, at=at
    )
    amount_minor -= netted_minor
    if amount_minor < schedule.minimum_minor:
        return None
    account = _active_account(schedule, currency=currency)
    if account is None:
        log.warning("payee %s has no %s bank account, its payout waits", schedule.address, currency)
        return None
    settlement = Settlement.objects.create(
        platform_id=schedule.platform_id,
        payee=schedule.payee,
        merchant_id=schedule.merchant_id,
        party_id=schedule.party_id,
        address=schedule.address,
        currency=currency,
        amount_minor=amount_minor,
        line_count=len(lines),
        cutoff_at=at,
    )
    escrow.assign_lines(line_ids=[line.id for line in lines], settlement_id=settlement.id)
    if netted_minor:
        deductions = _deductions(schedule, currency)
    escrow.assign_deductions(
        deduction_ids=[each.id for each in deductions], settlement_id=settlement.id
    )
    limit = schedule.approval_above_minor
    needs_approval = limit is not None and amount_minor > limit
    return _cut_payout(
        settlement,
        account=account,
        rail=schedule.rail,
        needs_approval=needs_approval,
        requested_by=None,
        at=at,
    )


def _deductions(schedule: PayoutSchedule, currency: str) -> list[escrow_selectors.OpenLine]:
    """What was taken from the payee since its last statement."""
    return escrow_selectors.list_unsettled_deductions(address=schedule.address, currency=currency)


def _active_account(row: PayoutSchedule | Payout, *, currency: str) -> BankAccount | None:
    """Where the payee of a schedule or payout is paid now."""
    return merchants.active_bank_account(
        platform_id=row.platform_id,
        merchant_id=row.merchant_id,
        party_id=row.party_id,
        currency=currency,
    )


def _enter_due_accounts(row: PayoutSchedule | Payout, *, at: datetime) -> None:
    enter_due_accounts(
        platform_id=row.platform_id, merchant_id=row.merchant_id, party_id=row.party_id, at=at
    )


def _cut_payout(
    settlement: Settlement,
    *,
    account: BankAccount,
    rail: str,
    needs_approval: bool,
    requested_by: User | None,
    at: datetime,
) -> Payout:
    assert connection.in_atomic_block
    registry.check_rail(rail, live=merchants.is_live(platform_id=settlement.platform_id))
    payout = Payout(
        settlement=settlement,
        platform_id=settlement.platform_id,
        payee=settlement.payee,
        merchant_id=settlement.merchant_id,
        party_id=settlement.party_id,
        rail=rail,
        currency=settlement.currency,
        amount_minor=settlement.amount_minor,
        bank_account=account,
        holder_name=account.holder_name,
        last_four=account.last_four,
        needs_approval=needs_approval,
        requested_by=requested_by,
        created_at=at,
    )
    draft = entries.payout_sent(
        payout_id=payout.id,
        payable=settlement.address,
        rail=rail,
        amount_minor=settlement.amount_minor,
        currency=settlement.currency,
    )
    payout.sent_entry_id = ledger.post(draft=draft, at=at)
    events.record_payout_event(payout, "payout.created", at=at)
    if not needs_approval:
        payout.approve(at=at)
    payout.save(force_insert=True)
    return payout


@use_case()
def replace_payout(*, payout_id: str, requested_by: User, at: datetime) -> Payout:
    """Pay a settlement again whose payout failed or came back, to the payee's present account.

    The new payout has a new reference and needs another person's approval.

    Money: Dr payable / Cr payout in transit.
    Raises: PayoutNotFound, PayoutNotReplaceable, PayoutFrozen, NoBankAccount,
        InsufficientBalance, ChannelDisabled.
    Idempotent: the database allows one live payout per settlement.
    Locks: the old payout, its settlement, the seller, then the payee's guarded account.
    """
    old = lock_payout(payout_id)
    settlement = lock_settlement(old.settlement_id)
    live = Payout.objects.filter(settlement=settlement).exclude(
        state__in=[PayoutState.FAILED, PayoutState.RETURNED]
    )
    if old.state not in (PayoutState.FAILED, PayoutState.RETURNED) or live.exists():
        raise PayoutNotReplaceable(
            f"Payout {old.id} is {old.state} or was replaced already.", payout=old.id
        )
    freezing.require_unfrozen(old)
    _enter_due_accounts(old, at=at)
    account = _active_account(old, currency=old.currency)
    if account is None:
        raise NoBankAccount(
            f"There is no active {old.currency} bank account to pay to.", payout=old.id
        )
    return _cut_payout(
        settlement,
        account=account,
        rail=old.rail,
        needs_approval=True,
        requested_by=requested_by,
        at=at,
    )
