"""What a subscription owes: from the anchor, once per period, with its why."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.charges import MAX_PERIODS, Charge, charge
from billing.domain.dues import Odd
from billing.domain.facts import ItemFacts, SubscriptionFacts, Timing, Used
from billing.domain.pricing import Model, Terms, Tier
from core.periods import Listed, Period, Unit
from tests.listed import units

ITEM = ItemFacts(
    item_id=1, public_id="si_1", name="Track Pro", terms=Terms(Model.PER_UNIT, unit_price=Decimal("14.50")),
    quantity=Decimal(120), tax_percent=Decimal(19), unit=Unit.MONTH, every=1, timing=Timing.ADVANCE,
    starts_on=date(2026, 1, 31), ends_on=None, billed_through=date(2026, 1, 31),
)  # fmt: skip
FACTS = SubscriptionFacts(
    subscription_id=1, public_id="sub_1", customer_id=1, entity_id=1, currency="EUR", anchor=date(2026, 1, 31),
    zone="Europe/Berlin", ends_on=None, terms_days=14, autopay=False, items=(ITEM,),
)  # fmt: skip
FLAT = Terms(Model.FLAT, unit_price=Decimal("14.50"))


def facts_of(anchor: date = FACTS.anchor, ends_on: date | None = None, **item: object) -> SubscriptionFacts:
    """One item from the anchor on."""
    made = replace(ITEM, starts_on=anchor, billed_through=anchor)
    return replace(FACTS, anchor=anchor, ends_on=ends_on, items=(replace(made, **item),))  # type: ignore[arg-type]


def after(found: Charge) -> SubscriptionFacts:
    """The facts once the charge is written down."""
    through = {each.item.item_id: each.span.end for each in found.dues}
    items = tuple(
        replace(each, billed_through=through.get(each.item_id, each.billed_through))
        for each in found.facts.items
    )
    return replace(found.facts, items=items)


def test_a_period_is_billed_at_its_start_and_says_why() -> None:
    found = charge(FACTS, date(2026, 1, 31))
    (line,) = found.lines
    assert line.amount_minor == 174000
    assert (line.service_start, line.service_end) == (date(2026, 1, 31), date(2026, 2, 28))
    assert line.why[1] == {"step": "per_unit", "quantity": "120", "unit_price": "14.5"}
    assert found.next_bill_on == date(2026, 2, 28)


def test_nothing_is_due_the_day_before() -> None:
    assert charge(FACTS, date(2026, 1, 30)).lines == ()


def test_missed_periods_are_caught_up_once_each_from_the_anchor() -> None:
    found = charge(FACTS, date(2026, 4, 30))
    assert [due.span.start for due in found.dues] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
    ]  # fmt: skip


def test_a_flat_price_ignores_the_quantity() -> None:
    assert charge(facts_of(terms=FLAT), FACTS.anchor).lines[0].amount_minor == 1450


def test_an_end_within_a_period_bills_the_days_up_to_it_and_says_so() -> None:
    found = charge(facts_of(ends_on=date(2026, 2, 15)), date(2026, 6, 1))
    (line,) = found.lines
    assert [due.span for due in found.dues] == [Period(date(2026, 1, 31), date(2026, 2, 15))]
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
    assert (found.next_bill_on, found.state) == (date(2026, 2, 15), "ended")


def test_an_end_on_a_boundary_bills_whole_periods_only() -> None:
    found = charge(facts_of(ends_on=date(2026, 3, 31)), date(2026, 6, 1))
    assert [line.amount_minor for line in found.lines] == [174000, 174000]
    assert not any(step["step"] == "prorated" for line in found.lines for step in line.why)
    assert (found.next_bill_on, found.state) == (date(2026, 3, 31), "ended")


def test_a_part_is_rounded_once_from_the_exact_share() -> None:
    """4.5 x 0.05 for 2 of 30 days is exactly a cent and a half: a price rounded before would lose it."""
    terms = Terms(Model.PER_UNIT, unit_price=Decimal("0.05"))
    facts = facts_of(date(2026, 4, 1), date(2026, 4, 3), quantity=Decimal("4.5"), terms=terms)
    assert charge(facts, date(2026, 4, 1)).lines[0].amount_minor == 2


def test_a_flat_price_is_prorated_too() -> None:
    facts = facts_of(date(2026, 4, 1), date(2026, 4, 11), terms=FLAT)
    (line,) = charge(facts, date(2026, 4, 1)).lines
    assert (line.amount_minor, line.detail) == (483, "14.50 for 10 of 30 days")


_timings = st.sampled_from(Timing)


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), units, st.integers(1, 4), st.integers(1, 300),
    _timings,
)  # fmt: skip
def test_whatever_the_end_the_days_before_it_are_billed_once_and_none_after(
    anchor: date, unit: Unit | Listed, every: int, days: int, timing: Timing
) -> None:
    ends_on = anchor + timedelta(days=days)
    facts = facts_of(anchor, ends_on, unit=unit, every=every, timing=timing)
    spans, day, state = [], anchor, "active"
    while state == "active":
        found = charge(facts, day)
        spans += [due.span for due in found.dues]
        day, state, facts = found.next_bill_on, found.state, after(found)
    assert sum(span.days for span in spans) == days
    assert (spans[0].start, spans[-1].end, day) == (anchor, ends_on, ends_on)
    assert all(a.end == b.start for a, b in pairwise(spans))


@pytest.mark.parametrize(("_case", "facts", "reason"), [
    ("date slipped by years", facts_of(date(2001, 1, 1)), "periods would be billed"),
    ("negative quantity", facts_of(quantity=Decimal(-1)), "below zero"),
    ("negative price", facts_of(terms=Terms(Model.FLAT, unit_price=Decimal(-1))), "below zero"),
    ("absurd amount", facts_of(quantity=Decimal(10) ** 12, terms=Terms(Model.PER_UNIT, Decimal(10) ** 9)), "too large"),
    ("absurd total", facts_of(terms=Terms(Model.FLAT, unit_price=Decimal(9) * 10**12)), "total is too large"),
    ("no interval", facts_of(every=0), "interval"),
    ("beyond the tiers", facts_of(terms=Terms(Model.VOLUME, tiers=(Tier(Decimal(5)),))), "last tier"),
])  # fmt: skip
def test_what_cannot_be_billed_is_named(_case: str, facts: SubscriptionFacts, reason: str) -> None:
    with pytest.raises(Odd, match=reason):
        charge(facts, date(2026, 2, 1))


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), units, st.integers(1, 4),
    st.lists(st.integers(0, 60), min_size=1, max_size=8), _timings,
)  # fmt: skip
def test_running_day_by_day_or_at_once_bills_the_same_periods(
    anchor: date, unit: Unit | Listed, every: int, steps: list[int], timing: Timing
) -> None:
    """No gap, no overlap, nothing twice, whatever the days on which runs happen."""
    facts = facts_of(anchor, unit=unit, every=every, timing=timing)
    spans, day = [], anchor
    for step in steps:
        day += timedelta(days=min(step, MAX_PERIODS - 1))
        found = charge(facts, day)
        spans += [due.span for due in found.dues]
        facts = after(found)
    assert not charge(facts, day).lines
    if timing is Timing.ADVANCE:
        assert spans[-1].start <= day < spans[-1].end
    else:
        assert day < found.next_bill_on
    assert all(a.end == b.start for a, b in pairwise(spans))
    assert not spans or spans[0].start == anchor


USAGE = replace(
    ITEM, item_id=2, public_id="si_2", name="Calls", timing=Timing.ARREARS, quantity=Decimal(12),
    terms=Terms(Model.GRADUATED, tiers=(Tier(Decimal(5), Decimal(7)), Tier(None, Decimal("6.5")))),
)  # fmt: skip


def test_what_is_in_arrears_is_billed_when_its_period_is_over_beside_the_next_in_advance() -> None:
    facts = replace(FACTS, items=(ITEM, USAGE))
    first = charge(facts, date(2026, 1, 31))
    assert [line.description for line in first.lines] == ["Track Pro"]
    second = charge(after(first), date(2026, 2, 28))
    assert [(due.item.name, due.span.start, due.span.end) for due in second.dues] == [
        ("Track Pro", date(2026, 2, 28), date(2026, 3, 31)),
        ("Calls", date(2026, 1, 31), date(2026, 2, 28)),
    ]


def test_tiers_are_one_piece_that_says_how_it_came_about() -> None:
    found = charge(replace(FACTS, items=(USAGE,)), date(2026, 2, 28))
    (line,) = found.lines
    assert (line.quantity, line.unit_price, line.amount_minor) == (Decimal(1), Decimal("80.50"), 8050)
    assert line.detail == "5 × 7.00 + 7 × 6.50"
    assert [step["step"] for step in line.why] == ["period", "tier", "tier", "rounded"]


def test_the_end_bills_what_is_in_arrears_up_to_it() -> None:
    facts = replace(FACTS, items=(USAGE,), ends_on=date(2026, 2, 14))
    assert not charge(facts, date(2026, 2, 13)).lines
    found = charge(facts, date(2026, 2, 14))
    (line,) = found.lines
    assert line.amount_minor == 4025
    assert line.detail == "5 × 7.00 + 7 × 6.50 for 14 of 28 days"
    assert (found.state, found.next_bill_on) == ("ended", date(2026, 2, 14))


def test_an_item_that_begins_within_a_period_bills_its_days_and_then_with_the_rest() -> None:
    seat = replace(ITEM, item_id=3, starts_on=date(2026, 2, 14), billed_through=date(2026, 2, 14), terms=FLAT)
    found = charge(replace(FACTS, items=(seat,)), date(2026, 2, 28))
    assert [(due.span.days, due.whole.days) for due in found.dues] == [(14, 28), (31, 31)]
    assert [line.amount_minor for line in found.lines] == [725, 1450]


def test_a_price_that_is_owed_once_is_billed_once() -> None:
    fee = replace(ITEM, item_id=4, name="Set-up", unit=None, terms=FLAT)
    found = charge(replace(FACTS, items=(fee, ITEM)), date(2026, 3, 31))
    assert [line.description for line in found.lines] == ["Set-up", "Track Pro", "Track Pro", "Track Pro"]
    assert not [each for each in charge(after(found), date(2026, 5, 1)).lines if each.description == "Set-up"]
    alone = charge(replace(FACTS, items=(fee,)), FACTS.anchor)
    assert alone.state == "ended", "nothing is left to bill"


def test_intervals_may_differ_within_a_subscription() -> None:
    yearly = replace(ITEM, item_id=5, unit=Unit.YEAR)
    found = charge(replace(FACTS, items=(yearly, USAGE)), date(2026, 3, 31))
    assert [due.span.end for due in found.dues] == [date(2027, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]
    assert found.next_bill_on == date(2026, 4, 30)


METERED = replace(USAGE, meter_id=7, quantity=Decimal(1))


def test_what_a_meter_counted_is_priced_by_its_period_and_never_by_a_share_of_it() -> None:
    used = {date(2026, 1, 31): Used(Decimal(12)), date(2026, 2, 28): Used(Decimal(4))}
    item = replace(METERED, used=used)
    found = charge(replace(FACTS, items=(item,), ends_on=date(2026, 3, 10)), date(2026, 3, 10))
    assert [(line.amount_minor, line.detail) for line in found.lines] == [
        (8050, "5 × 7.00 + 7 × 6.50"), (2800, "4 × 7.00"),
    ]  # fmt: skip
    assert not [step for line in found.lines for step in line.why if step["step"] == "prorated"]


def test_a_plain_price_of_what_was_counted_multiplies_out() -> None:
    terms = Terms(Model.PER_UNIT, unit_price=Decimal("0.0012"))
    item = replace(METERED, terms=terms, used={date(2026, 1, 31): Used(Decimal("1234.5"))})
    (line,) = charge(replace(FACTS, items=(item,)), date(2026, 2, 28)).lines
    assert (line.quantity, line.unit_price, line.amount_minor) == (Decimal("1234.5"), Decimal("0.0012"), 148)


def test_single_events_reach_the_price_that_looks_at_them() -> None:
    terms = Terms(Model.PERCENTAGE, percent=Decimal(1), per_event=Decimal(5), free_events=1)
    used = {date(2026, 1, 31): Used(Decimal(20), (Decimal(10), Decimal(10)))}
    (line,) = charge(
        replace(FACTS, items=(replace(METERED, terms=terms, used=used),)), date(2026, 2, 28)
    ).lines
    assert line.amount_minor == 510


def test_a_period_whose_usage_is_not_known_is_not_billed_as_nothing() -> None:
    with pytest.raises(Odd, match="not known"):
        charge(replace(FACTS, items=(METERED,)), date(2026, 2, 28))
