"""Totals and credits add up to the cent, however lines are cut."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import MoneyError
from invoicing.domain.credits import CreditsTooMuch, credit_totals, left_to_credit
from invoicing.domain.numbers import document_number
from invoicing.domain.totals import LineDraft, line, totals

rates = st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("20.5")])


def amount(minor: int, percent: Decimal = Decimal(25)) -> LineDraft:
    return LineDraft("x", Decimal(1), Decimal(minor) / 100, minor, percent)


@pytest.mark.parametrize(("_case", "lines", "tax", "total"), [
    ("EN 16931 base example: 1,300 + 25 at 25 %", [amount(130000), amount(2500)], 33125, 165625),
    ("mixed rates: 4,900 at 25 %, 1,000 exempt", [amount(490000), amount(100000, Decimal(0))], 122500, 712500),
    ("discount line lowers its rate's base", [amount(174000, Decimal(20)), amount(-19084, Decimal(20))], 30983, 185899),
    ("nothing owed", [amount(100), amount(-100)], 0, 0),
])  # fmt: skip
def test_worked_totals(_case: str, lines: list[LineDraft], tax: int, total: int) -> None:
    found = totals(lines)
    assert (found.tax_minor, found.total_minor) == (tax, total)


def test_a_document_cannot_come_to_less_than_zero() -> None:
    with pytest.raises(MoneyError, match="less than zero"):
        totals([amount(-1)])


def test_a_line_is_rounded_once() -> None:
    assert (
        line("calls", Decimal(482300), Decimal("0.0012"), "GBP", tax_percent=Decimal(20)).amount_minor
        == 57876
    )
    assert line("yen", Decimal("1.5"), Decimal(3), "JPY", tax_percent=Decimal(10)).amount_minor == 5


@given(st.lists(st.tuples(st.integers(0, 10**7), rates), min_size=1, max_size=8), st.data())
def test_crediting_in_any_two_steps_takes_back_exactly_the_invoice(
    rows: list[tuple[int, Decimal]], data: st.DataObject
) -> None:
    lines = [amount(minor, percent) for minor, percent in rows]
    invoice = totals(lines)
    first_lines = [amount(data.draw(st.integers(0, each.amount_minor)), each.tax_percent) for each in lines]
    first = credit_totals(first_lines, left_to_credit(invoice.taxes, []))
    rest = [
        amount(a.amount_minor - b.amount_minor, a.tax_percent)
        for a, b in zip(lines, first_lines, strict=True)
    ]
    second = credit_totals(rest, left_to_credit(invoice.taxes, first.taxes))
    assert first.total_minor + second.total_minor == invoice.total_minor
    assert first.tax_minor + second.tax_minor == invoice.tax_minor


def test_a_rate_cannot_be_credited_beyond_what_it_holds() -> None:
    invoice = totals([amount(100, Decimal(19)), amount(100, Decimal(7))])
    with pytest.raises(CreditsTooMuch):
        credit_totals([amount(101, Decimal(7))], left_to_credit(invoice.taxes, []))


def test_numbers_name_a_second_entity() -> None:
    assert document_number("invoice", "1", 2026, 42) == "INV-2026-00042"
    assert document_number("credit_note", "2", 2026, 7) == "CN-2-2026-00007"
