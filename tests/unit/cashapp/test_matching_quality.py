"""How often decisions are right in worlds with a known truth, easy and hard. Wrong ones are what must not happen."""

import random
from fractions import Fraction

import pytest

from cashapp.domain.matching.measure import Measure, measure
from tests.unit.cashapp.matching_worlds import (
    SAMPLE,
    Rates,
    World,
    decide,
    harden,
    made,
    recurring,
    sample,
    sample_names,
    year_world,
)

MOST_WRONG = Fraction(15, 100)
HARD_YEARS = slice(1, None, 5)


def total(worlds: list[World]) -> Measure:
    truth, decided = {}, {}
    for n, world in enumerate(worlds):
        true, made_links, _ = decide(world, random.Random(n))
        truth |= {(n, line_id): {(n, item) for item in items} for line_id, items in true.items()}
        decided |= {(n, line_id): {(n, item) for item in items} for line_id, items in made_links.items()}
    return measure(truth, decided)


def test_clean_statements_are_decided_rightly() -> None:
    found = total([made(seed) for seed in range(2)])
    assert found.percent(found.right) >= 99
    assert found.wrong == 0


@pytest.mark.parametrize(("_case", "percent", "rates", "least"), [
    ("hard", 0, Rates(), 55),
    ("hard, amounts on a fine grid", 5, Rates(), 45),
    ("hard, amounts on a coarse grid", 33, Rates(), 40),
    ("hard, fine grid, half of the memos empty", 5, Rates(empty=50), 20),
    ("hard, a third of the documents missing", 5, Rates(missing=33), 20),
])  # fmt: skip
def test_hard_statements_are_rather_left_than_decided_wrongly(
    _case: str, percent: int, rates: Rates, least: int
) -> None:
    worlds = [made(seed) for seed in range(10, 13)]
    found = total([harden(recurring(w, percent) if percent else w, n, rates) for n, w in enumerate(worlds)])
    assert found.percent(found.wrong) <= MOST_WRONG
    assert found.percent(found.right) >= least


@pytest.fixture(scope="module")
def years() -> list[World]:
    if not (SAMPLE / "matches.csv").exists():
        pytest.skip("the sample of receivables is not here")
    by_year, names = sample(), sample_names()
    return [
        year_world(by_year, names, year) for year in sorted(by_year)[1:]
    ]  # before the first, nothing is known


def test_the_sample_is_decided_rightly(years: list[World]) -> None:
    found = total(years)
    assert found.percent(found.right) >= 99
    assert found.wrong == 0


def test_the_sample_made_harder_is_rather_left_than_decided_wrongly(years: list[World]) -> None:
    found = total([harden(world, n) for n, world in enumerate(years[HARD_YEARS])])
    assert found.percent(found.wrong) <= MOST_WRONG
    assert found.percent(found.right) >= 55


def test_the_sample_with_recurring_amounts_is_rather_left_than_decided_wrongly(years: list[World]) -> None:
    found = total([harden(recurring(world, 5), n) for n, world in enumerate(years[HARD_YEARS])])
    assert found.percent(found.wrong) <= MOST_WRONG
    assert found.percent(found.right) >= 45
