-- What a payee is owed is what was released to it, less what was taken, less what is on a statement that is paid or on
-- its way.
SELECT x.address, 'the books owe ' || x.address || ' ' || x.books || ' ' || x.currency || ', its lines come to ' || x.lines
FROM (
    SELECT coalesce(l.address, b.address) AS address, coalesce(l.currency, b.currency) AS currency,
           coalesce(l.total, 0) AS lines, coalesce(b.total, 0) AS books
    FROM (
        SELECT y.address, y.currency, sum(y.amount_minor) AS total FROM (
            SELECT address, currency, amount_minor FROM escrow_releaseline WHERE payee NOT IN ('SERVICE_FEE', 'RESERVE')
            UNION ALL SELECT address, currency, -amount_minor FROM escrow_deduction
            UNION ALL SELECT s.address, s.currency, -s.amount_minor FROM payouts_settlement s
            WHERE EXISTS (SELECT FROM payouts_payout p
                          WHERE p.settlement_id = s.id AND p.state NOT IN ('FAILED', 'RETURNED'))
        ) y GROUP BY 1, 2
    ) l FULL JOIN (
        SELECT a.address, a.currency, -sum(p.amount_minor) AS total
        FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
        WHERE a.account_class_id IN ('merchant_payable', 'platform_commission', 'party_payable') GROUP BY 1, 2
    ) b ON b.address = l.address AND b.currency = l.currency
) x WHERE x.lines <> x.books ORDER BY 1
