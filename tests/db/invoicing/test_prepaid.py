"""Prepaid balances: what an invoice tops up, what can be drawn of it, and what nobody may do."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction

from core.books import verify
from core.errors import Invalid, KeyReused
from core.models import OutboxEvent
from core.money import Money
from core.pages import dry_run
from core.scope import Scope, work
from customers.services.customers import set_archived
from invoicing.domain.prepaid import Gone
from invoicing.models import Document, Line, TopUp, TopUpMove
from invoicing.prepaid import balance, left_by_currency
from invoicing.services.correct import NotCorrectable, void
from invoicing.services.credit import credit
from invoicing.services.prepaid import hold, pay_in_advance, top_up
from ledger.models import Leg
from ledger.selectors import entries_about
from receivables.models import Allocation, OpenItem
from receivables.selectors import item_states
from receivables.services.allocate import Final, TooMuch
from receivables.services.reverse import take_back
from tests import factories
from tests.prepaid import DAY, LATER, balances, draw, drawn, proven, topped


@pytest.fixture(autouse=True)
def _in_november() -> Any:
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=True):
        yield


def test_a_top_up_is_an_untaxed_invoice_that_is_no_revenue(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner, 50000, paid=0, memo="Your order 7")
        document = Document.objects.get(pk=row.document_id)
        (line,) = Line.objects.filter(document=document)
        assert (document.state, document.net_minor, document.tax_minor, document.total_minor) == (
            "issued",
            50000,
            0,
            50000,
        )
        assert (line.tax_category, line.tax_percent, document.memo) == ("O", 0, "Your order 7")
        (entry,) = entries_about([document.public_id], [])
        assert sorted((leg.code, leg.amount.minor) for leg in entry.legs) == [
            ("1100", 50000),
            ("2300", -50000),
        ]
        assert [event.name for event in OutboxEvent.objects.order_by("id")][-2:] == [
            "invoice.issued",
            "top_up.created",
        ]
    proven()


def test_only_what_was_paid_can_be_drawn(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        topped(owner, 10000, paid=4000)
        assert balance(owner.pk, today=LATER) == [Money(4000, "EUR")]
        bill = factories.invoice(owner)
        draw(owner, bill, 11900)
        assert [minor for _, minor in drawn()] == [4000]
        assert item_states([bill.public_id])[bill.public_id].open_minor == 7900
    proven()


def test_what_expires_first_is_drawn_first_then_what_is_oldest(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        never = topped(owner, 1000)
        late = topped(owner, 1000, expires_on=date(2027, 3, 1))
        soon = topped(owner, 1000, expires_on=date(2027, 1, 1))
        also = topped(owner, 1000, expires_on=date(2027, 1, 1))
        with time_machine.travel(datetime(2026, 11, 5, 12, tzinfo=UTC), tick=True):
            gone = topped(owner, 1000, expires_on=date(2026, 11, 10))
        bill = factories.invoice(owner)
        draw(owner, bill, 3500)
        assert drawn() == [(soon.pk, 1000), (also.pk, 1000), (late.pk, 1000), (never.pk, 500)]
        assert TopUp.objects.get(pk=gone.pk).left_minor == 1000
    proven()


def test_a_drawn_invoice_is_paid_and_revenue_and_tax_are_its_own(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner, 20000)
        bill = factories.invoice(owner)
        draw(owner, bill, bill.total_minor)
        assert item_states([bill.public_id])[bill.public_id].settled_on == LATER
        event = OutboxEvent.objects.get(name="top_up.drawn")
        assert event.payload["invoices"] == [bill.public_id]
        assert (event.payload["amount_minor"], event.payload["left_minor"]) == (11900, 8100)
        row.refresh_from_db()
        assert (row.left_minor, event.object_version) == (8100, row.version)
    sums = balances()
    assert {code: sums[code] for code in ("1100", "2200", "2300", "4000")} == {
        "1100": 0, "2200": -1900, "2300": -8100, "4000": -10000,
    }  # fmt: skip
    proven()


def test_several_invoices_share_what_is_there_in_their_order(acorn: Scope) -> None:
    with work():
        owner, other = factories.customer(), factories.customer()
        topped(owner, 15000)
        bills = [factories.invoice(owner), factories.invoice(other), factories.invoice(owner)]
        by_id = {each.pk: each for each in bills}
        pay_in_advance(hold([owner.pk, other.pk]), dict.fromkeys(by_id, 11900), by_id, on=LATER)
        assert [minor for _, minor in drawn()] == [11900, 3100]
        assert OutboxEvent.objects.filter(name="top_up.drawn").count() == 1
    proven()


def test_drawing_never_reaches_another_currency(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        topped(owner)
        owner.currency = "USD"
        owner.save(update_fields=["currency"])
        bill = factories.invoice(owner)
        draw(owner, bill, 5000)
        assert drawn() == []


def test_an_earlier_invoice_is_paid_from_the_day_of_the_top_up_on(acorn: Scope) -> None:
    """A run may be late: it draws of what is there, but the books never owe less than nothing on the days between."""
    with work():
        owner = factories.customer()
        topped(owner, 20000)
        bill = factories.invoice(owner, on=date(2026, 10, 30))
        draw(owner, bill, bill.total_minor, on=date(2026, 10, 30))
        assert drawn() == [(TopUp.objects.get().pk, 11900)]
        assert TopUpMove.objects.get().on == DAY
        assert item_states([bill.public_id])[bill.public_id].settled_on == DAY
        legs = Leg.objects.filter(account__purpose="prepaid", entry__effective_on__lt=DAY)
        assert list(legs.values_list("minor", flat=True)) == []
    proven()


def test_what_was_drawn_is_for_good(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        topped(owner)
        bill = factories.invoice(owner)
        draw(owner, bill, 5000)
        allocation = Allocation.objects.get(credit_item__kind="prepaid")
        with pytest.raises(Final):
            take_back(allocation.pk, on=LATER, reason="no")
        with pytest.raises(NotCorrectable):
            void(bill.public_id, on=LATER, reason="no")
        credit(bill.public_id, on=LATER, reason="nothing was used", key="c")
        note = OpenItem.objects.get(kind="credit_note")
        assert note.open_minor == 5000  # it stays the customer's, as what was paid otherwise would
    proven()


def test_a_draw_beyond_what_is_open_writes_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        topped(owner, 50000)
        bill = factories.invoice(owner)
        with pytest.raises(TooMuch), transaction.atomic():
            draw(owner, bill, 20000)
        assert drawn() == []
    proven()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"minor": 0}, "amount_minor"),
        ({"minor": -1}, "amount_minor"),
        ({"expires_on": DAY}, "expires_on"),
        ({"expires_on": date(2300, 1, 1)}, "expires_on"),
    ],
)
def test_what_cannot_be_topped_up_says_so_at_its_field(
    acorn: Scope, given: dict[str, Any], field: str
) -> None:
    with work():
        said = {"customer": factories.customer().public_id, "minor": 100, **given}
        with pytest.raises(Invalid) as refused:
            top_up(said.pop("customer"), key="k", today=DAY, **said)
        assert list(refused.value.fields) == [field]
        assert not Document.objects.exists()


def test_the_same_key_tops_up_once(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        rows = [top_up(owner.public_id, minor=500, key="k", today=DAY) for _ in range(2)]
        assert rows[0] == rows[1]
        other = {"minor": 501}, {"memo": "another"}, {"expires_on": date(2027, 1, 1)}
        for each in other:
            with pytest.raises(KeyReused):
                top_up(owner.public_id, **{"minor": 500, "key": "k", "today": DAY, **each})  # type: ignore[arg-type]
        assert left_by_currency() == [Money(500, "EUR")]
        void(rows[0].document.public_id, on=LATER, reason="not wanted")
        set_archived(owner.pk, archived=True)
        assert top_up(owner.public_id, minor=500, key="k", today=DAY) == rows[0]


def test_a_day_that_has_come_where_the_legal_entity_is_has_come(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        owner.entity.zone = "Pacific/Kiritimati"  # the 21st already
        owner.entity.save(update_fields=["zone"])
        with pytest.raises(Invalid):
            top_up(owner.public_id, minor=500, key="k", expires_on=date(2026, 11, 21), today=LATER)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda row, bill: TopUp.objects.filter(pk=row.pk).update(left_minor=1),
        lambda row, bill: TopUpMove.objects.create(
            top_up=row, kind="drawn", minor=10001, on=LATER, document=bill
        ),
        lambda row, bill: TopUpMove.objects.create(top_up=row, kind="expired", minor=0, on=LATER),
        lambda row, bill: TopUpMove.objects.create(top_up=row, kind="drawn", minor=1, on=LATER),
        lambda row, bill: TopUpMove.objects.create(
            top_up=row, kind="credited", minor=1, on=LATER, document=bill
        ),
        lambda row, bill: TopUpMove.objects.create(
            top_up=row, kind="drawn", minor=1, on=LATER, document=row.document
        ),
        lambda row, bill: TopUpMove.objects.create(
            top_up=row, kind="drawn", minor=1, on=LATER, document=factories.invoice(factories.customer())
        ),
        lambda row, bill: TopUp.objects.create(
            customer=bill.customer,
            entity=bill.entity,
            document=bill,
            currency="EUR",
            total_minor=11900,
            left_minor=11900,
        ),
    ],
)
def test_the_database_refuses_what_no_service_does(
    acorn: Scope, wrong: Callable[[TopUp, Document], Any]
) -> None:
    with work():
        owner = factories.customer()
        row, bill = topped(owner), factories.invoice(owner)
        with pytest.raises(DatabaseError), transaction.atomic():
            wrong(row, bill)


def test_the_proof_sees_a_balance_that_nothing_explains(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        row = topped(owner)
        bill = factories.invoice(owner)
        with dry_run():
            TopUpMove.objects.create(top_up=row, kind=Gone.DRAWN, minor=500, on=LATER, document=bill)
            names = {each.check for each in verify()}
    assert {
        "what the books owe for prepaid balances = what is left of them, by customer and currency",
        "what was drawn of a top-up pays for its invoice, and what was credited stands on a note over its own",
    } <= names
