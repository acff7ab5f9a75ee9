"""Corrections that undo each other: whatever the order, nothing is taken back twice and no void document owes money."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cashapp.services.payments import reverse as take_back
from core.errors import AppError, Conflict, Invalid
from core.scope import Scope, work
from customers.models import Customer
from invoicing.domain.totals import LineDraft
from invoicing.models import Document
from invoicing.services.correct import NotCorrectable, void
from invoicing.services.credit import credit
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import Part, allocate, undo
from receivables.services.reverse import take_back as taking_back
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY


@pytest.fixture
def owner(acorn: Scope) -> Iterator[Customer]:
    with work():
        yield factories.customer()


def item_of(document: Document) -> OpenItem:
    return OpenItem.objects.get(source=document.public_id)  # type: ignore[no-any-return]


def last_allocation() -> int:
    return Allocation.objects.filter(reverses=None).latest("id").pk  # type: ignore[no-any-return]


def pay_in_full(owner: Customer, document: Document) -> str:
    paid = factories.payment(owner, document.total_minor)
    item = item_of(document)
    allocate([Part("p", item.pk, paid.item_id, document.total_minor)], effective_on=DAY)
    return paid.source


def test_a_void_cannot_be_undone_by_undoing_its_allocation(owner: Customer) -> None:
    document = factories.invoice(owner)
    void(document.public_id, on=DAY, reason="mistake")
    with pytest.raises(Conflict):
        undo(last_allocation(), on=DAY, reason="changed my mind")
    assert item_of(document).open_minor == 0


def test_a_payment_taken_back_does_not_come_back_by_undoing_its_mirror(owner: Customer) -> None:
    document = factories.invoice(owner)
    source = pay_in_full(owner, document)
    take_back(source, on=DAY, reason="returned")
    with pytest.raises(Conflict):
        undo(last_allocation(), on=DAY, reason="changed my mind")
    assert OpenItem.objects.get(source=source).open_minor == 0


def test_a_write_off_undone_is_a_write_off_taken_back(owner: Customer) -> None:
    item = item_of(factories.invoice(owner))
    write_off(item.pk, minor=item.total_minor, on=DAY, reason="gone", key="k1")
    taking_back(last_allocation(), on=DAY, reason="paid after all")
    item.refresh_from_db()
    assert item.open_minor == item.total_minor
    assert OpenItem.objects.get(source="wo_k1").open_minor == 0, "the expense is taken back with it"
    assert OpenItem.objects.filter(kind="recovery").count() == 1
    write_off(item.pk, minor=item.total_minor, on=DAY, reason="gone again", key="k2")


def test_what_was_credited_is_not_voided_after_the_credit_was_set_free(owner: Customer) -> None:
    document = factories.invoice(owner)
    credit(document.public_id, on=DAY, reason="late", key="credit-1")
    undo(last_allocation(), on=DAY, reason="use it elsewhere")
    with pytest.raises(NotCorrectable):
        void(document.public_id, on=DAY, reason="mistake")


def test_what_was_paid_credited_and_returned_is_not_voided(owner: Customer) -> None:
    document = factories.invoice(owner)
    source = pay_in_full(owner, document)
    credit(document.public_id, on=DAY, reason="late", key="credit-1")
    take_back(source, on=DAY, reason="returned")
    with pytest.raises(NotCorrectable):
        void(document.public_id, on=DAY, reason="mistake")


def test_a_payment_is_not_taken_back_before_it_came(owner: Customer) -> None:
    source = factories.payment(owner, 5_000).source
    take_back(source, on=DAY - timedelta(days=400), reason="returned")
    assert OpenItem.objects.get(kind="reversal").effective_on == DAY


def test_a_form_sent_again_for_another_invoice_is_refused(owner: Customer) -> None:
    first, second = factories.invoice(owner), factories.invoice(owner)
    credit(first.public_id, on=DAY, reason="late", key="one-form-key")
    with pytest.raises(Conflict):
        credit(second.public_id, on=DAY, reason="late", key="one-form-key")
    third, fourth = item_of(factories.invoice(owner)), item_of(second)
    write_off(third.pk, minor=100, on=DAY, reason="gone", key="one-form-key")
    with pytest.raises(Conflict):
        write_off(fourth.pk, minor=100, on=DAY, reason="gone", key="one-form-key")
    with pytest.raises(Conflict):
        write_off(third.pk, minor=200, on=DAY, reason="gone", key="one-form-key")


def of_lines(owner: Customer, *lines: tuple[str, str]) -> Document:
    """An invoice of (price, tax percent) lines."""
    from decimal import Decimal

    from invoicing.domain.totals import line
    from invoicing.services.drafts import DocumentDraft, write_drafts
    from invoicing.services.issue import issue

    def one(price: str, percent: str) -> LineDraft:
        return line("A", Decimal(1), Decimal(price), owner.currency, tax_percent=Decimal(percent))

    draft = DocumentDraft(
        kind="invoice",
        entity_id=owner.entity_id,
        customer_id=owner.pk,
        currency=owner.currency,
        terms_days=0,
        source="test:discount",
        lines=tuple(one(*each) for each in lines),
    )
    (document,) = issue(write_drafts([draft]), issued_on=DAY)
    return document


def with_discount(owner: Customer) -> Document:
    """100.00 at 19 %, less a discount of 30.00 without tax: 89.00."""
    return of_lines(owner, ("100", "19"), ("-30", "0"))


def test_tax_is_not_hidden_in_a_document_of_nothing(owner: Customer) -> None:
    """It would stand on a numbered invoice and never in the books."""
    with pytest.raises(Invalid):
        of_lines(owner, ("119", "0"), ("-100", "19"))


@pytest.mark.parametrize("amounts", [None, {1: 10_000, 2: -5_000}])
def test_negative_tax_is_credited_and_voided_to_the_cent(
    owner: Customer, amounts: dict[int, int] | None
) -> None:
    document = of_lines(owner, ("100", "0"), ("-50", "19"))
    note = credit(document.public_id, on=DAY, reason="late", key="credit-1", amounts=amounts)
    assert (note.net_minor, note.tax_minor) == (document.net_minor, document.tax_minor)
    assert item_of(document).open_minor == 0


def test_negative_tax_is_voided_to_the_cent(owner: Customer) -> None:
    document = of_lines(owner, ("100", "0"), ("-50", "19"))
    void(document.public_id, on=DAY, reason="mistake")
    assert item_of(document).open_minor == 0


def test_a_credit_note_never_exceeds_the_invoice_with_its_discount(owner: Customer) -> None:
    document = with_discount(owner)
    with pytest.raises(Invalid):
        credit(document.public_id, on=DAY, reason="late", key="credit-1", amounts={1: 10_000})


def test_crediting_only_the_discount_is_refused_in_words(owner: Customer) -> None:
    document = with_discount(owner)
    with pytest.raises(AppError):
        credit(document.public_id, on=DAY, reason="late", key="credit-1", amounts={2: -3_000})


def test_an_item_with_the_longest_label_can_be_written_off(owner: Customer) -> None:
    from ledger.domain.entries import Purpose
    from receivables.domain.items import Kind
    from receivables.services.items import ItemDraft, open_items

    (opening,) = open_items(
        [
            ItemDraft(
                kind=Kind.OPENING,
                customer_id=owner.pk,
                entity_id=owner.entity_id,
                label="L" * 80,
                source="open-1",
                currency=owner.currency,
                effective_on=DAY,
                posted_on=DAY,
                due_on=DAY,
                against=((Purpose.OPENING, 100),),
            )
        ]
    )
    write_off(opening.item_id, minor=100, on=DAY, reason="gone", key="k-long")
