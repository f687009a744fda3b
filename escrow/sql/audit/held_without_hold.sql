SELECT e.id::text, 'entry ' || e.id || ' moves held money of ' || e.subject || ', which has no hold'
FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id
WHERE a.address = 'held' AND NOT EXISTS (SELECT FROM escrow_hold h WHERE h.order_id = e.subject)
ORDER BY e.id
