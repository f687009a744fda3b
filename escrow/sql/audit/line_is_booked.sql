SELECT l.id::text, 'release line ' || l.id || ' of ' || l.amount_minor || ' to ' || l.address || ' is not in its entry'
FROM escrow_releaseline l JOIN escrow_release r ON r.id = l.release_id
WHERE NOT EXISTS (
    SELECT FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
    WHERE p.entry_id = r.entry_id AND a.address = l.address AND p.amount_minor = -l.amount_minor)
ORDER BY l.id
