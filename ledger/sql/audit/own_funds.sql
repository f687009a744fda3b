-- Per currency: what is there (assets) less what is owed to customers equals the operator's own
-- funds in the system: fees earned + top-ups - channel fees - losses.
SELECT s.currency AS rank, 'currency ' || s.currency AS row,
       'Assets ' || s.assets || ' less customers'' money ' || s.owed || ' is not our own funds ' || s.own AS sentence
FROM (
    SELECT a.currency,
           coalesce(sum(g.debits) FILTER (WHERE c.kind = 'ASSET'), 0) AS assets,
           coalesce(-sum(g.debits) FILTER (WHERE c.kind = 'LIABILITY' AND c.customers), 0) AS owed,
           coalesce(-sum(g.debits) FILTER (WHERE c.kind IN ('INCOME', 'EQUITY', 'EXPENSE')), 0) AS own
    FROM (SELECT account_id, sum(amount_minor) AS debits FROM ledger_posting GROUP BY account_id) AS g
    JOIN ledger_account AS a ON a.id = g.account_id
    JOIN ledger_accountclass AS c ON c.code = a.account_class_id
    GROUP BY a.currency
) AS s
WHERE s.assets - s.owed <> s.own
