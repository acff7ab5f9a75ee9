-- The ledger's judges. All legs of an entry arrive in one statement, so one statement-level check proves it.
-- What joins a growing table runs through EXECUTE: a plan kept from when the table was small would read all of it.

CREATE OR REPLACE FUNCTION ledger_legs_balanced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    added bigint;
BEGIN
    IF EXISTS (SELECT FROM new_rows GROUP BY organization_id, entry_id, currency HAVING sum(minor) <> 0) THEN
        RAISE EXCEPTION 'an entry does not balance' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM new_rows GROUP BY organization_id, entry_id
               HAVING sum(base_minor) <> 0 OR count(base_minor) NOT IN (0, count(*))) THEN
        RAISE EXCEPTION 'an entry does not balance in base currency' USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE 'SELECT (SELECT sum((SELECT count(*) FROM ledger_leg l
                                 WHERE l.organization_id = n.organization_id AND l.entry_id = n.entry_id))
                     FROM (SELECT DISTINCT organization_id, entry_id FROM new_rows) n)
                  - (SELECT count(*) FROM new_rows)' INTO added;
    IF added <> 0 THEN
        RAISE EXCEPTION 'legs were added to an entry already written' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ledger_entry_has_legs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_leg l
                   WHERE l.organization_id = NEW.organization_id AND l.entry_id = NEW.id) THEN
        RAISE EXCEPTION 'entry % has no legs', NEW.key USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ledger_period_open() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    closed date;
BEGIN
    SELECT p.closed_through INTO closed
    FROM new_rows n
    JOIN ledger_periodlock p ON p.organization_id = n.organization_id AND p.entity_id = n.entity_id
    WHERE n.posted_on <= p.closed_through
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books are closed through %', closed USING ERRCODE = 'AR001';
    END IF;
    RETURN NULL;
END
$$;

-- Closing waits for whoever is posting: each posting's foreign key holds the legal entity's row, and so does this.
-- A posting that comes later waits in its turn and then finds the period closed.
CREATE OR REPLACE FUNCTION ledger_close_waits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM tenants_legalentity e
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.entity_id FOR UPDATE;
    RETURN NEW;
END
$$;
