-- The doors: everything that may be known before the organization is. Each returns ids only, is owned by
-- arapp_door (no login) and is called from core/doors.py. There is no other way round the policy.

CREATE OR REPLACE FUNCTION org_of_slug(wanted text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM core_organization WHERE slug = wanted
$$;

CREATE OR REPLACE FUNCTION create_org(new_public_id text, new_slug text, new_name text, at timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO core_organization (public_id, slug, name, clock_offset, created_at)
    VALUES (new_public_id, new_slug, new_name, interval '0', at) RETURNING id
$$;

-- The sandbox of the organization that is in scope, and of no other: who asks names nobody.
CREATE OR REPLACE FUNCTION twin_of_own() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT o.id FROM core_organization o WHERE o.archived_at IS NULL
            AND o.live_twin_id = nullif(current_setting('app.organization_id', true), '')::bigint);
END
$$;

-- Its row is made for the organization in scope, so that nobody makes himself a sandbox of another's, whose members'
-- rights would then hold in it.
CREATE OR REPLACE FUNCTION create_twin(new_public_id text, new_slug text, new_name text, at timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own bigint := nullif(current_setting('app.organization_id', true), '')::bigint;
    made bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM core_organization o WHERE o.id = own AND o.live_twin_id IS NULL) THEN
        RAISE EXCEPTION 'only a live organization has a sandbox' USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO core_organization (public_id, slug, name, clock_offset, created_at, live_twin_id)
    VALUES (new_public_id, new_slug, new_name, interval '0', at, own) RETURNING id INTO made;
    RETURN made;
END
$$;

-- A person's own organizations; their sandboxes are reached through these.
CREATE OR REPLACE FUNCTION orgs_of_user(wanted bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT m.organization_id FROM tenants_membership m
    JOIN core_organization o ON o.id = m.organization_id AND o.live_twin_id IS NULL
    WHERE m.user_id = wanted AND m.disabled_at IS NULL ORDER BY m.organization_id;
END
$$;

CREATE OR REPLACE FUNCTION org_of_link(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT l.organization_id FROM customers_link l
            JOIN core_organization o ON o.id = l.organization_id AND o.archived_at IS NULL WHERE l.digest = wanted);
END
$$;

CREATE OR REPLACE FUNCTION organizations() RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM core_organization ORDER BY id
$$;

CREATE OR REPLACE FUNCTION org_of_api_key(wanted text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (SELECT k.organization_id FROM tenants_apikey k WHERE k.digest = wanted);
END
$$;

-- What is due, each organization getting its share. `wall` is the real time; each organization's own clock is that and
-- its offset, which is nothing but in a sandbox. Nothing is due in a sandbox that was put away, nor, but to be moved on,
-- in one whose clock is on its way: there each thing is done when the clock is at its time.
CREATE OR REPLACE FUNCTION due_work(kind text, max_rows int, per_tenant int, wall timestamptz)
RETURNS TABLE (organization_id bigint, id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF kind = 'events' THEN
        RETURN QUERY
        SELECT due.organization_id, due.id
        FROM (SELECT e.organization_id, e.id,
                     row_number() OVER (PARTITION BY e.organization_id ORDER BY e.id) AS place
              FROM core_outboxevent e
              JOIN core_organization o ON o.id = e.organization_id AND o.archived_at IS NULL
              WHERE e.relayed_at IS NULL AND e.parked_at IS NULL AND e.next_attempt_at <= wall + o.clock_offset
                AND NOT EXISTS (SELECT FROM core_clockadvance c WHERE c.organization_id = o.id AND c.ended_at IS NULL)
             ) due
        WHERE due.place <= per_tenant ORDER BY due.place LIMIT max_rows;
    ELSIF kind = 'effects' THEN
        RETURN QUERY
        SELECT due.organization_id, due.id
        FROM (SELECT e.organization_id, e.id,
                     row_number() OVER (PARTITION BY e.organization_id ORDER BY e.due_at, e.id) AS place
              FROM core_effect e
              JOIN core_organization o ON o.id = e.organization_id AND o.archived_at IS NULL
              WHERE e.done_at IS NULL AND e.parked_at IS NULL AND e.due_at <= wall + o.clock_offset
                AND (e.lease_until IS NULL OR e.lease_until <= wall)
                AND NOT EXISTS (SELECT FROM core_clockadvance c WHERE c.organization_id = o.id AND c.ended_at IS NULL)
             ) due
        WHERE due.place <= per_tenant ORDER BY due.place LIMIT max_rows;
    ELSIF kind = 'billing' THEN
        -- No offset exceeds a hundred years, so the index bounds the scan and the join decides.
        RETURN QUERY
        SELECT due.organization_id, due.id
        FROM (SELECT s.organization_id, s.id,
                     row_number() OVER (PARTITION BY s.organization_id ORDER BY s.next_bill_at, s.id) AS place
              FROM billing_subscription s JOIN core_organization o ON o.id = s.organization_id
              WHERE s.state = 'active' AND s.held_at IS NULL AND o.suspended_at IS NULL AND o.archived_at IS NULL
                AND s.next_bill_at <= wall + o.clock_offset
                AND NOT EXISTS (SELECT FROM core_clockadvance c WHERE c.organization_id = o.id AND c.ended_at IS NULL)
             ) due
        WHERE due.place <= per_tenant ORDER BY due.place LIMIT max_rows;
    ELSIF kind = 'late_usage' THEN
        RETURN QUERY
        SELECT due.organization_id, due.id
        FROM (SELECT l.organization_id, l.id,
                     row_number() OVER (PARTITION BY l.organization_id ORDER BY l.due_at, l.id) AS place
              FROM billing_lateusage l JOIN core_organization o ON o.id = l.organization_id
              JOIN billing_subscription s ON s.organization_id = l.organization_id AND s.id = l.subscription_id
              WHERE s.held_at IS NULL AND o.suspended_at IS NULL AND o.archived_at IS NULL
                AND l.due_at <= wall + o.clock_offset
                AND NOT EXISTS (SELECT FROM core_clockadvance c WHERE c.organization_id = o.id AND c.ended_at IS NULL)
             ) due
        WHERE due.place <= per_tenant ORDER BY due.place LIMIT max_rows;
    ELSIF kind = 'attempts' THEN
        RETURN QUERY
        SELECT due.organization_id, due.id
        FROM (SELECT a.organization_id, a.id,
                     row_number() OVER (PARTITION BY a.organization_id ORDER BY a.check_at, a.id) AS place
              FROM cashapp_attempt a
              JOIN core_organization o ON o.id = a.organization_id AND o.archived_at IS NULL
              WHERE a.check_at <= wall + o.clock_offset
                AND NOT EXISTS (SELECT FROM core_clockadvance c WHERE c.organization_id = o.id AND c.ended_at IS NULL)
             ) due
        WHERE due.place <= per_tenant ORDER BY due.place LIMIT max_rows;
    ELSIF kind = 'clock' THEN
        RETURN QUERY
        SELECT c.organization_id, c.id FROM core_clockadvance c
        WHERE c.ended_at IS NULL AND (c.lease_until IS NULL OR c.lease_until <= wall)
        ORDER BY c.id LIMIT max_rows;
    ELSIF kind = 'seals' THEN
        -- A short rest, so that a busy organization gets two links a minute and not one for each statement.
        RETURN QUERY
        SELECT p.organization_id, min(p.id)
        FROM core_auditpending p WHERE p.at <= wall - interval '30 seconds'
        GROUP BY p.organization_id ORDER BY min(p.at) LIMIT max_rows;
    ELSE
        RAISE EXCEPTION 'unknown kind of due work: %', kind;
    END IF;
END
$$;
