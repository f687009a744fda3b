SELECT d.id, 'deduction ' || d.id || ' of ' || d.amount_minor || ' from ' || d.address || ' is not in its entry'
FROM escrow_deduction d LEFT JOIN escrow_debtstep s ON s.id = d.step_id
WHERE NOT EXISTS (
    SELECT FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id JOIN ledger_account a ON a.id = p.account_id
    WHERE (e.id = s.entry_id OR s.id IS NULL AND e.reference = 'clawback:' || coalesce(d.refund_id, d.dispute_id))
      AND a.address = d.address AND a.currency = d.currency AND p.amount_minor = d.amount_minor)
ORDER BY d.id
