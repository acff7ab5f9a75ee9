-- A person belongs to no organization, so what changes of them is told to each one in which they are a member. Never
-- the password itself, not that they signed in, and nobody who acted in another organization.
CREATE OR REPLACE FUNCTION audit_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    hidden CONSTANT text[] := ARRAY['password', 'last_login', 'news_seen'];
    changed jsonb := coalesce(audit_changed(to_jsonb(OLD) - hidden, to_jsonb(NEW) - hidden), '{}');
    here bigint := nullif(current_setting('app.organization_id', true), '')::bigint;
BEGIN
    IF NEW.password <> OLD.password THEN
        changed := changed || '{"password": ["", ""]}';
    END IF;
    IF changed = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO core_auditentry (organization_id, content_type_id, object_pk, object_id, object_repr, action,
                                 changes_text, changes, actor_id, actor_email, cid, timestamp, additional_data)
    SELECT m.organization_id, coalesce(t.id, 0), NEW.id::text, NEW.id, '', 1, '', changed,
           CASE WHEN m.organization_id = here AND c.actor->>'kind' = 'member' THEN (c.actor->>'id')::bigint END,
           CASE WHEN m.organization_id = here THEN c.actor->>'label' END,
           CASE WHEN m.organization_id = here THEN c.origin->>'request' END,
           coalesce(c.at, clock_timestamp()),
           jsonb_build_object('actor', CASE WHEN m.organization_id = here THEN c.actor ELSE '{"kind": "elsewhere"}' END,
                              'origin', c.origin->>'origin')
    FROM tenants_membership m
    CROSS JOIN audit_context() c
    LEFT JOIN django_content_type t ON t.app_label = 'tenants' AND t.model = 'user'
    WHERE m.user_id = NEW.id;
    RETURN NULL;
END
$$;
