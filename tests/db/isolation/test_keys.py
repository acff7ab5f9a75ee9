"""Keys and triggers of every table, tried out as the owner whom no right and no policy stops."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import CharField, CheckConstraint, ForeignKey, Q, TextField, UniqueConstraint

from core.base import TenantForeignKey, TenantRow
from core.constraints import Trigger
from core.scope import enter, work
from tests.db.isolation.conftest import House, run
from tests.db.isolation.rows import tenant_models
from tests.db.isolation.test_rows import ids

ODD = (-1, 0, 1, 101, 10**12, "", "x", "[1]", None, "draft", "1900-01-01", "2999-01-01", True, False)


def references() -> list[Any]:
    return [
        pytest.param(model, field, id=f"{model._meta.db_table}.{field.name}")
        for model in tenant_models()
        for field in model._meta.concrete_fields
        if isinstance(field, TenantForeignKey)
    ]


def uniques() -> list[Any]:
    return [
        pytest.param(model, rule, id=rule.name)
        for model in tenant_models()
        for rule in model._meta.constraints
        if isinstance(rule, UniqueConstraint)
    ]


def without_other_rules(table: str, *, keep: str = "") -> None:
    """Leave the table its foreign keys and the one rule under test; undone with the transaction."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for name, kind in run(
        "SELECT conname, contype FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u', 'p')",
        table,
    ):
        if name != keep:
            run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" {"" if kind == "c" else "CASCADE"}')
    for (name,) in run(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = %s::regclass AND i.indisunique",
        table,
    ):
        if name != keep:
            run(f'DROP INDEX "{name}"')


def copy(model: type[TenantRow], row_id: int, *, same_id: bool = False) -> Any:
    """Insert the row once more, under a fresh id; returns that id."""
    columns = [
        f'"{field.column}"'
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated
    ]
    fresh = "id" if same_id else "nextval(pg_get_serial_sequence(%s, 'id'))"
    params = [row_id] if same_id else [model._meta.db_table, row_id]
    listed = ", ".join(columns)
    return run(
        f"INSERT INTO {model._meta.db_table} (id, {listed})"
        f" SELECT {fresh}, {listed} FROM {model._meta.db_table} WHERE id = %s RETURNING id",
        *params,
    )[0][0]


@pytest.mark.parametrize(("model", "field"), references())
def test_a_reference_to_another_organizations_row_is_refused(
    owned: House, model: Any, field: ForeignKey
) -> None:  # type: ignore[type-arg]
    mine, _ = ids(owned, model)
    own, foreign = ids(owned, field.related_model)  # type: ignore[arg-type]
    table = model._meta.db_table
    with enter(owned.acorn), work():
        without_other_rules_of_values(table)
        run(f"UPDATE {table} SET {field.column} = %s WHERE id = %s", own, mine)
        with pytest.raises(IntegrityError, match=f"{table}_{field.name}_fk"), transaction.atomic():
            run(f"UPDATE {table} SET {field.column} = %s WHERE id = %s", foreign, mine)


def without_other_rules_of_values(table: str) -> None:
    """Foreign keys need their target's unique key; only checks and triggers step aside."""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for (name,) in run(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", table
    ):
        run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.db_table)
def test_a_row_of_no_organization_is_refused(owned: House, model: Any) -> None:
    mine, _ = ids(owned, model)
    table = model._meta.db_table
    with enter(owned.acorn), work():
        without_other_rules(table)
        with pytest.raises(IntegrityError, match="violates foreign key"), transaction.atomic():
            run(f"UPDATE {table} SET organization_id = 999999999 WHERE id = %s", mine)


@pytest.mark.parametrize(("model", "rule"), uniques())
def test_a_second_row_with_the_same_key_is_refused(owned: House, model: Any, rule: UniqueConstraint) -> None:
    mine, _ = ids(owned, model)
    table = model._meta.db_table
    with enter(owned.acorn), work():
        without_other_rules(table, keep=rule.name)
        if rule.condition is not None:
            _meet_the_condition(owned, model, rule, mine)
        with pytest.raises(IntegrityError, match=rule.name), transaction.atomic():
            copy(model, mine, same_id="id" in rule.fields)


def _meet_the_condition(house: House, model: Any, rule: UniqueConstraint, mine: int) -> None:
    """Give the row what a partial key asks for: the equalities it names, and something in the key's fields."""
    if not rule.condition.negated:  # type: ignore[union-attr]
        for leaf in rule.condition.children:  # type: ignore[union-attr]
            if not isinstance(leaf, tuple):
                continue
            name, value = leaf
            if name.endswith("__in"):
                name, value = name.removesuffix("__in"), value[0]
            if value is None:
                run(
                    f"UPDATE {model._meta.db_table} SET {model._meta.get_field(name).column} = NULL WHERE id = %s",
                    mine,
                )
            if isinstance(value, str | bool) and "__" not in name:
                column = model._meta.get_field(name).column
                run(f"UPDATE {model._meta.db_table} SET {column} = %s WHERE id = %s", value, mine)
    for name in rule.fields:
        field = model._meta.get_field(name)
        if isinstance(field, CharField | TextField):
            run(f"UPDATE {model._meta.db_table} SET {field.column} = 'x' WHERE id = %s", mine)
        elif isinstance(field, TenantForeignKey):
            target = house.mine[field.related_model._meta.label]
            run(f"UPDATE {model._meta.db_table} SET {field.column} = %s WHERE id = %s", target, mine)


