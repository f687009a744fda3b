-- Every account's address is of its class, and its id is in the range its class posts by.
SELECT a.id AS rank, 'account ' || a.id AS row,
       a.address || ' ' || a.currency || ' does not belong to class ' || a.account_class_id AS sentence
FROM ledger_account AS a LEFT JOIN ledger_accountclass AS c ON c.code = a.account_class_id
WHERE (a.address ~ c.pattern AND c.guarded = (a.id >= 100000)) IS NOT TRUE
