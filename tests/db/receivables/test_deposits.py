"""A deposit is due sooner than the rest of its item, and whatever is put against the item counts for it first."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from cashapp.services.payments import record
from core.books import verify
from core.scope import Scope, work
from customers.models import Customer
from receivables import balances
from receivables.ageing import ageing
from receivables.domain.deposits import due_by
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import Part, allocate, undo
from tests import factories
from tests.factories import DAY

REST = DAY + timedelta(days=30)


def opened(owner: Customer | None = None, minor: int = 1_000, deposit: int = 300) -> OpenItem:
    facts = factories.item(owner or factories.customer(), minor, due_on=REST, deposit=(deposit, DAY))
    return OpenItem.objects.get(pk=facts.item_id)


def put(item: OpenItem, minor: int, key: str = "k") -> int:
    paid = factories.payment(item.customer, minor)
    allocate([Part(key, item.pk, paid.item_id, minor)], effective_on=DAY)
    item.refresh_from_db()
    return int(Allocation.objects.get(key=key).pk)


@pytest.mark.parametrize(("days", "minor"), [(-1, 0), (0, 300), (29, 300), (30, 1_000)])
def test_what_is_due_by_a_day(days: int, minor: int) -> None:
    assert due_by(1_000, 700, DAY, REST, DAY + timedelta(days=days)) == minor


def test_what_is_settled_counts_for_the_deposit_first(acorn: Scope) -> None:
    with work():
        item = opened()
        assert (item.due_on, item.later_minor) == (DAY, 700)
        part = put(item, 299, "part")
        assert (item.due_on, item.later_minor) == (DAY, 700)
        whole = put(item, 1, "whole")
        assert (item.due_on, item.later_minor) == (REST, 0)
        undo(whole, on=DAY, reason="no")
        undo(part, on=DAY, reason="no")
        item.refresh_from_db()
        assert (item.due_on, item.later_minor, item.open_minor) == (DAY, 700, 1_000)
        put(item, 1_000, "all")
        assert (item.due_on, item.later_minor, item.open_minor) == (REST, 0, 0)
        assert verify() == []


def test_only_the_deposit_is_late_until_the_rest_is_due(acorn: Scope) -> None:
    with work():
        item = opened()
        day = DAY + timedelta(days=1)
        (balance,) = balances.by_customer([item.customer_id], today=day)[item.customer_id]
        assert (balance.owed_minor, balance.overdue_minor, balance.items) == (1_000, 300, 1)
        assert ageing(day)[0].total.owed == [700, 300, 0, 0, 0]
        (balance,) = balances.by_customer([item.customer_id], today=REST + timedelta(days=1))[
            item.customer_id
        ]
        assert balance.overdue_minor == 1_000
        put(item, 300)
        (balance,) = balances.by_customer([item.customer_id], today=day)[item.customer_id]
        assert balance.overdue_minor == 0
        assert ageing(day)[0].total.owed == [700, 0, 0, 0, 0]


def test_money_goes_to_what_is_due_first_of_several_items(acorn: Scope) -> None:
    """The deposit, then the item due between it and its rest, then the rest."""
    with work():
        owner = factories.customer()
        item = opened(owner)
        between = factories.item(owner, 500, due_on=DAY + timedelta(days=10))
        for minor, left in ((600, (700, 200)), (300, (600, 0)), (700, (0, 0))):
            record(customer=owner.public_id, minor=minor, received_on=DAY, method="cash", key=f"p{minor}")
            now = [OpenItem.objects.get(pk=pk).open_minor for pk in (item.pk, between.item_id)]
            assert tuple(now) == left
        assert verify() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"deposit_minor": 0},
        {"deposit_minor": 1_000},
        {"deposit_due_on": None},
        {"rest_due_on": None},
        {"rest_due_on": DAY},
        {"due_on": REST},
        {"due_on": DAY + timedelta(days=1)},
    ],
)
def test_the_database_keeps_a_deposit_and_its_days_together(
    acorn: Scope, wrong: dict[str, date | None]
) -> None:
    with work():
        item = opened()
        for name, value in wrong.items():
            setattr(item, name, value)
        item.pk, item.public_id, item.source = None, "item_x", "another"
        with pytest.raises(DatabaseError, match="openitem_deposit"), transaction.atomic():
            item.save(force_insert=True)
