-- The stored balance of every guarded account (its row and waiting credits) is its credits less its
-- debits.
SELECT a.id AS rank, 'account ' || a.id AS row,
       a.address || ' ' || a.currency || ' stores ' || coalesce((b.balance_minor + coalesce(w.total, 0))::text, 'no balance')
       || ', its postings make ' || coalesce(g.total, 0) AS sentence
FROM ledger_account AS a
LEFT JOIN ledger_guardedbalance AS b ON b.account_id = a.id
LEFT JOIN (
    SELECT account_id, sum(amount_minor) AS total FROM ledger_waitingcredit GROUP BY account_id
) AS w ON w.account_id = a.id
LEFT JOIN (
    SELECT account_id, -sum(amount_minor) AS total FROM ledger_posting
    WHERE account_id >= 100000 GROUP BY account_id
) AS g ON g.account_id = a.id
WHERE a.id >= 100000 AND b.balance_minor + coalesce(w.total, 0) IS DISTINCT FROM coalesce(g.total, 0)
