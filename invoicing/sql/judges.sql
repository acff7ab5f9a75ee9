-- Issued documents never change. What may still be written on one: that it became void, and where its PDF is.

CREATE OR REPLACE FUNCTION invoicing_document_frozen() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    free text[] := ARRAY['state', 'pdf_id', 'pdf_problem', 'version', 'updated_at', 'metadata', 'external_id'];
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(OLD) - free <> to_jsonb(NEW) - free
       OR (OLD.state <> NEW.state AND NOT (OLD.state = 'issued' AND NEW.state = 'void'))
       OR (OLD.pdf_id IS NOT NULL AND NEW.pdf_id IS DISTINCT FROM OLD.pdf_id) THEN
        RAISE EXCEPTION 'document % was issued and never changes', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION invoicing_child_frozen() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    frozen boolean;
BEGIN
    -- Through EXECUTE: a plan kept from when the table was small would read all of it.
    EXECUTE 'SELECT EXISTS (SELECT FROM changed c
             CROSS JOIN LATERAL (SELECT state FROM invoicing_document WHERE id = c.document_id LIMIT 1) d
             WHERE d.state <> ''draft'')' INTO frozen;
    IF frozen THEN
        RAISE EXCEPTION 'rows of an issued document never change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
