"""What must hold between the orders, what we hold for them, and the books. Read-only, set-based, first wrong row."""

from collections.abc import Callable

from ledger.audit import Violation, first_rows

CHECKS = {
    "escrow.held_by_order": """
        SELECT h.order_id, 'the hold of order ' || h.order_id || ' has ' || h.amount_minor - h.released_minor - h.refunded_minor
               || ' left, the books say ' || coalesce(b.held, 0)
        FROM escrow_hold h
        LEFT JOIN (
            SELECT e.subject, -sum(p.amount_minor) AS held
            FROM ledger_posting p JOIN ledger_journalentry e ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.account_id
            WHERE a.address = 'held' GROUP BY e.subject
        ) b ON b.subject = h.order_id
        WHERE coalesce(b.held, 0) <> h.amount_minor - h.released_minor - h.refunded_minor
        ORDER BY h.id""",
    "escrow.held_without_hold": """
        SELECT e.id::text, 'entry ' || e.id || ' moves held money of ' || e.subject || ', which has no hold'
        FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id
        WHERE a.address = 'held' AND NOT EXISTS (SELECT FROM escrow_hold h WHERE h.order_id = e.subject)
        ORDER BY e.id""",
    "escrow.state_of_order": """
        SELECT o.id, 'order ' || o.id || ' is ' || o.state || ' and its hold is ' || coalesce(h.state, 'missing')
        FROM orders_order o LEFT JOIN escrow_hold h ON h.order_id = o.id
        WHERE NOT CASE o.state
            WHEN 'CREATED' THEN h.id IS NULL WHEN 'EXPIRED' THEN h.id IS NULL
            WHEN 'PAID' THEN coalesce(h.state IN ('HELD', 'FROZEN'), false)
            WHEN 'SHIPPED' THEN coalesce(h.state IN ('HELD', 'FROZEN'), false)
            WHEN 'CONFIRMED' THEN coalesce(h.state = 'RELEASED', false)
            ELSE h.id IS NULL OR h.state = 'REFUNDED' END
        ORDER BY o.id""",
    "escrow.release_is_booked": """
        SELECT r.id, 'release ' || r.id || ' has lines of ' || l.total || ' and an entry of ' || coalesce(b.total, 0)
               || ' for ' || r.amount_minor
        FROM escrow_release r
        LEFT JOIN LATERAL (SELECT coalesce(sum(x.amount_minor), 0) AS total FROM escrow_releaseline x WHERE x.release_id = r.id) l ON true
        LEFT JOIN LATERAL (SELECT sum(p.amount_minor) AS total FROM ledger_posting p WHERE p.entry_id = r.entry_id AND p.amount_minor > 0) b ON true
        WHERE l.total <> r.amount_minor OR coalesce(b.total, 0) <> r.amount_minor
        ORDER BY r.id""",
    "escrow.line_is_booked": """
        SELECT l.id::text, 'release line ' || l.id || ' of ' || l.amount_minor || ' to ' || l.address || ' is not in its entry'
        FROM escrow_releaseline l JOIN escrow_release r ON r.id = l.release_id
        WHERE NOT EXISTS (
            SELECT FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
            WHERE p.entry_id = r.entry_id AND a.address = l.address AND p.amount_minor = -l.amount_minor)
        ORDER BY l.id""",
    "escrow.refunds_in_transit": """
        SELECT x.channel, 'refunds of ' || x.channel || ' in transit are ' || x.refunds || ' ' || x.currency || ', the books say ' || x.books
        FROM (
            SELECT coalesce(r.channel, b.channel) AS channel, coalesce(r.currency, b.currency) AS currency,
                   coalesce(r.total, 0) AS refunds, coalesce(b.total, 0) AS books
            FROM (
                SELECT channel, currency, sum(amount_minor) AS total FROM escrow_refund WHERE state <> 'SUCCEEDED' GROUP BY 1, 2
            ) r FULL JOIN (
                SELECT split_part(a.address, ':', 2) AS channel, a.currency, -sum(p.amount_minor) AS total
                FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
                WHERE a.account_class_id = 'refund_in_transit' GROUP BY 1, 2
            ) b ON b.channel = r.channel AND b.currency = r.currency
        ) x WHERE x.refunds <> x.books ORDER BY 1""",
    "escrow.refunds_within_capture": """
        SELECT p.id, 'payment ' || p.id || ' of ' || p.amount_minor || ' has refunds of ' || sum(r.amount_minor) || ' out of holds'
        FROM orders_payment p JOIN escrow_refund r ON r.payment_id = p.id AND r.hold_id IS NOT NULL
        GROUP BY p.id HAVING sum(r.amount_minor) > p.amount_minor ORDER BY p.id""",
}


def run(*, write: Callable[[str], None]) -> list[Violation]:
    """Check the station against the books. Returns: the first wrong row of each check that fails."""
    return first_rows(CHECKS, write=write)
