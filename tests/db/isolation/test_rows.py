"""Acorn attacks Birch's row of every table: nothing is seen, nothing is changed. Each lock holds by itself."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, transaction
from django.db.models import Max

from core.base import TenantRow
from core.scope import enter, work
from tests.db.isolation.conftest import House, run
from tests.db.isolation.rows import OVERRIDES, tenant_models

each_model = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.db_table)


def ids(house: House, model: type[TenantRow]) -> tuple[int, int]:
    label = model._meta.label
    if label not in house.mine or label not in house.theirs:
        pytest.skip("no row of it could be made; see test_every_table_has_a_row")
    return house.mine[label], house.theirs[label]


def snapshot(house: House, model: type[TenantRow]) -> Any:
    """A digest of all rows of Birch's in the table, as Birch sees them."""
    with enter(house.birch), work():
        return run(
            f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM {model._meta.db_table} t"
        )


def attempt(do: Callable[[], object]) -> object:
    """What it returned, or None where the database refused it."""
    with suppress(DatabaseError), transaction.atomic():
        return do()
    return None


def test_every_table_has_a_row(house: House) -> None:
    labels = {model._meta.label for model in tenant_models()}
    missing = labels - (set(house.mine) & set(house.theirs))
    assert not missing, f"give {sorted(missing)} a line in {OVERRIDES=} of tests/db/isolation/rows.py"


def seen_by(manager: Any, theirs: int, birch_id: int) -> list[object]:
    return [
        manager.filter(pk=theirs).count(),
        manager.filter(organization_id=birch_id).count(),
        manager.filter(pk__in=[theirs]).exists(),
        manager.filter(pk=theirs).first(),
        manager.filter(pk=theirs).aggregate(n=Max("id"))["n"],
        [pk for pk in manager.values_list("pk", flat=True).iterator() if pk == theirs],
        manager.in_bulk([theirs]),
    ]


@each_model
def test_nothing_is_seen(undone: House, model: Any) -> None:
    mine, theirs = ids(undone, model)
    with enter(undone.acorn), work():
        assert model.objects.filter(pk=mine).exists()
        for manager in (model.objects, model.unscoped):  # without the filter the policy alone must do
            assert not any(seen_by(manager, theirs, undone.birch.organization_id))
        table = model._meta.db_table
        assert run(f"SELECT id FROM {table} WHERE id = %s", theirs) == []
        assert run(f"SELECT id FROM {table} WHERE organization_id <> %s", undone.acorn.organization_id) == []


@each_model
def test_nothing_is_seen_by_the_filter_alone(owned: House, model: Any) -> None:
    mine, theirs = ids(owned, model)
    with enter(owned.acorn), work():
        assert model.unscoped.filter(pk=theirs).exists(), "the owner sees all: the policy is out of the way"
        assert model.objects.filter(pk=mine).exists()
        assert not any(seen_by(model.objects, theirs, owned.birch.organization_id))


@each_model
def test_nothing_is_changed(undone: House, model: Any) -> None:
    _, theirs = ids(undone, model)
    before = snapshot(undone, model)
    with enter(undone.birch), work():
        row = model.unscoped.get(pk=theirs)
    table, column = model._meta.db_table, "organization_id"
    with enter(undone.acorn), work():
        for manager in (model.objects, model.unscoped):
            assert not attempt(lambda m=manager: m.filter(pk=theirs).update(organization_id=theirs))
            assert not attempt(lambda m=manager: m.filter(pk=theirs).delete()[0])
        attempt(row.save)
        attempt(row.delete)
        attempt(lambda: run(f"UPDATE {table} SET {column} = {column} WHERE id = %s", theirs))
        attempt(lambda: run(f"DELETE FROM {table} WHERE id = %s", theirs))
    assert snapshot(undone, model) == before


@each_model
def test_nothing_is_changed_past_the_filter_alone(owned: House, model: Any) -> None:
    _, theirs = ids(owned, model)
    with enter(owned.acorn), work():
        assert not attempt(lambda: model.objects.filter(pk=theirs).update(organization_id=theirs))
        assert not attempt(lambda: model.objects.filter(pk=theirs).delete()[0])
        assert model.unscoped.filter(pk=theirs, organization_id=owned.birch.organization_id).exists()


@each_model
def test_nothing_is_planted(undone: House, model: Any) -> None:
    mine, _ = ids(undone, model)
    before = snapshot(undone, model)
    birch_id, table = undone.birch.organization_id, model._meta.db_table
    refused = pytest.raises(ProgrammingError, match=r"row-level security|permission denied")
    kept = {"id", "organization_id"}
    others = ", ".join(
        f'"{field.column}"'
        for field in model._meta.concrete_fields
        if field.column not in kept and not field.generated
    )
    with enter(undone.acorn), work():
        row = model.objects.get(pk=mine)
        row.pk, row.organization_id = None, birch_id
        with refused, transaction.atomic():
            model.objects.bulk_create([row])
        # Without RETURNING nothing is read back, so WITH CHECK alone must refuse.
        with refused, transaction.atomic():
            run(
                f"INSERT INTO {table} (organization_id, {others})"
                f" SELECT %s, {others} FROM {table} WHERE id = %s",
                birch_id,
                mine,
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            run(f"UPDATE {table} SET organization_id = %s WHERE id = %s", birch_id, mine)
    assert snapshot(undone, model) == before


def test_the_organization_itself_is_one_of_them(undone: House) -> None:
    birch_id = undone.birch.organization_id
    with enter(undone.acorn), work():
        assert run("SELECT id FROM core_organization") == [(undone.acorn.organization_id,)]
        assert run("UPDATE core_organization SET name = 'taken' WHERE id = %s RETURNING id", birch_id) == []
        for statement in (
            f"UPDATE core_organization SET live_twin_id = {birch_id}",
            f"UPDATE core_organization SET id = {birch_id}",
            "DELETE FROM core_organization",
            "INSERT INTO core_organization (public_id, slug, name, clock_offset, created_at)"
            " VALUES ('org_x', 'x', 'x', '0', now())",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|row-level"), transaction.atomic():
                run(statement)
