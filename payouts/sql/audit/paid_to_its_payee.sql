-- A statement empties its payee's account, and its payouts go to that payee, to an account of its own.
SELECT s.id, 'settlement ' || s.id || ' is for ' || s.payee || ' and empties ' || s.address
FROM payouts_settlement s
WHERE s.address <> CASE s.payee
    WHEN 'MERCHANT' THEN 'merchant:' || s.merchant_id || ':payable'
    WHEN 'PARTY' THEN 'party:' || s.party_id || ':payable'
    ELSE 'platform:' || s.platform_id || ':commission' END
UNION ALL
SELECT p.id, 'payout ' || p.id || ' is for ' || p.payee || ', its settlement for ' || s.payee
       || ', its bank account of ' || b.payee || ', or for others of that kind'
FROM payouts_payout p
JOIN payouts_settlement s ON s.id = p.settlement_id
JOIN merchants_bankaccount b ON b.id = p.bank_account_id
WHERE (p.platform_id, p.payee, p.merchant_id, p.party_id)
          IS DISTINCT FROM (s.platform_id, s.payee, s.merchant_id, s.party_id)
   OR (p.platform_id, p.payee, p.merchant_id, p.party_id)
          IS DISTINCT FROM (b.platform_id, b.payee, b.merchant_id, b.party_id)
ORDER BY 1
