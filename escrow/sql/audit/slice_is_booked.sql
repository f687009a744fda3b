-- A slice is what its release held back; what was taken of it is its takings, each by an entry of its own; what is
-- freed is on one line and in one entry.
SELECT s.id, 'slice ' || s.id || ' of ' || s.amount_minor || ', ' || s.taken_minor || ' taken, ' || s.state
       || ', is not what its entries say'
FROM escrow_reserveslice s
JOIN escrow_release r ON r.id = s.release_id
JOIN ledger_account a ON a.address = 'merchant:' || s.merchant_id || ':reserve' AND a.currency = s.currency
LEFT JOIN LATERAL (
    SELECT sum(t.amount_minor) AS total,
           bool_and(EXISTS (SELECT FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id
                            WHERE e.id = t.entry_id AND e.reference = 'clawback-reserve:' || t.id
                              AND p.account_id = a.id AND p.amount_minor = t.amount_minor)) AS booked
    FROM escrow_reservetaking t WHERE t.slice_id = s.id
) t ON true
LEFT JOIN LATERAL (
    SELECT sum(l.amount_minor) AS total FROM escrow_releaseline l
    WHERE l.freed_slice_id = s.id AND l.release_id = s.release_id
) l ON true
WHERE NOT EXISTS (SELECT FROM ledger_posting p
                  WHERE p.entry_id = r.entry_id AND p.account_id = a.id AND p.amount_minor = -s.amount_minor)
   OR coalesce(t.total, 0) <> s.taken_minor OR t.booked IS FALSE
   OR coalesce(l.total, 0) <> CASE s.state WHEN 'FREED' THEN s.amount_minor - s.taken_minor ELSE 0 END
   OR (s.freed_entry_id IS NOT NULL) <> (s.state = 'FREED')
   OR s.freed_entry_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id
       WHERE e.id = s.freed_entry_id AND e.reference = 'reserve-freed:' || s.id
         AND p.account_id = a.id AND p.amount_minor = s.amount_minor - s.taken_minor)
ORDER BY s.id
