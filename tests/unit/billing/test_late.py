"""Corrections of billed usage: in however many steps, they come to the one bill of the last count, to the cent."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.charges import Charge, charge
from billing.domain.discounts import Discount
from billing.domain.dues import Odd
from billing.domain.facts import Recount, Stands, SubscriptionFacts, Timing, Used
from billing.domain.late import newest, source_at, standing
from billing.domain.pricing import Model, Terms, Tier
from core.periods import Period
from tests.unit.billing.test_charges import FACTS, ITEM

SPAN = Period(date(2026, 1, 31), date(2026, 2, 28))
_TIERS = (
    Tier(up_to=Decimal(5), unit_price=Decimal("7.333")),
    Tier(unit_price=Decimal("0.005"), flat=Decimal(1)),
)
_PRICES = [
    Terms(Model.PER_UNIT, unit_price=Decimal("0.3333")),
    Terms(Model.PER_UNIT, unit_price=Decimal("0.3333"), minimum=Decimal(5), maximum=Decimal("60.5")),
    Terms(Model.PER_UNIT, unit_price=Decimal(2), free=Decimal(10)),
    Terms(Model.PACKAGE, unit_price=Decimal("0.99"), per=Decimal(3)),
    Terms(Model.GRADUATED, tiers=_TIERS),
    Terms(Model.VOLUME, tiers=_TIERS),
    Terms(Model.STAIRSTEP, tiers=(Tier(up_to=Decimal(9), flat=Decimal(3)), Tier(flat=Decimal(11)))),
    Terms(Model.PERCENTAGE, percent=Decimal("2.9")),
    Terms(
        Model.PERCENTAGE, percent=Decimal("2.9"), per_event=Decimal("0.25"), free_events=2,
        free_total=Decimal(4), event_minimum=Decimal("0.5"),
    ),
]  # fmt: skip
_DISCOUNTS = [
    (),
    (Discount("Welcome", Decimal(33), Decimal(0), SPAN.start, None),),
    (Discount("Five", Decimal(0), Decimal(5), SPAN.start, date(2026, 2, 1)),),
]


def counted(terms: Terms, events: list[Decimal], so_far: Recount | None) -> SubscriptionFacts:
    """A metered item whose period was counted as these events, billed as `so_far`, or to be billed."""
    used = {SPAN.start: Used(sum(events, Decimal(0)), tuple(events))}
    item = replace(
        ITEM, terms=terms, timing=Timing.ARREARS, meter_id=1, used=used, ends_on=SPAN.end,
        billed_through=SPAN.start if so_far is None else SPAN.end,
        recounts=() if so_far is None else (so_far,),
    )  # fmt: skip
    return replace(FACTS, items=(item,), ends_on=SPAN.end)


def written(found: Charge, document: int, before: Recount | None) -> Recount:
    """What is known of the period once the charge is written down, as the service writes it."""
    if before is None:
        (line,) = found.lines
        stands = (Stands(document, line.source, line.amount_minor),)
        return Recount(1, SPAN, found.dues[0].quantity, line.amount_minor, 0, stands)
    if not found.corrections:
        return before
    (each,) = found.corrections
    steps = [(before.corrections + 1, document, each.minor)]
    if each.line is None:
        steps = [(n, 0, -part.minor) for n, part in enumerate(each.back, before.corrections + 1)]
    lines = before.lines
    for nth, number, minor in steps:
        if minor > 0:
            assert each.line is not None
            assert each.line.source == source_at(before.lines[0].source, nth)
            lines = (*lines, Stands(number, each.line.source, minor))
        else:
            taken = {part.source: part.minor for part in newest(lines, -minor)}
            lines = tuple(replace(one, minor=one.minor - taken.get(one.source, 0)) for one in lines)
    return replace(
        before, quantity=each.due.quantity, minor=each.whole.amount_minor,
        corrections=before.corrections + len(steps), lines=lines,
    )  # fmt: skip


_events = st.lists(st.decimals("0", "40", places=3), max_size=6)


@given(st.sampled_from(_PRICES), st.sampled_from(_DISCOUNTS), st.lists(_events, min_size=1, max_size=6))
def test_the_steps_add_up_to_one_bill_of_the_last_count(
    terms: Terms, granted: tuple[Discount, ...], counts: list[list[Decimal]]
) -> None:
    """Each element is what is counted when a run comes: more, less, nothing, in any order."""
    known: Recount | None = None
    for document, events in enumerate(counts, 1):
        facts = replace(counted(terms, events, known), discounts=granted)
        found = charge(facts, SPAN.end)
        before = known
        known = written(found, document, known)
        assert (
            sum(line.amount_minor for line in found.drafts)
            + (before.minor if before else 0)
            - sum(part.minor for each in found.corrections for part in each.back)
            == known.minor
        )
        assert sum(each.minor for each in known.lines) == known.minor
        assert all(each.minor >= 0 for each in known.lines)
        assert charge(replace(counted(terms, events, known), discounts=granted), SPAN.end).drafts == ()
    once = replace(counted(terms, counts[-1], None), discounts=granted)
    assert known is not None
    assert known.minor == charge(once, SPAN.end).lines[0].amount_minor


def test_the_newest_line_is_taken_back_first_and_none_beyond_itself() -> None:
    lines = standing(Stands(1, "a", 100), [(1, 2, 50), (2, 3, -70), (3, 4, 30)])
    assert lines == (Stands(1, "a", 80), Stands(2, "a:1", 0), Stands(4, "a:3", 30))
    assert list(newest(lines, 90)) == [Stands(4, "a:3", 30), Stands(1, "a", 60, rest=20)]


def test_less_than_nothing_is_held() -> None:
    once = written(charge(counted(_PRICES[0], [Decimal(3)], None), SPAN.end), 1, None)
    with pytest.raises(Odd):
        charge(counted(_PRICES[0], [Decimal(-1)], once), SPAN.end)
