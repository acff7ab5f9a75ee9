"""Rates: the organization's own first, the newest on or before the day, crossed exactly, never invented."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import ProgrammingError, connection
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.errors import CheckViolation

from core import fx
from core.models import FxRate
from core.money import Money
from core.scope import Scope, enter, work
from tests import databases

DAY = date(2026, 11, 2)


def published(quote: str, rate: str, on: date = DAY) -> None:
    """Written by the owner's role; the app's may only read it."""
    databases.as_owner(
        f"INSERT INTO core_referencerate (quote, \"on\", rate) VALUES ('{quote}', '{on}', {Decimal(rate)})",
        name=connection.settings_dict["NAME"],
    )


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core_referencerate (quote, \"on\", rate) VALUES ('USD', '2026-11-03', 0.0001)",
        "UPDATE core_referencerate SET rate = 1000",
        "DELETE FROM core_referencerate",
    ],
)
def test_nobody_who_serves_an_organization_writes_what_all_of_them_use(acorn: Scope, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), work(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("rate", ["0", "-1.1"])
def test_a_published_rate_is_more_than_nothing(committed_acorn: Scope, rate: str) -> None:
    with pytest.raises(CheckViolation, match="referencerate_positive"):
        published("USD", rate)


def own(base: str, quote: str, rate: str, on: date = DAY) -> None:
    FxRate.objects.create(base=base, quote=quote, on=on, rate=Decimal(rate))


def test_a_currency_is_worth_itself_without_any_rate(acorn: Scope) -> None:
    with work():
        assert fx.rate("XXX", "XXX", DAY) == 1


def test_published_rates_are_crossed_through_the_euro_exactly(committed_acorn: Scope) -> None:
    with work():
        published("USD", "1.1")
        published("JPY", "165.5")
        assert fx.rate("EUR", "USD", DAY) == Fraction("1.1")
        assert fx.rate("USD", "EUR", DAY) == 1 / Fraction("1.1")
        assert fx.rate("USD", "JPY", DAY) == Fraction("165.5") / Fraction("1.1")
        assert fx.rate("USD", "JPY", DAY) * fx.rate("JPY", "USD", DAY) == 1


def test_no_rate_is_an_answer_of_its_own(committed_acorn: Scope) -> None:
    with work():
        published("USD", "1.1", DAY + timedelta(days=1))
        for pair in (("EUR", "USD"), ("USD", "EUR"), ("EUR", "CHF"), ("CHF", "USD")):
            with pytest.raises(fx.NoRate):
                fx.rate(*pair, DAY)


def test_the_newest_on_or_before_the_day_counts(committed_acorn: Scope) -> None:
    with work():
        for days, rate in ((2, "1.0"), (1, "1.1"), (0, "1.2"), (-1, "9")):
            published("USD", rate, DAY - timedelta(days=days))
        assert fx.rate("EUR", "USD", DAY) == Fraction("1.2")
        assert fx.rate("EUR", "USD", DAY - timedelta(days=1)) == Fraction("1.1")


def test_an_organizations_own_rate_wins_in_both_directions(committed_acorn: Scope) -> None:
    with work():
        published("USD", "1.1")
        own("EUR", "USD", "2", DAY - timedelta(days=30))
        assert fx.rate("EUR", "USD", DAY) == 2
        assert fx.rate("USD", "EUR", DAY) == Fraction(1, 2)


def test_of_two_own_rates_the_newer_counts_whichever_way_it_was_written(acorn: Scope) -> None:
    with work():
        own("EUR", "USD", "2", DAY - timedelta(days=30))
        own("USD", "EUR", "0.25", DAY - timedelta(days=1))
        assert fx.rate("EUR", "USD", DAY) == 4
        assert fx.rate("USD", "EUR", DAY) == Fraction(1, 4)


def test_another_organizations_rate_is_not_used(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        own("EUR", "USD", "2")
    with work(), pytest.raises(fx.NoRate):
        fx.rate("EUR", "USD", DAY)


@pytest.mark.parametrize(
    ("money", "to", "by", "minor"),
    [
        (Money(100, "EUR"), "USD", "1.105", 111),
        (Money(-100, "EUR"), "USD", "1.105", -111),
        (Money(1, "USD"), "JPY", "150", 2),
        (Money(1, "JPY"), "KWD", "0.002", 2),
        (Money(0, "EUR"), "USD", "1.1", 0),
    ],
)
def test_converting_rounds_once_to_the_targets_exponent(money: Money, to: str, by: str, minor: int) -> None:
    assert fx.convert(money, to, Decimal(by)) == Money(minor, to)


@given(st.integers(-(10**12), 10**12), st.fractions(Fraction(1, 1000), Fraction(1000), max_denominator=10**6))
def test_there_and_back_is_off_by_no_more_than_rounding(minor: int, by: Fraction) -> None:
    there = fx.convert(Money(minor, "EUR"), "USD", by)
    back = fx.convert(there, "EUR", 1 / by)
    assert abs(back.minor - minor) <= Fraction(1, 2) / by + Fraction(1, 2)
