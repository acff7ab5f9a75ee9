-- Documents by kind and state (core/sql/tallies.sql): what the list of invoices comes to.
CREATE OR REPLACE FUNCTION invoicing_tally_documents() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added text := 'SELECT organization_id, currency, kind, state, total_minor, 1 AS n FROM new_rows';
    taken text := 'SELECT organization_id, currency, kind, state, total_minor, -1 AS n FROM old_rows';
BEGIN
    EXECUTE format('
        SELECT count(tally_add(organization_id, ''documents'', currency, kind, state, ''1970-01-01'', n, minor, 0))
        FROM (SELECT organization_id, currency, kind, state, sum(n) AS n, sum(n * total_minor) AS minor
              FROM (%s) moved GROUP BY 1, 2, 3, 4) d
        WHERE n <> 0 OR minor <> 0',
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END);
    RETURN NULL;
END
$$;
