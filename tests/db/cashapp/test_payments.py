"""Money recorded by hand: exact, once, partial or too much, and taken back."""

from datetime import date

import pytest

from cashapp.models import Payment
from cashapp.services.payments import apply_rest, record, reverse
from core.errors import Invalid, NotFound
from core.models import OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document
from ledger.domain.entries import Purpose
from receivables.models import OpenItem
from receivables.services import reverse as reversing
from receivables.services.allocate import TooMuch
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY


def open_of(source: str) -> int:
    return OpenItem.objects.get(source=source).open_minor  # type: ignore[no-any-return]


def item_of(document: Document) -> int:
    return OpenItem.objects.get(source=document.public_id).pk  # type: ignore[no-any-return]


def pay(owner: object, minor: int, **given: object) -> Payment:
    given = {"received_on": DAY, "method": "bank_transfer", "key": f"k{minor}", **given}
    return record(customer=owner.public_id, minor=minor, **given)  # type: ignore[attr-defined,arg-type]


def test_the_oldest_due_is_paid_first_and_the_rest_stays_unapplied(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        later = factories.invoice(owner, ("1", "100.00"), tax="0", on=date(2026, 11, 5))
        older = factories.invoice(owner, ("1", "50.00"), tax="0", on=date(2026, 10, 5))
        payment = pay(owner, 16_000)
        assert (open_of(older.public_id), open_of(later.public_id)) == (0, 0)
        assert open_of(payment.public_id) == 1_000
        assert OutboxEvent.objects.get(name="payment.received").payload["applied_minor"] == 15_000


def test_a_partial_payment_leaves_the_rest(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner, ("1", "100.00"), tax="0")
        pay(owner, 4_000)
        assert open_of(doc.public_id) == 6_000


def test_the_same_form_sent_twice_records_once(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        factories.invoice(owner)
        assert len({pay(owner, 500, key="same").pk for _ in range(3)}) == 1
        assert Payment.objects.count() == 1


def test_unapplied_money_can_be_used_later_but_not_beyond(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        payment = pay(owner, 5_000)
        doc = factories.invoice(owner, ("1", "80.00"), tax="0")
        with pytest.raises(Invalid):
            apply_rest(payment.public_id, parts={item_of(doc): 5_001}, on=DAY, key="a")
        apply_rest(payment.public_id, parts={item_of(doc): 5_000}, on=DAY, key="a")
        apply_rest(payment.public_id, parts={item_of(doc): 1}, on=DAY, key="a") if open_of(
            payment.public_id
        ) else None
        assert (open_of(doc.public_id), open_of(payment.public_id)) == (3_000, 0)


def test_anothers_invoice_cannot_be_paid(acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer())
        with pytest.raises(NotFound):
            pay(factories.customer(), 100, parts={item_of(doc): 100})
        assert not Payment.objects.exists()


@pytest.mark.parametrize(("given", "error"), [
    ({"minor": 0}, Invalid),
    ({"minor": -5}, Invalid),
    ({"method": "barter"}, Invalid),
])  # fmt: skip
def test_bad_input_is_named_and_writes_nothing(acorn: Scope, given: dict[str, object], error: type) -> None:
    with work():
        owner = factories.customer()
        with pytest.raises(error):
            pay(owner, given.pop("minor", 100), **given)  # type: ignore[arg-type]
        assert not Payment.objects.exists()


def test_more_than_an_item_has_open_is_refused(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner, ("1", "10.00"), tax="0")
        with pytest.raises(TooMuch):
            pay(owner, 5_000, parts={item_of(doc): 1_001})


def test_a_reversed_payment_reopens_what_it_settled(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner, ("1", "100.00"), tax="0")
        payment = pay(owner, 12_000)
        for _ in range(2):
            reverse(payment.public_id, on=DAY, reason="returned by the bank")
        assert (open_of(doc.public_id), open_of(payment.public_id)) == (10_000, 0)
        assert OutboxEvent.objects.filter(name="payment.reversed").count() == 1
        with pytest.raises(Invalid):
            reverse(payment.public_id, on=DAY, reason=" ")


def test_a_written_off_invoice_that_is_paid_after_all(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        doc = factories.invoice(owner, ("1", "100.00"), tax="0")
        write_off(item_of(doc), minor=10_000, on=DAY, reason="bankrupt", key="w1")
        reversing.reverse("wo_w1", against=Purpose.WRITE_OFF, on=DAY, reason="paid after all")
        assert open_of(doc.public_id) == 10_000
        pay(owner, 10_000)
        assert open_of(doc.public_id) == 0
