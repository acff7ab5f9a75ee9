-- The judges of open items. Allocations move the open amounts here and nowhere else, under the row locks that the
-- service took in order; the CHECK on open items refuses whatever goes beyond them. The day on which something is due next
-- moves with them, from the deposit's to the rest's and back.

CREATE OR REPLACE FUNCTION receivables_item_whole() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows WHERE open_minor <> total_minor OR reserved_minor <> 0) THEN
        RAISE EXCEPTION 'an open item starts whole' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION receivables_move_items() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wrong boolean;
BEGIN
    -- Through EXECUTE: a plan kept from when the tables were small would read all of them. Each row by its own id and
    -- nothing else: beside a key that begins with the organization, a server with old statistics may choose to read the
    -- organization whole, once for every allocation.
    EXECUTE 'SELECT EXISTS (SELECT FROM new_rows n
             CROSS JOIN LATERAL (SELECT organization_id, side, currency, entity_id, customer_id
                                 FROM receivables_openitem WHERE id = n.debit_item_id LIMIT 1) d
             CROSS JOIN LATERAL (SELECT organization_id, side, currency, entity_id, customer_id
                                 FROM receivables_openitem WHERE id = n.credit_item_id LIMIT 1) c
             WHERE d.organization_id <> n.organization_id OR c.organization_id <> n.organization_id
                OR d.side <> ''debit'' OR c.side <> ''credit'' OR d.currency <> c.currency
                OR d.entity_id <> c.entity_id OR d.customer_id <> c.customer_id)' INTO wrong;
    IF wrong THEN
        RAISE EXCEPTION 'an allocation joins a debit and a credit of one customer, entity and currency'
            USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM new_rows n
             CROSS JOIN LATERAL (SELECT minor, debit_item_id, credit_item_id, reverses_id
                                 FROM receivables_allocation WHERE id = n.reverses_id LIMIT 1) a
             WHERE a.minor <> -n.minor OR a.debit_item_id <> n.debit_item_id
                OR a.credit_item_id <> n.credit_item_id OR a.reverses_id IS NOT NULL)' INTO wrong;
    IF wrong THEN
        RAISE EXCEPTION 'an undo mirrors the allocation that it undoes' USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE 'UPDATE receivables_openitem i
             SET open_minor = i.open_minor - moved.minor,
                 due_on = CASE WHEN i.deposit_minor = 0 THEN i.due_on
                               WHEN i.open_minor - moved.minor > i.total_minor - i.deposit_minor THEN i.deposit_due_on
                               ELSE i.rest_due_on END
             FROM (SELECT item_id, sum(minor) AS minor
                   FROM (SELECT debit_item_id AS item_id, minor FROM new_rows
                         UNION ALL
                         SELECT credit_item_id, minor FROM new_rows) sides
                   GROUP BY 1) moved
             WHERE i.id = moved.item_id';
    RETURN NULL;
END
$$;
