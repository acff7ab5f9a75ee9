"""Mistakes to plant among honest bills, each by kind: what a wrong row, a typo or a broken function would leave behind.

`TUNED` are kinds the gate's bounds and checks were set by; `UNSEEN` changed nothing when they were first run.
A fault returns the bill as it would look, or None where it cannot be made (a flat price has no quantity to double).
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing.domain.gate import Bill, Declared, Discount, Item, Terms
from billing.domain.gate.contract import whole_period
from core.periods import Period
from tests.unit.billing.gate_world import World, bill_line, month, price

Fault = Callable[[World, Bill, random.Random], Bill | None]


def billed_by(bill: Bill, item: Item, *, quantity: Decimal | None = None) -> Bill:
    """The bill by a changed item, its record and its lines alike."""
    agreed = quantity or item.quantity
    lines = tuple(
        bill_line(
            item, line.customer, line.span, agreed or line.quantity, whole_period(bill.items[-1], line.span.start),
            metered=line.metered,
        )
        for line in bill.lines
    )  # fmt: skip
    return replace(bill, items=(*bill.items[:-1], item), lines=lines)


def by_terms(bill: Bill, **changes: Any) -> Bill:
    item = bill.items[-1]
    return billed_by(bill, replace(item, terms=replace(item.terms, **changes)))


def line_only(bill: Bill, **changes: Any) -> Bill:
    """The first line as a broken function would bill it; the record stays."""
    return replace(bill, lines=(replace(bill.lines[0], **changes), *bill.lines[1:]))


def times(terms: Terms, factor: Decimal) -> dict[str, Any]:
    tiers = tuple(replace(each, unit_price=each.unit_price * factor) for each in terms.tiers)
    return {"unit_price": terms.unit_price * factor, "tiers": tiers}


def settled(bill: Bill) -> bool:
    """Billed before, and not for nothing: otherwise ten times nothing is planted."""
    return bool(bill.past and bill.lines and bill.lines[0].net_minor > 0)


def price_x10(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    terms = bill.items[-1].terms
    return by_terms(bill, **times(terms, Decimal(10))) if bill.lines and bill.lines[0].net_minor > 0 else None


def unit_swapped(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """A monthly price charged by the year or the other way round, or cents taken for whole units."""
    terms = bill.items[-1].terms
    if rng.random() < 0.5:
        return by_terms(bill, **times(terms, Decimal(100))) if settled(bill) else None
    if not settled(bill) or terms.unit == "quarter":
        return None
    other = "year" if terms.unit == "month" else "month"
    item = replace(bill.items[-1], terms=replace(terms, unit=other))
    start = bill.lines[0].span.start
    line = bill_line(
        item, bill.customer, Period(start, month(start, 12 if other == "year" else 1)), bill.lines[0].quantity,
        whole_period(item, start), metered=bill.lines[0].metered,
    )  # fmt: skip
    return replace(bill, items=(*bill.items[:-1], item), lines=(line,))


def quantity_doubled(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    item = bill.items[-1]
    if not settled(bill) or item.quantity is None or item.terms.model == "flat":
        return None
    doubled = replace(item, quantity=item.quantity * 2)
    return billed_by(bill, doubled) if rng.random() < 0.7 else line_only(bill, quantity=item.quantity * 2)


def coupon_twice(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    item, line = bill.items[-1], bill.lines[0] if bill.lines else None
    granted = [each for each in item.terms.discounts if line and each.holds(line.span.start)]
    if not granted or line is None or not line.discount_minor or line.discount_minor == line.amount_minor:
        return None
    if rng.random() < 0.5:
        return by_terms(bill, discounts=(*item.terms.discounts, granted[0]))
    return line_only(bill, discount_minor=min(2 * line.discount_minor, line.amount_minor))


def period_missing(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The pointer went on without a bill: nothing is due now."""
    return replace(bill, lines=()) if settled(bill) else None


def period_twice(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill):
        return None
    again = replace(bill.lines[0], span=bill.past[-1].span)
    return replace(bill, lines=(again, *bill.lines)) if rng.random() < 0.5 else replace(bill, lines=(again,))


