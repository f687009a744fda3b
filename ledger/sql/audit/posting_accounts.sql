-- Every posting is to an account that exists, in the currency of its entry.
SELECT row_number() OVER (ORDER BY p.entry_id, p.leg) AS rank, 'entry ' || p.entry_id || ' leg ' || p.leg AS row,
       'Account ' || p.account_id || coalesce(' is ' || a.address || ' in ' || a.currency, ' does not exist')
       || ', the entry is in ' || coalesce(e.currency, 'no currency') AS sentence
FROM ledger_posting AS p
LEFT JOIN ledger_journalentry AS e ON e.id = p.entry_id
LEFT JOIN ledger_account AS a ON a.id = p.account_id
WHERE (a.currency = e.currency) IS NOT TRUE
