SELECT o.id, 'order ' || o.id || ' is ' || o.state || ' and its hold is ' || coalesce(h.state, 'missing')
FROM orders_order o LEFT JOIN escrow_hold h ON h.order_id = o.id
WHERE NOT CASE o.state
    WHEN 'CREATED' THEN h.id IS NULL WHEN 'EXPIRED' THEN h.id IS NULL
    WHEN 'PAID' THEN coalesce(h.state IN ('HELD', 'FROZEN'), false)
    WHEN 'SHIPPED' THEN coalesce(h.state IN ('HELD', 'FROZEN'), false)
    WHEN 'CONFIRMED' THEN coalesce(h.state = 'RELEASED', false)
    ELSE h.id IS NULL OR h.state = 'REFUNDED' END
ORDER BY o.id
