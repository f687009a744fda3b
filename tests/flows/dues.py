"""Which sweeps have work at an instant: a beat that rings only the doors behind which somebody
waits.

A crash harness that rang all of them would spend its time killing sweeps that found nothing. It
must never skip a sweep that has work: test_golden.py compares the names and rings every door once
more at the end.
"""

from datetime import datetime

from django.db import connection

DUES = {
    "api.apply_due_notifications": """
        SELECT FROM channels_inboundnotification WHERE due_at <= %(at)s""",
    "escrow.query_due_payments": "SELECT FROM orders_payment WHERE due_at <= %(at)s",
    "orders.expire_due_orders": """
        SELECT FROM orders_order WHERE state = 'CREATED' AND pay_by < %(at)s""",
    "escrow.remind_due_shipments": """
        SELECT FROM orders_order o JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.remind_ship_at <= %(at)s""",
    "escrow.remind_due_confirmations": """
        SELECT FROM orders_order o JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.remind_confirm_at <= %(at)s""",
    "escrow.cancel_due_shipments": """
        SELECT FROM orders_order o JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.state = 'PAID' AND o.ship_by < %(at)s""",
    "escrow.release_due_confirmations": """
        SELECT FROM orders_order o JOIN escrow_hold h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.state = 'SHIPPED' AND o.confirm_by <= %(at)s""",
    "escrow.lapse_due_disputes": "SELECT FROM escrow_dispute WHERE due_at < %(at)s",
    "escrow.query_due_refunds": """
        SELECT FROM escrow_refund WHERE state <> 'PENDING' AND due_at <= %(at)s""",
    "escrow.send_due_refunds": """
        SELECT FROM escrow_refund WHERE state = 'PENDING' AND due_at <= %(at)s""",
    "escrow.request_due_debits": """
        SELECT FROM escrow_debt WHERE state = 'OPEN' AND request_at < %(at)s""",
    "escrow.remind_due_debits": """
        SELECT FROM escrow_debitrequest WHERE remind_at < %(at)s""",
    "escrow.guarantee_due_debts": """
        SELECT FROM escrow_debt WHERE state = 'OPEN' AND guaranteed_at < %(at)s""",
    "escrow.free_due_reserves": """
        SELECT FROM escrow_reserveslice WHERE state = 'HELD' AND due_at < %(at)s""",
    "payouts.enter_due_accounts": """
        SELECT FROM merchants_bankaccount WHERE state = 'WAITING' AND effective_at <= %(at)s""",
    "payouts.cut_due_settlements": """
        SELECT FROM payouts_payoutschedule s JOIN escrow_releaseline l ON l.settlement_id IS NULL
            AND l.payee <> 'SERVICE_FEE' AND l.address = CASE s.payee
                WHEN 'PLATFORM' THEN 'platform:' || s.platform_id || ':commission'
                WHEN 'PARTY' THEN 'party:' || s.party_id || ':payable'
                ELSE 'merchant:' || s.merchant_id || ':payable' END
        WHERE s.next_cutoff_at <= %(at)s AND NOT EXISTS (SELECT FROM escrow_freeze f
            WHERE f.merchant_id = s.merchant_id AND f.state <> 'LIFTED')""",
    "payouts.query_due_payouts": """
        SELECT FROM payouts_payout WHERE state <> 'APPROVED' AND due_at <= %(at)s""",
    "payouts.send_due_payouts": """
        SELECT FROM payouts_payout p WHERE p.state = 'APPROVED' AND p.due_at <= %(at)s
        AND NOT EXISTS (SELECT FROM escrow_freeze f WHERE f.state <> 'LIFTED'
            AND (f.merchant_id = p.merchant_id OR f.payout_id = p.id))""",
    "payouts.query_due_bank_refunds": """
        SELECT FROM escrow_bankrefund WHERE state <> 'APPROVED' AND due_at <= %(at)s""",
    "payouts.send_due_bank_refunds": """
        SELECT FROM escrow_bankrefund WHERE state = 'APPROVED' AND due_at <= %(at)s""",
    "notifications.relay_due_events": """
        SELECT FROM notifications_event WHERE relayed_at IS NULL AND next_attempt_at <= %(at)s
        UNION ALL SELECT FROM notifications_delivery
        WHERE state = 'PENDING' AND channel = 'email' AND next_attempt_at <= %(at)s""",
    "notifications.send_due_webhooks": """
        SELECT FROM notifications_delivery
        WHERE state = 'PENDING' AND channel = 'webhook' AND next_attempt_at <= %(at)s""",
    "portal.run_due_jobs": "SELECT FROM portal_job WHERE due_at <= %(at)s",
    "api.forget_old_answers": """
        SELECT FROM api_storedanswer WHERE created_at < %(at)s - interval '30 days'""",
    "api.forget_old_requests": """
        SELECT FROM api_loggedrequest WHERE created_at < %(at)s - interval '30 days'""",
    "portal.forget_old_jobs": """
        SELECT FROM portal_job WHERE state NOT IN ('WAITING', 'RUNNING')
        AND created_at < %(at)s - interval '30 days'""",
}
_QUERY = "SELECT " + ", ".join(f"EXISTS ({query})" for query in DUES.values())


def due_sweeps(*, at: datetime) -> list[str]:
    """Name the sweeps that have work, in the order in which they run."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, {"at": at})
        return [name for name, due in zip(DUES, cursor.fetchone(), strict=True) if due]
