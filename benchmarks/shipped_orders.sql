-- One shipped order of 10001 minor units per number: commission 450, service fee 60, seller 9491,
-- all parts as the services write them. Placeholders are psycopg's.
WITH seed AS MATERIALIZED (
    SELECT n, holdfast_new_id('ord') AS order_id, holdfast_new_id('pay') AS payment_id, holdfast_new_id('hld') AS hold_id,
           nextval('ledger_journalentry_id_seq') AS entry_id,
           (%(merchants)s::text[])[1 + n %% cardinality(%(merchants)s::text[])] AS merchant_id,
           (%(accounts)s::bigint[])[1 + n %% cardinality(%(accounts)s::bigint[])] AS account_id,
           %(at)s::timestamptz + n * interval '1 millisecond' AS due
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
), an_order AS (
    INSERT INTO orders_order (
        id, event_sequence, platform_id, merchant_id, reference, state, currency, amount_minor, goods_minor,
        shipping_minor, terms, delivery, buyer_name, buyer_email, buyer_token_hash, metadata, created_at, pay_by,
        ship_seconds, ship_reminder_seconds, confirm_seconds, confirm_reminder_seconds,
        confirm_extension_seconds, ship_by, confirm_by, paid_at, shipped_at, confirmed_by, cancel_reason)
    SELECT order_id, 3, %(platform)s, merchant_id, 'bench-' || n, 'SHIPPED', 'CNY', 10001, 9001, 1000, %(terms)s::jsonb, 'COURIER',
           '', '', '', '{}', due, due, 1, 1, 1, 1, 1, due, due, due, due, '', ''
    FROM seed
), payment AS (
    INSERT INTO orders_payment (
        id, event_sequence, platform_id, channel, state, currency, amount_minor, return_url, cashier_url,
        provider_reference, created_at, expires_at, succeeded_at, attempts, failure_code)
    SELECT payment_id, 1, %(platform)s, 'sandbox', 'SUCCEEDED', 'CNY', 10001, '', '', 'bench', due, due, due, 1, ''
    FROM seed
), entry AS (
    INSERT INTO ledger_journalentry (id, kind, reference, subject, currency, legs, event_at) OVERRIDING SYSTEM VALUE
    SELECT entry_id, 'capture', 'capture:' || payment_id || ':' || order_id, order_id, 'CNY', 2, due FROM seed
), posting AS (
    INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
    SELECT entry_id, leg, account, amount FROM seed CROSS JOIN (
        VALUES (1, %(receivable)s::bigint, 10001), (2, %(held)s::bigint, -10001)
    ) AS legs (leg, account, amount)
), hold AS (
    INSERT INTO escrow_hold (
        id, order_id, payment_id, state, currency, amount_minor, released_minor, refunded_minor, held_at, capture_entry_id)
    SELECT hold_id, order_id, payment_id, 'HELD', 'CNY', 10001, 0, 0, due, entry_id FROM seed
)
INSERT INTO escrow_holdshare (hold_id, leg, payee, address, account_id, amount_minor)
SELECT hold_id, leg, payee, coalesce(address, 'merchant:' || merchant_id || ':payable'), coalesce(account, seed.account_id),
       amount
FROM seed CROSS JOIN (
    VALUES (2, 'MERCHANT', NULL, NULL::bigint, 9491),
           (3, 'PLATFORM', 'platform:' || %(platform)s || ':commission', %(commission)s::bigint, 450),
           (4, 'SERVICE_FEE', 'fee:service', %(fee)s::bigint, 60)
) AS shares (leg, payee, address, account, amount)