@pytest.mark.parametrize(
    "model", [model for model in tenant_models() if model.AUDITED], ids=lambda model: model._meta.db_table
)
def test_every_write_leaves_its_audit(owned: House, model: Any) -> None:
    mine, _ = ids(owned, model)
    table = model._meta.db_table
    with enter(owned.acorn), work():
        without_other_rules(table)
        for event in ("insert", "update", "delete"):
            run(f"ALTER TABLE {table} ENABLE TRIGGER {table}_audit_{event}")
        last = run("SELECT coalesce(max(id), 0) FROM core_auditentry")[0][0]
        made = copy(model, mine)
        run(f"UPDATE {table} SET organization_id = organization_id WHERE id = %s", made)  # changes nothing
        column, value = _something_else(model)
        run(f'UPDATE {table} SET "{column}" = {value} WHERE id = %s', made)
        with pytest.raises(DatabaseError, match="id of a row never changes"), transaction.atomic():
            run(f"UPDATE {table} SET id = -1 WHERE id = %s", made)
        run(f"DELETE FROM {table} WHERE id = %s", made)
        rows = run(
            "SELECT action, object_id, actor_email, additional_data->>'origin', organization_id FROM core_auditentry"
            " WHERE id > %s ORDER BY id",
            last,
        )
    who = ("Ana", "page", owned.acorn.organization_id)
    assert rows == [(0, made, *who), (1, made, *who), (2, made, *who)]


def _something_else(model: Any) -> tuple[str, str]:
    """A column that is no reference, and what its row does not hold yet."""
    for field in model._meta.concrete_fields:
        if isinstance(field, CharField | TextField):
            return field.column, "'zz'"
        if field.get_internal_type() in {"DateField", "DateTimeField"}:
            return field.column, "'1999-01-01'"
        if field.get_internal_type() == "JSONField":
            return field.column, "'[1]'"
        if field.get_internal_type() == "BigIntegerField":
            return field.column, f'"{field.column}" + 1'
    raise AssertionError(f"{model} has nothing that could be changed")


def checks() -> list[Any]:
    """Each check by its name in the database, with the fields it speaks of."""
    found = []
    for model in tenant_models():
        for rule in model._meta.constraints:
            if isinstance(rule, CheckConstraint):
                names = {name.split("__")[0] for name in _leaves(rule.condition)}  # type: ignore[arg-type]
                found.append(pytest.param(model, rule.name, sorted(names), id=rule.name))
        for field in model._meta.concrete_fields:
            if field.get_internal_type().startswith("Positive"):
                name = f"{model._meta.db_table}_{field.column}_check"
                found.append(pytest.param(model, name, [field.name], id=name))
    return found


def _leaves(condition: Q) -> list[str]:
    names = []
    for child in condition.children:
        names += _leaves(child) if isinstance(child, Q) else [child[0]]  # type: ignore[index]
    return names


@pytest.mark.parametrize(("model", "name", "fields"), checks())
def test_a_check_refuses_something(owned: House, model: Any, name: str, fields: list[str]) -> None:
    """Of some odd values in the fields it speaks of, and of what the row refers to, the check alone refuses one."""
    mine, _ = ids(owned, model)
    table = model._meta.db_table
    with enter(owned.acorn), work():
        row = model.objects.get(pk=mine)
        known = [getattr(row, each.attname) for each in model._meta.concrete_fields if each.is_relation]
        without_other_rules(table, keep=name)
        refused = False
        for field in fields:
            column = model._meta.get_field(field).column
            for value in [*ODD, *known]:
                try:
                    with transaction.atomic():
                        run(f'UPDATE {table} SET "{column}" = %s WHERE id = %s', value, mine)
                        transaction.set_rollback(True)
                except IntegrityError as error:
                    refused = refused or f'"{name}"' in str(error)
                except DatabaseError:
                    continue  # not a value of that column at all
        assert refused


def frozen_tables() -> list[str]:
    return sorted(
        model._meta.db_table
        for model in tenant_models()
        for rule in model._meta.constraints
        if isinstance(rule, Trigger) and rule.name == f"{model._meta.db_table}_kept"
    )


@pytest.mark.parametrize("table", frozen_tables())
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_a_table_of_facts_never_changes_even_for_its_owner(owned: House, table: str, statement: str) -> None:
    with enter(owned.acorn), work():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        with (
            pytest.raises(DatabaseError, match=rf"rows of {table}(_\d{{4}}_\d\d)? never change"),
            transaction.atomic(),
        ):
            run(statement.format(table))
