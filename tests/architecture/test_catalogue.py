"""What the database says about itself, not what the models promise: one test per rule, exceptions with a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import CheckConstraint, ForeignKey, Index, Model

from core.base import TenantRow
from core.constraints import Audited, Trigger
from tools.check.files import ROOT

pytestmark = pytest.mark.usefixtures("db")

# Tables without an organization, and why.
GLOBAL = {
    "core_organization": "the tenant itself; its policy compares `id`",
    "core_referencerate": "published rates, the same for everybody",
    "tenants_strayaccess": "failed sign-ins that no organization knows",
    "tenants_user": "one person may belong to several organizations",
    "django_content_type": "the framework's list of models",
    "django_migrations": "the framework's list of migrations",
    "django_session": "sign-in comes before the organization",
    "auth_group": "the framework's, unused: roles are tenants.Role",
    "auth_group_permissions": "the framework's, unused",
    "auth_permission": "the framework's, unused",
    "auditlog_logentry": "the library's own table, swapped for core_auditentry",
}
# Unique keys that do not lead with the organization, and why.
GLOBAL_UNIQUE = {
    ("customers_link", "digest"): "a link is found by its hash before the organization is known",
    ("tenants_apikey", "digest"): "a key is found by its hash before the organization is known",
}
# Other indexes that do not lead with it, and why.
GLOBAL_INDEX = {
    ("tenants_membership", "user_id"): "a person's organizations are asked for before one is chosen",
}
# Functions that run with the rights of arapp_door.
DOORS = {
    "audit_heads",
    "create_org",
    "create_twin",
    "due_work",
    "make_usage_months",
    "note_access",
    "org_of_api_key",
    "org_of_link",
    "org_of_slug",
    "organizations",
    "orgs_of_user",
    "seal_audit",
    "twin_of_own",
}
# Functions that another role must own, and why.
OWNED = {"make_usage_months": ("arapp_owner", "a part of a table is made by the table's owner alone")}
CURRENT = "( SELECT (current_setting('app.organization_id'::text))::bigint AS current_setting)"


def ask(sql: str, *params: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall()


def names(sql: str, *params: object) -> set[str]:
    return {row[0] for row in ask(sql, *params)}


def tenant_models() -> list[type[TenantRow]]:
    return sorted(
        (model for model in apps.get_models() if issubclass(model, TenantRow) and model._meta.managed),
        key=lambda model: model._meta.db_table,
    )


def tables() -> set[str]:
    return names(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND NOT relispartition"
    )


each_model = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.db_table)


def frozen() -> set[str]:
    return {
        model._meta.db_table
        for model in tenant_models()
        if f"{model._meta.db_table}_frozen" in {rule.name for rule in model._meta.constraints}
        and any(getattr(rule, "function", "") == "refuse_change()" for rule in model._meta.constraints)
    }


def columns(table: str, right: str, role: str = "arapp_app") -> set[str]:
    return names(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND has_column_privilege(%s, attrelid, attnum, %s)",
        table,
        role,
        right,
    )


# ------------------------------------------------------------------------------------------------ every table


def test_every_table_is_an_organizations_or_global_for_a_reason() -> None:
    assert tables() - set(GLOBAL) == {model._meta.db_table for model in tenant_models()}


def test_every_local_model_is_a_tenant_row_or_global_for_a_reason() -> None:
    local = {path.parent.name for path in ROOT.glob("*/apps.py")}
    stray = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in local and not issubclass(model, TenantRow)
    }
    assert stray <= set(GLOBAL)


@each_model
def test_a_row_always_has_its_organization(model: type[TenantRow]) -> None:
    assert ask(
        "SELECT format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attname = 'organization_id'",
        model._meta.db_table,
    ) == [("bigint", True)]


@pytest.mark.parametrize(
    ("table", "column"),
    [("core_organization", "id"), *((model._meta.db_table, "organization_id") for model in tenant_models())],
)
def test_row_level_security_is_on_forced_and_judges_both_ways(table: str, column: str) -> None:
    assert ask(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table
    ) == [(True, True)]
    rule = f"({column} = {CURRENT})"
    assert ask(
        "SELECT permissive, roles::text, cmd, qual, with_check FROM pg_policies WHERE tablename = %s", table
    ) == [("PERMISSIVE", "{public}", "ALL", rule, rule)]


def test_no_other_table_has_a_policy() -> None:
    guarded = {model._meta.db_table for model in tenant_models()} | {"core_organization"}
    assert names("SELECT tablename FROM pg_policies") == guarded


def test_the_app_and_the_doors_own_no_table() -> None:
    assert names("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == {"arapp_owner"}


def test_every_unique_key_leads_with_the_organization() -> None:
    found = {
        (table, lead)
        for table, lead in ask(
            "SELECT t.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
            " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE i.indisunique AND NOT i.indisprimary AND t.relnamespace = 'public'::regnamespace"
        )
        if table not in GLOBAL and lead != "organization_id"
    }
    assert found == set(GLOBAL_UNIQUE)


def test_every_other_index_leads_with_the_organization() -> None:
    found = [
        (table, index)
        for table, index, lead in ask(
            "SELECT t.relname, c.relname, a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
            " JOIN pg_class c ON c.oid = i.indexrelid"
            " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            " WHERE NOT i.indisunique AND t.relnamespace = 'public'::regnamespace"
        )
        if table not in GLOBAL
        and lead != "organization_id"
        and not index.endswith("_anywhere")  # what a door reads across organizations is named so
        and (table, lead) not in {**GLOBAL_UNIQUE, **GLOBAL_INDEX}
    ]
    assert found == []


@each_model
def test_references_between_organizations_tables_are_composite(model: type[TenantRow]) -> None:
    expected = {
        ((*(("organization_id",) if target is not None else ()), column), target or "core_organization")
        for column, target in references(model)
    }
    found = {
        (tuple(columns), target)
        for columns, target, match_keys in ask(
            "SELECT array_agg(a.attname::text ORDER BY k.place), c.confrelid::regclass::text,"
            " array_agg(f.attname::text ORDER BY k.place)"
            " FROM pg_constraint c, unnest(c.conkey, c.confkey) WITH ORDINALITY k(mine, theirs, place),"
            " pg_attribute a, pg_attribute f"
            " WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND a.attrelid = c.conrelid AND a.attnum = k.mine"
            " AND f.attrelid = c.confrelid AND f.attnum = k.theirs GROUP BY c.oid, c.confrelid",
            model._meta.db_table,
        )
        if match_keys in (["organization_id", "id"], ["id"])
    }
    assert expected <= found
    assert {target for columns, target in found - expected} <= {"core_organization", *GLOBAL}


def references(model: type[Model]) -> list[tuple[str, str | None]]:
    """(column, table) of each reference to another organization's table; the table is None where nothing proves
    that the organization exists but its own key."""
    found: list[tuple[str, str | None]] = [
        (field.column, field.related_model._meta.db_table)
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and issubclass(field.related_model, TenantRow)  # type: ignore[arg-type]
    ]
    proven = any(
        isinstance(field, ForeignKey) and issubclass(field.related_model, TenantRow) and not field.null  # type: ignore[arg-type]
        for field in model._meta.concrete_fields
    )
    return found if proven else [*found, ("organization_id", None)]


def test_no_constraint_is_left_unvalidated() -> None:
    assert ask("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []


def test_a_part_of_a_table_is_reached_through_the_whole_alone() -> None:
    """Whoever reads or writes a part by its own name would pass the policy of the whole by."""
    parts = ask(
        "SELECT relname, relrowsecurity AND relforcerowsecurity, array(SELECT a.word FROM"
        " unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS a(word)"
        " WHERE has_table_privilege('arapp_app', oid, a.word) OR has_table_privilege('arapp_door', oid, a.word))"
        " FROM pg_class WHERE relispartition AND relkind = 'r'"
    )
    assert len(parts) >= 12
    assert [name for name, guarded, rights in parts if rights or not guarded] == []


# ------------------------------------------------------------------------------------- models against catalogue


@each_model
def test_constraints_and_indexes_of_the_models_exist(model: type[TenantRow]) -> None:
    meta = model._meta
    declared = {
        rule.name for rule in [*meta.constraints, *meta.indexes] if not isinstance(rule, Trigger | Audited)
    }
    found = names(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass"
        " UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = %s::regclass UNION SELECT polname FROM pg_policy WHERE polrelid = %s::regclass",
        *[meta.db_table] * 3,
    )
    assert declared <= found
    checks = {rule.name for rule in meta.constraints if isinstance(rule, CheckConstraint)}
    positive = {f for f in found if f.endswith("_check")}  # the framework's own, of positive integer fields
    assert names(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", meta.db_table
    ) == (checks | positive)
    assert all(rule.name for rule in meta.indexes if isinstance(rule, Index))


@each_model
def test_triggers_of_the_models_exist_and_fire(model: type[TenantRow]) -> None:
    declared = {rule.name for rule in model._meta.constraints if isinstance(rule, Trigger)}
    if model.AUDITED:
        declared |= {f"{model._meta.db_table}_audit_{event}" for event in ("insert", "update", "delete")}
    assert dict(
        ask(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            model._meta.db_table,
        )
    ) == dict.fromkeys(declared, "O")


# ------------------------------------------------------------------------------------------- views and functions


def test_views_judge_as_the_reader() -> None:
    assert (
        ask(
            "SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
            " AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)"
        )
        == []
    )


def test_no_materialised_view_can_be_read() -> None:
    assert ask(
        "SELECT relname FROM pg_class WHERE relkind = 'm' AND has_table_privilege('arapp_app', oid, 'SELECT')"
    ) == []  # fmt: skip


def test_definer_functions_are_the_doors_and_what_triggers_call() -> None:
    found = names(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        " AND prorettype <> 'trigger'::regtype"
    )
    assert found == DOORS


def test_every_function_has_a_fixed_search_path_and_the_doors_owner() -> None:
    found = ask(
        "SELECT proname, rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
        " WHERE pronamespace = 'public'::regnamespace AND (rolname <> 'arapp_door'"
        " OR NOT coalesce('search_path=public, pg_temp' = ANY(proconfig), false))"
    )
    assert found == [(name, owner) for name, (owner, _) in OWNED.items()]
    assert not names(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT coalesce('search_path=public, pg_temp' = ANY(proconfig), false)"
    )


def test_the_app_may_call_the_doors_and_nothing_else() -> None:
    assert (
        names(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND has_function_privilege('arapp_app', oid, 'EXECUTE')"
        )
        == DOORS
    )


def test_the_doors_answer_with_ids_only() -> None:
    answers = {
        (name, result)
        for name, result in ask(
            "SELECT proname, pg_get_function_result(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND proname = ANY(%s)",
            sorted(DOORS),
        )
    }
    assert {result for _, result in answers} <= {
        "bigint",
        "SETOF bigint",
        "TABLE(organization_id bigint, id bigint)",
        "TABLE(organization_id bigint, number bigint, hash text)",  # the ends of the chains, hashes of hashes
    }


# ----------------------------------------------------------------------------------------------- roles and rights


def test_the_doors_read_no_text_of_a_business_table() -> None:
    readable = {
        (model._meta.db_table, column)
        for model in tenant_models()
        for column in columns(model._meta.db_table, "SELECT", "arapp_door")
    }
    texts = {
        (model._meta.db_table, field.column)
        for model in tenant_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() in {"TextField", "EmailField", "JSONField"} or field.name == "name"
    }
    assert readable & texts == set()


# ----------------------------------------------------------------------------------------------------- workers


def test_work_is_neither_lost_nor_run_twice_by_the_broker() -> None:
    from arapp.celery import app

    conf = app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result
    assert conf.task_serializer == "json"
    assert list(conf.accept_content) == ["json"]
    quarter = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] / 4
    assert conf.task_soft_time_limit < conf.task_time_limit < quarter


def test_a_lease_is_longer_than_a_task_may_run() -> None:
    from core.effects import LEASE

    assert LEASE.total_seconds() > settings.CELERY_TASK_TIME_LIMIT


def test_nothing_waits_in_the_broker() -> None:
    """No ETA and no countdown: what is due later is a row."""
    product = [path for app in ROOT.glob("*/apps.py") for path in app.parent.rglob("*.py")]
    assert product
    found = [
        str(path.relative_to(ROOT))
        for path in product
        if any(word in path.read_text(encoding="utf-8") for word in ("eta=", "countdown=", ".retry("))
    ]
    assert found == []


def test_every_kind_of_due_work_has_its_branch_in_the_door() -> None:
    from core import clock, doors, registry

    for kind in registry.due_workers:
        doors.due_work(kind, max_rows=1, per_tenant=1, wall=clock.wall())


def test_the_catalogue_would_notice(request: pytest.FixtureRequest) -> None:
    """The sets that the tests above compare with are not empty."""
    check: Callable[[], set[str]]
    for check in (tables, frozen):
        assert check()
    assert len(tenant_models()) > 15
