"""Rows of customers: made, here already, or not possible; never an overwrite."""

from pathlib import Path
from typing import Any

import pytest

from core.scope import Scope, work
from customers.models import Contact, Customer
from tests.db.core.imports import brought_in, checked, counts, csv, problems

HEADING = ("Number", "Name", "E-mail", "Currency", "Country", "Address", "Days to pay", "Legal entity")
GOOD = ("C1", "Kestrel", "ap@kestrel.example", "EUR", "de", "Hafenstr. 4", "45", "")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def test_all_of_a_row_is_kept_and_the_same_again_changes_nothing(acorn: Scope) -> None:
    done = brought_in("customers", csv(HEADING, [GOOD]))
    with work():
        made = Customer.objects.get(number="C1")
        assert (made.name, made.currency, made.country, made.address, made.terms_days) == (
            "Kestrel",
            "EUR",
            "DE",
            "Hafenstr. 4",
            45,
        )
        assert Contact.objects.get(customer=made).email == "ap@kestrel.example"
    assert done.created == 1
    assert counts(checked("customers", csv(HEADING, [GOOD, ("C1", "Kestrel", *[""] * 6)]))) == (0, 2, 0)


@pytest.mark.parametrize(
    ("place", "text", "column"),
    [
        (1, "Moss", "name"),
        (2, "x@kestrel.example", "email"),
        (3, "USD", "currency"),
        (4, "AT", "country"),
        (6, "14", "terms_days"),
    ],
)
def test_a_row_that_says_something_else_changes_nothing(
    acorn: Scope, place: int, text: str, column: str
) -> None:
    brought_in("customers", csv(HEADING, [GOOD]))
    other = checked("customers", csv(HEADING, [(*GOOD[:place], text, *GOOD[place + 1 :])]))
    assert [(each["column"], each["code"]) for each in problems(other)[2]] == [(column, "different")]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        *[(0, text) for text in ("", "C" * 41, "C\x07")],
        *[(1, text) for text in ("", "K" * 201, "\ue000")],
        *[(2, text) for text in ("x", "a@b@c", "x" * 255)],
        *[(3, text) for text in ("EURO", "??")],
        *[(4, text) for text in ("DEU", "1", "D1", "ẞẞ\u0301")],
        *[(6, text) for text in ("-1", "1.5", "x", "٣", "1000")],
    ],
)
def test_a_row_that_cannot_be_is_refused(acorn: Scope, place: int, text: str) -> None:
    source = checked("customers", csv(HEADING, [(*GOOD[:place], text, *GOOD[place + 1 :])]))
    assert counts(source) == (0, 0, 1)


def test_names_grow_when_they_are_folded_and_are_kept(acorn: Scope) -> None:
    name = "\ufdfa" * 200
    brought_in("customers", csv(HEADING, [("C1", name, *[""] * 6)]))
    with work():
        assert Customer.objects.get(number="C1").name == name
