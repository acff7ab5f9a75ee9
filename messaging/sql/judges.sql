-- What was sent stays as it was sent: the text, to whom, under which Message-ID, and when.

CREATE OR REPLACE FUNCTION messaging_as_sent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'message % was sent and does not change', OLD.public_id USING ERRCODE = 'restrict_violation';
END
$$;
