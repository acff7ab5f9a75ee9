"""What Celery runs. Beat only wakes the dispatcher; what is due lives in the database.

Losing every message in Redis loses nothing: the next tick finds the same rows. Receiving one twice does nothing:
rows are claimed with SKIP LOCKED.
"""

import logging

from celery import shared_task
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from core import anchors, clock, doors, registry, timetravel
from core.scope import SYSTEM, Scope, current, enter, work

log = logging.getLogger(__name__)

MAX_ROWS = 1000
PER_TENANT = 50


def wake(kind: str) -> None:
    """Ask a worker to look at the current organization's due rows; Redis being away is not an error."""
    _send(kind, current().organization_id)


def _send(kind: str, organization_id: int) -> None:
    try:
        run_due.apply_async(
            kwargs={"kind": kind, "organization_id": organization_id}, expires=60, retry=False
        )
    except (OperationalError, ConnectionError, OSError):
        log.warning("The broker does not answer; the dispatcher will find the work when it does.")


@shared_task
def dispatch() -> None:
    """Find what is due across all organizations, one query a kind, and hand each organization its share."""
    for kind in registry.due_workers:
        try:
            due = doors.due_work(kind, max_rows=MAX_ROWS, per_tenant=PER_TENANT, wall=clock.wall())
        except DatabaseError:
            log.exception("What is due of %s could not be found; the other kinds go on.", kind)
            continue
        for organization_id in due:
            _send(kind, organization_id)


@shared_task
def anchor_audit() -> None:
    """Write today's anchor of the audit, unless it is there already."""
    anchors.write()


@shared_task
def run_due(*, kind: str, organization_id: int) -> None:
    """Work off one organization's due rows of one kind."""
    with enter(system_scope(organization_id)):
        if kind in registry.clocked and timetravel.is_moving():
            return  # whoever moves the clock does it, in its time
        registry.due_workers[kind]([])


def system_scope(organization_id: int, *, origin: str = "worker", label: str = "system") -> Scope:
    """The scope in which the product itself acts for an organization, at that organization's business time."""
    from dataclasses import replace

    from core.models import Organization

    bare = Scope(organization_id, replace(SYSTEM, label=label), origin=origin)
    with enter(bare), work():
        organization = Organization.objects.get(pk=organization_id)
    memo = {"sandbox": organization.live_twin_id is not None}
    return replace(bare, clock_offset=organization.clock_offset, memo=memo)
