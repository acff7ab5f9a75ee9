-- Items by kind and day, and those open by kind and due date (core/sql/tallies.sql).
CREATE OR REPLACE FUNCTION receivables_tally_items() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added text := 'SELECT organization_id, currency, kind, effective_on, due_on, total_minor, open_minor, 1 AS n FROM new_rows';
    taken text := 'SELECT organization_id, currency, kind, effective_on, due_on, total_minor, open_minor, -1 AS n FROM old_rows';
BEGIN
    EXECUTE format('
        SELECT count(tally_add(organization_id, topic, currency, kind, '''', day, n, minor, total))
        FROM (SELECT organization_id, topic, currency, kind, day, sum(n) AS n, sum(n * minor) AS minor,
                     sum(n * total) AS total
              FROM (%s) moved
              CROSS JOIN LATERAL (VALUES (''items'', effective_on, total_minor, 0::bigint),
                                         (''open'', due_on, open_minor, total_minor)) v(topic, day, minor, total)
              WHERE topic = ''items'' OR open_minor > 0
              GROUP BY 1, 2, 3, 4, 5) d
        WHERE n <> 0 OR minor <> 0 OR total <> 0',
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END);
    RETURN NULL;
END
$$;
