-- A bank refund's state is what its entries say: moved to the rail, paid, or moved back; and whoever
-- paid the buyer twice has a loss that stands.
SELECT k.id, 'bank refund ' || k.id || ' is ' || k.state || ' of a refund that is ' || f.state || ': its entries say otherwise'
FROM escrow_bankrefund k
JOIN escrow_refund f ON f.id = k.refund_id
LEFT JOIN ledger_journalentry m ON m.reverses_id = k.moved_entry_id
LEFT JOIN ledger_journalentry p ON p.reverses_id = k.paid_entry_id
LEFT JOIN ledger_journalentry d ON d.reverses_id = k.doubled_entry_id
WHERE k.amount_minor <> f.amount_minor OR k.currency <> f.currency
   OR CASE k.state
        WHEN 'PROPOSED' THEN k.moved_entry_id IS NOT NULL
        WHEN 'DROPPED' THEN k.moved_entry_id IS NOT NULL AND m.id IS NULL
        WHEN 'FAILED' THEN m.id IS NULL OR k.paid_entry_id IS NOT NULL
        WHEN 'RETURNED' THEN m.id IS NULL OR p.id IS NULL
        WHEN 'PAID' THEN k.paid_entry_id IS NULL OR m.id IS NOT NULL OR p.id IS NOT NULL
        ELSE k.moved_entry_id IS NULL OR m.id IS NOT NULL OR k.paid_entry_id IS NOT NULL
      END
   OR (k.doubled_entry_id IS NOT NULL AND (d.id IS NULL) <> (k.state IN ('SENDING', 'UNKNOWN', 'PAID')))
   OR (k.state = 'PAID' AND f.state <> 'SUCCEEDED')
   OR (k.state IN ('SENDING', 'UNKNOWN') AND (f.state = 'SUCCEEDED') <> (k.doubled_entry_id IS NOT NULL))
   OR (k.state IN ('PROPOSED', 'APPROVED') AND f.state <> 'FAILED')
ORDER BY k.id
