-- Writing entries. `ledger/services.py` calls these and nothing else does, except the release sweep
-- of escrow, which follows the pattern at the end of this file.

CREATE OR REPLACE FUNCTION ledger_post(
    p_kind text, p_reference text, p_subject text, p_currency text, p_event_at timestamptz,
    p_addresses text[], p_classes text[], p_amounts bigint[]  -- one element per leg, in the order of the legs
) RETURNS bigint LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
-- (Without the setting PostgreSQL plans the statement anew at each call, because it knows the
-- arrays' lengths.)
DECLARE
    posted_id bigint;
BEGIN
    WITH entry AS (
        INSERT INTO ledger_journalentry (kind, reference, subject, currency, legs, event_at)
        VALUES (p_kind, p_reference, p_subject, p_currency, cardinality(p_amounts), p_event_at)
        RETURNING id
    ), wanted AS (
        -- By address, because missing accounts are opened in this order (accounts.sql).
        SELECT * FROM unnest(p_addresses, p_classes, p_amounts)
            WITH ORDINALITY AS w (address, class, amount_minor, leg)
        ORDER BY w.address
    ), posted AS (
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        SELECT entry.id, wanted.leg, coalesce(
            (SELECT a.id FROM ledger_account AS a
             WHERE a.address = wanted.address AND a.currency = p_currency),
            ledger_account_id(wanted.address, p_currency, wanted.class)
        ), wanted.amount_minor
        FROM entry, wanted
    )
    SELECT id INTO posted_id FROM entry;
    RETURN posted_id;
END $$;

-- Many entries in one statement. The first four arrays have one element per entry; the last four
-- one per leg, of which p_entries says to which entry (1 is the first) the leg belongs. Returns one
-- id per entry, in order. By EXECUTE, so that each call is planned for the size of its arrays: a
-- plan cached for ten rows would join ten thousand by nested loops.
CREATE OR REPLACE FUNCTION ledger_post_many(
    p_kinds text[], p_references text[], p_subjects text[], p_currencies text[], p_event_at timestamptz,
    p_entries integer[], p_addresses text[], p_classes text[], p_amounts bigint[]
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    posted_ids bigint[];
BEGIN
    EXECUTE $sql$
        WITH head AS MATERIALIZED (
            SELECT h.*, nextval('ledger_journalentry_id_seq') AS id
            FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS h (kind, reference, subject, currency, entry)
        ), leg AS MATERIALIZED (
            SELECT l.*, head.id, head.currency, row_number() OVER (PARTITION BY entry ORDER BY position) AS leg
            FROM unnest($6, $7, $8, $9) WITH ORDINALITY AS l (entry, address, class, amount_minor, position)
            JOIN head USING (entry)
        ), account AS MATERIALIZED (
            -- Missing accounts are opened in the order of their addresses (accounts.sql).
            SELECT address, currency, coalesce(
                (SELECT a.id FROM ledger_account AS a WHERE a.address = d.address AND a.currency = d.currency),
                ledger_account_id(d.address, d.currency, d.class)
            ) AS account_id
            FROM (SELECT DISTINCT address, currency, class FROM leg ORDER BY 1, 2) AS d
        ), entry AS (
            INSERT INTO ledger_journalentry (id, kind, reference, subject, currency, legs, event_at)
            OVERRIDING SYSTEM VALUE
            SELECT head.id, kind, reference, subject, currency, size.legs, $5
            FROM head JOIN (SELECT id, count(*) AS legs FROM leg GROUP BY id) AS size USING (id)
        ), posted AS (
            INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
            SELECT leg.id, leg.leg, account.account_id, leg.amount_minor
            FROM leg JOIN account USING (address, currency)
        )
        SELECT array_agg(id ORDER BY entry) FROM head
    $sql$ INTO posted_ids
    USING p_kinds, p_references, p_subjects, p_currencies, p_event_at, p_entries, p_addresses, p_classes, p_amounts;
    RETURN posted_ids;
END $$;

-- The exact mirror of an entry. Null when there is no such entry.
CREATE OR REPLACE FUNCTION ledger_reverse(p_entry bigint, p_event_at timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    posted_id bigint;
BEGIN
    WITH entry AS (
        INSERT INTO ledger_journalentry (kind, reference, subject, currency, legs, event_at, reverses_id)
        SELECT kind, 'reversal:' || reference, subject, currency, legs, p_event_at, id
        FROM ledger_journalentry WHERE id = p_entry
        RETURNING id
    ), posted AS (
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        SELECT entry.id, p.leg, p.account_id, -p.amount_minor
        FROM entry, ledger_posting AS p WHERE p.entry_id = p_entry
    )
    SELECT id INTO posted_id FROM entry;
    RETURN posted_id;
END $$;

-- A set-based writer, such as escrow's release of all orders that are due, may write the two tables
-- itself; the triggers refuse what is wrong. Its pattern:
--
--   1. Accounts first. Ids come from ledger_account_id(address, currency, class), which opens what is missing;
--      several of them by address: SELECT ledger_account_id(...) FROM (SELECT DISTINCT ... ORDER BY address).
--   2. Then ONE statement for all entries and all their postings, with nextval inside it:
--
--        WITH due AS MATERIALIZED (
--            SELECT ..., nextval('ledger_journalentry_id_seq') AS entry_id FROM ...
--        ), entry AS (
--            INSERT INTO ledger_journalentry (id, kind, reference, subject, currency, legs, event_at)
--            OVERRIDING SYSTEM VALUE SELECT entry_id, ... FROM due
--        )
--        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor) SELECT ... FROM due ...
--
-- One statement, because an entry without postings at the end of its statement is refused, and so
-- are postings that are not all legs 1..n of their entry. nextval inside it, because the checkpoint
-- of the hot accounts takes a SHARE lock on ledger_journalentry and then the highest id: a
-- statement that inserts there holds its own lock before it takes an id, whereas an id taken in an
-- earlier statement could appear below the mark and be lost to every balance (the audit would name
-- it).
--
-- Nobody writes the guarded balances: the trigger does, in the order of the account ids.
