-- A clock never goes back, and what was archived stays so: what happened would happen again, or not have happened.
CREATE OR REPLACE FUNCTION organization_forward() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.clock_offset < OLD.clock_offset THEN
        RAISE EXCEPTION 'the clock of a sandbox never goes back' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.archived_at IS NOT NULL AND NEW.archived_at IS DISTINCT FROM OLD.archived_at THEN
        RAISE EXCEPTION 'an archived sandbox stays archived' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
