SELECT r.id, 'release ' || r.id || ' has lines of ' || l.total || ' and an entry of ' || coalesce(b.total, 0)
       || ' for ' || r.amount_minor
FROM escrow_release r
LEFT JOIN LATERAL (SELECT coalesce(sum(x.amount_minor), 0) AS total FROM escrow_releaseline x WHERE x.release_id = r.id AND x.freed_slice_id IS NULL) l ON true
LEFT JOIN LATERAL (SELECT sum(p.amount_minor) AS total FROM ledger_posting p WHERE p.entry_id = r.entry_id AND p.amount_minor > 0) b ON true
WHERE l.total <> r.amount_minor OR coalesce(b.total, 0) <> r.amount_minor
ORDER BY r.id
