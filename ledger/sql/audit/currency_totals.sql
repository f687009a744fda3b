-- All postings of a currency, by the account's currency, sum to zero.
SELECT a.currency AS rank, 'currency ' || a.currency AS row,
       'All postings in ' || a.currency || ' sum to ' || sum(g.total) || ', not to 0' AS sentence
FROM (SELECT account_id, sum(amount_minor) AS total FROM ledger_posting GROUP BY account_id) AS g
JOIN ledger_account AS a ON a.id = g.account_id
GROUP BY a.currency HAVING sum(g.total) <> 0
