-- Releasing whole holds, one order or thousands in the same few statements. This is the fast twin of
-- escrow/services/release.py:release_order_slowly; a property test holds their books equal. What the database
-- refuses about entries (ledger/sql/guards.sql), holds and state graphs, it refuses here as well.

-- Release holds whose orders and holds the caller has locked and found SHIPPED and HELD.
CREATE OR REPLACE FUNCTION escrow_release_locked(p_holds text[], p_confirmed_by text, p_at timestamptz)
RETURNS TABLE (order_id text, release_id text, entry_id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT h.id AS hold_id, h.order_id, h.currency,
               h.amount_minor - h.released_minor - h.refunded_minor AS amount_minor,
               holdfast_new_id('rel') AS release_id,
               nextval('ledger_journalentry_id_seq') AS entry_id,
               (SELECT count(*) FROM escrow_holdshare AS s WHERE s.hold_id = h.id) AS shares
        FROM escrow_hold AS h WHERE h.id = ANY (p_holds)
    ), share AS MATERIALIZED (
        -- OFFSET 0 keeps this a look-up by key for each hold, however large the table has grown.
        SELECT due.entry_id, due.release_id, due.currency, s.*
        FROM due CROSS JOIN LATERAL (
            SELECT x.leg, x.payee, x.address, x.account_id, x.amount_minor
            FROM escrow_holdshare AS x WHERE x.hold_id = due.hold_id OFFSET 0
        ) AS s
    ), entry AS (
        INSERT INTO ledger_journalentry (id, kind, reference, subject, currency, legs, event_at)
        OVERRIDING SYSTEM VALUE
        SELECT entry_id, 'release', 'release:' || release_id, order_id, currency, shares + 1, p_at FROM due
    ), posting AS (
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        SELECT due.entry_id, 1, (
            SELECT a.id FROM ledger_account AS a WHERE a.address = 'held' AND a.currency = due.currency
        ), due.amount_minor FROM due
        UNION ALL
        SELECT share.entry_id, share.leg, share.account_id, -share.amount_minor FROM share
    ), release AS (
        INSERT INTO escrow_release (id, hold_id, currency, amount_minor, confirmed_by, released_at, entry_id)
        SELECT release_id, hold_id, currency, amount_minor, p_confirmed_by, p_at, entry_id FROM due
    ), line AS (
        INSERT INTO escrow_releaseline (release_id, payee, address, currency, amount_minor)
        SELECT release_id, payee, address, currency, amount_minor FROM share ORDER BY release_id, leg
    ), closed AS (
        UPDATE escrow_hold AS h
        SET state = 'RELEASED', released_minor = h.amount_minor - h.refunded_minor, closed_at = p_at
        WHERE h.id = ANY (p_holds)
    ), confirmed AS (
        UPDATE orders_order AS o
        SET state = 'CONFIRMED', confirmed_at = p_at, confirmed_by = p_confirmed_by, remind_confirm_at = NULL,
            event_sequence = o.event_sequence + 1
        WHERE o.id = ANY (ARRAY(SELECT order_id FROM due))
        RETURNING o.*
    ), event AS (
        INSERT INTO notifications_event
            (public_id, type, platform_id, subject_id, sequence, data, created_at, attempts, next_attempt_at,
             last_error)
        SELECT holdfast_new_id('evt'), 'order.confirmed', o.platform_id, o.id, o.event_sequence, jsonb_build_object(
                   'order', o.id, 'order_reference', o.reference, 'merchant', o.merchant_id,
                   'amount_minor', o.amount_minor, 'currency', o.currency,
                   'ship_by', escrow_instant(o.ship_by), 'confirm_by', escrow_instant(o.confirm_by),
                   'buyer_email', o.buyer_email
               ), p_at, 0, p_at, ''
        FROM confirmed AS o
    )
    SELECT due.order_id::text, due.release_id, due.entry_id FROM due;
END $$;

-- An instant as Python's isoformat(timespec="microseconds") writes it in UTC.
CREATE OR REPLACE FUNCTION escrow_instant(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
$$;

-- Release these orders; those not SHIPPED or not HELD once they are locked are left out. Locks in line order.
CREATE OR REPLACE FUNCTION escrow_release_orders(p_orders text[], p_confirmed_by text, p_at timestamptz)
RETURNS TABLE (order_id text, release_id text, entry_id bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_orders text[];
BEGIN
    v_orders := ARRAY(SELECT o.id FROM orders_order AS o WHERE o.id = ANY (p_orders) ORDER BY o.id FOR UPDATE);
    RETURN QUERY SELECT * FROM escrow_release_locked(escrow_lock_releasable(v_orders), p_confirmed_by, p_at);
END $$;

-- Lock the open holds of orders that are locked already, and say which may be released. A statement of its own:
-- its snapshot is younger than the locks, so it reads what the last writer left.
CREATE OR REPLACE FUNCTION escrow_lock_releasable(p_orders text[]) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT h.id FROM escrow_hold AS h JOIN orders_order AS o ON o.id = h.order_id
        WHERE h.order_id = ANY (p_orders) AND h.state = 'HELD' AND o.state = 'SHIPPED'
        ORDER BY h.order_id FOR UPDATE OF h
    );
END $$;

-- Release up to p_limit orders whose automatic confirmation has come, oldest first. Rows somebody works on are
-- skipped, so several sweeps share the work and none waits.
CREATE OR REPLACE FUNCTION escrow_release_due_orders(p_limit integer, p_at timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_orders text[];
    v_released integer;
BEGIN
    v_orders := ARRAY(
        SELECT o.id FROM orders_order AS o JOIN escrow_hold AS h ON h.order_id = o.id AND h.state = 'HELD'
        WHERE o.state = 'SHIPPED' AND o.confirm_by <= p_at
        ORDER BY o.confirm_by, o.id LIMIT p_limit FOR UPDATE OF o SKIP LOCKED
    );
    SELECT count(*) INTO v_released
    FROM escrow_release_locked(escrow_lock_releasable(v_orders), 'AUTOMATIC', p_at);
    RETURN v_released;
END $$;
