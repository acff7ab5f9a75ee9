"""Money is exact: one rounding rule, one splitter, and text that is refused rather than guessed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import (
    CurrencyMismatch,
    Money,
    MoneyError,
    allocate,
    exponent,
    from_decimal,
    multiply,
    parse,
    round_half_up,
)

amounts = st.integers(min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(("_case", "value", "whole"), [
    ("half goes up", "2.5", 3),
    ("half goes away from zero", "-2.5", -3),
    ("below half goes down", "2.4999999999", 2),
    ("whole stays", "7", 7),
])  # fmt: skip
def test_round_half_up(_case: str, value: str, whole: int) -> None:
    assert round_half_up(Decimal(value)) == whole


@given(st.fractions())
def test_rounding_is_never_off_by_more_than_half_and_mirrors(value: Fraction) -> None:
    assert abs(round_half_up(value) - value) <= Fraction(1, 2)
    assert round_half_up(-value) == -round_half_up(value)


@pytest.mark.parametrize(("currency", "places"), [("JPY", 0), ("EUR", 2), ("KWD", 3), ("ISK", 0), ("HUF", 2)])
def test_exponents_follow_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


def test_unknown_currency_is_refused() -> None:
    with pytest.raises(MoneyError):
        Money(1, "ZZQ")


def test_two_currencies_never_meet_in_a_sum() -> None:
    for act in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(CurrencyMismatch):
            act(Money(1, "EUR"), Money(1, "USD"))


def test_money_takes_whole_units_only() -> None:
    for wrong in (1.0, True, Decimal(1)):
        with pytest.raises(MoneyError):
            Money(wrong, "EUR")  # type: ignore[arg-type]


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=30).filter(any))
def test_parts_sum_to_the_whole_and_are_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


def test_ties_go_to_the_earlier_part() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(-100, [1, 1, 1]) == [-34, -33, -33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_nothing_to_split_by_is_refused(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        allocate(1, weights)


@given(amounts, st.sampled_from(["JPY", "EUR", "KWD"]))
def test_text_of_an_amount_reads_back_as_itself(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse(str(money.decimal), currency) == money
    assert parse(f"{money.decimal:,f}", currency) == money


@pytest.mark.parametrize("text", [
    "", "-", "1e5", "1E+999999", "NaN", "Infinity", "1_000", "١٢٣", "１２", "0x1f", "1.2.3", "1,23", "--1",
    "9" * 16, "1" * 1000, " ", "1 000", "+5",
])  # fmt: skip
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse(text, "EUR")


@pytest.mark.parametrize(("text", "currency"), [("10.50", "JPY"), ("1.2345", "KWD"), ("1.005", "EUR")])
def test_decimals_the_currency_has_not_are_refused(text: str, currency: str) -> None:
    with pytest.raises(MoneyError, match="decimals"):
        parse(text, currency)


def test_the_decimal_mark_is_chosen_never_guessed() -> None:
    assert parse("1.234,50", "EUR", decimal_mark=",") == Money(123450, "EUR")
    assert parse("1,234.50", "EUR") == Money(123450, "EUR")
    with pytest.raises(MoneyError):
        parse("1.234,50", "EUR")


def test_products_are_rounded_once() -> None:
    assert multiply(Decimal("482300"), Decimal("0.0012"), "EUR") == Money(57876, "EUR")
    assert multiply(Fraction(18 * 20, 31), Decimal("14.50"), "EUR") == Money(16839, "EUR")


def test_an_amount_beyond_the_limit_is_refused() -> None:
    with pytest.raises(MoneyError, match="too large"):
        from_decimal(Decimal(10) ** 14, "EUR")
