-- The chain over the audit. A trigger queues each audit row with its digest in the transaction that writes it, so a
-- row that is seen is sealed, whenever its transaction commits and whatever its id is. The door seals what is queued.

CREATE OR REPLACE FUNCTION audit_queue() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- core/seals.py computes the same text again to prove the row.
    INSERT INTO core_auditpending (organization_id, ids, digests, at)
    SELECT n.organization_id, array_agg(n.id ORDER BY n.id),
           string_agg(sha256(convert_to(jsonb_build_array(
               n.id, n.organization_id, n.content_type_id, n.object_pk, n.object_id, n.object_repr, n.action,
               n.changes_text, n.changes, n.serialized_data, n.actor_id, n.actor_email, n.cid,
               extract(epoch FROM n.timestamp), n.additional_data, host(n.remote_addr), n.remote_port
           )::text, 'UTF8')), ''::bytea ORDER BY n.id),
           clock_timestamp()
    FROM new_rows n GROUP BY n.organization_id;
    RETURN NULL;
END
$$;

-- Seals up to five hundred queued statements of the transaction's organization as its next link; answers with the
-- number of rows, 0 when there are none or somebody else is sealing them.
CREATE OR REPLACE FUNCTION seal_audit() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine bigint := current_setting('app.organization_id')::bigint;
    at timestamptz := clock_timestamp();
    place bigint := 0;
    before text := '';
    sealed bigint[];
    leaves bytea;
    head text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('core_auditseal', mine)) THEN
        RETURN 0;
    END IF;
    SELECT s.number, s.hash INTO place, before FROM core_auditseal s
    WHERE s.organization_id = mine ORDER BY s.number DESC LIMIT 1;
    WITH taken AS (
        DELETE FROM core_auditpending p
        WHERE p.organization_id = mine AND p.id IN (
            SELECT q.id FROM core_auditpending q WHERE q.organization_id = mine ORDER BY q.id LIMIT 500)
        RETURNING p.ids, p.digests
    )
    SELECT array_agg(leaf.id ORDER BY leaf.id),
           string_agg(substr(taken.digests, (leaf.n::int - 1) * 32 + 1, 32), ''::bytea ORDER BY leaf.id)
    INTO sealed, leaves
    FROM taken, unnest(taken.ids) WITH ORDINALITY AS leaf(id, n);
    IF sealed IS NULL THEN
        RETURN 0;
    END IF;
    place := coalesce(place, 0) + 1;
    before := coalesce(before, '');
    head := jsonb_build_array(before, mine, place, sealed[1], sealed[cardinality(sealed)], cardinality(sealed),
                              to_jsonb(sealed), extract(epoch FROM at))::text;
    INSERT INTO core_auditseal (organization_id, number, first_id, last_id, rows, ids, digests, previous, hash, sealed_at)
    VALUES (mine, place, sealed[1], sealed[cardinality(sealed)], cardinality(sealed), sealed, leaves, before,
            encode(sha256(convert_to(head, 'UTF8') || leaves), 'hex'), at);
    RETURN cardinality(sealed);
END
$$;

-- The end of every organization's chain, for the anchor; number 0 and no hash where there is none yet.
CREATE OR REPLACE FUNCTION audit_heads() RETURNS TABLE (organization_id bigint, number bigint, hash text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT o.id, coalesce(last.number, 0), coalesce(last.hash, '')::text
    FROM core_organization o
    LEFT JOIN LATERAL (SELECT s.number, s.hash FROM core_auditseal s WHERE s.organization_id = o.id
                       ORDER BY s.number DESC LIMIT 1) last ON true
    ORDER BY o.id;
END
$$;
