"""What a subscription owes: from the anchor, once per period, with its why."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.charges import MAX_PERIODS, Model, Odd, SubscriptionFacts, charge
from core.periods import Period, Unit, boundary

FACTS = SubscriptionFacts(
    subscription_id=1, public_id="sub_1", customer_id=1, entity_id=1, plan="Track Pro", model=Model.PER_UNIT,
    currency="EUR", unit_price=Decimal("14.50"), quantity=Decimal(120), tax_percent=Decimal(19), unit=Unit.MONTH,
    every=1, anchor=date(2026, 1, 31), next_index=0, zone="Europe/Berlin", ends_on=None, terms_days=14,
    autopay=False,
)  # fmt: skip


def test_a_period_is_billed_at_its_start_and_says_why() -> None:
    found = charge(FACTS, date(2026, 1, 31))
    (line,) = found.lines
    assert line.amount_minor == 174000
    assert (line.service_start, line.service_end) == (date(2026, 1, 31), date(2026, 2, 28))
    assert line.why[1] == {"step": "per_unit", "quantity": "120", "unit_price": "14.50"}
    assert found.next_bill_on == date(2026, 2, 28)


def test_nothing_is_due_the_day_before() -> None:
    assert charge(FACTS, date(2026, 1, 30)).lines == ()


def test_missed_periods_are_caught_up_once_each_from_the_anchor() -> None:
    found = charge(FACTS, date(2026, 4, 30))
    assert [span.start for span in found.periods] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
    ]  # fmt: skip


def test_a_flat_price_ignores_the_quantity() -> None:
    assert charge(replace(FACTS, model=Model.FLAT), FACTS.anchor).lines[0].amount_minor == 1450


def test_an_end_within_a_period_bills_the_days_up_to_it_and_says_so() -> None:
    found = charge(replace(FACTS, ends_on=date(2026, 2, 15)), date(2026, 6, 1))
    (line,) = found.lines
    assert found.periods == (Period(date(2026, 1, 31), date(2026, 2, 15)),)
    assert line.amount_minor == 93214
    assert (line.service_start, line.service_end) == (date(2026, 1, 31), date(2026, 2, 15))
    assert (line.quantity, line.unit_price) == (Decimal(1), Decimal("932.14")), "the line multiplies out"
    assert line.detail == "120 × 14.50 for 15 of 28 days"
    assert line.why[2] == {
        "step": "prorated",
        "days": 15,
        "of": 28,
        "start": "2026-01-31",
        "end": "2026-02-28",
    }
    assert (found.next_bill_on, found.ended) == (date(2026, 2, 15), True)


def test_an_end_on_a_boundary_bills_whole_periods_only() -> None:
    found = charge(replace(FACTS, ends_on=date(2026, 3, 31)), date(2026, 6, 1))
    assert [line.amount_minor for line in found.lines] == [174000, 174000]
    assert not any(step["step"] == "prorated" for line in found.lines for step in line.why)
    assert (found.next_bill_on, found.ended) == (date(2026, 3, 31), True)


def test_a_part_is_rounded_once_from_the_exact_share() -> None:
    """4.5 x 0.05 for 2 of 30 days is exactly a cent and a half: a price rounded before would lose it."""
    facts = replace(
        FACTS,
        anchor=date(2026, 4, 1),
        ends_on=date(2026, 4, 3),
        quantity=Decimal("4.5"),
        unit_price=Decimal("0.05"),
    )
    assert charge(facts, date(2026, 4, 1)).lines[0].amount_minor == 2


def test_a_flat_price_is_prorated_too() -> None:
    facts = replace(FACTS, model=Model.FLAT, anchor=date(2026, 4, 1), ends_on=date(2026, 4, 11))
    (line,) = charge(facts, date(2026, 4, 1)).lines
    assert (line.amount_minor, line.detail) == (483, "14.50 for 10 of 30 days")


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from(Unit),
    st.integers(1, 4),
    st.integers(1, 300),
)
def test_whatever_the_end_the_days_before_it_are_billed_once_and_none_after(
    anchor: date, unit: Unit, every: int, days: int
) -> None:
    ends_on = anchor + timedelta(days=days)
    facts = replace(FACTS, anchor=anchor, unit=unit, every=every, ends_on=ends_on, next_index=0)
    spans, ended = [], False
    while not ended:
        found = charge(facts, boundary(anchor, unit, every, facts.next_index))
        spans += found.periods
        ended = found.ended
        facts = replace(facts, next_index=found.next_index)
    assert sum(span.days for span in spans) == days
    assert (spans[0].start, spans[-1].end) == (anchor, ends_on)
    assert all(a.end == b.start for a, b in pairwise(spans))


@pytest.mark.parametrize(("_case", "change", "reason"), [
    ("date slipped by years", {"anchor": date(2001, 1, 1)}, "periods would be billed"),
    ("negative quantity", {"quantity": Decimal(-1)}, "below zero"),
    ("negative price", {"unit_price": Decimal(-1)}, "below zero"),
    ("absurd amount", {"quantity": Decimal(10) ** 12, "unit_price": Decimal(10) ** 9}, "too large"),
    ("absurd total", {"quantity": Decimal(1), "unit_price": Decimal(9) * 10**12}, "total is too large"),
    ("no interval", {"every": 0}, "interval"),
])  # fmt: skip
def test_what_cannot_be_billed_is_named(_case: str, change: dict[str, object], reason: str) -> None:
    with pytest.raises(Odd, match=reason):
        charge(replace(FACTS, **change), date(2026, 2, 1))  # type: ignore[arg-type]


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.sampled_from(Unit), st.integers(1, 4),
    st.lists(st.integers(0, 60), min_size=1, max_size=8),
)  # fmt: skip
def test_running_day_by_day_or_at_once_bills_the_same_periods(
    anchor: date, unit: Unit, every: int, steps: list[int]
) -> None:
    """No gap, no overlap, nothing twice, whatever the days on which runs happen."""
    facts = replace(FACTS, anchor=anchor, unit=unit, every=every)
    spans, day = [], anchor
    for step in steps:
        day += timedelta(days=min(step, MAX_PERIODS - 1))
        found = charge(facts, day)
        spans += found.periods
        facts = replace(facts, next_index=found.next_index)
    assert spans[0].start == anchor
    assert all(a.end == b.start for a, b in pairwise(spans))
    assert spans[-1].start <= day < spans[-1].end
    assert not charge(facts, day).lines
