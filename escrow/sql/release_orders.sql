-- Releasing whole holds, fast: one order by name, and the thousands that are due in the same few statements.
-- Both are twins of escrow/services/release.py:release_order_slowly; a property test holds their books equal.
-- What the database refuses about entries (ledger/sql/guards.sql), holds and state graphs, it refuses here too.

-- What the order's event says. As notifications and orders/services/lifecycle.py write it; an instant as Python's
-- isoformat(timespec="microseconds") does in UTC.
CREATE OR REPLACE FUNCTION escrow_order_facts(
    p_order text, p_reference text, p_merchant text, p_amount_minor bigint, p_currency text,
    p_ship_by timestamptz, p_confirm_by timestamptz, p_buyer_email text
) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'order', p_order, 'order_reference', p_reference, 'merchant', p_merchant,
        'amount_minor', p_amount_minor, 'currency', p_currency,
        'ship_by', to_char(p_ship_by AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
        'confirm_by', to_char(p_confirm_by AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
        'buyer_email', p_buyer_email
    )
$$;

-- What the event of a slice of a rolling reserve says; as escrow/events.py writes it.
CREATE OR REPLACE FUNCTION escrow_reserve_facts(
    p_slice text, p_release text, p_order text, p_merchant text, p_amount_minor bigint, p_taken_minor bigint,
    p_currency text, p_due_at timestamptz
) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'reserve', p_slice, 'release', p_release, 'order', p_order, 'merchant', p_merchant,
        'amount_minor', p_amount_minor, 'taken_minor', p_taken_minor, 'currency', p_currency,
        'due_at', to_char(p_due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    )
$$;

-- Release one order. Nothing (null) when it is not SHIPPED, its clock stands still or its hold is not HELD once both
-- are locked.
-- p_context_id and p_context say who acts, for the audit rows; empty when nobody does by name.
CREATE OR REPLACE FUNCTION escrow_release_order(
    p_order text, p_confirmed_by text, p_at timestamptz, p_context_id text, p_context text,
    OUT p_release text, OUT p_entry bigint
) LANGUAGE plpgsql AS $$
DECLARE
    v record;
    ignored text;
BEGIN
    SELECT o.state AS order_state, o.paused_at, h.state AS hold_state, h.id AS hold_id, h.currency,
           o.merchant_id, h.reserve_days,
           h.amount_minor - h.released_minor - h.refunded_minor AS amount_minor,
           o.platform_id, o.event_sequence + 1 AS sequence,
           escrow_order_facts(o.id, o.reference, o.merchant_id, o.amount_minor, o.currency, o.ship_by, o.confirm_by,
                              o.buyer_email) AS facts
    INTO v FROM orders_order AS o JOIN escrow_hold AS h ON h.order_id = o.id
    WHERE o.id = p_order FOR UPDATE;
    IF (v.order_state = 'SHIPPED' AND v.paused_at IS NULL AND v.hold_state = 'HELD') IS NOT TRUE THEN
        RETURN;
    END IF;
    IF p_context_id <> '' THEN
        ignored := set_config('pghistory.context_id', p_context_id, true);
        ignored := set_config('pghistory.context_metadata', p_context, true);
    END IF;
    p_release := holdfast_new_id('rel');
    UPDATE orders_order
    SET state = 'CONFIRMED', confirmed_at = p_at, confirmed_by = p_confirmed_by, remind_confirm_at = NULL,
        event_sequence = v.sequence
    WHERE id = p_order;
    UPDATE escrow_hold SET state = 'RELEASED', released_minor = amount_minor - refunded_minor, closed_at = p_at
    WHERE id = v.hold_id;
    WITH share AS MATERIALIZED (
        SELECT s.leg, s.payee, s.address, s.account_id, s.amount_minor
        FROM escrow_holdshare AS s WHERE s.hold_id = v.hold_id
    ), entry AS (
        INSERT INTO ledger_journalentry (kind, reference, subject, currency, legs, event_at)
        VALUES ('release', 'release:' || p_release, p_order, v.currency, 1 + (SELECT count(*) FROM share), p_at)
        RETURNING id
    ), posting AS (
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        SELECT entry.id, 1, (
            SELECT a.id FROM ledger_account AS a WHERE a.address = 'held' AND a.currency = v.currency
        ), v.amount_minor FROM entry
        UNION ALL
        SELECT entry.id, share.leg, share.account_id, -share.amount_minor FROM entry, share
    ), release AS (
        INSERT INTO escrow_release (id, hold_id, currency, amount_minor, confirmed_by, released_at, entry_id)
        SELECT p_release, v.hold_id, v.currency, v.amount_minor, p_confirmed_by, p_at, entry.id FROM entry
    ), line AS (
        INSERT INTO escrow_releaseline (release_id, payee, address, currency, amount_minor)
        SELECT p_release, share.payee, share.address, v.currency, share.amount_minor FROM share ORDER BY share.leg
    )
    SELECT entry.id INTO p_entry FROM entry;
    -- A statement of its own, so that an order without a reserve pays for no trigger of these tables.
    IF v.reserve_days > 0 THEN
        WITH slice AS (
            INSERT INTO escrow_reserveslice
                (id, platform_id, merchant_id, release_id, state, currency, amount_minor, taken_minor, held_at, due_at,
                 event_sequence)
            SELECT holdfast_new_id('rsv'), v.platform_id, v.merchant_id, p_release, 'HELD', v.currency,
                   s.amount_minor, 0, p_at, p_at + make_interval(hours => 24 * v.reserve_days), 1
            FROM escrow_holdshare AS s WHERE s.hold_id = v.hold_id AND s.payee = 'RESERVE'
            RETURNING *
        )
        INSERT INTO notifications_event
            (public_id, type, platform_id, subject_id, sequence, data, created_at, attempts, next_attempt_at,
             last_error)
        SELECT holdfast_new_id('evt'), 'reserve.held', slice.platform_id, slice.id, 1,
               escrow_reserve_facts(slice.id, p_release, p_order, slice.merchant_id, slice.amount_minor, 0,
                                    slice.currency, slice.due_at), p_at, 0, p_at, ''
        FROM slice;
    END IF;
    INSERT INTO notifications_event
        (public_id, type, platform_id, subject_id, sequence, data, created_at, attempts, next_attempt_at, last_error)
    VALUES (holdfast_new_id('evt'), 'order.confirmed', v.platform_id, p_order, v.sequence, v.facts, p_at, 0, p_at, '');
END $$;

-- Release holds whose orders and holds the caller has locked and found SHIPPED, running and HELD.
CREATE OR REPLACE FUNCTION escrow_release_locked(p_holds text[], p_confirmed_by text, p_at timestamptz)
RETURNS TABLE (order_id text, release_id text, entry_id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT h.id AS hold_id, h.order_id, h.currency,
               h.amount_minor - h.released_minor - h.refunded_minor AS amount_minor,
               holdfast_new_id('rel') AS release_id,
               nextval('ledger_journalentry_id_seq') AS entry_id, h.reserve_days,
               (SELECT count(*) FROM escrow_holdshare AS s WHERE s.hold_id = h.id) AS shares
        FROM escrow_hold AS h WHERE h.id = ANY (p_holds)
    ), share AS MATERIALIZED (
        -- OFFSET 0 keeps this a look-up by key for each hold, however large the table has grown.
        SELECT due.entry_id, due.release_id, due.order_id, due.currency, due.reserve_days, s.*
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
        SELECT holdfast_new_id('evt'), 'order.confirmed', o.platform_id, o.id, o.event_sequence,
               escrow_order_facts(o.id, o.reference, o.merchant_id, o.amount_minor, o.currency, o.ship_by,
                                  o.confirm_by, o.buyer_email), p_at, 0, p_at, ''
        FROM confirmed AS o
    ), slice AS (
        INSERT INTO escrow_reserveslice
            (id, platform_id, merchant_id, release_id, state, currency, amount_minor, taken_minor, held_at, due_at,
             event_sequence)
        SELECT holdfast_new_id('rsv'), o.platform_id, o.merchant_id, share.release_id, 'HELD', share.currency,
               share.amount_minor, 0, p_at, p_at + make_interval(hours => 24 * share.reserve_days), 1
        FROM share JOIN confirmed AS o ON o.id = share.order_id WHERE share.payee = 'RESERVE'
        RETURNING *
    ), held AS (
        INSERT INTO notifications_event
            (public_id, type, platform_id, subject_id, sequence, data, created_at, attempts, next_attempt_at,
             last_error)
        SELECT holdfast_new_id('evt'), 'reserve.held', slice.platform_id, slice.id, 1,
               escrow_reserve_facts(slice.id, slice.release_id, share.order_id::text, slice.merchant_id,
                                    slice.amount_minor, 0, slice.currency, slice.due_at), p_at, 0, p_at, ''
        FROM slice JOIN share ON share.release_id = slice.release_id AND share.payee = 'RESERVE'
    )
    SELECT due.order_id::text, due.release_id, due.entry_id FROM due;
END $$;

-- Lock the open holds of orders that are locked already, and say which may be released. A statement of its own:
-- its snapshot is younger than the locks, so it reads what the last writer left.
CREATE OR REPLACE FUNCTION escrow_lock_releasable(p_orders text[]) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT h.id FROM escrow_hold AS h JOIN orders_order AS o ON o.id = h.order_id
        WHERE h.order_id = ANY (p_orders) AND h.state = 'HELD' AND o.state = 'SHIPPED' AND o.paused_at IS NULL
        ORDER BY h.order_id FOR UPDATE OF h
    );
