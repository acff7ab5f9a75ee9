#!/bin/sh
# Makes the roles, sets the two passwords, and makes the database; safe to run again. Runs as superuser, once per start.
set -eu
export PGHOST=db PGUSER=postgres PGDATABASE=postgres
PGPASSWORD="$(cat /run/secrets/postgres-password)"
export PGPASSWORD
psql -v ON_ERROR_STOP=1 -q -f /roles.sql
# As variables of psql, so that no password is part of a command line.
psql -v ON_ERROR_STOP=1 -q <<SQL
\set owner \`cat /run/secrets/owner-password\`
\set app \`cat /run/secrets/app-password\`
ALTER ROLE arapp_owner PASSWORD :'owner';
ALTER ROLE arapp_app PASSWORD :'app';
SELECT 'CREATE DATABASE arapp OWNER arapp_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'arapp')\gexec
SQL
