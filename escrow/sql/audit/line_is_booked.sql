SELECT l.id::text, 'release line ' || l.id || ' of ' || l.amount_minor || ' to ' || l.address || ' is not in its entry'
FROM escrow_releaseline l JOIN escrow_release r ON r.id = l.release_id
LEFT JOIN escrow_reserveslice s ON s.id = l.freed_slice_id
WHERE NOT EXISTS (
    SELECT FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
    WHERE p.entry_id = CASE WHEN l.freed_slice_id IS NULL THEN r.entry_id ELSE s.freed_entry_id END AND a.address = l.address AND p.amount_minor = -l.amount_minor)
ORDER BY l.id
