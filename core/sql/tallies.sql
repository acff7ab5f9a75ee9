-- Figures over everything, moved with the rows that they count. Whoever writes takes the first free slot until the
-- transaction ends, so that no two writers ever move the same row and none waits for another.
CREATE OR REPLACE FUNCTION tally_add(organization bigint, what text, code text, sort text, sign text, on_day date,
                                     rows_added bigint, minor_added numeric, total_added numeric) RETURNS void
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
    INSERT INTO core_tally AS t (organization_id, topic, currency, kind, mark, day, slot, count, minor, total)
    VALUES (organization, what, code, sort, sign, on_day, place, rows_added, minor_added, total_added)
    ON CONFLICT (organization_id, topic, kind, mark, day, currency, slot) DO UPDATE
    SET count = t.count + excluded.count, minor = t.minor + excluded.minor, total = t.total + excluded.total;
END
$$;
