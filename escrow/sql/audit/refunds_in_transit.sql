-- A refund is in transit with its channel until it is done; while a bank is to pay it, with the rail
-- instead, and there until the bank's word, even when the channel has paid it meanwhile.
SELECT x.name, 'refunds of ' || x.name || ' in transit are ' || x.refunds || ' ' || x.currency || ', the books say ' || x.books
FROM (
    SELECT coalesce(r.name, b.name) AS name, coalesce(r.currency, b.currency) AS currency,
           coalesce(r.total, 0) AS refunds, coalesce(b.total, 0) AS books
    FROM (
        SELECT u.name, u.currency, sum(u.amount_minor) AS total FROM (
            SELECT f.channel AS name, f.currency, f.amount_minor FROM escrow_refund f
            WHERE f.state <> 'SUCCEEDED' AND NOT EXISTS (
                SELECT FROM escrow_bankrefund k WHERE k.refund_id = f.id AND k.state IN ('APPROVED', 'SENDING', 'UNKNOWN'))
            UNION ALL
            SELECT k.rail, k.currency, k.amount_minor FROM escrow_bankrefund k
            WHERE k.state IN ('APPROVED', 'SENDING', 'UNKNOWN')
        ) u GROUP BY 1, 2
    ) r FULL JOIN (
        SELECT split_part(a.address, ':', 2) AS name, a.currency, -sum(p.amount_minor) AS total
        FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
        WHERE a.account_class_id = 'refund_in_transit' GROUP BY 1, 2
    ) b ON b.name = r.name AND b.currency = r.currency
) x WHERE x.refunds <> x.books ORDER BY 1
