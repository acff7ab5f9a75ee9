"""Prepaid balances that are given back, given up, returned by the bank or come to their day."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import transaction

from core.effects import waiting, work_off
from core.errors import AppError, Invalid
from core.models import Effect, OutboxEvent
from core.money import Money
from core.scope import Scope, work
from customers.services.customers import StillNeeded, set_archived
from invoicing.models import TopUpMove
from invoicing.prepaid import balance
from invoicing.services.correct import NotCorrectable, give_up, take_up, void
from invoicing.services.credit import credit
from invoicing.services.prepaid import expire, top_up
from ledger.domain.entries import Purpose
from receivables.models import OpenItem
from receivables.selectors import item_states
from receivables.services.reverse import reverse
from tenants.services.entities import update_entity
from tests import factories
from tests.prepaid import DAY, LATER, balances, draw, drawn, proven, topped


@pytest.fixture(autouse=True)
def _in_november() -> Any:
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=True):
        yield


def test_a_returned_payment_takes_the_rest_out_of_reach(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        bill = factories.invoice(owner)
        draw(owner, bill, 4000)
        paid = OpenItem.objects.get(kind="payment")
        reverse(paid.source, against=Purpose.BANK, on=LATER, reason="returned")
        assert balance(owner.pk, today=LATER) == [Money(0, "EUR")]
        draw(owner, bill, 4000)
        assert [minor for _, minor in drawn()] == [4000]
        with pytest.raises(NotCorrectable, match="drawn"):
            void(row.document.public_id, on=LATER, reason="returned")
    proven()


def test_what_is_left_can_be_credited_and_no_more(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        bill = factories.invoice(owner)
        draw(owner, bill, 4000)
        with pytest.raises(Invalid) as refused, transaction.atomic():
            credit(row.document.public_id, on=LATER, reason="leaves", key="a", amounts={1: 6001})
        assert refused.value.extra["left_minor"] == 6000
        note = credit(row.document.public_id, on=LATER, reason="leaves", key="b", amounts={1: 1000})
        assert (note.tax_minor, note.prepays) == (0, True)
        credit(row.document.public_id, on=LATER, reason="leaves", key="c")
        row.refresh_from_db()
        assert row.left_minor == 0
        assert credit(row.document.public_id, on=LATER, reason="leaves", key="c").total_minor == 5000
        with pytest.raises(Invalid, match="nothing left"), transaction.atomic():
            credit(row.document.public_id, on=LATER, reason="leaves", key="d")
        gone = TopUpMove.objects.order_by("id").values_list("kind", "minor")
        assert list(gone) == [("drawn", 4000), ("credited", 1000), ("credited", 5000)]
    assert balances()["2300"] == 0
    proven()


def test_an_unpaid_top_up_is_voided_whole(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner, paid=0)
        void(row.document.public_id, on=LATER, reason="not wanted")
        row.refresh_from_db()
        assert row.left_minor == 0
        assert balance(owner.pk, today=LATER) == []
    assert balances()["2300"] == 0
    proven()


def test_only_what_was_drawn_is_written_off(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        draw(owner, factories.invoice(owner), 4000)
        reverse(
            OpenItem.objects.get(kind="payment").source, against=Purpose.BANK, on=LATER, reason="returned"
        )
        name = row.document.public_id
        for minor in (4001, 10000):
            with pytest.raises(NotCorrectable, match="credited"), transaction.atomic():
                give_up(name, minor=minor, on=LATER, reason="insolvent", key=f"w{minor}")
        give_up(name, minor=None, on=LATER, reason="insolvent", key="w")
        assert item_states([name])[name].open_minor == 6000
        assert balance(owner.pk, today=LATER) == [Money(0, "EUR")]
        with pytest.raises(AppError), transaction.atomic():
            give_up(name, minor=None, on=LATER, reason="insolvent", key="w2")
        take_up(name, on=LATER, reason="paid after all")
        assert item_states([name])[name].open_minor == 10000
    proven()


def test_a_write_off_that_is_sent_again_later_changes_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        draw(owner, factories.invoice(owner), 4000)
        paid = OpenItem.objects.get(kind="payment")
        reverse(paid.source, against=Purpose.BANK, on=LATER, reason="returned")
        given = {"minor": 4000, "on": LATER, "reason": "insolvent", "key": "w"}
        give_up(row.document.public_id, **given)
        factories.pay(row.document, minor=3000, on=LATER)
        give_up(row.document.public_id, **given)
        assert OpenItem.objects.filter(kind="write_off").count() == 1
        assert balance(owner.pk, today=LATER) == [Money(3000, "EUR")]
    proven()


def test_an_unpaid_top_up_is_not_written_off(acorn: Scope) -> None:
    with work():
        row = topped(factories.customer(), paid=0)
        with pytest.raises(AppError), transaction.atomic():
            give_up(row.document.public_id, minor=None, on=LATER, reason="insolvent", key="w")
        assert not OpenItem.objects.filter(kind="write_off").exists()


def test_on_its_day_what_was_paid_and_is_left_becomes_income(acorn: Scope) -> None:
    day = date(2026, 12, 1)
    with work():
        owner = factories.customer()
        row = topped(owner, paid=7000, expires_on=day)
        draw(owner, factories.invoice(owner), 2000)
        effect = Effect.objects.get(kind="prepaid.expire")
        assert effect.due_at == datetime(2026, 11, 30, 23, tzinfo=UTC)  # Berlin's midnight
        expire(row.public_id, today=date(2026, 11, 30))
        row.refresh_from_db()
        assert row.left_minor == 8000
        for _ in range(2):
            expire(row.public_id, today=day)
        row.refresh_from_db()
        assert row.left_minor == 3000  # never paid: still owed, and credited by a person
        assert balance(owner.pk, today=day) == []
        event = OutboxEvent.objects.get(name="top_up.expired")
        assert event.payload["amount_minor"] == 5000
    assert balances()["4900"] == -5000
    proven()


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Pacific/Pago_Pago", datetime(2026, 12, 1, 11, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 11, 30, 23, tzinfo=UTC)),
    ],
)
def test_its_day_is_that_of_the_zone_that_its_house_has_by_then(
    acorn: Scope, zone: str, at: datetime
) -> None:
    with work():
        row = topped(factories.customer(), expires_on=date(2026, 12, 1))
        update_entity(row.entity_id, version=row.entity.version, zone=zone)
    for when, left in ((datetime(2026, 11, 30, 23, 1, tzinfo=UTC), at.hour == 23), (at, True), (at, True)):
        with time_machine.travel(when, tick=False):
            work_off([])
        with work():
            row.refresh_from_db()
            assert (row.left_minor == 0) == left
    with work():
        assert not waiting().filter(kind="prepaid.expire").exists()
        assert OutboxEvent.objects.filter(name="top_up.expired").count() == 1
    proven()


def test_what_is_paid_after_its_day_is_neither_drawn_nor_taken(acorn: Scope) -> None:
    day = date(2026, 12, 1)
    with work():
        owner = factories.customer()
        row = topped(owner, paid=4000, expires_on=day)
        expire(row.public_id, today=day)
        factories.pay(row.document, on=day)
        expire(row.public_id, today=day)
        draw(owner, factories.invoice(owner), 5000, on=day)
        row.refresh_from_db()
        assert (row.left_minor, drawn()) == (6000, [])
        credit(row.document.public_id, on=day, reason="it had ended", key="c")
    proven()


def test_a_customer_with_a_balance_is_not_put_away(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        with pytest.raises(StillNeeded, match="prepaid balance"):
            set_archived(owner.pk, archived=True)
        credit(row.document.public_id, on=LATER, reason="leaves", key="c")
        set_archived(owner.pk, archived=True)
        with pytest.raises(Invalid, match="archived"):
            top_up(owner.public_id, minor=1, key="again", today=DAY)
