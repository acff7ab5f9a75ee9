DROP FUNCTION IF EXISTS audit_organization(), audit_delete(), audit_update(), audit_insert(), audit_changed(jsonb, jsonb), audit_context(), refuse_change() CASCADE;
