SELECT x.address, 'debts of ' || x.address || ' come to ' || x.debts || ' ' || x.currency || ', the books say ' || x.books
FROM (
    SELECT coalesce(d.address, b.address) AS address, coalesce(d.currency, b.currency) AS currency,
           coalesce(d.total, 0) AS debts, coalesce(b.total, 0) AS books
    FROM (
        SELECT regexp_replace(address, '[^:]+$', 'receivable') AS address, currency, sum(amount_minor - settled_minor) AS total
        FROM escrow_debt GROUP BY 1, 2
    ) d FULL JOIN (
        SELECT a.address, a.currency, sum(p.amount_minor) AS total
        FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
        WHERE a.account_class_id IN ('merchant_receivable', 'platform_receivable', 'party_receivable') GROUP BY 1, 2
    ) b ON b.address = d.address AND b.currency = d.currency
) x WHERE x.debts <> x.books ORDER BY 1
