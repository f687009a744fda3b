-- Every entry sums to zero and has exactly its legs 1..n; no posting is without an entry.
SELECT bad.id AS rank, 'entry ' || bad.id AS row,
       CASE WHEN bad.reference IS NULL THEN 'Postings without an entry: '
            ELSE bad.reference || ' declares ' || bad.declared || ' legs, has ' || coalesce(bad.legs, 0)
                 || ', and sums to ' || coalesce(bad.total, 0) || ': ' END
       || coalesce((
            SELECT string_agg('leg ' || p.leg || ' ' || coalesce(a.address, 'account ' || p.account_id)
                              || ' ' || p.amount_minor, ', ' ORDER BY p.leg)
            FROM ledger_posting AS p LEFT JOIN ledger_account AS a ON a.id = p.account_id
            WHERE p.entry_id = bad.id), 'no postings') AS sentence
FROM (
    SELECT coalesce(e.id, g.entry_id) AS id, e.reference, e.legs AS declared, g.total, g.legs
    FROM ledger_journalentry AS e FULL JOIN (
        SELECT entry_id, sum(amount_minor) AS total, count(*) AS legs, min(leg) AS first, max(leg) AS last
        FROM ledger_posting GROUP BY entry_id
    ) AS g ON g.entry_id = e.id
    WHERE (g.total = 0 AND g.legs = e.legs AND g.first = 1 AND g.last = e.legs) IS NOT TRUE
) AS bad
