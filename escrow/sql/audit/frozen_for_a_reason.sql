SELECT h.id, 'the money of order ' || h.order_id || ' is frozen, and neither a dispute nor a freeze says why'
FROM escrow_hold h
WHERE h.state = 'FROZEN'
    AND NOT EXISTS (SELECT FROM escrow_freeze f WHERE f.order_id = h.order_id AND f.state <> 'LIFTED')
    AND NOT EXISTS (
        SELECT FROM escrow_dispute d WHERE d.order_id = h.order_id AND d.state NOT IN ('RESOLVED', 'WITHDRAWN')
    )
ORDER BY h.id
