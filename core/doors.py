"""The one caller of the database's doors (core/sql/doors.sql): what may be known before the organization is."""

from datetime import datetime
from typing import Any

from django.db import connection

from core import clock, ids


def _call(sql: str, params: list[Any]) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def org_of_slug(slug: str) -> int | None:
    """Organization of an address such as /o/<slug>/; None when there is none."""
    if "\0" in slug:  # no text of the database holds one, and the driver refuses to send it
        return None
    return _call("SELECT org_of_slug(%s)", [slug])[0][0]


def orgs_of_user(user_id: int) -> list[int]:
    """Organizations in which the user has a membership, newest last."""
    return [row[0] for row in _call("SELECT orgs_of_user(%s)", [user_id])]


def organizations() -> list[int]:
    """Every organization, for commands of whoever runs the product."""
    return [row[0] for row in _call("SELECT organizations()", [])]


def create_org(*, slug: str, name: str) -> int:
    """Make the row of a new organization and return its id; IntegrityError when the slug is taken."""
    return _call("SELECT create_org(%s, %s, %s, %s)", [ids.new("org"), slug, name, clock.wall()])[0][0]


def twin_of_own() -> int | None:
    """The sandbox of the scope's organization that is not archived, or None. Inside work()."""
    return _call("SELECT twin_of_own()", [])[0][0]


def create_twin(*, slug: str, name: str) -> int:
    """Make the row of the sandbox of the scope's organization and return its id. Inside work().

    IntegrityError when the slug is taken, when there is one already, or for an organization that is a sandbox.
    """
    return _call("SELECT create_twin(%s, %s, %s, %s)", [ids.new("org"), slug, name, clock.wall()])[0][0]


def org_of_link(digest: str) -> int | None:
    """Organization of a signed link, found by the hash of its token; None when unknown."""
    return _call("SELECT org_of_link(%s)", [digest])[0][0]


def org_of_api_key(digest: str) -> int | None:
    """Organization of an API key, found by the hash of its secret; None when unknown."""
    return _call("SELECT org_of_api_key(%s)", [digest])[0][0]


def seal_audit() -> int:
    """Seal what is queued of the current organization's audit as its next link; how many rows. Inside work()."""
    return _call("SELECT seal_audit()", [])[0][0]


def audit_heads() -> dict[int, tuple[int, str]]:
    """The end of each organization's chain: number and hash of its last seal, 0 and "" where there is none."""
    rows: list[tuple[Any, ...]] = _call("SELECT organization_id, number, hash FROM audit_heads()", [])
    return {organization_id: (number, digest) for organization_id, number, digest in rows}


def note_access(
    kind: str, *, user_id: int | None, who: str, address: str, agent: str, request_id: str
) -> int:
    """Tell each organization of the person what happened at the front door; how many were told. 0: it is kept apart."""
    sql = "SELECT note_access(%s, %s, %s, %s, %s, %s, %s)"
    return _call(sql, [kind, user_id, who, clock.wall(), address, agent, request_id])[0][0]


def due_work(kind: str, *, max_rows: int, per_tenant: int, wall: datetime) -> dict[int, list[int]]:
    """Ids of what is due, by organization, at most `per_tenant` each: one query for all tenants."""
    due: dict[int, list[int]] = {}
    for organization_id, row_id in _call(
        "SELECT organization_id, id FROM due_work(%s, %s, %s, %s)", [kind, max_rows, per_tenant, wall]
    ):
        due.setdefault(organization_id, []).append(row_id)
    return due