END $$;

-- Release up to p_limit orders whose automatic confirmation has come, oldest first; not while their clock
-- stands still (orders/services/clock.py). Rows somebody works on are
-- skipped, so several sweeps share the work and none waits. p_platform: that platform's alone, by its own clock;
-- null: those of every platform that lives by the real clock (orders/claims.py:by_clock). Two queries, because each
-- keeps its own plan; both walk the index of what is due and drop the few rows of others.
CREATE OR REPLACE FUNCTION escrow_release_due_orders(
    p_limit integer, p_at timestamptz, p_platform text DEFAULT NULL
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_orders text[];
    v_released integer;
BEGIN
    IF p_platform IS NULL THEN
        v_orders := ARRAY(
            SELECT o.id FROM orders_order AS o JOIN escrow_hold AS h ON h.order_id = o.id AND h.state = 'HELD'
            WHERE o.state = 'SHIPPED' AND o.paused_at IS NULL AND o.confirm_by <= p_at
                AND o.platform_id NOT IN (SELECT p.id FROM merchants_platform AS p WHERE p.clock_offset > '0')
            ORDER BY o.confirm_by, o.id LIMIT p_limit FOR UPDATE OF o SKIP LOCKED
        );
    ELSE
        v_orders := ARRAY(
            SELECT o.id FROM orders_order AS o JOIN escrow_hold AS h ON h.order_id = o.id AND h.state = 'HELD'
            WHERE o.state = 'SHIPPED' AND o.paused_at IS NULL AND o.confirm_by <= p_at
                AND o.platform_id = p_platform
            ORDER BY o.confirm_by, o.id LIMIT p_limit FOR UPDATE OF o SKIP LOCKED
        );
    END IF;
    SELECT count(*) INTO v_released
    FROM escrow_release_locked(escrow_lock_releasable(v_orders), 'AUTOMATIC', p_at);
    RETURN v_released;
END $$;
