-- A sign-in belongs to no organization: each one in which the person is a member is told, and nobody else. Without any,
-- it is kept apart. One statement either way, so that how long it takes does not tell whether somebody is known.
CREATE OR REPLACE FUNCTION note_access(happened text, person bigint, named text, wall timestamptz, from_address text,
                                       by_agent text, in_request text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told bigint;
BEGIN
    INSERT INTO tenants_accessevent (organization_id, kind, user_id, who, at, address, agent, request_id, detail)
    SELECT m.organization_id, happened, person, named, wall, from_address, by_agent, in_request, ''
    FROM tenants_membership m JOIN core_organization o ON o.id = m.organization_id AND o.live_twin_id IS NULL
    WHERE m.user_id = person AND m.disabled_at IS NULL AND (m.valid_until IS NULL OR m.valid_until > wall);
    GET DIAGNOSTICS told = ROW_COUNT;
    IF told = 0 THEN
        INSERT INTO tenants_strayaccess (kind, at, address, agent, request_id)
        VALUES (happened, wall, from_address, by_agent, in_request);
    END IF;
    RETURN told;
END
$$;
