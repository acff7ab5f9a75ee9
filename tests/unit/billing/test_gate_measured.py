"""Measured quantities: what a spike is depends on how steady the subscription and its plan are."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.domain.gate import Bill, Item, Line, Scene, Terms, review
from core.periods import Period

CALLS = Terms("calls-1", "Calls", "per_unit", "EUR", Decimal("0.01"), "month")
STEADY = (9800, 10100, 10000, 9900, 10200, 10000)
SCENE = Scene(date(2026, 8, 1), date(2026, 7, 31))


def month(n: int) -> date:
    return date(2026, 2 + n, 1)


def bill(number: int, past: tuple[int, ...], now: int) -> Bill:
    """A subscription's usage month by month, the last of it about to be billed."""
    item = Item(number, month(6 - len(past)), None, date(2026, 1, 1), CALLS, None)
    lines = [
        Line(number, number, Period(month(n), month(n + 1)), Decimal(used), used, CALLS, metered=True)
        for n, used in enumerate((*past, now), 6 - len(past))
    ]
    return Bill(number, number, "DE", "EUR", date(2026, 1, 1), (lines[-1],), (item,), tuple(lines[:-1]))


def held(*bills: Bill) -> set[int]:
    return review(bills, SCENE).keys()


def crowd(now: int = 10000) -> list[Bill]:
    return [bill(100 + n, STEADY, now + n * 10) for n in range(20)]


@pytest.mark.parametrize(
    ("_case", "past", "now", "odd"),
    [
        ("as ever", STEADY, 10300, False),
        ("twice, alone", STEADY, 20000, False),
        ("three times, alone", STEADY, 31000, True),
        ("swings", (4000, 16000, 9000, 20000, 5000, 9000), 25000, False),
        ("swings, and five times", (4000, 16000, 9000, 20000, 5000, 9000), 80000, True),
        ("swings by more than three", (4000, 16000, 8000, 20000, 3000, 8000), 28000, False),
        ("swings wildly", (1000, 40000, 2000, 30000, 1500, 20000), 200000, True),
        ("a third", STEADY, 3300, True),
        ("half", STEADY, 5000, False),
        ("nothing", STEADY, 0, True),
        ("nothing, as sometimes", (9800, 0, 10000, 9900, 10200, 10000), 0, False),
        ("never anything", (0, 0, 0, 0), 500, False),
        ("growth", (1000, 2000, 4000, 8000, 16000, 32000), 64000, False),
        ("one known", (10000,), 90000, False),
        ("one known, ten times", (10000,), 105000, True),
        ("three known", (10000, 9000, 11000), 60000, True),
        ("a handful", (3, 2, 4, 3, 2, 3), 9, False),
    ],
)
def test_a_spike_by_how_steady_it_was(_case: str, past: tuple[int, ...], now: int, odd: bool) -> None:
    assert held(bill(1, past, now)) == ({1} if odd else set())


def test_twice_is_held_where_the_whole_plan_is_steady() -> None:
    assert held(bill(1, STEADY, 20000), *crowd()) == {1}


def test_a_season_that_all_have_is_no_spike() -> None:
    assert held(bill(1, STEADY, 25000), *crowd(25000)) == set()


def test_against_the_season_is_further_off() -> None:
    assert held(bill(1, STEADY, 21000), *crowd(5000)) == {1}


def test_who_stands_still_while_all_move_may() -> None:
    assert held(bill(1, STEADY, 10000), *crowd(18000)) == set()


def test_a_whole_plan_that_jumps_is_held() -> None:
    assert held(*crowd(40000)) == set(range(100, 120))


@pytest.mark.parametrize(
    ("_case", "past", "now", "odd"),
    [
        ("the last one again", (41237, 40118, 39951, 40409), 40409, True),
        ("it is always the same", (40409, 40409, 40409, 40409), 40409, False),
        ("too few digits to tell", (4100, 4000, 3900, 4200), 4200, False),
        ("two known", (41237, 40409), 40409, False),
    ],
)
def test_the_very_count_of_the_last_period_is_held(
    _case: str, past: tuple[int, ...], now: int, odd: bool
) -> None:
    assert held(bill(1, past, now)) == ({1} if odd else set())


def test_what_was_counted_and_is_agreed_now_is_held() -> None:
    """Nobody counts any more, and one is billed."""
    usual = bill(1, STEADY, 10000)
    item = replace(usual.items[0], quantity=Decimal(1))
    line = replace(usual.lines[0], quantity=Decimal(1), amount_minor=1, metered=False)
    assert held(replace(usual, items=(item,), lines=(line,))) == {1}


def test_the_sentence_names_the_usual() -> None:
    (found,) = review([bill(1, STEADY, 200000)], SCENE)[1]
    assert found.sentence == (
        "It used 6,452 a day; one expects about 326, and the last time it was 323."
        " EUR 2,000.00; its last three were EUR 99.00, EUR 102.00, EUR 100.00."
    )


def test_a_first_usage_beyond_all_others_is_held() -> None:
    from billing.domain.gate import assemble

    others = assemble([("DE", each.past[-1]) for each in crowd()])
    assert others
    scene = replace(SCENE, prices={"calls-1": others})
    assert review([bill(1, (), 400000)], scene).keys() == {1}
    assert not review([bill(1, (), 90000)], scene)


@pytest.mark.parametrize(
    ("_case", "past", "place", "now", "odd"),
    [
        ("a little more", STEADY, 2, 10900, False),
        ("all of it came late", (9800, 10100, 0, 9900, 10200, 10000), 2, 10050, False),
        ("ten times", STEADY, 2, 100000, True),
        ("all of it void, of who always uses", STEADY, 2, 0, True),
        ("the only one known, a little more", (10000,), 0, 12000, False),
        ("the only one known, twenty times", (10000,), 0, 200000, True),
        ("the only one with anything, twenty times", (0, 0, 10000, 0), 2, 200000, True),
        ("nothing known of it", (0,), 0, 200000, False),
    ],
)
def test_what_is_counted_anew_is_like_the_other_periods(
    _case: str, past: tuple[int, ...], place: int, now: int, odd: bool
) -> None:
    usual = bill(1, past, past[-1])
    again = replace(usual.past[place], quantity=Decimal(now), amount_minor=now)
    found = review([replace(usual, recounted=(again,))], SCENE).get(1, ())
    assert [each.kind for each in found if each.start == again.span.start] == (["usage"] if odd else [])


def test_what_is_counted_anew_comes_to_what_the_contract_says() -> None:
    usual = bill(1, STEADY, 10000)
    again = replace(usual.past[-1], amount_minor=usual.past[-1].amount_minor + 1)
    (found,) = review([replace(usual, recounted=(again,))], SCENE)[1]
    assert (found.kind, found.start) == ("amount", again.span.start)
