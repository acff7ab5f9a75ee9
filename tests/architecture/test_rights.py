"""What the application's role may do in the database, and what it may never."""

import pytest

from tests.architecture.test_catalogue import ask, columns, frozen, names
from tools.mutants.rules import EQUIVALENT

pytestmark = pytest.mark.usefixtures("db")


def test_role_flags() -> None:
    rows = ask(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin, rolinherit"
        " FROM pg_roles WHERE rolname IN ('arapp_app', 'arapp_door') ORDER BY 1"
    )
    assert rows == [
        ("arapp_app", False, False, False, False, False, True, False),
        ("arapp_door", False, True, False, False, False, False, True),
    ]


def test_the_app_is_a_member_of_nothing() -> None:
    assert ask("SELECT 1 FROM pg_auth_members WHERE member = 'arapp_app'::regrole") == []


def test_the_app_creates_nothing_in_the_schema() -> None:
    assert ask(
        "SELECT has_schema_privilege('arapp_app', 'public', 'CREATE'),"
        " has_database_privilege('arapp_app', current_database(), 'CREATE')"
    ) == [(False, False)]


def holders(right: str) -> set[str]:
    return names(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege('arapp_app', oid, %s)",
        right,
    )


@pytest.mark.parametrize("right", ["TRUNCATE", "REFERENCES", "TRIGGER"])
def test_the_app_never_has_this_right(right: str) -> None:
    assert holders(right) == set()


def test_tables_of_facts_are_append_only_by_right_too() -> None:
    assert {
        "ledger_entry",
        "ledger_leg",
        "receivables_allocation",
        "core_statechange",
        "core_storedfile",
    } <= frozen()
    assert frozen() & (holders("UPDATE") | holders("DELETE")) == set()


def test_the_audit_is_written_by_the_database_alone() -> None:
    written = {"core_auditentry", "core_auditpending", "core_auditseal"}
    assert written & (holders("INSERT") | holders("UPDATE") | holders("DELETE")) == set()


def test_tallies_are_moved_by_triggers_alone() -> None:
    assert "core_tally" not in holders("INSERT") | holders("UPDATE") | holders("DELETE")


@pytest.mark.parametrize("name", sorted(name for name in EQUIVALENT if name.startswith("writes:")))
def test_a_policy_nobody_needs_to_notice_judges_no_write_of_the_app(name: str) -> None:
    """Not even of one column: a right given later wants its policy tried again."""
    table = name.removeprefix("writes:")
    assert columns(table, "INSERT") | columns(table, "UPDATE") == set()


def test_what_no_organization_knows_is_for_the_operator_alone() -> None:
    rights = {right: holders(right) for right in ("SELECT", "INSERT", "UPDATE", "DELETE")}
    assert [right for right, tables in rights.items() if "tenants_strayaccess" in tables] == []


def test_what_is_published_for_all_is_written_by_the_owner_alone() -> None:
    assert "core_referencerate" not in holders("INSERT") | holders("UPDATE") | holders("DELETE")


def test_open_amounts_are_moved_by_the_trigger_alone() -> None:
    never = {"id", "organization_id", "open_minor", "total_minor", "currency", "side", "kind", "customer_id"}
    assert columns("receivables_openitem", "UPDATE") & never == set()
    assert columns("receivables_openitem", "UPDATE", "arapp_door") == {"open_minor", "due_on"}
    assert "receivables_openitem" not in holders("DELETE")


def test_the_fact_of_an_event_never_changes() -> None:
    assert columns("core_outboxevent", "UPDATE") == {
        "place",
        "relayed_at",
        "attempts",
        "next_attempt_at",
        "parked_at",
        "last_error",
    }
    assert columns("core_handledevent", "UPDATE") == set()
    assert {"core_outboxevent", "core_handledevent"} & holders("DELETE") == set()


def test_an_organization_is_made_by_its_door_and_keeps_its_identity() -> None:
    assert "core_organization" not in holders("INSERT") | holders("DELETE")
    assert columns("core_organization", "UPDATE") & {"id", "public_id", "live_twin_id", "created_at"} == set()


def test_the_app_only_reads_what_the_framework_keeps_for_itself() -> None:
    writable = holders("INSERT") | holders("UPDATE") | holders("DELETE")
    unused = {
        "auditlog_logentry",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_migrations",
    }
    assert writable & (unused | {"django_content_type"}) == set()


def test_no_sequence_can_be_turned_back_by_the_app() -> None:
    assert (
        ask(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND CASE relkind WHEN 'S' THEN has_sequence_privilege('arapp_app', oid, 'UPDATE') ELSE false END"
        )
        == []
    )
