"""A database in which both organizations have a row in every table, and ways to attack it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.backends.signals import connection_created

from core import guard
from core.scope import Scope, enter, work
from tests import databases
from tests.cast import CANARY
from tests.conftest import seat
from tests.db.isolation.rows import build_all, tenant_models

ACORN_CANARY = "acorncanary"


@dataclass(frozen=True, slots=True)
class House:
    """Both scopes, and the id of each one's row by model label."""

    acorn: Scope
    birch: Scope
    mine: dict[str, int]
    theirs: dict[str, int]


def run(sql: str, *params: object) -> list[tuple[object, ...]]:
    """Rows of a statement; none for one that returns none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def user_triggers(verb: str, tables: list[str]) -> None:
    """DISABLE or ENABLE the tables' own triggers, as their owner; foreign keys stay."""
    for table in tables:
        run(f"ALTER TABLE {table} {verb} TRIGGER USER")


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as arapp_owner, which passes row-level security by, for the block."""
    parts = urlsplit(databases.OWNER_URL)
    before = dict(connection.settings_dict)
    connection.close()
    connection_created.disconnect(dispatch_uid="core.guard")
    connection.settings_dict.update(
        USER=unquote(parts.username or ""), PASSWORD=unquote(parts.password or "")
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(USER=before["USER"], PASSWORD=before["PASSWORD"])
        guard.refuse_wrong_role()


@contextmanager
def furnished(*, birch_too: bool = True) -> Iterator[House]:
    """A database of its own with a row of Acorn's, and of Birch's, in every table."""
    tables = [model._meta.db_table for model in tenant_models()]
    with databases.own_database(f"arapp_own_{uuid4().hex[:8]}"):
        acorn, birch = seat("acorn", "ana@acorn.example"), seat("birch", "bea@birch.example")
        with as_owner():
            user_triggers("DISABLE", tables)
            with enter(acorn), work():
                mine = build_all(ACORN_CANARY)
            theirs = {}
            if birch_too:
                with enter(birch), work():
                    theirs = build_all(CANARY)
            user_triggers("ENABLE", tables)
        yield House(acorn, birch, mine, theirs)


@pytest.fixture(scope="package")
def house(django_db_setup: None, django_db_blocker: object) -> Iterator[House]:
    with django_db_blocker.unblock(), furnished() as house:  # type: ignore[attr-defined]
        yield house


@pytest.fixture
def undone(house: House) -> Iterator[House]:
    """The house in a transaction that is rolled back, as the app's role."""
    with transaction.atomic():
        yield house
        transaction.set_rollback(True)


@pytest.fixture
def owned(house: House) -> Iterator[House]:
    """The house in a transaction that is rolled back, as the owner: filters and keys must hold by themselves."""
    with as_owner(), transaction.atomic():
        yield house
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def neighbours(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """Acorn has a row in every table, Birch is as the cast left it."""
    with django_db_blocker.unblock(), furnished(birch_too=False) as house:
        yield house


@pytest.fixture(scope="module")
def as_it_stands(neighbours: House, django_db_blocker: Any) -> list[Any]:
    """Acorn's rows, to which each test comes anew: what one writes is rolled back."""
    with django_db_blocker.unblock():
        return snapshot(neighbours)


@pytest.fixture
def next_door(neighbours: House, as_it_stands: list[Any]) -> Iterator[House]:
    with transaction.atomic():
        yield neighbours
        assert snapshot(neighbours) == as_it_stands, "something of Acorn's changed"
        transaction.set_rollback(True)


def snapshot(house: House) -> list[Any]:
    tables = [model._meta.db_table for model in tenant_models()]
    each = (
        f"SELECT '{table}', count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t"
        for table in tables
    )
    with enter(house.acorn), work(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return cursor.fetchall()


def public_ids(house: House) -> dict[str, str]:
    """The public id of each of Acorn's rows that has one, by table."""
    with enter(house.acorn), work():
        return {
            model._meta.label: model.objects.values_list("public_id", flat=True).get(
                pk=house.mine[model._meta.label]
            )
            for model in tenant_models()
            if model._meta.label in house.mine
            and any(field.name == "public_id" for field in model._meta.fields)
        }
