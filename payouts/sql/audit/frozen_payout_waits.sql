SELECT f.id, 'freeze ' || f.id || ' is in force and payout ' || f.payout_id || ' is ' || coalesce(p.state, 'missing')
FROM escrow_freeze f LEFT JOIN payouts_payout p ON p.id = f.payout_id
WHERE f.payout_id IS NOT NULL AND f.state <> 'LIFTED' AND coalesce(p.state, '') NOT IN ('PENDING', 'APPROVED')
ORDER BY f.id
