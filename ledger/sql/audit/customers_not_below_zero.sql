-- What we owe buyers, sellers, platforms and parties is never below zero, account by account.
SELECT a.id AS rank, 'account ' || a.id AS row,
       a.address || ' ' || a.currency || ' stands at ' || g.total || ': customers'' money is missing' AS sentence
FROM (SELECT account_id, -sum(amount_minor) AS total FROM ledger_posting GROUP BY account_id) AS g
JOIN ledger_account AS a ON a.id = g.account_id
JOIN ledger_accountclass AS c ON c.code = a.account_class_id
WHERE c.customers AND g.total < 0
