-- The judges of prepaid balances. What is left of a top-up is moved here and nowhere else, under the row lock that the
-- service took; the CHECK on top-ups refuses whatever goes beyond them.

CREATE OR REPLACE FUNCTION invoicing_topup_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wrong boolean;
BEGIN
    -- Through EXECUTE: a plan kept from when the tables were small would read all of them.
    EXECUTE 'SELECT EXISTS (SELECT FROM new_rows n
             CROSS JOIN LATERAL (SELECT organization_id, kind, state, prepays, currency, entity_id, customer_id, total_minor
                                 FROM invoicing_document WHERE id = n.document_id LIMIT 1) d
             WHERE d.organization_id <> n.organization_id OR n.left_minor <> n.total_minor
                OR d.kind <> ''invoice'' OR d.state <> ''issued'' OR NOT d.prepays OR d.total_minor <> n.total_minor
                OR d.currency <> n.currency OR d.entity_id <> n.entity_id OR d.customer_id <> n.customer_id)'
        INTO wrong;
    IF wrong THEN
        RAISE EXCEPTION 'a top-up starts whole, as its issued invoice says' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION invoicing_take_of_topups() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wrong boolean;
BEGIN
    EXECUTE 'SELECT EXISTS (SELECT FROM new_rows n
             CROSS JOIN LATERAL (SELECT organization_id, customer_id, entity_id, currency, document_id
                                 FROM invoicing_topup WHERE id = n.top_up_id LIMIT 1) t
             LEFT JOIN LATERAL (SELECT organization_id, customer_id, entity_id, currency, state, prepays, credits_id
                                FROM invoicing_document WHERE id = n.document_id LIMIT 1) d ON true
             WHERE t.organization_id <> n.organization_id
                OR (n.document_id IS NOT NULL AND (d.organization_id <> n.organization_id
                    OR d.customer_id <> t.customer_id OR d.entity_id <> t.entity_id OR d.currency <> t.currency
                    OR d.state <> ''issued''
                    OR (n.kind = ''drawn'' AND d.prepays)
                    OR (n.kind = ''credited'' AND d.credits_id IS DISTINCT FROM t.document_id))))'
        INTO wrong;
    IF wrong THEN
        RAISE EXCEPTION 'a top-up pays for its own customer, entity and currency' USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE 'UPDATE invoicing_topup t
             SET left_minor = t.left_minor - moved.minor
             FROM (SELECT top_up_id, sum(minor) AS minor FROM new_rows GROUP BY 1) moved
             WHERE t.id = moved.top_up_id';
    RETURN NULL;
END
$$;
