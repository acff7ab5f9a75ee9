-- Buckets are updated in place far more often than they are made: room for it on each page.
ALTER TABLE billing_usagebucket SET (fillfactor = 70);

-- Makes the named months (their first days) where they are not there; says how many were made. Only the owner of the
-- parent can, so this is the one function of the owner's that the application calls. A month is made beside the parent
-- and attached when it is ready, which holds up no writer of other months. The application has no right on it and
-- reads and writes through the parent, whose policy judges; without a policy of its own it shows nothing to anybody.
CREATE OR REPLACE FUNCTION make_usage_months(months date[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date;
    name text;
    made bigint := 0;
BEGIN
    FOREACH month IN ARRAY months LOOP
        name := 'billing_usageevent_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        IF month <> date_trunc('month', month)::date OR month < '1980-01-01' OR month >= '2100-01-01' THEN
            RAISE EXCEPTION 'not a month that usage is kept for: %', month USING ERRCODE = 'restrict_violation';
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('billing_usageevent'));
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE billing_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, arapp_app', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I UNIQUE (organization_id, series_id, at, id)', name,
                       'billing_usageevent_key_' || to_char(month, 'YYYY_MM'));
        EXECUTE format('CREATE TRIGGER billing_usageevent_kept BEFORE TRUNCATE ON %I FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE billing_usageevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                       month::timestamp AT TIME ZONE 'UTC',
                       (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION make_usage_months(date[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_usage_months(date[]) TO arapp_app;
SELECT make_usage_months(ARRAY(
    SELECT month::date FROM generate_series(date '2026-01-01', date '2026-12-01', interval '1 month') month));
