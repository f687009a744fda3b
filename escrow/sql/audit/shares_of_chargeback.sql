SELECT d.id, 'chargeback ' || d.id || ' of ' || d.asked_minor || ' was taken from payees for ' || coalesce(s.total, 0)
FROM escrow_dispute d
LEFT JOIN LATERAL (SELECT sum(x.amount_minor) AS total FROM escrow_refundshare x WHERE x.dispute_id = d.id) s ON true
WHERE d.kind = 'CHARGEBACK' AND coalesce(s.total, 0) <> d.asked_minor
ORDER BY d.id
