-- Whether a sealed column is as it was, or was only sealed anew under a later data key (see core.vault): what rows
-- that never change may still undergo.
CREATE OR REPLACE FUNCTION sealed_anew(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT before = after OR CASE WHEN before ~ '^1\.\d{1,9}\.' AND after ~ '^1\.\d{1,9}\.'
        THEN split_part(after, '.', 2)::integer > split_part(before, '.', 2)::integer ELSE false END
$$;
