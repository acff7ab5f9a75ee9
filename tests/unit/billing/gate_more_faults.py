"""More kinds of mistakes, written when the gate stood: what it was never made for.

Run as they were, it held 535 of 600; all misses but one were of `same_usage_again` and `meter_lost`, for which it then
got checks. A repeated count of few digits remains out of reach.
"""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from billing.domain.gate import Bill, Timing
from billing.domain.gate.contract import whole_period
from core.periods import Period
from tests.unit.billing.gate_faults import Fault, billed_by, by_terms, line_only, settled, times
from tests.unit.billing.gate_world import World


def every_second(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Two months for one: the interval's count changed."""
    if not settled(bill) or bill.items[-1].terms.unit != "month":
        return None
    item = replace(bill.items[-1], terms=replace(bill.items[-1].terms, every=2))
    return replace(
        bill, items=(*bill.items[:-1], item), lines=tuple(replace(x, terms=item.terms) for x in bill.lines)
    )


def free_units(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Units that nobody gave away."""
    item = bill.items[-1]
    if not settled(bill) or item.terms.model != "per_unit" or bill.lines[0].quantity < 5:
        return None
    less = billed_by(bill, item, quantity=bill.lines[0].quantity - 3)
    return replace(less, lines=tuple(replace(x, quantity=x.quantity + 3) for x in less.lines))


def tax_typo(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].terms.tax_percent:
        return None
    return by_terms(bill, tax_percent=bill.items[-1].terms.tax_percent * rng.choice((10, 2)))


def one_tier_changed(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    tiers = bill.items[-1].terms.tiers
    if not settled(bill) or not tiers:
        return None
    return by_terms(bill, tiers=(replace(tiers[0], unit_price=tiers[0].unit_price * 2), *tiers[1:]))


def moved_to_the_first(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Put on the calendar's months without a word."""
    item = bill.items[-1]
    if not settled(bill) or item.anchor.day < 4:
        return None
    moved = replace(item, anchor=item.anchor.replace(day=1))
    start = bill.lines[0].span.start
    span = Period(start, whole_period(moved, start).end)
    return replace(bill, items=(*bill.items[:-1], moved), lines=(replace(bill.lines[0], span=span),))


def currency_of_the_customer_changed(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Customer and price moved to another currency together, so that they agree."""
    if not settled(bill):
        return None
    code = "SEK"
    return replace(by_terms(bill, currency=code), currency=code)


def nothing_of_it(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The quantity became none."""
    item = bill.items[-1]
    if not settled(bill) or item.quantity is None or item.terms.model == "flat":
        return None
    none = replace(item, quantity=Decimal(0))
    return replace(
        bill,
        items=(*bill.items[:-1], none),
        lines=(replace(bill.lines[0], quantity=Decimal(0), amount_minor=0),),
    )


def sign_turned(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    return line_only(bill, amount_minor=-bill.lines[0].amount_minor) if settled(bill) else None


def moved_abroad(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The customer's country changed, and the tax with it."""
    if not settled(bill) or bill.country == "US":
        return None
    return replace(by_terms(bill, tax_percent=Decimal("7.7")), country="US")


def somebody_elses_usage(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Counted for the wrong subscription; ten times off at least, or nobody could tell."""
    if not settled(bill) or not bill.lines[0].metered or len(bill.past) < 4 or not bill.past[-1].quantity:
        return None
    others = [x for x in list(world.bills.values())[:500] if x.lines and x.lines[0].metered]
    for other in rng.sample(others, len(others)):
        theirs = other.lines[0].quantity
        if theirs > 12 * max(x.quantity for x in bill.past):
            return billed_by(bill, bill.items[-1], quantity=theirs)
    return None


def last_day_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """An end taken for inclusive."""
    if not settled(bill):
        return None
    span = bill.lines[0].span
    return line_only(bill, span=Period(span.start, span.end - timedelta(days=1))) if span.days > 3 else None


def before_it_begins(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Its trial is billed."""
    if bill.past or len(bill.lines) != 1 or bill.items[-1].starts_on + timedelta(days=9) > world.as_of:
        return None
    item = replace(bill.items[-1], starts_on=bill.items[-1].starts_on + timedelta(days=9))
    return replace(bill, items=(item,))


def old_price(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The price was raised, that was recorded, and the old one is billed."""
    if not settled(bill) or not any(x.field == "price" for x in bill.declared):
        return None
    item = replace(bill.items[-1], terms=bill.past[-1].terms)
    return billed_by(bill, item)


def same_usage_again(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """The usage of last month is billed once more."""
    if (
        not settled(bill)
        or not bill.lines[0].metered
        or len({x.quantity for x in bill.past}) < 3
        or bill.past[-1].quantity < 5000
    ):
        return None
    return billed_by(bill, bill.items[-1], quantity=bill.past[-1].quantity)


def bytes_for_kilobytes(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    if not settled(bill) or not bill.lines[0].metered:
        return None
    return billed_by(bill, bill.items[-1], quantity=bill.lines[0].quantity * 1000)


def meter_lost(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """What a meter counted is billed as one."""
    if not settled(bill) or not bill.lines[0].metered or bill.past[-1].quantity < 100:
        return None
    item = replace(bill.items[-1], quantity=Decimal(1))
    one = billed_by(bill, item)
    return replace(one, lines=tuple(replace(x, metered=False) for x in one.lines))


def hundredth_of_the_price(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    item = bill.items[-1]
    return by_terms(bill, **times(item.terms, Decimal("0.01"))) if settled(bill) else None


def other_timing(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """Billed in arrears from now on."""
    return by_terms(bill, timing=Timing.ARREARS) if settled(bill) else None


def discount_without_end(world: World, bill: Bill, rng: random.Random) -> Bill | None:
    """A coupon for a time goes on for ever."""
    granted = bill.items[-1].terms.discounts
    if not bill.past or not bill.lines or not granted or granted[0].until is None:
        return None
    if granted[0].holds(bill.lines[0].span.start):
        return None
    return by_terms(bill, discounts=(replace(granted[0], until=None), *granted[1:]))


MORE: tuple[Fault, ...] = (
    every_second, free_units, tax_typo, one_tier_changed, moved_to_the_first, currency_of_the_customer_changed,
    nothing_of_it, sign_turned, moved_abroad, somebody_elses_usage, last_day_lost, before_it_begins, old_price,
    same_usage_again, bytes_for_kilobytes, meter_lost, hundredth_of_the_price, other_timing, discount_without_end,
)  # fmt: skip
