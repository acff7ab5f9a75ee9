-- Trigger functions of the kernel. They run as arapp_door with a fixed search_path and name the organization
-- themselves, because a deferred trigger may run after a pooled connection's setting is gone.

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE OR REPLACE FUNCTION audit_context() RETURNS TABLE (at timestamptz, actor jsonb, origin jsonb)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT nullif(current_setting('app.at', true), '')::timestamptz,
           coalesce(nullif(current_setting('app.actor', true), ''), '{"kind": "owner"}')::jsonb,
           coalesce(nullif(current_setting('app.origin', true), ''), '{"origin": "sql"}')::jsonb
$$;

CREATE OR REPLACE FUNCTION audit_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_id, object_repr, action,
                                 changes_text, changes, actor_id, actor_email, cid, timestamp, additional_data)
    SELECT n.organization_id, coalesce(t.id, 0), '', CASE WHEN count(*) = 1 THEN min(n.id) END, '', 0,
           '', NULL, CASE WHEN c.actor->>'kind' = 'member' THEN (c.actor->>'id')::bigint END,
           c.actor->>'label', c.origin->>'request', coalesce(c.at, clock_timestamp()),
           jsonb_build_object(
               'ids', jsonb_agg(n.id ORDER BY n.id),
               'digest', encode(sha256(convert_to(string_agg(n::text, E'\n' ORDER BY n.id), 'UTF8')), 'hex'),
               'actor', c.actor, 'origin', c.origin->>'origin')
    FROM new_rows n
    CROSS JOIN audit_context() c
    LEFT JOIN django_content_type t ON t.app_label = TG_ARGV[0] AND t.model = TG_ARGV[1]
    GROUP BY n.organization_id, t.id, c.at, c.actor, c.origin;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION audit_changed(old_row jsonb, new_row jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT jsonb_object_agg(key, jsonb_build_array(old_row->key, new_row->key))
    FROM jsonb_object_keys(new_row) AS key
    WHERE old_row->key IS DISTINCT FROM new_row->key AND key NOT IN ('version', 'updated_at')
$$;

-- Without nested loops: a plan kept from an update of one row would compare each old row with each new one.
CREATE OR REPLACE FUNCTION audit_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_nestloop = off AS $$
BEGIN
    -- Old and new are paired by id, so a row that takes another id would leave no trace.
    IF EXISTS (SELECT FROM old_rows o LEFT JOIN new_rows n ON n.id = o.id WHERE n.id IS NULL) THEN
        RAISE EXCEPTION 'the id of a row never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_id, object_repr, action,
                                 changes_text, changes, actor_id, actor_email, cid, timestamp, additional_data)
    SELECT d.organization_id, coalesce(t.id, 0), d.id::text, d.id, '', 1, '', d.changes,
           CASE WHEN c.actor->>'kind' = 'member' THEN (c.actor->>'id')::bigint END,
           c.actor->>'label', c.origin->>'request', coalesce(c.at, clock_timestamp()),
           jsonb_build_object('actor', c.actor, 'origin', c.origin->>'origin')
    FROM (SELECT n.organization_id, n.id, audit_changed(to_jsonb(o), to_jsonb(n)) AS changes
          FROM new_rows n JOIN old_rows o ON o.id = n.id) d
    CROSS JOIN audit_context() c
    LEFT JOIN django_content_type t ON t.app_label = TG_ARGV[0] AND t.model = TG_ARGV[1]
    WHERE d.changes IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION audit_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_id, object_repr, action,
                                 changes_text, changes, actor_id, actor_email, cid, timestamp, additional_data)
    SELECT o.organization_id, coalesce(t.id, 0), o.id::text, o.id, '', 2, '', to_jsonb(o),
           CASE WHEN c.actor->>'kind' = 'member' THEN (c.actor->>'id')::bigint END,
           c.actor->>'label', c.origin->>'request', coalesce(c.at, clock_timestamp()),
           jsonb_build_object('actor', c.actor, 'origin', c.origin->>'origin')
    FROM old_rows o
    CROSS JOIN audit_context() c
    LEFT JOIN django_content_type t ON t.app_label = TG_ARGV[0] AND t.model = TG_ARGV[1];
    RETURN NULL;
END
$$;

-- The organization's own row has no organization_id: it is its own.
CREATE OR REPLACE FUNCTION audit_organization() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_id, object_repr, action,
                                 changes_text, changes, actor_id, actor_email, cid, timestamp, additional_data)
    SELECT NEW.id, coalesce(t.id, 0), NEW.id::text, NEW.id, '', 1, '', audit_changed(to_jsonb(OLD), to_jsonb(NEW)),
           CASE WHEN c.actor->>'kind' = 'member' THEN (c.actor->>'id')::bigint END,
           c.actor->>'label', c.origin->>'request', coalesce(c.at, clock_timestamp()),
           jsonb_build_object('actor', c.actor, 'origin', c.origin->>'origin')
    FROM audit_context() c
    LEFT JOIN django_content_type t ON t.app_label = 'core' AND t.model = 'organization'
    WHERE audit_changed(to_jsonb(OLD), to_jsonb(NEW)) IS NOT NULL;
    RETURN NULL;
END
$$;
