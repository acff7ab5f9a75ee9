-- Legs by kind of entry, account and day (core/sql/tallies.sql): balances as of any day. Each entry is looked up by its
-- own id and nothing else, see receivables/sql/judges.sql.
CREATE OR REPLACE FUNCTION ledger_tally_legs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE '
        SELECT count(tally_add(organization_id, ''legs'', currency, kind, account_id::text, effective_on, n, minor, 0))
        FROM (SELECT n.organization_id, n.currency, e.kind, n.account_id, e.effective_on, count(*) AS n,
                     sum(n.minor) AS minor
              FROM new_rows n
              CROSS JOIN LATERAL (SELECT kind, effective_on FROM ledger_entry WHERE id = n.entry_id LIMIT 1) e
              GROUP BY 1, 2, 3, 4, 5) d';
    RETURN NULL;
END
$$;
