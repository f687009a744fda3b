SELECT r.id, 'refund ' || r.id || ' of ' || r.amount_minor || ' was taken from payees for ' || coalesce(s.total, 0)
FROM escrow_refund r
LEFT JOIN LATERAL (SELECT sum(x.amount_minor) AS total FROM escrow_refundshare x WHERE x.refund_id = r.id) s ON true
WHERE r.hold_id IS NOT NULL AND coalesce(s.total, 0) <> r.amount_minor
ORDER BY r.id
