"""The due work of station 3. Each sweep takes `at`, may run twice or late, and one bad row never
stops the rest.

`platform_id`: only that platform, by its own clock; None: all that live by the real one.
"""

from datetime import datetime

from escrow import selectors as escrow
from merchants import selectors as merchants
from orders.claims import by_clock, lease_due
from orders.sweeps import run_each
from payouts import selectors
from payouts.services import bank_accounts, bank_refunds, cutoff, sending

BATCH = 500
NETWORK_BATCH = 50


def enter_due_accounts(*, at: datetime, platform_id: str | None = None) -> int:
    """Let payouts go to changed bank accounts whose cool-off is over, and say so."""
    waiting = by_clock(merchants.waiting_bank_accounts(), platform_id)
    due = waiting.filter(effective_at__lte=at).order_by("effective_at", "pk")
    return run_each(
        list(due.values_list("pk", flat=True)[:BATCH]),
        lambda account_id: bank_accounts.enter_due_account(account_id=account_id, at=at),
        sweep="enter_due_accounts",
    )


def cut_due_settlements(*, at: datetime, platform_id: str | None = None) -> int:
    """Cut settlements for every payee whose cutoff has come and to whom something was released
    since the last."""
    waiting = by_clock(selectors.waiting_schedules(), platform_id)
    due = waiting.filter(next_cutoff_at__lte=at).order_by("next_cutoff_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    return run_each(
        [str(pk) for pk in ids],
        lambda schedule_id: cutoff.cut_settlements(schedule_id=int(schedule_id), at=at),
        sweep="cut_due_settlements",
    )


def send_due_payouts(*, at: datetime, platform_id: str | None = None) -> int:
    """Send approved payouts to their bank."""
    due = lease_due(
        selectors.unsent_payouts(),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(due, lambda payout_id: _send(payout_id, at=at), sweep="send_due_payouts")


def _send(payout_id: str, *, at: datetime) -> None:
    attempt = sending.claim_payout(payout_id=payout_id, at=at)
    if attempt is not None:
        sending.submit_payout(payout_id=payout_id, attempt=attempt, at=at)


def query_due_payouts(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask banks about payouts that gave no final answer."""
    due = lease_due(
        selectors.open_payouts(),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda payout_id: sending.query_payout(payout_id=payout_id, at=at),
        sweep="query_due_payouts",
    )


def send_due_bank_refunds(*, at: datetime, platform_id: str | None = None) -> int:
    """Send refunds the channel refused to buyers' banks, where two persons said so."""
    due = lease_due(
        escrow.unsent_bank_refunds(),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(due, lambda found: _send_refund(found, at=at), sweep="send_due_bank_refunds")


def _send_refund(bank_refund_id: str, *, at: datetime) -> None:
    attempt = bank_refunds.claim_bank_refund(bank_refund_id=bank_refund_id, at=at)
    if attempt is not None:
        bank_refunds.submit_bank_refund(bank_refund_id=bank_refund_id, attempt=attempt, at=at)


def query_due_bank_refunds(*, at: datetime, platform_id: str | None = None) -> int:
    """Ask banks about refunds to buyers that gave no final answer."""
    due = lease_due(
        escrow.open_bank_refunds(),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
        platform_id=platform_id,
    )
    return run_each(
        due,
        lambda found: bank_refunds.query_bank_refund(bank_refund_id=found, at=at),
        sweep="query_due_bank_refunds",
    )
