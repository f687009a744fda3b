"""Every sweep in one place, and when the next one has work: what a simulated clock needs.

The real clock is Celery beat (settings.CELERY_BEAT_SCHEDULE); a test holds the two lists equal.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import connection

from api import idempotency, inbound, request_log
from escrow import sweeps as escrow
from notifications import services as notifications
from orders import sweeps as orders
from payouts import sweeps as payouts
from portal import sweeps as portal

Sweep = Callable[..., int]

SWEEPS: dict[str, Sweep] = {
    "api.apply_due_notifications": inbound.apply_due_notifications,
    "escrow.query_due_payments": escrow.query_due_payments,
    "orders.expire_due_orders": orders.expire_due_orders,
    "escrow.remind_due_shipments": escrow.remind_due_shipments,
    "escrow.remind_due_confirmations": escrow.remind_due_confirmations,
    "escrow.cancel_due_shipments": escrow.cancel_due_shipments,
    "escrow.release_due_confirmations": escrow.release_due_confirmations,
    "escrow.lapse_due_disputes": escrow.lapse_due_disputes,
    "escrow.query_due_refunds": escrow.query_due_refunds,
    "escrow.send_due_refunds": escrow.send_due_refunds,
    "escrow.request_due_debits": escrow.request_due_debits,
    "escrow.remind_due_debits": escrow.remind_due_debits,
    "escrow.guarantee_due_debts": escrow.guarantee_due_debts,
    "escrow.free_due_reserves": escrow.free_due_reserves,
    "payouts.enter_due_accounts": payouts.enter_due_accounts,
    "payouts.cut_due_settlements": payouts.cut_due_settlements,
    "payouts.query_due_payouts": payouts.query_due_payouts,
    "payouts.send_due_payouts": payouts.send_due_payouts,
    "payouts.query_due_bank_refunds": payouts.query_due_bank_refunds,
    "payouts.send_due_bank_refunds": payouts.send_due_bank_refunds,
    "notifications.relay_due_events": notifications.relay_due_events,
    "notifications.send_due_webhooks": notifications.send_due_webhooks,
    "portal.run_due_jobs": portal.run_due_jobs,
    "api.forget_old_answers": idempotency.forget_old_answers,
    "api.forget_old_requests": request_log.forget_old_requests,
    "portal.forget_old_jobs": portal.forget_old_jobs,
}

# When each sweep has work next. Deadlines that pass (`<`) are due a microsecond later than those
# that come (`<=`).
_DUE = {
    "api.apply_due_notifications": """
        SELECT min(due_at) FROM channels_inboundnotification WHERE due_at IS NOT NULL""",
    "escrow.query_due_payments": "SELECT min(due_at) FROM orders_payment WHERE due_at IS NOT NULL",
    "orders.expire_due_orders": """
        SELECT min(pay_by) + interval '1 microsecond' FROM orders_order WHERE state = 'CREATED'""",
    "escrow.remind_due_shipments": """
        SELECT min(o.remind_ship_at) FROM orders_order o
        JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD' WHERE o.state = 'PAID'""",
    "escrow.remind_due_confirmations": """
        SELECT min(o.remind_confirm_at) FROM orders_order o
        JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD' WHERE o.state = 'SHIPPED'""",
    "escrow.cancel_due_shipments": """
        SELECT min(o.ship_by) + interval '1 microsecond' FROM orders_order o
        JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD' WHERE o.state = 'PAID'""",
    "escrow.release_due_confirmations": """
        SELECT min(o.confirm_by) FROM orders_order o
        JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.state = 'SHIPPED' AND o.paused_at IS NULL""",
    "escrow.lapse_due_disputes": """
        SELECT min(due_at) + interval '1 microsecond' FROM escrow_dispute
        WHERE due_at IS NOT NULL""",
    "escrow.query_due_refunds": """
        SELECT min(due_at) FROM escrow_refund WHERE due_at IS NOT NULL AND state <> 'PENDING'""",
    "escrow.send_due_refunds": """
        SELECT min(due_at) FROM escrow_refund WHERE due_at IS NOT NULL AND state = 'PENDING'""",
    "escrow.request_due_debits": """
        SELECT min(request_at) + interval '1 microsecond' FROM escrow_debt
        WHERE state = 'OPEN'""",
    "escrow.remind_due_debits": """
        SELECT min(remind_at) + interval '1 microsecond' FROM escrow_debitrequest""",
    "escrow.guarantee_due_debts": """
        SELECT min(guaranteed_at) + interval '1 microsecond' FROM escrow_debt
        WHERE state = 'OPEN'""",
    "escrow.free_due_reserves": """
        SELECT min(due_at) + interval '1 microsecond' FROM escrow_reserveslice
        WHERE state = 'HELD'""",
    "payouts.enter_due_accounts": """
        SELECT min(effective_at) FROM merchants_bankaccount WHERE state = 'WAITING'""",
    "payouts.cut_due_settlements": """
        SELECT min(s.next_cutoff_at) FROM payouts_payoutschedule s WHERE EXISTS (
            SELECT FROM escrow_releaseline l
            WHERE l.settlement_id IS NULL AND l.payee <> 'SERVICE_FEE' AND l.address = CASE s.payee
                WHEN 'PLATFORM' THEN 'platform:' || s.platform_id || ':commission'
                WHEN 'PARTY' THEN 'party:' || s.party_id || ':payable'
                ELSE 'merchant:' || s.merchant_id || ':payable' END)
        AND NOT EXISTS (SELECT FROM escrow_freeze f
            WHERE f.merchant_id = s.merchant_id AND f.state <> 'LIFTED')""",
    "payouts.query_due_payouts": """
        SELECT min(due_at) FROM payouts_payout WHERE due_at IS NOT NULL AND state <> 'APPROVED'""",
    "payouts.send_due_payouts": """
        SELECT min(p.due_at) FROM payouts_payout p
        WHERE p.due_at IS NOT NULL AND p.state = 'APPROVED' AND NOT EXISTS (
            SELECT FROM escrow_freeze f
            WHERE f.state <> 'LIFTED' AND (f.merchant_id = p.merchant_id OR f.payout_id = p.id))""",
    "payouts.query_due_bank_refunds": """
        SELECT min(due_at) FROM escrow_bankrefund
        WHERE due_at IS NOT NULL AND state <> 'APPROVED'""",
    "payouts.send_due_bank_refunds": """
        SELECT min(due_at) FROM escrow_bankrefund
        WHERE due_at IS NOT NULL AND state = 'APPROVED'""",
    "notifications.relay_due_events": """
        SELECT least(
            (SELECT min(next_attempt_at) FROM notifications_event WHERE relayed_at IS NULL),
            (SELECT min(next_attempt_at) FROM notifications_delivery
             WHERE state = 'PENDING' AND channel = 'email'))""",
    "notifications.send_due_webhooks": """
        SELECT min(greatest(d.next_attempt_at, e.busy_until)) FROM notifications_delivery d
        JOIN notifications_webhookendpoint e ON e.id = d.recipient
        WHERE d.state = 'PENDING' AND d.channel = 'webhook'""",
    "portal.run_due_jobs": "SELECT min(due_at) FROM portal_job WHERE due_at IS NOT NULL",
    "api.forget_old_answers": """
        SELECT min(created_at) + interval '30 days 1 microsecond' FROM api_storedanswer""",
    "api.forget_old_requests": """
        SELECT min(created_at) + interval '30 days 1 microsecond' FROM api_loggedrequest""",
    "portal.forget_old_jobs": """
        SELECT min(created_at) + interval '30 days 1 microsecond' FROM portal_job
        WHERE state NOT IN ('WAITING', 'RUNNING')""",
}
_NEXT_DUE = " UNION ALL ".join(f"SELECT '{name}', ({query})" for name, query in _DUE.items())
assert list(_DUE) == list(SWEEPS)


def run_sweeps(*, at: datetime, rounds: int = 20) -> int:
    """Run every sweep at `at` until a round finds nothing to do.

    Returns: how many rows were worked on.
    """
    total = 0
    for _ in range(rounds):
        done = sum(sweep(at=at) for sweep in SWEEPS.values())
        total += done
        if not done:
            break
    return total


def run_due_sweeps(*, at: datetime) -> int:
    """Ask once which sweeps have work at `at`, and run these, each once, in their order.

    Returns: how many rows were worked on. What one sweep leaves to an earlier one waits for the
    next call.
    """
    return sum(SWEEPS[name](at=at) for name, due in list_due().items() if due <= at)


def list_due() -> dict[str, datetime]:
    """When each sweep has work next, in their order; sweeps without any are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_DUE)
        due = dict(cursor.fetchall())
    return {name: due[name] for name in SWEEPS if due[name] is not None}


def next_due_at() -> datetime | None:
    """Return the earliest instant at which some sweep has work; None when everything is settled."""
    return min(list_due().values(), default=None)
