-- Figures over everything, moved with the rows that they count. Whoever writes takes the first free slot until the
-- transaction ends, so that no two writers ever move the same row and none waits for another.
CREATE OR REPLACE FUNCTION tally_slot(organization bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    place integer := 0;
BEGIN
    WHILE NOT pg_try_advisory_xact_lock(organization * 256 + place) LOOP
        place := place + 1;
        IF place = 255 THEN  -- more writers than any server takes: wait for one of them
            PERFORM pg_advisory_xact_lock(organization * 256 + place);
            EXIT;
        END IF;
    END LOOP;
    RETURN place;
END
$$;

-- `moved` selects organization_id, topic, currency, kind, mark, day, n, minor and total of a trigger's rows. It runs
-- inside the trigger's statement, where its transition tables are seen.
CREATE OR REPLACE FUNCTION tally_sql(moved text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT 'INSERT INTO core_tally AS t (organization_id, topic, currency, kind, mark, day, slot, count, minor, total)
            SELECT organization_id, topic, currency, kind, mark, day, tally_slot(organization_id), n, minor, total
            FROM (SELECT organization_id, topic, currency, kind, mark, day, sum(n) AS n, sum(minor) AS minor,
                         sum(total) AS total
                  FROM (' || moved || ') m GROUP BY 1, 2, 3, 4, 5, 6) d
            WHERE n <> 0 OR minor <> 0 OR total <> 0
            ON CONFLICT (organization_id, topic, kind, mark, day, currency, slot) DO UPDATE
            SET count = t.count + excluded.count, minor = t.minor + excluded.minor, total = t.total + excluded.total'
$$;
