"""Refuses to work as a database role for which row-level security would be void."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

_PROBE = (
    "SELECT rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public'"
    " AND tableowner = current_user) FROM pg_roles WHERE rolname = current_user"
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
                "DATABASE_URL names a role that owns tables or passes row-level security by. "
                "Use arapp_app there and arapp_owner in DATABASE_OWNER_URL."
            )
