"""The guarantees that can be taken away, read from the migrated database, each with the test that must notice."""

from collections.abc import Iterator
from dataclasses import dataclass

ROWS = "tests/db/isolation/test_rows.py"
KEYS = "tests/db/isolation/test_keys.py"
CATALOGUE = "tests/architecture/test_catalogue.py"
# Checks of tables without an organization, and the tests that must notice.
GLOBAL_CHECKS = {
    "organization_clock": "tests/db/ledger/test_rules_between.py",
    "referencerate_positive": "tests/db/core/test_fx.py",
}
# Keys over all organizations, and where a second row of one key is tried.
GLOBAL_UNIQUES = {
    "customers_link_digest_key": (CATALOGUE, "tests/db/customers"),
    "tenants_apikey_digest_key": ("tests/db/tenants/test_keys.py",),
}
# Triggers of tables without an organization, and the tests that must notice.
GLOBAL_TRIGGERS = {
    "core_organization_audit": "tests/db/ledger/test_rules_between.py",
    "core_organization_forward": "tests/db/tenants/test_sandbox.py",
}
FACTS = ("UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE")

# Taking these away changes nothing that can be observed, and why. Of the policies on writing that is only so while the
# app's role may neither insert nor update: `test_a_policy_nobody_needs_to_notice_judges_no_write_of_the_app`.
EQUIVALENT = {
    "writes:core_auditentry": "the app's role may not insert into it at all",
    "writes:core_auditpending": "the same: the trigger that queues belongs to the door's role, which no policy binds",
    "writes:core_auditseal": "the same: seals are made by the door `seal_audit`",
    "writes:core_tally": "the same: tallies are moved by triggers of the door's role",
    "trigger:invoicing_party_frozen_insert": "an issued document has its party, and the key refuses a second",
    "trigger:invoicing_party_frozen_moved": "the same: another's party comes up against the key first",
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One rule taken away by `sql`. `tests` must fail then: at least one, or the one named `case` where it is given.

    Mutants of one `group` have cases of their own and may be tried together, in one database.
    """

    name: str
    group: str
    sql: str
    tests: tuple[str, ...]
    case: str = ""


POLICIES = (
    "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'"
    " AND tablename <> 'core_organization'"
)
FOREIGN_KEYS = (
    "SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'organization_id'"
    " WHERE c.contype = 'f' AND a.attnum = c.conkey[1]"
)
UNIQUES = (
    "SELECT i.indrelid::regclass::text, c.relname, k.conname IS NOT NULL FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.contype = 'u'"
    " JOIN pg_policies p ON p.tablename = i.indrelid::regclass::text AND p.tablename <> 'core_organization'"
    " WHERE i.indisunique AND NOT i.indisprimary"
)
CHECKS = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
TRIGGERS = (
    "SELECT tgrelid::regclass::text, tgname, tgfoid::regproc::text FROM pg_trigger"
    " WHERE NOT tgisinternal ORDER BY 1, 2"
)
STATEMENTS = {
    "policies": POLICIES,
    "keys": FOREIGN_KEYS,
    "uniques": UNIQUES,
    "checks": CHECKS,
    "triggers": TRIGGERS,
}
Rows = dict[str, list[tuple[object, ...]]]


def mutants(rows: Rows) -> list[Mutant]:
    """All mutants of the database whose catalogue answered STATEMENTS with `rows`."""
    return [
        *_policies(rows),
        *_organization(),
        *_keys(rows),
        *_uniques(rows),
        *_checks(rows),
        *_triggers(rows),
    ]


def _policies(rows: Rows) -> Iterator[Mutant]:
    for table, policy in rows["policies"]:
        unseen, unplanted = f"test_nothing_is_seen[{table}]", f"test_nothing_is_planted[{table}]"
        yield Mutant(
            f"security:{table}",
            "security",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            (ROWS,),
            unseen,
        )
        yield Mutant(
            f"reads:{table}", "reads", f"ALTER POLICY {policy} ON {table} USING (true)", (ROWS,), unseen
        )
        yield Mutant(
            f"writes:{table}",
            "writes",
            f"ALTER POLICY {policy} ON {table} WITH CHECK (true)",
            (ROWS,),
            unplanted,
        )


def _organization() -> Iterator[Mutant]:
    table, case = "core_organization", "test_the_organization_itself_is_one_of_them"
    yield Mutant(
        f"security:{table}", "security", f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY", (ROWS,), case
    )


def _keys(rows: Rows) -> Iterator[Mutant]:
    for table, name in rows["keys"]:
        field = str(name).removeprefix(f"{table}_").removesuffix("_fk")
        case = f"test_a_reference_to_another_organizations_row_is_refused[{table}.{field}]"
        if field == "organization":
            case = f"test_a_row_of_no_organization_is_refused[{table}]"
        yield Mutant(f"key:{name}", "keys", f"ALTER TABLE {table} DROP CONSTRAINT {name}", (KEYS,), case)


def _uniques(rows: Rows) -> Iterator[Mutant]:
    for table, name, is_constraint in rows["uniques"]:
        drop = (
            f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" if is_constraint else f"DROP INDEX {name}"
        )
        if name in GLOBAL_UNIQUES:
            yield Mutant(f"unique:{name}", f"unique:{name}", drop, GLOBAL_UNIQUES[str(name)])
            continue
        case = f"test_a_second_row_with_the_same_key_is_refused[{name}]"
        yield Mutant(f"unique:{name}", "uniques", drop, (KEYS,), case)


def _checks(rows: Rows) -> Iterator[Mutant]:
    guarded = {table for table, _ in rows["policies"]}
    for table, name in rows["checks"]:
        if name in GLOBAL_CHECKS:
            drop = f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'
            yield Mutant(f"check:{name}", f"check:{name}", drop, (GLOBAL_CHECKS[str(name)],))
        elif table in guarded:
            case = f"test_a_check_refuses_something[{name}]"
            drop = f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'
            yield Mutant(f"check:{name}", "checks", drop, (KEYS,), case)


def _triggers(rows: Rows) -> Iterator[Mutant]:
    for table, name, function in rows["triggers"]:
        drop = f"DROP TRIGGER {name} ON {table}"
        if name in GLOBAL_TRIGGERS:
            yield Mutant(f"trigger:{name}", f"trigger:{name}", drop, (GLOBAL_TRIGGERS[str(name)],))
        elif table == "tenants_user":
            yield Mutant(f"trigger:{name}", f"trigger:{name}", drop, ("tests/db/tenants",))
        elif str(function).startswith("audit_"):
            case = f"test_every_write_leaves_its_audit[{table}]"
            yield Mutant(f"trigger:{name}", str(function), drop, (KEYS,), case)
        elif function == "refuse_change" and str(name).endswith(("_frozen", "_kept")):
            statement = FACTS[2] if str(name).endswith("_kept") else FACTS[0]
            case = f"test_a_table_of_facts_never_changes_even_for_its_owner[{statement}-{table}]"
            yield Mutant(f"trigger:{name}", "facts", drop, (KEYS,), case)
        else:
            app = str(table).split("_", 1)[0]
            yield Mutant(f"trigger:{name}", f"trigger:{name}", drop, (f"tests/db/{app}",))
