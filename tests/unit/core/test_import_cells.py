"""Cells of files: read one way, or refused; never guessed cell by cell."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.imports.cells import (
    BadCell,
    Column,
    Habits,
    day_order,
    decimal_mark,
    read_cell,
    read_day,
    read_money,
)
from core.money import Money, exponent

POINT, COMMA = Habits("."), Habits(",")


@pytest.mark.parametrize(
    ("text", "habits", "minor"),
    [
        ("1234.50", POINT, 123450),
        ("1,234.50", POINT, 123450),
        ("1.234,50", COMMA, 123450),
        ("1234,5", COMMA, 123450),
        ("0", POINT, 0),
        ("-12.00", POINT, -1200),
        ("1234567.89", POINT, 123456789),
    ],
)
def test_amounts_are_read_by_the_files_own_mark(text: str, habits: Habits, minor: int) -> None:
    assert read_money(text, "EUR", habits) == Money(minor, "EUR")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NaN",
            "Infinity",
            "-inf",
            "1e5",
            "1E+999999",
            "0x10",
            "1_000",
            "١٢٣",
            "１２３",
            "12-",
            "--1",
            "1.2.3",
        ),
        *(".", "-", "1,2,3.4.5", "1234567890123456", "9" * 400, "12,34.5.6", "1.50 EUR"),
    ],
)
@pytest.mark.parametrize("habits", [POINT, COMMA])
def test_what_is_no_amount_is_refused(text: str, habits: Habits) -> None:
    with pytest.raises(BadCell):
        read_money(text, "EUR", habits)


def test_more_decimals_than_the_currency_has_are_rounded_only_when_chosen() -> None:
    with pytest.raises(BadCell) as refused:
        read_money("12.505", "EUR", POINT)
    assert refused.value.code == "decimals"
    assert read_money("12.505", "EUR", Habits(rounds=True)) == Money(1251, "EUR")
    assert read_money("10.5", "JPY", Habits(rounds=True)) == Money(11, "JPY")
    assert read_money("1.2345", "KWD", Habits(rounds=True)) == Money(1235, "KWD")
    assert read_money("12.500", "EUR", POINT) == Money(1250, "EUR")


@given(st.integers(-(10**13), 10**13), st.sampled_from(["EUR", "JPY", "KWD"]), st.booleans())
def test_an_amount_written_out_is_read_back(minor: int, currency: str, comma: bool) -> None:
    places = exponent(currency)
    text = f"{Money(minor, currency).decimal:.{places}f}"
    habits = COMMA if comma else POINT
    assert read_money(text.replace(".", ",") if comma else text, currency, habits) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        ("20260228", date(2026, 2, 28)),
        ("2026-02-28 00:00:00", date(2026, 2, 28)),
        ("2026-02-28T00:00Z", date(2026, 2, 28)),
        ("2026/2/8", date(2026, 2, 8)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
    ],
)
def test_days_with_the_year_first_are_plain(text: str, day: date) -> None:
    assert read_day(text, POINT) == day


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30", "2026-13-01", "0000-01-01", "1900-01-00", "45658", "yesterday", "2026-02-28 12:00"),
        *("28.02.26", "٢٠٢٦-٠٢-٢٨", "2026-02.28", ""),
    ],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        read_day(text, Habits(day_first=True))


def test_a_day_that_reads_two_ways_waits_for_a_choice() -> None:
    with pytest.raises(BadCell) as refused:
        read_day("03/04/2026", POINT)
    assert refused.value.code == "day_order"
    assert read_day("03/04/2026", Habits(day_first=True)) == date(2026, 4, 3)
    assert read_day("03/04/2026", Habits(day_first=False)) == date(2026, 3, 4)


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["03/04/2026", "13/04/2026"], True),
        (["03/04/2026", "04/13/2026"], False),
        (["03/04/2026", "05/05/2026"], None),
        (["2026-01-13"], None),
        ([], None),
    ],
)
def test_one_cell_tells_the_order_of_all(cells: list[str], first: bool | None) -> None:
    assert day_order(cells) is first


def test_cells_that_tell_two_orders_tell_none() -> None:
    assert day_order(["13/04/2026", "04/13/2026"]) is None


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1,234.50", "2.00"], "."),
        (["1.234,50"], ","),
        (["12,5"], ","),
        (["1,234"], ""),
        (["1,234", "12,50"], ","),
        ([" -1.234,5 "], ","),
        (["1.234", "7"], ""),
        (["1,234,567"], "."),
        (["1.234.567"], ","),
        (["1.234.567", "1,234,567"], ""),
        (["12", "-3"], "."),
        (["n/a", ""], "."),
    ],
)
def test_one_amount_tells_the_mark_of_all(cells: list[str], mark: str) -> None:
    assert decimal_mark(cells) == mark


def test_amounts_that_tell_two_marks_wait_for_a_choice() -> None:
    """One stray comma must not make 1.234 dinars a thousand."""
    assert decimal_mark(["1.234", "13.75", "14,5"]) == ""
    with pytest.raises(BadCell) as refused:
        read_money("1.234", "KWD", Habits(""))
    assert refused.value.code == "mark"
    assert read_money("1234", "KWD", Habits("")) == Money(1234000, "KWD")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1bb", "a\ue000"])
def test_what_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        read_cell(Column("name", "Name"), text, POINT)


def test_what_only_hides_is_dropped() -> None:
    assert read_cell(Column("name", "Name"), "\u202eevil\u200b ", POINT) == "evil"
    assert read_cell(Column("name", "Name"), " \u200e ", POINT) is None


@pytest.mark.parametrize("text", ["EURO", "€", "XYZ", "E R", "123"])
def test_an_unknown_currency_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        read_cell(Column("currency", "Currency", kind="currency"), text, POINT)
