"""Rows of open invoices: what each becomes, or the sentence that says why not."""

from pathlib import Path
from typing import Any

import pytest

from core import clock
from core.errors import Conflict
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from invoicing.services.correct import NotCorrectable
from invoicing.services.credit import credit
from invoicing.services.send import send
from tests import factories
from tests.db.core.imports import INVOICES, brought_in, checked, counts, csv, problems

GOOD = ("A-1", "C1", "Kestrel", "EUR", "10.00", "2026-11-02", "")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def wrong(**cells: str) -> list[tuple[str, str]]:
    """(column, code) of what is wrong with a good row of which some cells are others."""
    names = ("number", "customer", "name", "currency", "amount", "issued", "due")
    row = tuple(cells.get(name, text) for name, text in zip(names, GOOD, strict=True))
    source = checked("invoices", csv(INVOICES, [row]))
    return [(each["column"], each["code"]) for found in problems(source).values() for each in found]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"number": ""}, [("number", "missing")]),
        ({"number": "A" * 41}, [("number", "bad")]),
        ({"number": "A\x1b1"}, [("number", "bad")]),
        ({"name": ""}, [("customer_name", "customer")]),
        ({"currency": "XXZ"}, [("currency", "bad")]),
        ({"currency": "eur"}, []),
        ({"amount": "NaN"}, [("amount", "bad")]),
        ({"amount": "1e5"}, [("amount", "bad")]),
        ({"amount": "١٢"}, [("amount", "bad")]),
        ({"amount": "0"}, [("amount", "sign")]),
        ({"amount": "-10.00"}, [("amount", "sign")]),
        ({"amount": "10.001"}, [("amount", "mark")]),
        ({"amount": "10.0011"}, [("amount", "decimals")]),
        ({"amount": "999999999999999"}, [("amount", "bad")]),
        ({"amount": "9999999999999999"}, [("amount", "bad")]),
        ({"issued": "2026-02-30"}, [("issued_on", "bad")]),
        ({"issued": "03/04/2026"}, [("issued_on", "day_order")]),
        ({"issued": "0001-01-01"}, [("issued_on", "day")]),
        ({"issued": "2199-01-01"}, [("issued_on", "day")]),
        ({"issued": "1979-12-31"}, [("issued_on", "day")]),
        ({"due": "2026-11-01"}, [("due_on", "day")]),
        ({"due": "9999-12-31"}, [("due_on", "day")]),
        ({"amount": "x", "issued": "y"}, [("amount", "bad"), ("issued_on", "bad")]),
    ],
)
def test_a_row_that_cannot_be_says_where(
    acorn: Scope, cells: dict[str, str], said: list[tuple[str, str]]
) -> None:
    found = wrong(**cells)
    assert found == said or (cells == {"amount": "x", "issued": "y"} and found == [("issued_on", "bad")])


def test_an_archived_customer_gets_nothing(acorn: Scope) -> None:
    with work():
        row = factories.customer(number="C1", name="Kestrel")
        row.archived_at = clock.now()
        row.touch("archived_at")
    assert wrong() == [("customer_number", "customer")]


def test_rows_with_too_many_cells_are_refused_and_too_few_are_empty(acorn: Scope) -> None:
    data = csv(INVOICES, [(*GOOD, "more"), GOOD[:5], (*GOOD[:6],), (*GOOD, "", " ")])
    source = checked(
        "invoices",
        data.replace(b"A-1;C1;Kestrel;EUR;10.00;2026-11-02\n", b"A-2;C1;Kestrel;EUR;10.00;2026-11-02\n"),
    )
    found = problems(source)
    assert [each["code"] for each in found[2]] == ["width"]
    assert [each["code"] for each in found[3]] == ["missing"]
    assert counts(source) == (2, 0, 2)


def test_a_number_says_one_thing_per_legal_entity(acorn: Scope) -> None:
    brought_in("invoices", csv(INVOICES, [GOOD]))
    for cells in ({"amount": "11.00"}, {"customer": "C2"}, {"issued": "2026-11-01"}, {"currency": "USD"}):
        assert wrong(**cells) == [("number", "different")], cells
    assert wrong(number="A-2") == []


def test_a_number_of_its_own_series_stands_beside_an_issued_one(acorn: Scope) -> None:
    with work():
        own = factories.invoice(factories.customer(number="C1"))
        number = own.number
    row = (number, *GOOD[1:])
    done = brought_in("invoices", csv(INVOICES, [row]))
    assert counts(done) == (1, 0, 0)
    with work():
        assert sorted(Document.objects.filter(number=number).values_list("kind", flat=True)) == [
            "invoice",
            "opening",
        ]
        assert factories.invoice(own.customer).number != number


def test_new_customers_are_made_once_with_the_first_name(acorn: Scope) -> None:
    rows = [
        ("A-1", "C1", "Kestrel", *GOOD[3:]),
        ("A-2", "C1", "", *GOOD[3:]),
        ("A-3", "C1", "Other", *GOOD[3:]),
    ]
    assert counts(brought_in("invoices", csv(INVOICES, rows), chunk=2)) == (3, 0, 0)
    with work():
        assert Customer.objects.get(number="C1").name == "Kestrel"


def test_a_row_that_fails_makes_no_customer_for_the_next(acorn: Scope) -> None:
    rows = [("A-1", "C1", "Kestrel", "EUR", "x", *GOOD[5:]), ("A-2", "C1", "", *GOOD[3:])]
    source = checked("invoices", csv(INVOICES, rows))
    assert counts(source) == (0, 0, 2)


def test_what_was_brought_in_is_neither_credited_nor_sent(acorn: Scope) -> None:
    with work():
        factories.customer(number="C1", name="Kestrel", email="ap@kestrel.example")
    brought_in("invoices", csv(INVOICES, [GOOD]))
    with work():
        made = Document.objects.get()
        with pytest.raises(NotCorrectable):
            credit(made.public_id, on=made.issued_on, reason="x", key="form_12345678")
        with pytest.raises(Conflict):
            send(made.public_id, key="form_12345678")
        assert not Document.objects.exclude(pk=made.pk).exists()
