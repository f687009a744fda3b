-- Append-only: what is in the books stays as it is. A correction is a reversal, an entry of its
-- own. An owner can drop a trigger and a superuser can switch all of them off; `manage.py
-- audit_books` is the second line. The statement triggers against TRUNCATE end in `_no_truncate`:
-- the test suite switches exactly those off, because it empties tables between tests.

CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the books are append-only: % on % is refused; reverse the entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'HF006';
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_journalentry', 'ledger_posting', 'ledger_account',
                                'ledger_accountclass', 'ledger_route'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change()', name || '_append_only', name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_no_truncate', name);
    END LOOP;
END $$;

-- The running balances belong to the posting trigger: no statement of anybody else may write them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_guardedbalance', 'ledger_waitingcredit'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT '
                       'WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change()',
                       name || '_by_posting_only', name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name || '_no_truncate', name);
    END LOOP;
END $$;

-- The chart and the routes come from the code (ledger/seeding.py), not from a data fix in the
-- night. This stops an accident; against intent there are the roles, and the audit, which compares
-- both with the code.
CREATE OR REPLACE TRIGGER ledger_accountclass_seeded_only BEFORE INSERT ON ledger_accountclass
    FOR EACH STATEMENT WHEN (current_setting('holdfast.seeding', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse_change();
CREATE OR REPLACE TRIGGER ledger_route_seeded_only BEFORE INSERT ON ledger_route
    FOR EACH STATEMENT WHEN (current_setting('holdfast.seeding', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION ledger_refuse_change();
