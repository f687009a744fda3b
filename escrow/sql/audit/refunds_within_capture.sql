SELECT p.id, 'payment ' || p.id || ' of ' || p.amount_minor || ' has refunds of ' || sum(r.amount_minor) || ' out of holds'
FROM orders_payment p JOIN escrow_refund r ON r.payment_id = p.id AND r.hold_id IS NOT NULL
GROUP BY p.id HAVING sum(r.amount_minor) > p.amount_minor ORDER BY p.id
