"""The clockwork: every sweep, how often it runs, its queue, on one screen.

A sweep finds its work by due times in PostgreSQL, so it may be late or run twice, and a beat that
is dead for a day only delays.
"""

from datetime import timedelta

HOURLY = timedelta(hours=1)


def clockwork(fast: timedelta) -> list[tuple[str, timedelta, str]]:
    """List the sweeps. Args: fast: how often those run that people wait for."""
    return [
        ("orders.expire_due_orders", fast, "money"),
        ("escrow.remind_due_shipments", fast, "default"),
        ("escrow.remind_due_confirmations", fast, "default"),
        ("escrow.query_due_payments", fast, "money"),
        ("escrow.cancel_due_shipments", fast, "money"),
        ("escrow.release_due_confirmations", fast, "money"),
        ("escrow.lapse_due_disputes", fast, "money"),
        ("escrow.send_due_refunds", fast, "money"),
        ("escrow.query_due_refunds", fast, "money"),
        ("escrow.request_due_debits", fast, "default"),
        ("escrow.remind_due_debits", fast, "default"),
        ("escrow.guarantee_due_debts", fast, "money"),
        ("escrow.free_due_reserves", fast, "money"),
        ("payouts.enter_due_accounts", fast, "money"),
        ("payouts.cut_due_settlements", fast, "money"),
        ("payouts.send_due_payouts", fast, "money"),
        ("payouts.query_due_bank_refunds", fast, "money"),
        ("payouts.send_due_bank_refunds", fast, "money"),
        ("payouts.query_due_payouts", fast, "money"),
        ("api.apply_due_notifications", fast, "money"),
        ("notifications.relay_due_events", fast, "default"),
        ("notifications.send_due_webhooks", fast, "webhooks"),
        ("portal.run_due_jobs", fast, "default"),
        ("ledger.checkpoint_hot_accounts", HOURLY, "money"),
        ("api.forget_old_answers", HOURLY, "default"),
        ("api.forget_old_requests", HOURLY, "default"),
        ("portal.forget_old_jobs", HOURLY, "default"),
    ]
