-- What each payee of a platform has where. One statement, and so one snapshot: money on its way from one column to
-- the next is never counted twice, nor left out.
WITH payee AS (
    SELECT 'merchant:' || m.id || ':payable' AS address, 'merchant:' || m.id || ':reserve' AS reserve,
           m.id AS merchant_id, NULL AS party_id
    FROM merchants_merchant AS m
    WHERE m.platform_id = %(platform)s AND (%(merchants)s::text[] IS NULL OR m.id = ANY (%(merchants)s::text[]))
    UNION ALL
    SELECT 'platform:' || %(platform)s || ':commission', NULL, NULL, NULL WHERE %(merchants)s::text[] IS NULL
    UNION ALL
    SELECT 'party:' || y.id || ':payable', NULL, NULL, y.id FROM merchants_party AS y
    WHERE y.platform_id = %(platform)s AND %(merchants)s::text[] IS NULL
), place AS (
    -- Where each payee has money, an address a row: joined by OR, every part would be held against every payee.
    SELECT address, merchant_id, party_id FROM payee
    UNION ALL SELECT reserve, merchant_id, party_id FROM payee WHERE reserve IS NOT NULL
), part AS (
    -- Money is held for orders in these two states only (escrow/sql/audit/state_of_order.sql); two partial indexes
    -- find those, and they find each only when it is asked for by name.
    SELECT s.address, h.currency, sum(s.amount_minor) AS held, 0 AS payable, 0 AS reserved, 0 AS in_transit,
           0 AS paid_out
    FROM orders_order AS o
    JOIN escrow_hold AS h ON h.order_id = o.id AND h.state IN ('HELD', 'FROZEN')
    JOIN escrow_holdshare AS s ON s.hold_id = h.id
    WHERE o.platform_id = %(platform)s AND (o.state = 'PAID' OR o.state = 'SHIPPED')
      AND (%(merchants)s::text[] IS NULL OR o.merchant_id = ANY (%(merchants)s::text[]))
    GROUP BY s.address, h.currency
    UNION ALL
    SELECT a.address, a.currency, 0, b.balance_minor + coalesce(
        (SELECT sum(w.amount_minor) FROM ledger_waitingcredit AS w WHERE w.account_id = a.id), 0
    ), 0, 0, 0
    FROM payee JOIN ledger_account AS a ON a.address = payee.address
    JOIN ledger_guardedbalance AS b ON b.account_id = a.id
    UNION ALL
    SELECT a.address, a.currency, 0, 0, b.balance_minor + coalesce(
        (SELECT sum(w.amount_minor) FROM ledger_waitingcredit AS w WHERE w.account_id = a.id), 0
    ), 0, 0
    FROM payee JOIN ledger_account AS a ON a.address = payee.reserve
    JOIN ledger_guardedbalance AS b ON b.account_id = a.id
    UNION ALL
    SELECT t.address, p.currency, 0, 0, 0,
           coalesce(sum(p.amount_minor) FILTER (WHERE p.state <> 'PAID'), 0),
           coalesce(sum(p.amount_minor) FILTER (WHERE p.state = 'PAID'), 0)
    FROM payouts_payout AS p JOIN payouts_settlement AS t ON t.id = p.settlement_id
    WHERE p.platform_id = %(platform)s AND p.state NOT IN ('FAILED', 'RETURNED')
      AND (%(merchants)s::text[] IS NULL OR p.merchant_id = ANY (%(merchants)s::text[]))
    GROUP BY t.address, p.currency
)
SELECT place.merchant_id, place.party_id, part.currency, sum(part.held)::bigint, sum(part.payable)::bigint,
       sum(part.reserved)::bigint, sum(part.in_transit)::bigint, sum(part.paid_out)::bigint
FROM part JOIN place ON place.address = part.address
GROUP BY place.merchant_id, place.party_id, part.currency
ORDER BY place.merchant_id NULLS FIRST, place.party_id NULLS FIRST, part.currency
