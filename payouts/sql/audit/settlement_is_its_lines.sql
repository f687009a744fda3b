SELECT s.id, 'settlement ' || s.id || ' is ' || s.amount_minor || ', its lines less its deductions come to '
       || coalesce(l.total, 0) - coalesce(d.total, 0)
FROM payouts_settlement s
LEFT JOIN LATERAL (
    SELECT sum(x.amount_minor) AS total, bool_and(x.address = s.address AND x.currency = s.currency) AS own
    FROM escrow_deduction x WHERE x.settlement_id = s.id
) d ON true
LEFT JOIN LATERAL (
    SELECT sum(x.amount_minor) AS total, count(*) AS lines,
           bool_and(x.address = s.address AND x.currency = s.currency) AS own
    FROM escrow_releaseline x WHERE x.settlement_id = s.id
) l ON true
WHERE coalesce(l.total, 0) - coalesce(d.total, 0) <> s.amount_minor OR l.lines <> s.line_count
   OR l.own IS NOT TRUE OR d.own IS FALSE
ORDER BY s.id
