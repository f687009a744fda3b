-- Every posting has a route of its entry's kind; a reversal has it on the other side.
SELECT row_number() OVER (ORDER BY p.entry_id, p.leg) AS rank, 'entry ' || p.entry_id || ' leg ' || p.leg AS row,
       'An entry of kind ' || e.kind || ' may not '
       || CASE WHEN p.amount_minor > 0 THEN 'debit ' ELSE 'credit ' END || a.address
       || CASE WHEN e.reverses_id IS NULL THEN '' ELSE ' in its reversal' END AS sentence
FROM ledger_posting AS p
JOIN ledger_journalentry AS e ON e.id = p.entry_id
JOIN ledger_account AS a ON a.id = p.account_id
LEFT JOIN ledger_route AS r
    ON r.kind = e.kind AND r.account_class_id = a.account_class_id
   AND r.side = CASE WHEN (p.amount_minor > 0) = (e.reverses_id IS NULL) THEN 'D' ELSE 'C' END
WHERE r.id IS NULL
