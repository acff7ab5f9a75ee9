"""What a first bill is compared with: what others of the same price pay, and what its customer has already.

Nothing is said from few: what a price costs from two who pay it, what tiers cost from five, quantities from twenty.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.domain.gate.changes import usable
from billing.domain.gate.contract import full_minor, lasting
from billing.domain.gate.facts import Bill, Crowd, Finding, Line, Severity, Terms
from billing.domain.gate.look import Look, number, plain, written
from billing.domain.gate.measured import daily
from billing.domain.gate.robust import fold, high, median
from core.money import Money

PAIR = 2
"""Members of a flat price or one per unit that are enough to say what it costs: all pay the same."""
TEN = 10
MANY = 20
"""Members from which the highest quantity of a crowd means something."""
OVERRIDE = 3
"""How many times off what the others' terms come to a first bill may be: a negotiated price is nearer."""
PLAN_PRICE = 5
"""The same for the first price of a plan against the plan's others, whose intervals may differ."""
NEW, RARE = 20, 10
"""First bills in a batch from which it can be said that twins are rare, and how many of them stand against one."""
BEYOND = 3
"""How many times the highest of the crowd a first quantity may be."""
CUSTOMER = 100
"""How many times what its customer usually pays in all a first bill may be."""


def unit_day(line: Line) -> Fraction | None:
    """Minor units a unit and day, before discounts."""
    count = Fraction(1) if line.terms.model == "flat" else Fraction(line.quantity)
    return line.amount_minor / (count * lasting(line)) if count > 0 else None


def assemble(lines: Iterable[tuple[str, Line]]) -> Crowd | None:
    """The crowd that last bills make, each with its customer's country; None when none of them says a price."""
    members = list(lines)
    prices = [each for _, line in members if (each := unit_day(line))]
    if not prices:
        return None
    agreed = [Fraction(line.quantity) for _, line in members if not line.metered] or [Fraction(0)]
    metered = [daily(line) for _, line in members if line.metered] or [Fraction(0)]
    return Crowd(
        members=len(members),
        unit_day=median(prices),
        quantity=(median(agreed), high(agreed)),
        daily=(median(metered), high(metered)),
        taxes=_usual_taxes(members),
        terms=_usual_terms(members),
    )


def _usual_terms(members: Sequence[tuple[str, Line]]) -> Terms | None:
    """Those of more than half, discounts and tax aside."""
    seen = Counter(replace(line.terms, discounts=(), tax_percent=Decimal(0)) for _, line in members)
    ((terms, count),) = seen.most_common(1)
    return terms if 2 * count > len(members) else None


def _usual_taxes(members: Sequence[tuple[str, Line]]) -> Mapping[str, Decimal]:
    """By country the percentage of nine in ten, where there is one."""
    seen: dict[str, list[Decimal]] = defaultdict(list)
    for country, line in members:
        seen[country].append(line.terms.tax_percent)
    usual = {}
    for country, percents in seen.items():
        most = max(set(percents), key=percents.count)
        if percents.count(most) * 10 >= 9 * len(percents) and len(percents) >= TEN:
            usual[country] = most
    return usual


def newcomers(look: Look) -> Iterator[Finding]:
    """Findings about what is billed for the first time."""
    seen: set[int] = set()
    for line in look.bill.lines:
        if line.item in seen or look.last(line.item):
            continue
        seen.add(line.item)
        crowd = look.scene.prices.get(line.terms.price)
        yield from _first_price(look, line, crowd)
        yield from _first_quantity(look, line, crowd)
        yield from _first_tax(look, line, crowd)
        yield from _added_twice(look, line)
    if not look.bill.past:
        yield from _for_the_customer(look)


def _first_price(look: Look, line: Line, crowd: Crowd | None) -> Iterator[Finding]:
    """What it costs against what the same costs others: by their terms, or by the unit and day within the plan."""
    item, usual = look.items.get(line.item), crowd.terms if crowd and crowd.members >= PAIR else None
    now = full_minor(item.terms, line.quantity) if item else None
    if usual:
        before, limit, others = full_minor(usual, line.quantity), OVERRIDE, crowd
    else:
        others = look.scene.plans.get((line.terms.plan, line.terms.currency))
        each = unit_day(line)
        known = others if usable(others) and each and not line.metered and not (item and item.once) else None
        before = round(known.unit_day * line.amount_minor / each) if known and each else None
        now, limit = line.amount_minor, PLAN_PRICE
    if not now or not before or not others or fold(now, before) < limit:
        return
    currency = line.terms.currency
    sentence = (
        f"This comes to {Money(now, currency)} before discounts;"
        f" as the {others.members} others pay it would be {Money(before, currency)}."
    )
    yield look.finding("crowd_price", Severity.ODD, line, sentence, now=now, usual=before)


