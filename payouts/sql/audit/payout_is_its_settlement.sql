SELECT p.id, 'payout ' || p.id || ' pays ' || p.amount_minor || ' ' || p.currency || ' for a settlement of '
       || s.amount_minor || ' ' || s.currency
FROM payouts_payout p JOIN payouts_settlement s ON s.id = p.settlement_id
WHERE (p.amount_minor, p.currency) <> (s.amount_minor, s.currency)
ORDER BY p.id
