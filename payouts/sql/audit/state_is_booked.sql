SELECT p.id, 'payout ' || p.id || ' is ' || p.state || ', its entries say otherwise'
FROM payouts_payout p
WHERE EXISTS (SELECT FROM ledger_journalentry e WHERE e.reverses_id = p.sent_entry_id)
      <> (p.state IN ('FAILED', 'RETURNED'))
   OR (p.paid_entry_id IS NOT NULL) <> (p.state IN ('PAID', 'RETURNED'))
   OR EXISTS (SELECT FROM ledger_journalentry e WHERE e.reverses_id = p.paid_entry_id) <> (p.state = 'RETURNED')
ORDER BY p.id
