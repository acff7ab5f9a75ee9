"""An invoice with a deposit: due in two parts, one item, corrected and settled like any other."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from core.books import verify
from core.errors import Invalid
from core.models import OutboxEvent
from core.scope import Scope, work
from customers.models import Customer
from invoicing.listing import DocumentFilter, counted, documents, totals
from invoicing.models import Document
from invoicing.selectors import view
from invoicing.services.content import changed_content, content_of
from invoicing.services.correct import void
from invoicing.services.credit import credit
from invoicing.services.edit import create_draft, save_draft
from invoicing.services.issue import issue
from invoicing.sheets import sheet
from receivables.models import OpenItem
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY
from tests.prepaid import draw, topped

REST = DAY + timedelta(days=14)
LINE = {"description": "Consulting", "unit_price": "100.00", "tax_percent": 0}


def asked(percent: int = 30, **also: object) -> Document:
    """An issued invoice of 100.00."""
    return factories.invoice(factories.customer(), ("1", "100.00"), tax="0", deposit_percent=percent, **also)


def item(document: Document) -> OpenItem:
    return OpenItem.objects.get(source=document.public_id)


def test_an_invoice_is_due_in_two_parts_and_is_one_item(acorn: Scope) -> None:
    with work():
        document = asked()
        owed = item(document)
        assert (document.due_on, document.deposit_minor) == (REST, 3_000)
        assert (owed.open_minor, owed.due_on, owed.later_minor, owed.rest_due_on) == (
            10_000,
            DAY,
            7_000,
            REST,
        )
        assert OutboxEvent.objects.get(name="invoice.issued").payload["deposit_minor"] == 3_000
        assert verify() == []


def test_all_of_it_at_once_is_due_on_its_day(acorn: Scope) -> None:
    with work():
        document = asked(100)
        owed = item(document)
        assert (document.due_on, document.deposit_minor, owed.due_on, owed.deposit_minor) == (DAY, 0, DAY, 0)


def test_only_the_deposit_makes_it_overdue_before_its_own_day(acorn: Scope) -> None:
    with work():
        document = asked()
        for today, late in ((DAY, []), (DAY + timedelta(days=1), [document])):
            wanted = DocumentFilter(state="overdue")
            assert list(documents(wanted, today=today)) == late
            assert totals(wanted, today=today) == counted(documents(wanted, today=today))
        assert view(document.public_id).states(DAY + timedelta(days=1)) == ["overdue"]
        factories.pay(document, minor=3_000)
        assert list(documents(DocumentFilter(state="overdue"), today=REST)) == []
        assert view(document.public_id).states(REST) == ["part_paid"]
        assert view(document.public_id).states(REST + timedelta(days=1)) == ["overdue", "part_paid"]
        assert verify() == []


@pytest.mark.parametrize("paid", [0, 2_000, 3_000])
def test_it_is_credited_voided_and_written_off_as_any_other(acorn: Scope, paid: int) -> None:
    with work():
        document, other, third = asked(), asked(), asked()
        if paid:
            for each in (document, third):
                factories.pay(each, minor=paid)
        credit(document.public_id, on=DAY, reason="Half of it", key="k", amounts={1: 5_000})
        owed = item(document)
        assert (owed.open_minor, owed.due_on, owed.later_minor) == (5_000 - paid, REST, 0)
        void(other.public_id, on=DAY, reason="Wrong customer")
        assert (item(other).open_minor, item(other).settled_on) == (0, DAY)
        write_off(item(third).pk, minor=10_000 - paid, on=DAY, reason="Gone", key="w")
        assert item(third).open_minor == 0
        assert verify() == []


def test_a_draft_has_the_customers_deposit_unless_it_says_otherwise(acorn: Scope) -> None:
    with work():
        owner = factories.customer(deposit_percent=25)
        own = content_of(owner.public_id, [LINE])
        said = content_of(owner.public_id, [LINE], deposit_percent=0)
        assert (own.deposit_percent, said.deposit_percent) == (25, 0)
        assert content_of(factories.customer().public_id, [LINE]).deposit_percent == 0
        draft = create_draft(own, key="k")
        draft = save_draft(draft.public_id, changed_content(draft, {"memo": "Thanks"}), version=draft.version)
        assert draft.deposit_percent == 25
        draft = save_draft(
            draft.public_id, changed_content(draft, {"deposit_percent": 40}), version=draft.version
        )
        (document,) = issue([draft.pk], issued_on=DAY)
        assert document.deposit_minor == 4_000


def test_the_seal_keeps_the_deposit(acorn: Scope) -> None:
    with work():
        document = asked()
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            Document.objects.filter(pk=document.pk).update(deposit_percent=0)
        draft = factories.draft_invoice(document.customer)
        with pytest.raises(IntegrityError, match="document_deposit"), transaction.atomic():
            Document.objects.filter(pk=draft).update(deposit_percent=101)


@pytest.mark.parametrize(
    ("percent", "terms"),
    [(0, "Net 14 days"), (30, "EUR 30.00 at once, the rest net 14 days"), (100, "Due at once")],
)
def test_the_printed_invoice_says_when_what_is_due(acorn: Scope, percent: int, terms: str) -> None:
    with work():
        printed = sheet(view(asked(percent).public_id), pay_url="")
        assert printed.terms == terms
        assert printed.due_on == ("2 November 2026" if percent == 100 else "16 November 2026")


def test_what_a_prepaid_balance_paid_counts_for_the_deposit(acorn: Scope) -> None:
    with work():
        document = asked()
        topped(document.customer, 2_000)
        draw(document.customer, document, 2_000)
        assert sheet(view(document.public_id), pay_url="").terms == "EUR 10.00 at once, the rest net 14 days"
        assert (item(document).due_on, item(document).later_minor) == (DAY, 7_000)
        assert verify() == []


def test_a_customers_deposit_is_between_0_and_100(acorn: Scope) -> None:
    with work():
        with pytest.raises(Invalid) as refused:
            factories.customer(deposit_percent=101)
        assert refused.value.fields == {"deposit_percent": "From 0 to 100, or nothing."}
        owner = factories.customer()
        with pytest.raises(IntegrityError, match="customer_deposit"), transaction.atomic():
            Customer.objects.filter(pk=owner.pk).update(deposit_percent=101)
