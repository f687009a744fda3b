SELECT p.settlement_id, 'settlement ' || p.settlement_id || ' has ' || count(*) || ' live payouts'
FROM payouts_payout p WHERE p.state NOT IN ('FAILED', 'RETURNED')
GROUP BY p.settlement_id HAVING count(*) > 1 ORDER BY 1
