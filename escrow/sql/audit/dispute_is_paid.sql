SELECT d.id, 'dispute ' || d.id || ' gives the buyer ' || d.resolved_minor || ', the books gave ' || paid.total
FROM escrow_dispute d
LEFT JOIN escrow_refund r ON r.id = d.refund_id
LEFT JOIN LATERAL (
    SELECT sum(p.amount_minor) AS total FROM ledger_posting p WHERE p.entry_id = d.entry_id AND p.amount_minor > 0
) b ON true
CROSS JOIN LATERAL (SELECT coalesce(r.amount_minor, 0) + coalesce(b.total, 0) AS total) paid
WHERE d.state = 'RESOLVED' AND d.resolved_minor <> paid.total
ORDER BY d.id
