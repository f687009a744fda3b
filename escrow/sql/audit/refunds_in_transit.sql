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
) x WHERE x.refunds <> x.books ORDER BY 1
