SELECT p.id, 'payment ' || p.id || ' of ' || p.amount_minor || ' has refunds out of holds and chargebacks of ' || sum(g.amount_minor)
FROM orders_payment p JOIN (
    SELECT payment_id, amount_minor FROM escrow_refund WHERE hold_id IS NOT NULL
    UNION ALL SELECT h.payment_id, d.resolved_minor FROM escrow_dispute d JOIN escrow_hold h ON h.order_id = d.order_id
    WHERE d.kind = 'CHARGEBACK' AND d.state = 'RESOLVED'
) g ON g.payment_id = p.id
GROUP BY p.id HAVING sum(g.amount_minor) > p.amount_minor ORDER BY p.id
