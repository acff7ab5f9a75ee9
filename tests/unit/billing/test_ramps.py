"""A plan over time as it follows from what was said: day by day, without a gap but a pause, and no day twice."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.ramps import Held, Pause, Said, Stretch, held_on, stretches

DAY = date(2026, 1, 1)
FIRST = Stretch(DAY, None, Held(1, Decimal(10)))


def day(n: int) -> date:
    return DAY + timedelta(days=n)


_said = st.lists(
    st.builds(
        Said,
        st.integers(-5, 40).map(day),
        st.none() | st.integers(1, 3),
        st.none() | st.integers(0, 3).map(Decimal),
    ),
    max_size=8,
    unique_by=lambda each: each.on,
)
_pauses = st.none() | st.builds(
    lambda off, days: Pause(day(off), None if days is None else day(off + days)),
    st.integers(0, 45),
    st.none() | st.integers(0, 20),
)


@given(said=_said, pause=_pauses)
def test_every_day_is_as_it_was_said_last_and_none_is_twice(said: list[Said], pause: Pause | None) -> None:
    found = stretches(FIRST, said, pause)
    held = FIRST.held
    for n in range(60):
        for each in said:
            if each.on == day(n) and n:
                held = Held(
                    each.price or held.price, held.quantity if each.quantity is None else each.quantity
                )
        there = [
            each.held for each in found if each.starts_on <= day(n) and (each.ends_on or date.max) > day(n)
        ]
        resting = pause and pause.off <= day(n) and (pause.again is None or day(n) < pause.again)
        assert there == ([] if resting else [held])
        assert held_on(FIRST, said, day(n)) == held


@given(said=_said, pause=_pauses)
def test_what_changes_nothing_cuts_nothing_and_only_a_pause_says_that_it_does(
    said: list[Said], pause: Pause | None
) -> None:
    found = stretches(FIRST, said, pause)
    assert found[0].starts_on == DAY
    assert [each.ends_on for each in found if each.paused] == ([pause.off] if pause else [])
    for one, other in pairwise(found):
        assert one.paused or (one.ends_on == other.starts_on and one.held != other.held)
    assert found[-1].ends_on == (pause.off if pause and pause.again is None else None)
    assert stretches(FIRST, list(reversed(said)), pause) == found, "in any order"
