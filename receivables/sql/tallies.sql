-- Items by kind and day, and those open by kind and due date (core/sql/tallies.sql).
CREATE OR REPLACE FUNCTION receivables_tally_items() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added text := 'SELECT organization_id, currency, kind, effective_on, due_on, total_minor, open_minor, 1 AS n FROM new_rows';
    taken text := 'SELECT organization_id, currency, kind, effective_on, due_on, total_minor, open_minor, -1 AS n FROM old_rows';
BEGIN
    EXECUTE tally_sql(format(
        'SELECT organization_id, topic, currency, kind, '''' AS mark, day, n, n * minor AS minor, n * total AS total
         FROM (%s) r
         CROSS JOIN LATERAL (VALUES (''items'', effective_on, total_minor, 0::bigint),
                                    (''open'', due_on, open_minor, total_minor)) v(topic, day, minor, total)
         WHERE topic = ''items'' OR open_minor > 0',
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END));
    RETURN NULL;
END
$$;
