"""Rows of payments: each line of the bank once, equal lines as often as they are there."""

from pathlib import Path
from typing import Any

import pytest

from cashapp.models import BankLine
from core.scope import Scope, work
from tests import factories
from tests.db.core.imports import brought_in, checked, counts, csv, problems, undone

HEADING = ("Received on", "Amount", "Currency", "Payer", "Memo", "Customer number", "Id")
GOOD = ("2026-11-02", "10.00", "EUR", "Kestrel", "A-1", "", "")


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def test_equal_lines_are_so_many_payments(acorn: Scope) -> None:
    assert counts(brought_in("payments", csv(HEADING, [GOOD, GOOD, GOOD]), chunk=2)) == (3, 0, 0)
    assert counts(checked("payments", csv(HEADING, [GOOD] * 4))) == (1, 3, 0)
    with work():
        assert BankLine.objects.count() == 3


def test_an_id_is_one_line_whatever_else_is_said(acorn: Scope) -> None:
    brought_in("payments", csv(HEADING, [(*GOOD[:6], "77")]))
    assert counts(checked("payments", csv(HEADING, [(*GOOD[:4], "other memo", "", "77")]))) == (0, 1, 0)
    other = checked("payments", csv(HEADING, [("2026-11-02", "11.00", *GOOD[2:6], "77")]))
    assert [each["code"] for each in problems(other)[2]] == ["different"]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (0, ""),
        (0, "2199-01-01"),
        (0, "1979-01-01"),
        (1, "0"),
        (1, "-5"),
        (1, "1e5"),
        (2, "XXZ"),
        (5, "nobody"),
    ],
)
def test_a_row_that_cannot_be_is_refused(acorn: Scope, place: int, text: str) -> None:
    assert counts(checked("payments", csv(HEADING, [(*GOOD[:place], text, *GOOD[place + 1 :])]))) == (0, 0, 1)


def test_lines_withdrawn_come_in_again(acorn: Scope) -> None:
    with work():
        factories.customer(number="C1")
    data = csv(HEADING, [(*GOOD[:5], "C1", ""), GOOD])
    done = brought_in("payments", data)
    assert undone(done).state == "undone"
    assert counts(brought_in("payments", data)) == (2, 0, 0)
    with work():
        assert BankLine.objects.exclude(state="withdrawn").count() == 2


def of(amount: str, *also: str) -> tuple[str, ...]:
    return (GOOD[0], amount, *(also or GOOD[2:]))


def test_an_amount_written_otherwise_is_the_same_line(acorn: Scope) -> None:
    """Lines are told apart by what they say, not by how a program writes a number."""
    assert counts(brought_in("payments", csv(HEADING, [of("10.5"), of("10.50")]), chunk=1)) == (2, 0, 0)
    for again in (["10.50", "10.5"], ["10.50", "10.50"], ["10.5", "10.500"]):
        assert counts(checked("payments", csv(HEADING, [*map(of, again)]), rounds=True)) == (0, 2, 0)
    assert counts(checked("payments", csv(HEADING, [of("10.50")] * 3))) == (1, 2, 0)
    comma = csv(HEADING, [of("10,50"), of("1.010,50")])
    assert counts(checked("payments", comma, decimal_mark=",")) == (1, 1, 0)


def test_a_file_brought_in_again_after_all_it_says_changed_its_writing(acorn: Scope) -> None:
    rows = [of("1,190.00"), of("1,190.00"), of("7")]
    assert counts(brought_in("payments", csv(HEADING, rows))) == (3, 0, 0)
    assert counts(brought_in("payments", csv(HEADING, rows))) == (0, 3, 0)
    other = csv(HEADING, [of("1190"), of("7.00"), of("1190.00"), of("1190.0")])
    assert counts(brought_in("payments", other)) == (1, 3, 0)
    with work():
        assert sorted(BankLine.objects.values_list("minor", flat=True)) == [700, 119_000, 119_000, 119_000]


def test_an_amount_that_is_none_hides_no_other(acorn: Scope) -> None:
    assert counts(checked("payments", csv(HEADING, [of("x"), of("10.00"), of("x")]))) == (1, 0, 2)
    dollars = of("10.00", "USD", *GOOD[3:])
    assert counts(brought_in("payments", csv(HEADING, [of("10.00"), dollars]))) == (2, 0, 0)
