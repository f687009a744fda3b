-- What the database refuses about an entry, whoever writes it. One statement trigger looks at all
-- postings of a statement at once: if every statement leaves whole, balanced entries, the books
-- balance by induction, nothing is deferred and no account row is locked.
--
-- The rules, for the entries of a statement:
--   * they exist, sum to zero and have exactly the legs 1..n they declare. With the key (entry_id, leg) that
--     also seals an old entry: whatever is added to it later is not 1..n.
--   * each leg is on an account of the entry's currency, on a side on which the entry's kind may touch it.
--   * a reversal belongs to an entry of the same kind, subject, currency and size, itself not a reversal, and
--     negates it leg by leg. (The routes of a mirror were checked when the original was posted.)
--
-- They are written twice, for one entry and for many; the tests try every refusal both ways. For
-- one entry every look-up is a scalar sub-select: the plan is cached at its first use, in a new
-- deployment over empty tables, and written as joins it would read whole tables for ever after
-- (ADR 0002). For many entries, EXECUTE plans the joins for the size at hand.

-- Say what is wrong, once it is known that something is. Reads the entries as they now stand.
-- HF001 unbalanced, HF002 legs, HF003 unknown entry or account, HF004 route, HF005 wrong mirror
-- (HF006 append-only, HF007 address outside the chart: elsewhere).
CREATE OR REPLACE FUNCTION ledger_refuse_entries(p_entries bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT x.id INTO bad FROM unnest(p_entries) AS x (id)
    WHERE NOT EXISTS (SELECT FROM ledger_journalentry AS e WHERE e.id = x.id) ORDER BY x.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no entry % for these postings', bad.id USING ERRCODE = 'HF003';
    END IF;

    SELECT e.id, e.reference, e.legs, g.total, g.sealed INTO bad
    FROM ledger_journalentry AS e CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount_minor), 0) AS total,
               count(*) = e.legs AND min(p.leg) = 1 AND max(p.leg) = e.legs AS sealed
        FROM ledger_posting AS p WHERE p.entry_id = e.id
    ) AS g
    WHERE e.id = ANY (p_entries) AND (g.total <> 0 OR g.sealed IS NOT TRUE)
    ORDER BY g.sealed, e.id LIMIT 1;
    IF FOUND AND bad.sealed IS NOT TRUE THEN
        RAISE EXCEPTION 'entry % (%) does not have exactly its legs 1 to %', bad.id, bad.reference, bad.legs
            USING ERRCODE = 'HF002';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'entry % (%) sums to %, not to 0', bad.id, bad.reference, bad.total
            USING ERRCODE = 'HF001';
    END IF;

    SELECT p.entry_id, p.leg, p.account_id, e.currency INTO bad
    FROM ledger_posting AS p JOIN ledger_journalentry AS e ON e.id = p.entry_id
    WHERE p.entry_id = ANY (p_entries) AND NOT EXISTS (
        SELECT FROM ledger_account AS a WHERE a.id = p.account_id AND a.currency = e.currency)
    ORDER BY p.entry_id, p.leg LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % leg %: there is no account % in %',
            bad.entry_id, bad.leg, bad.account_id, bad.currency USING ERRCODE = 'HF003';
    END IF;

    SELECT e.id, e.reverses_id INTO bad FROM ledger_journalentry AS e
    WHERE e.id = ANY (p_entries) AND e.reverses_id IS NOT NULL AND (
        NOT EXISTS (
            SELECT FROM ledger_journalentry AS o
            WHERE o.id = e.reverses_id AND o.reverses_id IS NULL
              AND (o.kind, o.subject, o.currency, o.legs) = (e.kind, e.subject, e.currency, e.legs))
        OR EXISTS (
            SELECT FROM ledger_posting AS p WHERE p.entry_id = e.id AND NOT EXISTS (
                SELECT FROM ledger_posting AS o
                WHERE o.entry_id = e.reverses_id AND o.leg = p.leg
                  AND o.account_id = p.account_id AND o.amount_minor = -p.amount_minor)))
    ORDER BY e.id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % is not the exact mirror of entry %', bad.id, bad.reverses_id
            USING ERRCODE = 'HF005';
    END IF;

    SELECT p.entry_id, p.leg, e.kind, a.address, p.amount_minor INTO bad
    FROM ledger_posting AS p
    JOIN ledger_journalentry AS e ON e.id = p.entry_id JOIN ledger_account AS a ON a.id = p.account_id
    WHERE p.entry_id = ANY (p_entries) AND e.reverses_id IS NULL AND NOT EXISTS (
        SELECT FROM ledger_route AS r
        WHERE r.kind = e.kind AND r.account_class_id = a.account_class_id
          AND r.side = CASE WHEN p.amount_minor > 0 THEN 'D' ELSE 'C' END)
    ORDER BY p.entry_id, p.leg LIMIT 1;
    RAISE EXCEPTION 'entry % leg %: an entry of kind % may not % %', bad.entry_id, bad.leg, bad.kind,
        CASE WHEN bad.amount_minor > 0 THEN 'debit' ELSE 'credit' END, bad.address
        USING ERRCODE = 'HF004';
