SELECT d.id, 'debt ' || d.id || ' is settled for ' || d.settled_minor || ', its steps come to ' || coalesce(s.total, 0)
FROM escrow_debt d
LEFT JOIN LATERAL (SELECT sum(x.amount_minor) AS total FROM escrow_debtstep x WHERE x.debt_id = d.id) s ON true
WHERE d.settled_minor <> coalesce(s.total, 0) ORDER BY d.id
