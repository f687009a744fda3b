-- Accounts: who gets which id, and how an account comes into being.
--
-- Ids below 100000 are hot accounts (no running balance, no index on their postings), ids from
-- 100000 up are guarded ones (a running balance that a CHECK holds at >= 0). The id is ours to
-- give: a trigger takes it from one of two sequences by the class of the account, whatever the
-- caller wrote.

CREATE SEQUENCE IF NOT EXISTS ledger_account_hot_seq MINVALUE 1 MAXVALUE 99999;
CREATE SEQUENCE IF NOT EXISTS ledger_account_guarded_seq MINVALUE 100000;

CREATE OR REPLACE FUNCTION ledger_prepare_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    class ledger_accountclass;
BEGIN
    SELECT * INTO class FROM ledger_accountclass WHERE code = NEW.account_class_id;
    -- An unknown class leaves `pattern` null and is refused here too.
    IF (NEW.address ~ class.pattern) IS NOT TRUE THEN
        RAISE EXCEPTION 'account address % is not of class %', NEW.address, NEW.account_class_id
            USING ERRCODE = 'HF007';
    END IF;
    NEW.id := CASE WHEN class.guarded THEN nextval('ledger_account_guarded_seq')
                   ELSE nextval('ledger_account_hot_seq') END;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER ledger_account_prepare BEFORE INSERT ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_prepare_account();

-- A guarded account is never without its balance row. (After, not before, so that an insert that
-- ends in ON CONFLICT DO NOTHING leaves no row behind.)
CREATE OR REPLACE FUNCTION ledger_open_guarded_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_guardedbalance (account_id, balance_minor) VALUES (NEW.id, 0);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ledger_account_open_balance AFTER INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.id >= 100000) EXECUTE FUNCTION ledger_open_guarded_balance();

-- Every posting to a guarded account rewrites its balance row: leave room on the page, so that the
-- new version stays there and no index is touched (HOT update).
ALTER TABLE ledger_guardedbalance SET (fillfactor = 50);

-- Entry ids come from the sequence, so that "all entries up to id n" can be a checkpoint. A writer
-- that must know ids beforehand says OVERRIDING SYSTEM VALUE with nextval in the same statement
-- (posting.sql).
ALTER TABLE ledger_journalentry ALTER COLUMN id SET GENERATED ALWAYS;

-- Find an account, opening it when it is missing. Safe when several sessions open the same one: the
-- loser of the race waits for the winner and takes its row. Who opens several goes by address, or
-- two might deadlock.
CREATE OR REPLACE FUNCTION ledger_account_id(p_address text, p_currency text, p_class text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT id INTO found_id FROM ledger_account WHERE address = p_address AND currency = p_currency;
    IF found_id IS NULL THEN
        INSERT INTO ledger_account (address, currency, account_class_id)
        VALUES (p_address, p_currency, p_class)
        ON CONFLICT (address, currency) DO NOTHING RETURNING id INTO found_id;
    END IF;
    IF found_id IS NULL THEN
        -- Somebody else has just committed it; this statement's snapshot is younger.
        SELECT id INTO found_id FROM ledger_account WHERE address = p_address AND currency = p_currency;
    END IF;
    IF found_id IS NULL THEN
        -- Only under REPEATABLE READ, whose snapshot is older than the winner's commit.
        RAISE EXCEPTION 'account % % was opened meanwhile; try again', p_address, p_currency
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN found_id;
END $$;

-- The same shape as common/ids.py: prefix, 48 bits of milliseconds, 80 random bits, in hex. From
-- random(), which every session seeds from the system: an id is never a secret, and the system's own
-- generator would be opened and closed for each. One expression without a FROM, so that PostgreSQL
-- inlines it where thousands of ids are made at once.
CREATE OR REPLACE FUNCTION holdfast_new_id(prefix text) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT prefix || '_'
        || lpad(to_hex(floor(date_part('epoch', clock_timestamp()) * 1000)::bigint), 12, '0')
        || lpad(to_hex(floor(random() * 1099511627776)::bigint), 10, '0')
        || lpad(to_hex(floor(random() * 1099511627776)::bigint), 10, '0')
$$;
