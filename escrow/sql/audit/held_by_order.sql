SELECT h.order_id, 'the hold of order ' || h.order_id || ' has ' || h.amount_minor - h.released_minor - h.refunded_minor
       || ' left, the books say ' || coalesce(b.held, 0)
FROM escrow_hold h
LEFT JOIN (
    SELECT e.subject, -sum(p.amount_minor) AS held
    FROM ledger_posting p JOIN ledger_journalentry e ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.account_id
    WHERE a.address = 'held' GROUP BY e.subject
) b ON b.subject = h.order_id
WHERE coalesce(b.held, 0) <> h.amount_minor - h.released_minor - h.refunded_minor
ORDER BY h.id
