"""What the database refuses whatever the code above it does."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.books import verify
from core.scope import Scope, work
from ledger.domain.entries import Entry, Leg, Purpose, Unbalanced
from ledger.models import Leg as LegRow
from ledger.models import PeriodLock
from ledger.services.post import PeriodClosed, accounts, post
from tenants.selectors import entity

DAY = date(2026, 11, 2)


def entry(key: str, *legs: Leg, on: date = DAY) -> Entry:
    return Entry(key, "test", entity().pk, "src", on, on, legs)


def simple(key: str, on: date = DAY) -> Entry:
    return entry(key, Leg(Purpose.BANK, 100, "EUR"), Leg(Purpose.REVENUE, -100, "EUR"), on=on)


def sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_unbalanced_entry_cannot_even_be_made(acorn: Scope) -> None:
    with work(), pytest.raises(Unbalanced):
        entry("e", Leg(Purpose.BANK, 100, "EUR"), Leg(Purpose.REVENUE, -99, "EUR"))
    with work(), pytest.raises(Unbalanced):
        entry("e", Leg(Purpose.BANK, 100, "EUR"), Leg(Purpose.REVENUE, -100, "USD"))


def test_the_database_refuses_legs_that_do_not_balance(acorn: Scope) -> None:
    with work():
        post([simple("e")])
        leg = LegRow.objects.first()
        with pytest.raises(IntegrityError, match=r"balance|already written"):
            sql(
                "INSERT INTO ledger_leg (organization_id, entry_id, account_id, minor, currency)"
                f" VALUES ({acorn.organization_id}, {leg.entry_id}, {leg.account_id}, 5, 'EUR')"
            )


def test_legs_cannot_be_added_to_a_written_entry_even_balanced(acorn: Scope) -> None:
    with work():
        post([simple("e")])
        leg = LegRow.objects.first()
        row = f"({acorn.organization_id}, {leg.entry_id}, {leg.account_id}, %d, 'EUR')"
        with pytest.raises(IntegrityError, match="already written"):
            sql(
                "INSERT INTO ledger_leg (organization_id, entry_id, account_id, minor, currency)"
                f" VALUES {row % 5}, {row % -5}"
            )


def test_an_entry_without_legs_is_refused_at_commit(acorn: Scope) -> None:
    with work(), pytest.raises(IntegrityError, match="has no legs"):
        sql(
            "INSERT INTO ledger_entry (organization_id, key, kind, entity_id, source, effective_on, posted_on,"
            f" recorded_at) VALUES ({acorn.organization_id}, 'x', 'x', {entity().pk}, 'x', '2026-01-01',"
            " '2026-01-01', '2026-01-01'); SET CONSTRAINTS ALL IMMEDIATE"
        )


@pytest.mark.parametrize("statement", [
    "UPDATE ledger_leg SET minor = minor + 1",
    "DELETE FROM ledger_leg",
    "TRUNCATE ledger_leg",
    "UPDATE ledger_entry SET kind = 'other'",
    "DELETE FROM ledger_entry",
    "ALTER TABLE ledger_leg DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE arapp_owner",
])  # fmt: skip
def test_posted_rows_never_change(acorn: Scope, statement: str) -> None:
    with work():
        post([simple("e")])
        with pytest.raises(DatabaseError):
            sql(statement)
        assert LegRow.objects.count() == 2


def test_the_same_entry_is_posted_once(acorn: Scope) -> None:
    with work():
        post([simple("once")])
        with pytest.raises(IntegrityError), transaction.atomic():
            post([simple("once")])


def test_a_closed_period_takes_no_entry(acorn: Scope) -> None:
    with work():
        PeriodLock.objects.create(entity=entity(), closed_through=DAY)
        with pytest.raises(PeriodClosed), transaction.atomic():
            post([simple("late")])
        post([simple("next day", on=date(2026, 11, 3))])


def test_a_leg_cannot_point_at_another_organizations_account(
    acorn: Scope, birch: Scope, as_member: Callable[[str, str], Scope]
) -> None:
    with work():
        post([simple("mine")])
        mine = LegRow.objects.first().account_id
    scope = as_member("birch", "bea@birch.example")
    with work():
        accounts()
        with pytest.raises(IntegrityError, match="account_fk"):
            sql(
                "WITH e AS (INSERT INTO ledger_entry (organization_id, key, kind, entity_id, source, effective_on,"
                f" posted_on, recorded_at) VALUES ({scope.organization_id}, 'x', 'x', {entity().pk}, 'x',"
                " '2026-01-01', '2026-01-01', '2026-01-01') RETURNING id)"
                " INSERT INTO ledger_leg (organization_id, entry_id, account_id, minor, currency)"
                f" SELECT {scope.organization_id}, id, {mine}, m, 'USD' FROM e, unnest(ARRAY[1, -1]) m"
            )


def test_verify_names_what_is_wrong(acorn: Scope) -> None:
    with work():
        post([simple("fine")])
        assert verify() == []
