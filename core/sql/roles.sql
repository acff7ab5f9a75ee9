-- The three roles of one deployment, made once by a superuser; safe to run again.
-- arapp_owner migrates and verifies, arapp_app is web, worker and beat, arapp_door owns the few functions
-- that may look across organizations. Passwords are set by whoever runs this, never here.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'arapp_door') THEN
        CREATE ROLE arapp_door NOLOGIN NOSUPERUSER BYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'arapp_owner') THEN
        CREATE ROLE arapp_owner LOGIN NOSUPERUSER BYPASSRLS CREATEDB;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'arapp_app') THEN
        CREATE ROLE arapp_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
END
$$;
GRANT arapp_door TO arapp_owner;
ALTER ROLE arapp_app SET lock_timeout = '3s';
-- Of what runs outside a scope; inside one, work() says how long a statement may take.
ALTER ROLE arapp_app SET statement_timeout = '15s';
ALTER ROLE arapp_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE arapp_owner SET lock_timeout = '10s';
-- Many short statements: compiling one costs more than it ever saves.
ALTER ROLE arapp_app SET jit = off;