END $$;

-- Then the running balances of guarded accounts are brought up to date.
--
-- A debit locks the balance row, and the CHECK refuses what is not there. Debits come in the order
-- of the account ids, by everybody, so they do not deadlock. A credit can break nothing, so it
-- never waits: when somebody else holds the row (every release of a platform credits the same
-- commission account) it is laid beside it, in ledger_waitingcredit, and the next debit folds it
-- in. Row + waiting credits is the balance at every snapshot; nothing is lost or counted twice,
-- because folding deletes and adds in one statement.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sums record;
    sound boolean;
    change record;
    credited bigint[];
BEGIN
    SELECT min(entry_id) AS entry_id, min(entry_id) <> max(entry_id) AS many, count(*) AS legs,
           sum(amount_minor) = 0 AND min(leg) = 1 AND max(leg) = count(*) AS whole,
           array_agg(account_id) FILTER (WHERE account_id >= 100000) AS guarded,
           bool_or(amount_minor > 0) FILTER (WHERE account_id >= 100000) AS debits
    INTO sums FROM inserted;
    IF sums.entry_id IS NULL THEN
        RETURN NULL;  -- an insert of nothing
    ELSIF sums.many THEN
        EXECUTE $sql$
            WITH head AS MATERIALIZED (
                SELECT g.entry_id, e.kind, e.currency, e.reverses_id,
                       g.total = 0 AND g.first = 1 AND g.last = g.legs AND e.legs = g.legs AS whole
                FROM (
                    SELECT entry_id, sum(amount_minor) AS total, count(*) AS legs,
                           min(leg) AS first, max(leg) AS last
                    FROM inserted GROUP BY entry_id
                ) AS g LEFT JOIN ledger_journalentry AS e ON e.id = g.entry_id
            )
            SELECT NOT EXISTS (SELECT FROM head WHERE whole IS NOT TRUE)
            AND NOT EXISTS (
                -- A batch touches few accounts many times: each account, kind and side is looked up
                -- once.
                SELECT FROM (
                    SELECT DISTINCT p.account_id, head.kind, head.currency, p.amount_minor > 0 AS is_debit
                    FROM inserted AS p JOIN head USING (entry_id) WHERE head.reverses_id IS NULL
                ) AS d WHERE (
                    SELECT EXISTS (
                        SELECT FROM ledger_route AS r
                        WHERE r.kind = d.kind AND r.account_class_id = a.account_class_id
                          AND r.side = CASE WHEN d.is_debit THEN 'D' ELSE 'C' END)
                    FROM ledger_account AS a WHERE a.id = d.account_id AND a.currency = d.currency
                ) IS NOT TRUE
            ) AND NOT EXISTS (
                SELECT FROM head JOIN ledger_journalentry AS e ON e.id = head.entry_id
                WHERE head.reverses_id IS NOT NULL AND (
                    SELECT (o.kind, o.subject, o.currency, o.legs) = (e.kind, e.subject, e.currency, e.legs)
                           AND o.reverses_id IS NULL
                    FROM ledger_journalentry AS o WHERE o.id = head.reverses_id
                ) IS NOT TRUE
            ) AND NOT EXISTS (
                SELECT FROM head JOIN inserted AS p USING (entry_id)
                WHERE head.reverses_id IS NOT NULL AND (
                    SELECT o.account_id = p.account_id AND o.amount_minor = -p.amount_minor
                    FROM ledger_posting AS o WHERE o.entry_id = head.reverses_id AND o.leg = p.leg
                ) IS NOT TRUE
            )
        $sql$ INTO sound;
    ELSE
        SELECT sums.whole AND e.legs = sums.legs AND CASE WHEN e.reverses_id IS NULL THEN NOT EXISTS (
            SELECT FROM inserted AS p WHERE (
                SELECT EXISTS (
                    SELECT FROM ledger_route AS r
                    WHERE r.kind = e.kind AND r.account_class_id = a.account_class_id
                      AND r.side = CASE WHEN p.amount_minor > 0 THEN 'D' ELSE 'C' END)
                FROM ledger_account AS a WHERE a.id = p.account_id AND a.currency = e.currency
            ) IS NOT TRUE
        ) ELSE (
            SELECT (o.kind, o.subject, o.currency, o.legs) = (e.kind, e.subject, e.currency, e.legs)
                   AND o.reverses_id IS NULL
            FROM ledger_journalentry AS o WHERE o.id = e.reverses_id
        ) AND NOT EXISTS (
            SELECT FROM inserted AS p WHERE (
                SELECT o.account_id = p.account_id AND o.amount_minor = -p.amount_minor
                FROM ledger_posting AS o WHERE o.entry_id = e.reverses_id AND o.leg = p.leg
            ) IS NOT TRUE
        ) END
        INTO sound FROM ledger_journalentry AS e WHERE e.id = sums.entry_id;
    END IF;
    IF sound IS NOT TRUE THEN
        PERFORM ledger_refuse_entries(ARRAY(SELECT DISTINCT entry_id FROM inserted));
    END IF;

    IF sums.many THEN
        -- All credits of a batch at once; its debits one by one below.
        EXECUTE $sql$
            WITH change AS MATERIALIZED (
                SELECT account_id, -sum(amount_minor)::bigint AS credit_minor
                FROM inserted WHERE account_id >= 100000 GROUP BY account_id HAVING sum(amount_minor) < 0
            ), free AS MATERIALIZED (
                SELECT b.account_id FROM ledger_guardedbalance AS b
                WHERE b.account_id = ANY (ARRAY(SELECT account_id FROM change))
                FOR NO KEY UPDATE SKIP LOCKED
            ), waiting AS (
                INSERT INTO ledger_waitingcredit (account_id, amount_minor)
                SELECT account_id, credit_minor FROM change
                WHERE account_id NOT IN (SELECT account_id FROM free)
            )
            UPDATE ledger_guardedbalance AS b SET balance_minor = b.balance_minor + change.credit_minor
            FROM change JOIN free USING (account_id)
            WHERE b.account_id = change.account_id
        $sql$;
    ELSIF NOT sums.debits THEN
        WITH free AS MATERIALIZED (
            SELECT b.account_id FROM ledger_guardedbalance AS b WHERE b.account_id = ANY (sums.guarded)
            FOR NO KEY UPDATE SKIP LOCKED
        ), changed AS (
            UPDATE ledger_guardedbalance AS b SET balance_minor = b.balance_minor - (
                SELECT sum(p.amount_minor) FROM inserted AS p WHERE p.account_id = b.account_id
            ) WHERE b.account_id = ANY (ARRAY(SELECT account_id FROM free))
            RETURNING b.account_id
        )
        SELECT coalesce(array_agg(account_id), '{}') INTO credited FROM changed;
        IF NOT credited @> sums.guarded THEN
            INSERT INTO ledger_waitingcredit (account_id, amount_minor)
            SELECT account_id, -sum(amount_minor)::bigint FROM inserted
            WHERE account_id >= 100000 AND account_id <> ALL (credited) GROUP BY account_id;
        END IF;
    END IF;
    IF sums.debits THEN
        FOR change IN
            SELECT account_id, -sum(amount_minor)::bigint AS credit_minor
            FROM inserted WHERE account_id >= 100000
            GROUP BY account_id HAVING sum(amount_minor) > 0 OR NOT sums.many
            ORDER BY account_id
        LOOP
            IF change.credit_minor > 0 THEN
                UPDATE ledger_guardedbalance SET balance_minor = balance_minor + change.credit_minor
                WHERE account_id = (
                    SELECT account_id FROM ledger_guardedbalance
                    WHERE account_id = change.account_id FOR NO KEY UPDATE SKIP LOCKED
                );
                IF NOT FOUND THEN
                    INSERT INTO ledger_waitingcredit (account_id, amount_minor)
                    VALUES (change.account_id, change.credit_minor);
                END IF;
            ELSIF change.credit_minor < 0 THEN
                PERFORM FROM ledger_guardedbalance WHERE account_id = change.account_id FOR NO KEY UPDATE;
                -- A statement of its own: its snapshot is younger than the lock and sees every
                -- credit before it.
                WITH folded AS (
                    DELETE FROM ledger_waitingcredit WHERE account_id = change.account_id RETURNING amount_minor
                )
                UPDATE ledger_guardedbalance
                SET balance_minor = balance_minor + change.credit_minor
                    + coalesce((SELECT sum(amount_minor) FROM folded), 0)
                WHERE account_id = change.account_id;
            END IF;
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ledger_posting_check AFTER INSERT ON ledger_posting
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();

-- No entry without its postings, written by the same statement: an empty one would take a reference
-- for ever. Triggers of both tables fire at the end of the whole statement, so an entry and its
-- postings go into one (the functions in posting.sql do). That leg 1 is there is enough: its own
-- trigger has asked for the rest.
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM inserted AS e
        WHERE (SELECT true FROM ledger_posting AS p WHERE p.entry_id = e.id AND p.leg = 1) IS NULL
    ) THEN
        RAISE EXCEPTION 'entry % has no postings in its statement', (
            SELECT min(e.id) FROM inserted AS e
            WHERE NOT EXISTS (SELECT FROM ledger_posting AS p WHERE p.entry_id = e.id)
        ) USING ERRCODE = 'HF002';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ledger_journalentry_check AFTER INSERT ON ledger_journalentry
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();
