SELECT l.id::text, 'release line ' || l.id || ' names settlement ' || l.settlement_id || ', which does not exist'
FROM escrow_releaseline l
WHERE l.settlement_id IS NOT NULL AND NOT EXISTS (SELECT FROM payouts_settlement s WHERE s.id = l.settlement_id)
ORDER BY l.id
