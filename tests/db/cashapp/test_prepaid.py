"""Invoices of prepaid balances and invoices that drew of one, met by bank lines, payers and cards."""

import pytest
from django.db import transaction
from django.test import Client

from cashapp.gateways.sandbox import Sandbox
from cashapp.models import Attempt, SandboxCharge
from cashapp.services.attempts import give_up, pay, record
from cashapp.services.matching import match_all
from core.errors import AppError
from core.money import Money
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document, TopUp
from invoicing.prepaid import balance
from invoicing.services.correct import NotCorrectable, void
from invoicing.services.credit import credit
from invoicing.services.prepaid import hold, pay_in_advance, top_up
from receivables.models import OpenItem
from receivables.services.allocate import TooMuch
from tests import factories
from tests.db.cashapp.lines import DAY, line
from tests.db.portal.test_pay import opened


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    with work():
        return factories.customer(name="Kestrel Freight", email="rita@kestrel.example")


def asked(owner: Customer, minor: int = 10000) -> TopUp:
    """A top-up that nobody paid yet."""
    with work():
        return top_up(owner.public_id, minor=minor, key=f"t{TopUp.objects.count()}", today=DAY)


def drew(owner: Customer, minor: int, wanted: int) -> Document:
    """An invoice over 119.00 that a balance of `minor` paid `wanted` of, as far as it goes."""
    row = asked(owner, minor)
    with work():
        factories.pay(row.document)
        bill = factories.invoice(owner, on=DAY)
        pay_in_advance(hold([owner.pk]), {bill.pk: wanted}, {bill.pk: bill}, on=DAY)
    return bill


def item_of(document: Document) -> OpenItem:
    with work():
        return OpenItem.objects.get(source=document.public_id)  # type: ignore[no-any-return]


def there(owner: Customer) -> list[Money]:
    with work():
        return balance(owner.pk, today=DAY)


def charged(row: TopUp) -> Attempt:
    """A card payment of the whole that waits for the bank."""
    item = item_of(row.document)
    return pay(key="k1", amounts={item.pk: item.open_minor}, method="card_authenticate", description="x")


def answered(attempt: Attempt, *, good: bool) -> None:
    if good:
        record(attempt.public_id, Sandbox().authenticate(attempt.reference, approved=True))
    else:
        give_up(attempt.public_id)


def test_a_bank_line_that_quotes_a_top_up_pays_it(owner: Customer) -> None:
    row = asked(owner)
    with work():
        line(10000, payer="Kestrel Freight", memo=f"{row.document.number} thanks")
    assert match_all().booked == 1  # type: ignore[union-attr]
    assert there(owner) == [Money(10000, "EUR")]


def test_a_bank_line_over_what_is_open_of_a_drawn_invoice_ties(owner: Customer) -> None:
    bill = drew(owner, 5000, 11900)
    with work():
        line(6900, payer="Kestrel Freight", memo=bill.number)
    assert match_all().booked == 1  # type: ignore[union-attr]
    assert item_of(bill).open_minor == 0


@pytest.mark.parametrize("had", [5000, 11900])
def test_a_bank_line_over_the_whole_of_a_drawn_invoice_is_never_booked_beyond_what_is_open(
    owner: Customer, had: int
) -> None:
    bill = drew(owner, had, 11900)
    with work():
        line(11900, payer="Kestrel Freight", memo=bill.number)
    match_all()
    assert item_of(bill).open_minor in (0, 11900 - had)
    with work():
        paid = OpenItem.objects.filter(kind="payment").order_by("-id")[0]
        assert had in {paid.total_minor, paid.open_minor}


def test_a_wholly_drawn_invoice_asks_its_payer_for_nothing(owner: Customer) -> None:
    bill = drew(owner, 20000, 11900)
    payer = Client()
    page = payer.get(opened(payer, bill))
    assert page.status_code == 200
    assert b"Nothing is open" in page.content
    assert b'name="key"' not in page.content
    answer = payer.post(opened(payer, bill), {"key": "a" * 36, "method": "card_ok"})
    assert 400 <= answer.status_code < 500
    with work():
        assert not SandboxCharge.objects.exists()


def test_a_payer_pays_what_a_balance_left_open_and_no_more(owner: Customer) -> None:
    bill = drew(owner, 5000, 11900)
    payer = Client()
    page = payer.get(opened(payer, bill))
    assert b"69.00" in page.content
    with pytest.raises(TooMuch):
        pay(key="k", amounts={item_of(bill).pk: 6901}, method="card_ok", description="x")


def test_what_a_card_may_pay_yet_cannot_be_drawn(owner: Customer) -> None:
    row = asked(owner)
    attempt = charged(row)
    with work():
        bill = factories.invoice(owner, on=DAY)
        pay_in_advance(hold([owner.pk]), {bill.pk: 5000}, {bill.pk: bill}, on=DAY)
    assert (item_of(bill).open_minor, there(owner)) == (11900, [Money(0, "EUR")])
    answered(attempt, good=True)
    assert there(owner) == [Money(10000, "EUR")]


def test_a_top_up_under_a_card_is_not_voided(owner: Customer) -> None:
    row = asked(owner)
    attempt = charged(row)
    with work(), pytest.raises(NotCorrectable), transaction.atomic():
        void(row.document.public_id, on=DAY, reason="not wanted")
    answered(attempt, good=False)
    with work():
        void(row.document.public_id, on=DAY, reason="not wanted")
    assert there(owner) == []


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("minor", [4000, 10000])
def test_a_top_up_credited_under_a_card_gives_back_once(owner: Customer, good: bool, minor: int) -> None:
    """The note waits as the customer's credit; a card that fails leaves both open, of which nothing can be drawn."""
    row = asked(owner)
    attempt = charged(row)
    with work():
        credit(row.document.public_id, on=DAY, reason="less", key="c", amounts={1: minor})
    answered(attempt, good=good)
    with work():
        note = OpenItem.objects.get(kind="credit_note")
    assert (note.open_minor, item_of(row.document).reserved_minor) == (minor, 0)
    assert item_of(row.document).open_minor == (0 if good else 10000)
    left = 10000 - minor
    assert there(owner) == ([Money(left if good else 0, "EUR")] if left else [])
    with work(), pytest.raises(AppError), transaction.atomic():
        credit(row.document.public_id, on=DAY, reason="more", key="d", amounts={1: left + 1})


def test_a_part_that_was_drawn_stays_when_a_card_pays_the_rest(owner: Customer) -> None:
    row = asked(owner)
    with work():
        factories.pay(row.document, minor=4000)
        bill = factories.invoice(owner, on=DAY)
        pay_in_advance(hold([owner.pk]), {bill.pk: 11900}, {bill.pk: bill}, on=DAY)
    attempt = charged(row)
    with work(), pytest.raises(NotCorrectable), transaction.atomic():
        void(row.document.public_id, on=DAY, reason="no")
    answered(attempt, good=True)
    assert there(owner) == [Money(6000, "EUR")]
    assert item_of(bill).open_minor == 7900
