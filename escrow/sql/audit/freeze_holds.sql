-- What a freeze in force keeps is there: frozen, or taken by a channel, which asks nobody.
SELECT f.id, 'freeze ' || f.id || ' is in force and the money of order ' || f.order_id || ' is ' || h.state
FROM escrow_freeze f JOIN escrow_hold h ON h.order_id = f.order_id
WHERE f.state <> 'LIFTED' AND h.state <> 'FROZEN'
    AND NOT (h.state = 'REFUNDED' AND EXISTS (
        SELECT FROM escrow_dispute d
        WHERE d.order_id = f.order_id AND d.kind = 'CHARGEBACK' AND d.entry_id IS NOT NULL
    ))
ORDER BY f.id
