SELECT d.id, 'dispute ' || d.id || ' is ' || d.state || ' and the money of order ' || d.order_id || ' is ' || h.state
FROM escrow_dispute d JOIN escrow_hold h ON h.order_id = d.order_id
WHERE d.state NOT IN ('RESOLVED', 'WITHDRAWN') AND h.state NOT IN ('FROZEN', 'RELEASED')
ORDER BY d.id
