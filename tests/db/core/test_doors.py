"""What may be known before the organization is: ids, and nothing else."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core import clock, doors
from core.scope import Scope, work


@pytest.mark.parametrize(
    "slug", ["", "nobody", "ACORN", "acorn ", "acorn%", "ac_rn", "' OR 1=1 --", "\\", "acorn\0", "ä" * 500]
)
def test_an_unknown_address_is_nobodys(db: None, slug: str) -> None:
    assert doors.org_of_slug(slug) is None


def test_an_address_leads_to_an_id(acorn: Scope, birch: Scope) -> None:
    assert (doors.org_of_slug("acorn"), doors.org_of_slug("birch")) == (
        acorn.organization_id,
        birch.organization_id,
    )


def test_the_organizations_of_a_person(acorn: Scope, birch: Scope) -> None:
    assert doors.orgs_of_user(acorn.actor.id or 0) == [acorn.organization_id]
    assert doors.orgs_of_user(0) == doors.orgs_of_user(-1) == []


def test_an_unknown_link_is_nobodys(db: None) -> None:
    assert doors.org_of_link("0" * 64) is None


def test_a_taken_address_is_refused_and_nothing_is_made(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        doors.create_org(slug="acorn", name="Acorn again")
    assert doors.create_org(slug="acorn-two", name="Another") == doors.org_of_slug("acorn-two")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT slug FROM core_organization",
        "SELECT user_id FROM tenants_membership",
        "SELECT digest FROM customers_link",
        "SELECT payload FROM core_outboxevent",
    ],
)
def test_without_a_scope_the_tables_behind_the_doors_are_shut(db: None, statement: str) -> None:
    """Loud, except that a policy is never asked about the rows of an empty table."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            assert cursor.fetchall() == []
    except DatabaseError:
        return
    assert "outboxevent" in statement, "only a table without rows may be silent"


def test_an_unknown_kind_of_work_is_loud(acorn: Scope) -> None:
    with pytest.raises(DatabaseError, match="unknown kind"), transaction.atomic():
        doors.due_work("nonsense", max_rows=1, per_tenant=1, wall=clock.wall())


def test_a_table_of_the_callers_own_does_not_catch_a_door(acorn: Scope) -> None:
    with work(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE core_organization (id bigint, slug text) ON COMMIT DROP")
        cursor.execute("INSERT INTO pg_temp.core_organization VALUES (666, 'acorn')")
        assert doors.org_of_slug("acorn") == acorn.organization_id
        cursor.execute("DROP TABLE pg_temp.core_organization")


def test_the_web_refuses_a_connection_that_starts_inside_an_organization(db: None) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from core import guard

    guard._check(connection)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', '1', true)")
    with pytest.raises(ImproperlyConfigured):
        guard._check(connection)
