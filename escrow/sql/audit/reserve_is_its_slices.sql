-- A seller's rolling reserve in the books is what its open slices have left, by seller.
SELECT x.address, 'slices held back in ' || x.address || ' come to ' || x.slices || ' ' || x.currency || ', the books say '
       || x.books
FROM (
    SELECT coalesce(s.address, b.address) AS address, coalesce(s.currency, b.currency) AS currency,
           coalesce(s.total, 0) AS slices, coalesce(b.total, 0) AS books
    FROM (
        SELECT 'merchant:' || merchant_id || ':reserve' AS address, currency, sum(amount_minor - taken_minor) AS total
        FROM escrow_reserveslice WHERE state = 'HELD' GROUP BY 1, 2
    ) s FULL JOIN (
        SELECT a.address, a.currency, -sum(p.amount_minor) AS total
        FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
        WHERE a.account_class_id = 'merchant_reserve' GROUP BY 1, 2
    ) b ON b.address = s.address AND b.currency = s.currency
) x WHERE x.slices <> x.books ORDER BY 1
