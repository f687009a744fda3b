-- Every hot checkpoint is the sum of the postings up to the mark; an account without one has none
-- up to it.
SELECT a.id AS rank, 'account ' || a.id AS row,
       a.address || ' ' || a.currency || ' has ' || coalesce(c.balance_minor::text, 'no balance')
       || ' at its checkpoint, its postings up to entry ' || mark.through || ' make ' || coalesce(g.total, 0)
       AS sentence
FROM (SELECT coalesce(max(through_entry_id), 0) AS through FROM ledger_hotcheckpoint) AS mark
CROSS JOIN ledger_account AS a
LEFT JOIN ledger_hotcheckpoint AS c ON c.account_id = a.id
LEFT JOIN (
    SELECT account_id, sum(amount_minor) AS total FROM ledger_posting
    WHERE account_id < 100000
      AND entry_id <= (SELECT coalesce(max(through_entry_id), 0) FROM ledger_hotcheckpoint)
    GROUP BY account_id
) AS g ON g.account_id = a.id
WHERE a.id < 100000 AND (
    coalesce(c.balance_minor, 0) <> coalesce(g.total, 0) OR c.through_entry_id <> mark.through
)
