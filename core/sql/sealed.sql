-- What never changes may still be sealed anew: the columns named as arguments keep their text, or get one that a later
-- data key sealed (see core.vault).
CREATE OR REPLACE FUNCTION sealed_anew_only() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
    before text;
    after text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        before := to_jsonb(OLD) ->> name;
        after := to_jsonb(NEW) ->> name;
        IF before IS DISTINCT FROM after AND (before !~ '^1\.\d{1,9}\.' OR after !~ '^1\.\d{1,9}\.'
            OR split_part(after, '.', 2)::integer <= split_part(before, '.', 2)::integer) THEN
            RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;
