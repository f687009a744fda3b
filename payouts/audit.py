"""What must hold between settlements, payouts and the books. Read-only, set-based, first wrong row."""

from collections.abc import Callable

from ledger.audit import Violation, first_rows

CHECKS = {
    "payouts.settlement_is_its_lines": """
        SELECT s.id, 'settlement ' || s.id || ' is ' || s.amount_minor || ', its lines sum to ' || coalesce(l.total, 0)
        FROM payouts_settlement s
        LEFT JOIN LATERAL (
            SELECT sum(x.amount_minor) AS total, count(*) AS lines,
                   bool_and(x.address = s.address AND x.currency = s.currency) AS own
            FROM escrow_releaseline x WHERE x.settlement_id = s.id
        ) l ON true
        WHERE coalesce(l.total, 0) <> s.amount_minor OR l.lines <> s.line_count OR l.own IS NOT TRUE
        ORDER BY s.id""",
    "payouts.line_of_missing_settlement": """
        SELECT l.id::text, 'release line ' || l.id || ' names settlement ' || l.settlement_id || ', which does not exist'
        FROM escrow_releaseline l
        WHERE l.settlement_id IS NOT NULL AND NOT EXISTS (SELECT FROM payouts_settlement s WHERE s.id = l.settlement_id)
        ORDER BY l.id""",
    "payouts.payout_is_its_settlement": """
        SELECT p.id, 'payout ' || p.id || ' pays ' || p.amount_minor || ' ' || p.currency || ' for a settlement of '
               || s.amount_minor || ' ' || s.currency
        FROM payouts_payout p JOIN payouts_settlement s ON s.id = p.settlement_id
        WHERE (p.amount_minor, p.currency) <> (s.amount_minor, s.currency)
        ORDER BY p.id""",
    "payouts.one_live_payout": """
        SELECT p.settlement_id, 'settlement ' || p.settlement_id || ' has ' || count(*) || ' live payouts'
        FROM payouts_payout p WHERE p.state NOT IN ('FAILED', 'RETURNED')
        GROUP BY p.settlement_id HAVING count(*) > 1 ORDER BY 1""",
    "payouts.in_transit": """
        SELECT x.rail, 'payouts of ' || x.rail || ' in transit are ' || x.payouts || ' ' || x.currency || ', the books say ' || x.books
        FROM (
            SELECT coalesce(r.rail, b.rail) AS rail, coalesce(r.currency, b.currency) AS currency,
                   coalesce(r.total, 0) AS payouts, coalesce(b.total, 0) AS books
            FROM (
                SELECT rail, currency, sum(amount_minor) AS total FROM payouts_payout
                WHERE state IN ('PENDING', 'APPROVED', 'SENDING', 'UNKNOWN') GROUP BY 1, 2
            ) r FULL JOIN (
                SELECT split_part(a.address, ':', 2) AS rail, a.currency, -sum(p.amount_minor) AS total
                FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
                WHERE a.account_class_id = 'payout_in_transit' GROUP BY 1, 2
            ) b ON b.rail = r.rail AND b.currency = r.currency
        ) x WHERE x.payouts <> x.books ORDER BY 1""",
    "payouts.state_is_booked": """
        SELECT p.id, 'payout ' || p.id || ' is ' || p.state || ', its entries say otherwise'
        FROM payouts_payout p
        WHERE EXISTS (SELECT FROM ledger_journalentry e WHERE e.reverses_id = p.sent_entry_id)
              <> (p.state IN ('FAILED', 'RETURNED'))
           OR (p.paid_entry_id IS NOT NULL) <> (p.state IN ('PAID', 'RETURNED'))
           OR EXISTS (SELECT FROM ledger_journalentry e WHERE e.reverses_id = p.paid_entry_id) <> (p.state = 'RETURNED')
        ORDER BY p.id""",
}


def run(*, write: Callable[[str], None]) -> list[Violation]:
    """Check the station against the books. Returns: the first wrong row of each check that fails."""
    return first_rows(CHECKS, write=write)
