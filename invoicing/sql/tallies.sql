-- Documents by kind and state (core/sql/tallies.sql): what the list of invoices comes to.
CREATE OR REPLACE FUNCTION invoicing_tally_documents() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added text := 'SELECT organization_id, currency, kind, state, total_minor, 1 AS n FROM new_rows';
    taken text := 'SELECT organization_id, currency, kind, state, total_minor, -1 AS n FROM old_rows';
BEGIN
    EXECUTE tally_sql(format(
        'SELECT organization_id, ''documents'' AS topic, currency, kind, state AS mark, date ''1970-01-01'' AS day,
                n, n * total_minor AS minor, 0 AS total FROM (%s) r',
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END));
    RETURN NULL;
END
$$;
