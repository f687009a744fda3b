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
) x WHERE x.payouts <> x.books ORDER BY 1