def _times(value: Fraction) -> str:
    return f"{number(value)} times"


def _first_quantity(look: Look, line: Line, crowd: Crowd | None) -> Iterator[Finding]:
    if crowd is None or crowd.members < MANY or line.terms.model == "flat":
        return
    now, (usual, most) = (
        (daily(line), crowd.daily) if line.metered else (Fraction(line.quantity), crowd.quantity)
    )
    if usual > 0 and now > BEYOND * most and now > TEN * usual:
        a_day = " a day" if line.metered else ""
        sentence = (
            f"Its first quantity is {number(now)}{a_day}; the {crowd.members} others"
            f" have at most about {number(most)}, most of them about {number(usual)}."
        )
        yield look.finding("crowd_quantity", Severity.ODD, line, sentence, now=line.quantity, usual=most)


def _first_tax(look: Look, line: Line, crowd: Crowd | None) -> Iterator[Finding]:
    usual = crowd.taxes.get(look.bill.country) if crowd else None
    if usual is None or usual == line.terms.tax_percent:
        return
    sentence = (
        f"It is taxed at {plain(line.terms.tax_percent)} %;"
        f" others there ({look.bill.country}) pay {plain(usual)} % on the same."
    )
    yield look.finding("crowd_tax", Severity.ODD, line, sentence, now=line.terms.tax_percent, usual=usual)


def _added_twice(look: Look, line: Line) -> Iterator[Finding]:
    """The same price and quantity beside itself in one subscription."""
    item = look.items.get(line.item)
    for other in look.bill.items if item else ():
        same = (other.terms.price, other.quantity) == (item.terms.price, item.quantity) if item else False
        live = other.ends_on is None or other.ends_on > max(line.span.start, other.starts_on)
        if same and live and other.id < line.item and other.starts_on < line.span.end:
            sentence = f"The subscription has {plain(line.quantity)} × {line.terms.plan} already: is this added twice?"
            yield look.finding("added_twice", Severity.ODD, line, sentence, now=line.item, usual=other.id)
            return


def _for_the_customer(look: Look) -> Iterator[Finding]:
    bill = look.bill
    if not bill.usual_minor or not bill.lines:
        return
    line = max(bill.lines, key=lambda each: each.net_minor)
    monthly = Fraction(line.net_minor * 30) / lasting(line)
    if monthly > CUSTOMER * bill.usual_minor:
        sentence = f"In thirty days that is {_times(monthly / bill.usual_minor)} what its customer paid in all so far."
        yield look.finding(
            "customer_sum", Severity.ODD, line, sentence, now=line.net_minor, usual=bill.usual_minor
        )


@dataclass(frozen=True, slots=True)
class Twins:
    """The first bills of a batch by customer, price, quantity and first day; `rare`: hardly any has another like it."""

    alike: Mapping[tuple[int, str, Decimal, date], Sequence[int]]
    rare: bool


def twins(bills: Iterable[Bill]) -> Twins:
    """Which first bills of the batch are like each other. Where many are, that is how the house sells."""
    found: dict[tuple[int, str, Decimal, date], list[int]] = defaultdict(list)
    for bill in bills:
        for item in bill.items if not bill.past else ():
            if item.quantity is not None and not item.once:
                key = (bill.customer, item.terms.price, item.quantity, item.starts_on)
                found[key].append(bill.subscription)
    several = sum(len(each) for each in found.values() if len(each) > 1)
    firsts = sum(map(len, found.values()))
    return Twins(found, rare=firsts >= NEW and several * RARE <= firsts)


def alike(look: Look, others: Twins) -> Iterator[Finding]:
    """A first bill that another, older subscription of the customer is like in price, quantity and first day."""
    bill = look.bill
    if bill.past or bill.waited or not others.rare:
        return
    for line in bill.lines:
        item = look.items.get(line.item)
        if item is None or item.quantity is None or item.once:
            continue
        same = (item.terms.price, item.quantity, item.starts_on)
        known = {each[0] for each in bill.alike if each[1:] == same}
        known |= set(others.alike.get((bill.customer, *same), ()))
        older = [other for other in known if other < bill.subscription]
        if older:
            sentence = (
                f"Its customer has another subscription to {plain(item.quantity)} × {item.terms.plan}"
                f" since {written(item.starts_on)}: is this entered twice?"
            )
            yield look.finding("alike", Severity.ODD, line, sentence, now=bill.subscription, usual=max(older))
            return