def wrong_currency(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    code = rng.choice([each for each in ("CHF", "EUR", "USD", "JPY") if each != bill.currency])
    return by_terms(bill, currency=code) if bill.lines else None


def tax_off(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].terms.tax_percent:
        return None
    return by_terms(bill, tax_percent=Decimal(0))


def plan_mixed_up(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    item = bill.items[-1]
    plans = [each for each in ("Basic", "Office", "Seats", "Track", "Fleet") if each != item.terms.plan]
    if not settled(bill) or bill.lines[0].metered:
        return None
    other = price(rng.choice(plans), bill.currency, item.terms.unit, f"{item.terms.tax_percent}")
    return by_terms(
        bill, **{name: getattr(other, name) for name in ("price", "plan", "model", "unit_price", "tiers")}
    )


def date_slipped(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill):
        return None
    by = timedelta(days=rng.choice((-9, -3, -1, 1, 2, 11)))
    span = bill.lines[0].span
    moved = Period(span.start + by, span.end + by)
    if rng.random() < 0.5:
        return line_only(bill, span=moved)
    item = replace(bill.items[-1], anchor=bill.items[-1].anchor + by)
    return replace(line_only(bill, span=moved), items=(*bill.items[:-1], item))


def usage_spiked(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].metered or not all(line.quantity for line in bill.past):
        return None
    factor = Decimal(rng.choice((5, 8, 10, 100)) if len(bill.past) > 3 else rng.choice((10, 50)))
    return billed_by(bill, bill.items[-1], quantity=bill.lines[0].quantity * factor)


def usage_counted_twice(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].metered or len(bill.past) < 4:
        return None
    return billed_by(bill, bill.items[-1], quantity=bill.lines[0].quantity * 2)


def usage_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].metered or len(bill.past) < 3:
        return None
    if not all(line.quantity > 40 for line in bill.past):
        return None
    less = Decimal(int(bill.lines[0].quantity / rng.choice((10, 20, 1000))))
    line = bill_line(
        bill.items[-1], bill.customer, bill.lines[0].span, less,
        whole_period(bill.items[-1], bill.lines[0].span.start), metered=True,
    )  # fmt: skip
    return replace(bill, lines=(line,))


def discount_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    held = bill.lines and bill.lines[0].discount_minor
    return by_terms(bill, discounts=()) if held and settled(bill) else None


def discount_from_nowhere(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill):
        return None
    return by_terms(bill, discounts=(*bill.items[-1].terms.discounts, Discount("GIFT", Decimal(50))))


def another_customer(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill):
        return None
    other = bill.customer + 1
    changed = line_only(bill, customer=other)
    return replace(changed, customer=other) if rng.random() < 0.5 else changed


def a_cent_off(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or bill.lines[0].span != whole_period(bill.items[-1], bill.lines[0].span.start):
        return None
    return line_only(bill, amount_minor=bill.lines[0].amount_minor + rng.choice((-1, 1)))


def item_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    return replace(bill, items=(), lines=()) if settled(bill) else None


def beyond_the_end(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """It ended in the middle of the month, said so, and is billed whole."""
    if not settled(bill) or bill.lines[0].span.days < 20:
        return None
    end = bill.lines[0].span.start + timedelta(days=10)
    item = replace(bill.items[-1], ends_on=end)
    said = Declared(item.id, "end", "", end.isoformat())
    return replace(bill, items=(*bill.items[:-1], item), declared=(*bill.declared, said))


def whole_instead_of_part(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    item = bill.items[-1]
    for n, line in enumerate(bill.lines):
        whole = whole_period(item, line.span.start)
        if line.span.days < whole.days - 3 and not line.metered and line.amount_minor > 100:
            full = bill_line(item, line.customer, whole, line.quantity, whole, metered=False).amount_minor
            wrong = replace(line, amount_minor=full)
            return replace(bill, lines=(*bill.lines[:n], wrong, *bill.lines[n + 1 :]))
    return None


def typed_ten_times(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """A person typed 500 for 50: the change is recorded, and wrong all the same."""
    item = bill.items[-1]
    if (
        not settled(bill)
        or item.quantity is None
        or item.terms.model == "flat"
        or item.quantity < 20
        or bill.past[-1].quantity != item.quantity
    ):
        return None
    factor = rng.choice((10, 100))
    said = Declared(item.id, "quantity", f"{bill.past[-1].quantity:f}", f"{item.quantity * factor:f}")
    return replace(billed_by(bill, replace(item, quantity=item.quantity * factor)), declared=(said,))


def version_ten_times(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The next version of a price was entered in cents: recorded, and nobody else pays it yet."""
    item = bill.items[-1]
    if not settled(bill) or bill.declared:
        return None
    old = item.terms
    said = Declared(item.id, "price", old.price, f"{old.price}-9")
    changed = by_terms(bill, price=f"{old.price}-9", **times(old, Decimal(rng.choice((10, 100)))))
    return replace(changed, declared=(said,))


def yen_as_cents(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """A currency without decimals taken for one with two."""
    if not settled(bill):
        return None
    factor = rng.choice((100, 10))
    return line_only(bill, amount_minor=bill.lines[0].amount_minor * factor)


def ended_silently(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill):
        return None
    item = replace(bill.items[-1], ends_on=bill.past[-1].span.end)
    return replace(bill, items=(*bill.items[:-1], item), lines=())


def entered_twice(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """A new subscription imported twice: the copy takes the place of this one."""
    if bill.past or not bill.lines or bill.lines[0].metered:
        return None
    copy = tuple(
        (bill.subscription - 1, item.terms.price, item.quantity, item.starts_on) for item in bill.items
    )
    return replace(bill, alike=copy)  # type: ignore[arg-type]


def a_year_early(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Entered to begin a year too early: everything since is billed at once."""
    if bill.past or not bill.lines or bill.items[-1].terms.unit != "month":
        return None
    item = bill.items[-1]
    start = month(item.starts_on, -12)
    item, lines = replace(item, starts_on=start), []
    while start <= world.as_of:
        whole = whole_period(item, start)
        lines.append(
            bill_line(item, bill.customer, Period(start, whole.end), bill.lines[0].quantity, whole,
                      metered=bill.lines[0].metered)
        )  # fmt: skip
        start = whole.end
    return replace(bill, items=(item,), lines=tuple(lines))


def left_out_before(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The last run lost a period, and this one bills it without anybody knowing."""
    if len(bill.past) < 2 or not bill.lines or bill.waited or bill.items[-1].id != bill.past[-1].item:
        return None
    return replace(bill, past=bill.past[:-1], lines=(bill.past[-1], *bill.lines))


def history_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """What was billed is forgotten, and is billed from the start again."""
    if len(bill.past) < 2 or bill.waited or len(bill.items) > 1:
        return None
    return replace(bill, past=(), lines=(*bill.past, *bill.lines))


def new_price_x10(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The first bill of somebody new, at ten times the price of the others."""
    item = bill.items[-1]
    if bill.past or not bill.lines or bill.lines[0].metered or not bill.lines[0].amount_minor:
        return None
    return by_terms(bill, **times(item.terms, Decimal(10)))


def two_lines_for_one(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    return replace(bill, lines=(*bill.lines, bill.lines[-1])) if bill.lines else None


def tier_shifted(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The quantity falls into the next tier by a wrong comparison."""
    item = bill.items[-1]
    if not settled(bill) or not item.terms.tiers or not bill.lines[0].amount_minor > 1000:
        return None
    return line_only(bill, amount_minor=bill.lines[0].amount_minor * 4 // 5)


def due_next_month(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Billed a period ahead of its time."""
    if not settled(bill):
        return None
    whole = whole_period(bill.items[-1], bill.lines[-1].span.end)
    ahead = replace(bill.lines[-1], span=Period(bill.lines[-1].span.end, whole.end))
    return replace(bill, lines=(*bill.lines, ahead))


TUNED: tuple[Fault, ...] = (
    price_x10, unit_swapped, quantity_doubled, coupon_twice, period_missing, period_twice, wrong_currency, tax_off,
    plan_mixed_up, date_slipped, usage_spiked, discount_lost, new_price_x10,
)  # fmt: skip
HARD: tuple[Fault, ...] = (usage_counted_twice,)
"""What noise hides: twice the usage is held only of plans and subscriptions that are steadier than that."""

UNSEEN: tuple[Fault, ...] = (
    usage_lost, discount_from_nowhere, another_customer, a_cent_off, item_lost,
    beyond_the_end, whole_instead_of_part, typed_ten_times, version_ten_times, yen_as_cents, ended_silently,
    entered_twice, a_year_early, left_out_before, history_lost, two_lines_for_one, tier_shifted,
    due_next_month,
)  # fmt: skip


def plant(world: World, kinds: tuple[Fault, ...], count: int, rng: random.Random) -> dict[int, str]:
    """Put `count` faults of random kinds on random bills of the world: subscription -> kind."""
    planted: dict[int, str] = {}
    numbers = list(world.bills)
    while len(planted) < count:
        kind = rng.choice(kinds)
        for _ in range(2000):
            number = rng.choice(numbers)
            bill = world.bills[number]
            faulty = None if number in planted else kind(world, bill, rng)
            if faulty is not None and faulty != bill:
                world.bills[number] = faulty
                planted[number] = kind.__name__
                break
    return planted
