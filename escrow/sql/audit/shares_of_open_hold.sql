SELECT h.id, 'the shares of hold ' || h.id || ' sum to ' || coalesce(s.total, 0) || ', '
       || h.amount_minor - h.released_minor - h.refunded_minor || ' is held'
FROM escrow_hold h
LEFT JOIN LATERAL (SELECT sum(x.amount_minor) AS total FROM escrow_holdshare x WHERE x.hold_id = h.id) s ON true
WHERE h.state IN ('HELD', 'FROZEN') AND coalesce(s.total, 0) <> h.amount_minor - h.released_minor - h.refunded_minor
ORDER BY h.id
