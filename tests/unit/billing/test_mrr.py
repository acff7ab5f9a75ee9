"""What a subscription is worth a month: worked amounts, and movements that add up whatever a contract went through."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.discounts import Discount
from billing.domain.facts import ItemFacts, SubscriptionFacts, Timing
from billing.domain.mrr import Move, movements, mrr_on
from billing.domain.pricing import Model, Terms, Tier
from core.money import round_half_up
from core.periods import Unit

DAY = date(2026, 1, 31)


def terms(amount: str) -> Terms:
    return Terms(Model.PER_UNIT, unit_price=Decimal(amount))


def item(amount: str = "100", **given: object) -> ItemFacts:
    facts = ItemFacts(
        item_id=1, public_id="si_1", name="Pro", terms=terms(amount), quantity=Decimal(1), tax_percent=Decimal(19),
        unit=Unit.MONTH, every=1, timing=Timing.ADVANCE, starts_on=DAY, ends_on=None, billed_through=DAY,
    )  # fmt: skip
    return replace(facts, **given)  # type: ignore[arg-type]


def sub(*items: ItemFacts, ends_on: date | None = None, currency: str = "EUR") -> SubscriptionFacts:
    return SubscriptionFacts(
        subscription_id=1, public_id="sub_1", customer_id=1, entity_id=1, currency=currency, anchor=DAY,
        zone="Europe/Berlin", ends_on=ends_on, terms_days=14, autopay=False, items=items,
    )  # fmt: skip


def told(facts: SubscriptionFacts) -> list[tuple[str, str, int, int]]:
    return [(str(m.day), str(m.kind), m.delta_minor, m.after_minor) for m in movements(facts)]


@pytest.mark.parametrize(
    ("unit", "every", "amount", "worth"),
    [
        (Unit.MONTH, 1, "100", 10_000),
        (Unit.YEAR, 1, "1200", 10_000),
        (Unit.YEAR, 2, "1200", 5_000),
        (Unit.QUARTER, 1, "300", 10_000),
        (Unit.MONTH, 6, "600", 10_000),
        (Unit.WEEK, 1, "12", 5_200),
        (Unit.WEEK, 2, "12", 2_600),
        (Unit.DAY, 1, "12", 36_500),
        (Unit.DAY, 30, "360", 36_500),
    ],
)
def test_a_month_of_every_interval(unit: Unit, every: int, amount: str, worth: int) -> None:
    assert mrr_on(sub(item(amount, unit=unit, every=every)), DAY) == worth


def test_a_plan_and_an_add_on_are_worth_both() -> None:
    assert mrr_on(sub(item("100"), item("100", is_plan=False)), DAY) == 20_000


def off(**given: object) -> Discount:
    said = {"name": "Off", "percent": Decimal(0), "amount": Decimal(0), "starts_on": DAY, "ends_on": None}
    return Discount(**{**said, **given})  # type: ignore[arg-type]


def test_a_recurring_discount_comes_off_while_it_holds() -> None:
    plan, add_on = item("100", plan="pro"), item("100", plan="add", is_plan=False)
    facts = replace(sub(plan, add_on), discounts=(off(amount=Decimal(50), plans=frozenset({"pro"})),))
    assert mrr_on(facts, DAY) == 15_000
    started, over = date(2026, 3, 31), date(2026, 5, 31)
    facts = replace(sub(plan), discounts=(off(percent=Decimal(20), starts_on=started, ends_on=over),))
    assert told(facts) == [
        ("2026-01-31", "new", 10_000, 10_000),
        ("2026-03-31", "contraction", -2_000, 8_000),
        ("2026-05-31", "expansion", 2_000, 10_000),
    ]


def test_discounts_apply_in_their_order_to_a_period_and_never_below_nothing() -> None:
    yearly = item("1200", unit=Unit.YEAR)
    both = (off(percent=Decimal(50)), off(amount=Decimal(120)))
    assert mrr_on(replace(sub(yearly), discounts=both), DAY) == 4_000
    assert mrr_on(replace(sub(yearly), discounts=both[::-1]), DAY) == 4_500
    free = replace(sub(yearly), discounts=(off(amount=Decimal(5000), ends_on=date(2026, 3, 1)),))
    assert told(free) == [("2026-03-01", "new", 10_000, 10_000)]


def test_a_sum_is_rounded_once_a_subscription() -> None:
    third = item("10", unit=Unit.YEAR, every=1)  # 0.8333 a month each
    assert mrr_on(sub(third, third, third), DAY) == 250
    assert mrr_on(sub(third), DAY) == 83
    assert mrr_on(sub(third, currency="JPY"), DAY) == 1


def test_what_is_metered_or_owed_once_is_not_recurring() -> None:
    assert movements(sub(item(unit=None), item(meter_id=7))) == []


def test_tiers_price_the_quantity_that_was_agreed() -> None:
    tiers = Terms(
        Model.GRADUATED, tiers=(Tier(Decimal(5), unit_price=Decimal(10)), Tier(unit_price=Decimal(8)))
    )
    assert mrr_on(sub(item(terms=tiers, quantity=Decimal(7))), DAY) == 6_600


def test_what_no_run_can_bill_is_worth_nothing() -> None:
    tiers = Terms(Model.VOLUME, tiers=(Tier(Decimal(5), unit_price=Decimal(10)),))
    assert movements(sub(item(terms=tiers, quantity=Decimal(7)))) == []
    assert movements(sub(item("1000000", quantity=Decimal(10**12)))) == []
    assert movements(sub(item("-5"))) == []


def test_a_life_from_its_start_to_its_end() -> None:
    upgrade, later = date(2026, 3, 1), date(2026, 4, 1)
    facts = sub(
        item("100", ends_on=upgrade),
        item("150", starts_on=upgrade, ends_on=later),
        item("80", starts_on=later),
        ends_on=date(2026, 6, 15),
    )
    assert told(facts) == [
        ("2026-01-31", "new", 10_000, 10_000),
        ("2026-03-01", "expansion", 5_000, 15_000),
        ("2026-04-01", "contraction", -7_000, 8_000),
        ("2026-06-15", "churn", -8_000, 0),
    ]


def test_a_gap_is_churn_at_its_start_and_reactivation_at_its_end() -> None:
    away, back = date(2026, 3, 1), date(2026, 5, 1)
    facts = sub(item("100", ends_on=away), item("120", starts_on=back))
    assert told(facts) == [
        ("2026-01-31", "new", 10_000, 10_000),
        ("2026-03-01", "churn", -10_000, 0),
        ("2026-05-01", "reactivation", 12_000, 12_000),
    ]


def test_what_changes_nothing_moves_nothing() -> None:
    cut = date(2026, 3, 1)
    same = sub(item("100", ends_on=cut), item("1200", unit=Unit.YEAR, starts_on=cut))
    empty = sub(item("100"), item("900", starts_on=cut, ends_on=cut))
    beyond = sub(item("100"), item("50", starts_on=cut), ends_on=cut)
    assert [told(facts) for facts in (same, empty)] == [[("2026-01-31", "new", 10_000, 10_000)]] * 2
    assert told(beyond)[1:] == [("2026-03-01", "churn", -10_000, 0)]


def test_free_at_first_is_new_when_it_costs() -> None:
    paid = date(2026, 2, 28)
    assert told(sub(item("0", ends_on=paid), item("9", starts_on=paid))) == [("2026-02-28", "new", 900, 900)]


_days = st.integers(0, 60).map(lambda n: DAY + timedelta(days=n))
_amounts = st.sampled_from(["0", "0.01", "0.005", "7.333", "29", "99.99", "1200"])


@st.composite
def contracts(draw: st.DrawFn) -> SubscriptionFacts:
    """A few items of all kinds over two months, each with an end or none, of a subscription that may end."""
    items = []
    for _ in range(draw(st.integers(1, 5))):
        start = draw(_days)
        end = draw(st.none() | st.integers(0, 60).map(lambda n, start=start: start + timedelta(days=n)))
        items.append(item(
            draw(_amounts), starts_on=start, ends_on=end, quantity=draw(st.decimals(0, 9, places=2)),
            unit=draw(st.sampled_from([*Unit, None])), every=draw(st.integers(1, 4)),
            meter_id=draw(st.sampled_from([None, None, 3])), plan=draw(st.sampled_from("ab")),
        ))  # fmt: skip
    ends_on = draw(st.none() | st.integers(1, 90).map(lambda n: DAY + timedelta(days=n)))
    facts = sub(*items, ends_on=ends_on, currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])))
    return replace(facts, discounts=tuple(draw(st.lists(discounts(), max_size=2))))


@st.composite
def discounts(draw: st.DrawFn) -> Discount:
    """A percentage or an amount, for a while, of all plans or of one."""
    start, days = draw(_days), draw(st.none() | st.integers(0, 60))
    percent, amount = draw(st.sampled_from([("10", "0"), ("100", "0"), ("0", "5"), ("0", "0.333")]))
    return off(
        percent=Decimal(percent), amount=Decimal(amount), starts_on=start,
        ends_on=None if days is None else start + timedelta(days=days),
        plans=frozenset(draw(st.sampled_from(["", "a"]))),
    )  # fmt: skip


_PER_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}
_PLACES = {"EUR": 100, "JPY": 1, "KWD": 1000}


def by_hand(facts: SubscriptionFacts, day: date) -> int:
    """The same worked out once more, a day at a time, without the code under test."""
    total = Fraction(0)
    for each in facts.items:
        last = [end for end in (each.ends_on, facts.ends_on) if end]
        if each.unit and not each.meter_id and each.starts_on <= day and all(day < end for end in last):
            left = Fraction(each.quantity) * Fraction(each.terms.unit_price)
            for one in facts.discounts:
                begun = one.starts_on <= day and not (one.ends_on and one.ends_on <= day)
                if begun and (not one.plans or each.plan in one.plans):
                    left = max(left * (1 - Fraction(one.percent) / 100) - Fraction(one.amount), Fraction(0))
            total += left * _PER_YEAR[str(each.unit)] / each.every / 12
    return round_half_up(total * _PLACES[facts.currency])


@given(contracts(), _days, _days)
def test_opening_and_movements_come_to_closing_for_any_days(
    facts: SubscriptionFacts, one: date, two: date
) -> None:
    first, last = sorted([one, two])
    moved = sum(each.delta_minor for each in movements(facts) if first <= each.day <= last)
    assert mrr_on(facts, first - timedelta(days=1)) + moved == mrr_on(facts, last)


@given(contracts())
def test_every_day_is_worth_what_its_items_come_to(facts: SubscriptionFacts) -> None:
    found, worth, seen = {each.day: each for each in movements(facts)}, 0, False
    for n in range(-2, 130):
        day = DAY + timedelta(days=n)
        before, worth = worth, by_hand(facts, day)
        assert mrr_on(facts, day) == worth
        if worth == before:
            assert day not in found
            continue
        each = found[day]
        assert (each.delta_minor, each.after_minor) == (worth - before, worth)
        came = Move.REACTIVATION if seen else Move.NEW
        step = Move.EXPANSION if worth > before else Move.CONTRACTION
        assert each.kind == (came if not before else Move.CHURN if not worth else step)
        seen = True


@given(contracts(), st.randoms())
def test_the_order_of_items_does_not_matter(facts: SubscriptionFacts, random: object) -> None:
    mixed = list(facts.items)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert movements(replace(facts, items=tuple(mixed))) == movements(facts)
