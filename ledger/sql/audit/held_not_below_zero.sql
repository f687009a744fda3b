-- Held money is kept by order, and never netted: no order has released or refunded more than was
-- held for it.
SELECT min(e.id) AS rank, 'entry ' || max(e.id) AS row,
       e.subject || ' has ' || -sum(p.amount_minor) || ' ' || a.currency || ' held' AS sentence
FROM ledger_posting AS p
JOIN ledger_journalentry AS e ON e.id = p.entry_id
JOIN ledger_account AS a ON a.id = p.account_id
WHERE p.account_id = ANY (ARRAY(SELECT id FROM ledger_account WHERE account_class_id = 'held'))
GROUP BY e.subject, a.currency HAVING sum(p.amount_minor) > 0
