"""Refuses to work as a database role for which row-level security would be void."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

# A role that passes by the policy, owns tables, may become one that does, or starts inside an organization.
_PROBE = (
    "SELECT bool_or(r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT FROM pg_tables t WHERE t.schemaname = 'public'"
    " AND t.tableowner = r.rolname)) OR coalesce(current_setting('app.organization_id', true), '') <> ''"
    " FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')"
)


def refuse_wrong_role() -> None:
    """Check every new connection; raises ImproperlyConfigured on the first query of a privileged role."""
    if not settings.AS_OWNER:
        connection_created.connect(_check, dispatch_uid="core.guard")


def _check(connection: Any, **kwargs: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PROBE)
        if cursor.fetchone()[0]:
            raise ImproperlyConfigured(
                "DATABASE_URL names a role that owns tables, passes row-level security by, may become such a "
                "role, or starts inside an organization. "
                "Use arapp_app there and arapp_owner in DATABASE_OWNER_URL."
            )
