-- Every reversal belongs to an entry that is none, with the same kind, subject and currency, leg by
-- leg negated.
SELECT e.id AS rank, 'entry ' || e.id AS row,
       e.reference || ' is not the exact mirror of entry ' || e.reverses_id AS sentence
FROM ledger_journalentry AS e LEFT JOIN ledger_journalentry AS o ON o.id = e.reverses_id
WHERE e.reverses_id IS NOT NULL AND (
    ((o.kind, o.subject, o.currency, o.legs) = (e.kind, e.subject, e.currency, e.legs)
     AND o.reverses_id IS NULL) IS NOT TRUE
    OR EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE entry_id = e.id) AS mirror
        FULL JOIN (SELECT * FROM ledger_posting WHERE entry_id = e.reverses_id) AS original USING (leg)
        WHERE (mirror.account_id = original.account_id
               AND mirror.amount_minor = -original.amount_minor) IS NOT TRUE
    )
)
