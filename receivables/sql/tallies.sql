-- Items by kind and day, and those open by kind and due date (core/sql/tallies.sql). What of an open item is due later
-- than its deposit moves from the one day to the other under a topic of its own, so that the sum of both topics before
-- a day is what is due before it, and an item still counts once.
CREATE OR REPLACE FUNCTION receivables_tally_items() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    columns text := 'organization_id, currency, kind, effective_on, due_on, rest_due_on, total_minor, open_minor, later_minor';
    added text := 'SELECT ' || columns || ', 1 AS n FROM new_rows';
    taken text := 'SELECT ' || columns || ', -1 AS n FROM old_rows';
BEGIN
    EXECUTE tally_sql(format(
        'SELECT organization_id, topic, currency, kind, '''' AS mark, day, n * items AS n, n * minor AS minor,
                n * total AS total
         FROM (%s) r
         CROSS JOIN LATERAL (VALUES (''items'', effective_on, total_minor, 0::bigint, 1),
                                    (''open'', due_on, open_minor, total_minor, 1),
                                    (''later'', due_on, -later_minor, 0, 0),
                                    (''later'', rest_due_on, later_minor, 0, 0)) v(topic, day, minor, total, items)
         WHERE CASE topic WHEN ''items'' THEN true WHEN ''open'' THEN open_minor > 0 ELSE later_minor > 0 END',
        CASE TG_OP WHEN 'INSERT' THEN added WHEN 'DELETE' THEN taken ELSE added || ' UNION ALL ' || taken END));
    RETURN NULL;
END
$$;
