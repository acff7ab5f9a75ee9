"""An amount per bill: once off all that falls due on one day, by what is left of each line, to the minor unit."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.charges import Charge, charge
from billing.domain.discounts import Discount, Per, Taken
from billing.domain.facts import Billed, ItemFacts, SubscriptionFacts, Timing, Used
from billing.domain.mrr import mrr_on
from billing.domain.pricing import Model, Terms
from core.money import exponent
from core.periods import Period, Unit
from invoicing.domain.totals import totals
from tests.unit.billing.test_charges import FACTS, ITEM, after

DAY = date(2026, 1, 31)
NEXT = date(2026, 2, 28)


def item(n: int, minor: int, tax: int = 0, **said: object) -> ItemFacts:
    made = replace(
        ITEM, item_id=n, public_id=f"si_{n}", plan=f"p{n}", tax_percent=Decimal(tax), is_plan=n == 1,
        terms=Terms(Model.FLAT, unit_price=Decimal(minor) / 100), quantity=Decimal(1),
    )  # fmt: skip
    return replace(made, **said)  # type: ignore[arg-type]


def off(key: str, minor: int = 0, plans: tuple[str, ...] = (), **said: object) -> Discount:
    made = Discount(key, Decimal(0), Decimal(minor) / 100, DAY, None, frozenset(plans), key=key, per=Per.BILL)
    return replace(made, **said)  # type: ignore[arg-type]


def sub(*items: ItemFacts, discounts: tuple[Discount, ...] = (), **said: object) -> SubscriptionFacts:
    return replace(FACTS, items=items, discounts=discounts, **said)  # type: ignore[arg-type]


def taken(found: Charge) -> list[int]:
    """What the lines have off together, by due day and discount."""
    sums: Counter[tuple[date, str]] = Counter()
    for due in found.dues:
        for each in due.discounts:
            sums[due.on, each.key] += int(each.amount * 10 ** exponent(found.facts.currency))
    return [sums[key] for key in sorted(sums)]


def billed(found: Charge) -> list[tuple[date, int, int]]:
    return [
        (due.on, due.item.item_id, line.amount_minor)
        for due, line in zip(found.dues, found.lines, strict=True)
    ]


def amounts(found: Charge) -> list[int]:
    return [line.amount_minor for line in found.lines]


def test_two_amounts_over_six_lines_leave_the_whole_less_both() -> None:
    """As other systems have it: 413,779 less twice 1,000, ten percent of which is tax, whatever the lines take."""
    fees = (1999, 99290, 299770, 3130, 6460, 3130)
    items = [item(n, minor, tax=10) for n, minor in enumerate(fees, 1)]
    found = charge(sub(*items, discounts=(off("a", 1000), off("b", 1000))), DAY)
    made = totals(found.lines)
    assert (made.net_minor, made.tax_minor) == (411779, 41178)
    assert taken(found) == [1000, 1000]
    assert fees[1] - amounts(found)[1] == 480, "2,000 x 99,290 / 413,779 = 479.92"


def test_the_narrow_ones_first_and_the_general_one_by_what_they_left() -> None:
    """20 off two of four lines, 10 off four others, 5 off all; the invoice loses just 35.

    Each line within half a cent of the exact shares; tax is of each rate's sum, as e-invoices want it (1,411 + 479),
    where a system that rounds all rates at once comes to 1,889.
    """
    fees = [(1000, 10), (2000, 20), (3000, 10), (4000, 10)] * 2
    items = [item(n, minor, tax=tax) for n, (minor, tax) in enumerate(fees, 1)]
    granted = (
        off("two", 2000, ("p1", "p2")), off("four", 1000, ("p5", "p6", "p7", "p8")), off("all", 500),
    )  # fmt: skip
    found = charge(sub(*items, discounts=granted), DAY)
    had = [minor - amount for (minor, _), amount in zip(fees, amounts(found), strict=True)]
    exact = [676.47059, 1352.94117, 88.23529, 117.64706, 126.47059, 252.94118, 379.41176, 505.88235]
    assert all(abs(one - other) < 1 for one, other in zip(had, exact, strict=True)), had
    made = totals(found.lines)
    assert (made.net_minor, made.tax_minor) == (16500, 1890)


def test_off_each_line_is_the_other_answer() -> None:
    items = [item(n, 1000) for n in (1, 2, 3)]
    each, once = (
        charge(sub(*items, discounts=(off("a", 400, per=per),)), DAY) for per in (Per.LINE, Per.BILL)
    )
    assert amounts(each) == [600, 600, 600]
    assert sum(amounts(once)) == 2600
    assert sorted(amounts(once)) == [866, 867, 867]


def test_a_line_says_which_part_it_has_of_what() -> None:
    (first, _) = charge(sub(item(1, 1000), item(2, 3000), discounts=(off("Five", 500),)), DAY).lines
    assert first.detail == "10.00, 1.25 of 5.00 off (Five)"
    assert {"step": "discount", "name": "Five", "amount": "1.25", "of": "5"} in first.why


def test_a_line_that_has_all_of_it_says_no_more_than_that() -> None:
    (only,) = charge(sub(item(1, 1000), discounts=(off("Five", 500),)), DAY).lines
    assert only.detail == "10.00, 5.00 off (Five)"


def test_a_percentage_before_and_after_is_of_what_is_left_then() -> None:
    half = Discount("half", Decimal(50), Decimal(0), DAY, None, frozenset({"p1"}), key="half")
    tenth = Discount("tenth", Decimal(10), Decimal(0), DAY, None, key="tenth")
    found = charge(sub(item(1, 2000), item(2, 3000), discounts=(half, off("a", 1000), tenth)), DAY)
    assert amounts(found) == [675, 2025], "1,000 and 3,000 less 250 and 750, less a tenth"


def test_more_than_the_bill_leaves_nothing_and_no_less() -> None:
    assert amounts(charge(sub(item(1, 333), item(2, 666), discounts=(off("a", 5000),)), DAY)) == [0, 0]


def test_a_part_of_a_period_has_it_whole_as_one_bill() -> None:
    found = charge(
        sub(item(1, 3000, starts_on=date(2026, 2, 14), billed_through=date(2026, 2, 14)),
            discounts=(off("a", 500),)), date(2026, 2, 14),
    )  # fmt: skip
    assert amounts(found) == [1000], "14 of 28 days, less 5"


def test_each_due_day_is_a_bill_and_usage_of_a_month_is_on_the_next() -> None:
    calls = item(
        2, 0, terms=Terms(Model.PER_UNIT, unit_price=Decimal(1)), timing=Timing.ARREARS, meter_id=9,
        used={DAY: Used(Decimal(30))},
    )  # fmt: skip
    found = charge(sub(item(1, 1000), calls, discounts=(off("a", 400),)), NEXT)
    assert [(str(due.on), line.amount_minor) for due, line in zip(found.dues, found.lines, strict=True)] == [
        ("2026-01-31", 600), ("2026-02-28", 900), ("2026-02-28", 2700),
    ]  # fmt: skip


def test_what_is_added_on_a_billed_day_has_what_is_left_of_it() -> None:
    def has(*parts: tuple[int, int], on: date = DAY) -> list[int]:
        return amounts(charge(sub(item(1, 1000), discounts=(off("a", 400, taken=Taken(on, parts)),)), DAY))

    assert has((7, 400)) == [1000], "all of it was taken"
    assert has((7, 100), (8, 50)) == [750]
    assert has((7, 1), on=NEXT) == [1000], "nothing of an amount whose later day was billed"
    assert has((7, 400), on=DAY - timedelta(days=1)) == [600], "each day has its own"


def test_the_share_of_what_is_all_taken_back_is_there_again() -> None:
    """The plan is billed and changed on its first day: the new one has the amount that the old one had."""
    granted = off("a", 400, taken=Taken(DAY, ((7, 400),)))
    span = Period(DAY, NEXT)
    shares = {"a": Decimal(4)}
    old = item(1, 1000, ends_on=DAY, billed_through=NEXT, billed=(Billed(7, 3, span, 600, shares=shares),))
    found = charge(sub(old, item(2, 2000, is_plan=True), discounts=(granted,)), DAY)
    assert [each.unused_minor for each in found.credits] == [600]
    assert amounts(found) == [1600]
    half = DAY + timedelta(days=14)
    later = charge(sub(replace(old, ends_on=half), discounts=(granted,)), half)
    assert [each.unused_minor for each in later.credits] == [300], "half of what it came to"


def test_mrr_counts_an_amount_once_a_period_of_the_plan() -> None:
    both = (item(1, 10_000), item(2, 10_000, is_plan=False))
    assert mrr_on(sub(*both, discounts=(off("a", 5000),)), DAY) == 15_000
    assert mrr_on(sub(*both, discounts=(off("a", 5000, per=Per.LINE),)), DAY) == 10_000
    yearly = replace(both[1], unit=Unit.YEAR)
    assert mrr_on(sub(both[0], yearly, discounts=(off("a", 2000),)), DAY) == 8_833, "100 + 100/12 - 20"
    assert mrr_on(sub(*both, discounts=(off("a", 90_000),)), DAY) == 0
    assert mrr_on(sub(*both, discounts=(off("a", 5000, ("p2",)),)), DAY) == 15_000, "off one of the two"
    once = (replace(both[0], unit=Unit.YEAR), both[1])
    assert mrr_on(sub(*once, discounts=(off("a", 1200),)), DAY) == 10_733, "100/12 + 100 - 12/12"


minors = st.integers(0, 10_000)


@given(
    st.lists(minors, min_size=1, max_size=6), st.lists(minors.filter(bool), min_size=1, max_size=3),
    st.integers(0, 100), st.integers(0, 5),
)  # fmt: skip
def test_shares_add_up_and_late_is_as_in_time(
    fees: list[int], offs: list[int], percent: int, months: int
) -> None:
    items = [
        item(n, minor, timing=Timing.ARREARS if n == 3 else Timing.ADVANCE) for n, minor in enumerate(fees, 1)
    ]
    granted = [off(f"d{n}", minor) for n, minor in enumerate(offs)]
    granted.insert(1, off("percent", percent=Decimal(percent), per=Per.LINE))
    facts = sub(*items, discounts=tuple(granted))
    late = charge(facts, DAY + timedelta(days=30 * months))
    lines = []
    for days in range(30 * months + 1):
        made = charge(facts, DAY + timedelta(days=days))
        lines += [
            (due.on, due.item.item_id, line.amount_minor)
            for due, line in zip(made.dues, made.lines, strict=True)
        ]
        facts = after(made)
    assert sorted(lines) == sorted(billed(late))
    assert all(amount >= 0 for *_, amount in lines)
    if not percent:
        by_day = Counter[date]()
        whole = Counter[date]()
        for due, line in zip(late.dues, late.lines, strict=True):
            by_day[due.on] += line.amount_minor
            whole[due.on] += fees[due.item.item_id - 1]
        assert all(by_day[day] == max(0, whole[day] - sum(offs)) for day in by_day)
