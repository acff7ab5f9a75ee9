"""For whoever runs the product: is the process alive, and can it do its work?"""

import logging

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from arapp.celery import app
from core.web import open_page

log = logging.getLogger(__name__)
_migrated: list[bool] = []


@open_page("says only that the process answers")
@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"alive": True})


@open_page("says yes or no, never why")
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    is_ready = _database() and _broker()
    return JsonResponse({"ready": is_ready}, status=200 if is_ready else 503)


def _database() -> bool:
    """It answers, as a role that row-level security holds for, with every migration applied."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            privileged = cursor.fetchone()[0]
        if privileged or settings.AS_OWNER:
            log.error("Not ready: the database role passes row-level security by")
            return False
        return _is_migrated()
    except (DatabaseError, ImproperlyConfigured):
        log.exception("Not ready: the database")
        return False


def _is_migrated() -> bool:
    """Asked until it is so: a running process meets no older schema later."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            log.error("Not ready: migrations are not applied")
            return False
        _migrated.append(True)
    return True


def _broker() -> bool:
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except (BrokerError, OSError):
        log.exception("Not ready: the broker")
        return False
    return True
