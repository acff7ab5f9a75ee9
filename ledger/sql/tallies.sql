-- Legs by kind of entry, account and day (core/sql/tallies.sql): balances as of any day. Each entry is looked up by its
-- own id and nothing else, see receivables/sql/judges.sql.
CREATE OR REPLACE FUNCTION ledger_tally_legs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE tally_sql('
        SELECT r.organization_id, ''legs'' AS topic, r.currency, e.kind, r.account_id::text AS mark,
               e.effective_on AS day, 1 AS n, r.minor, 0 AS total
        FROM new_rows r
        CROSS JOIN LATERAL (SELECT kind, effective_on FROM ledger_entry WHERE id = r.entry_id LIMIT 1) e');
    RETURN NULL;
END
$$;
