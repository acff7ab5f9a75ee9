"""A business with thousands of honest subscriptions, six months of their bills, and the bill of this month.

Made from a seed. What is honest here is what makes naive comparisons cry wolf: new customers, growth that was typed
in, usage with noise, trends and seasons, pauses, ends within a month, coupons that run out, price rises, negotiated
prices, late entries, moves to another plan.
"""

import random
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from billing.domain.gate import Bill, Crowd, Declared, Discount, Item, Line, Scene, Terms, Tier, assemble
from billing.domain.gate.changes import discount_field, discount_words
from core.money import exponent, round_half_up
from core.periods import Period

TAXES = {"CH": "8.1", "DE": "19", "FR": "20", "US": "0", "JP": "10", "KW": "0"}
CURRENCIES = {"CH": "CHF", "DE": "EUR", "FR": "EUR", "US": "USD", "JP": "JPY", "KW": "KWD"}
WORTH = {
    "CHF": Decimal(1),
    "EUR": Decimal(1),
    "USD": Decimal("1.1"),
    "JPY": Decimal(160),
    "KWD": Decimal("0.3"),
}
PLANS = {
    "Basic": ("flat", "19"), "Office": ("flat", "120"), "Archive": ("flat", "2400"), "Seats": ("per_unit", "14.5"),
    "Track": ("per_unit", "3.25"), "Fleet": ("graduated", "9"), "Depot": ("volume", "6"),
    "Calls": ("per_unit", "0.012"), "Storage": ("per_unit", "0.0315"), "Routing": ("graduated", "0.2"),
}  # fmt: skip
METERED = {"Calls", "Storage", "Routing"}
SEASONS = {"Calls": (1.0, 1.5, 0.7), "Routing": (1.0, 1.0, 1.3)}
LENGTHS = ("month",) * 16 + ("quarter", "quarter", "year", "year")


def month(day: date, n: int) -> date:
    """The same day n months on, the last one where there is none."""
    year, number = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, number + 1, min(day.day, monthrange(year, number + 1)[1]))


STEP = {"month": 1, "quarter": 3, "year": 12}


def price(plan: str, currency: str, unit: str, percent: str) -> Terms:
    model, amount = PLANS[plan]
    each = Decimal(amount) * WORTH[currency] * STEP[unit]
    each = each.quantize(Decimal(1).scaleb(-exponent(currency))) if plan not in METERED else each
    tiers: tuple[Tier, ...] = ()
    if model in ("graduated", "volume"):
        cuts = (Decimal(10), Decimal(100)) if plan not in METERED else (Decimal(1000), Decimal(10000))
        tiers = (Tier(cuts[0], each), Tier(cuts[1], each * Decimal("0.8")), Tier(None, each * Decimal("0.6")))
    return Terms(
        f"{plan}-{currency}-{unit}",
        plan,
        model,
        currency,
        each,
        unit,
        tiers=tiers,
        tax_percent=Decimal(percent),
    )


def cost(terms: Terms, quantity: Decimal) -> int:
    """A whole period, by arithmetic of this world's own."""
    if terms.model == "flat":
        major = Fraction(terms.unit_price)
    elif terms.model == "per_unit":
        major = Fraction(quantity) * Fraction(terms.unit_price)
    else:
        major, below = Fraction(0), Fraction(0)
        for tier in terms.tiers:
            top = Fraction(quantity) if tier.up_to is None else min(Fraction(quantity), Fraction(tier.up_to))
            if terms.model == "volume" and (tier.up_to is None or quantity <= tier.up_to):
                major = Fraction(quantity) * Fraction(tier.unit_price)
                break
            if terms.model == "graduated" and top > below:
                major += (top - below) * Fraction(tier.unit_price)
                below = top
    return round_half_up(major * 10 ** exponent(terms.currency))


def bill_line(
    item: Item, customer: int, span: Period, quantity: Decimal | None, whole: Period, *, metered: bool
) -> Line:
    """What the product would bill for the days, from the item's terms."""
    quantity = quantity or Decimal(0)
    full = cost(item.terms, quantity)
    amount = full if metered or span == whole else round_half_up(Fraction(full * span.days, whole.days))
    left = amount
    for each in item.terms.discounts:
        if each.holds(span.start):
            left -= round_half_up(left * Fraction(each.percent) / 100)
            left -= min(left, each.amount_minor)
    return Line(item.id, customer, span, quantity, amount, item.terms, amount - left, metered)


@dataclass
class Sub:
    """What is true of a subscription; `bill` makes its facts."""

    id: int
    customer: int
    country: str
    terms: Terms
    anchor: date
    periods: int
    quantity: Decimal
    metered: bool
    base: float = 0.0
    sigma: float = 0.0
    trend: float = 1.0
    gaps: float = 0.0
    ramp: bool = False


@dataclass
class World:
    """The bills of one run, by subscription, and the scene they are looked at in."""

    rng: random.Random
    as_of: date
    scene: Scene
    bills: dict[int, Bill] = field(default_factory=dict)

    def crowd_again(self) -> Scene:
        """Crowds from what was billed last."""
        by_price: dict[str, list[tuple[str, Line]]] = {}
        by_plan: dict[tuple[str, str], list[tuple[str, Line]]] = {}
        for bill in self.bills.values():
            if bill.past:
                line = bill.past[-1]
                by_price.setdefault(line.terms.price, []).append((bill.country, line))
                by_plan.setdefault((line.terms.plan, line.terms.currency), []).append((bill.country, line))
        prices: dict[str, Crowd] = {key: each for key, lines in by_price.items() if (each := assemble(lines))}
        plans = {key: each for key, lines in by_plan.items() if (each := assemble(lines))}
        return replace(self.scene, prices=prices, plans=plans)


class Maker:
    """Makes a world of a size from a seed."""

    def __init__(self, seed: int, count: int) -> None:
        self.rng = random.Random(seed)
        self.count = count
        year, number = self.rng.choice([(2024, 2), (2024, 3), (2025, 3), (2026, 11), (2027, 1), (2025, 7)])
        self.as_of = date(year, number, monthrange(year, number)[1])
        self.first = date(year, number, 1)
        self.risen = {f"{plan}-{code}-month" for plan, code in (("Basic", "CHF"), ("Seats", "EUR"))}
        self.rise = Decimal(self.rng.choice(["1.05", "1.1", "1.25"]))
        self.new_tax = {"FR": "21"} if self.rng.random() < 0.5 else {}

    def world(self) -> World:
        world = World(self.rng, self.as_of, Scene(self.as_of, self.first - timedelta(days=1)))
        customer, number = 0, 0
        while number < self.count:
            customer += 1
            country = self.rng.choice(list(TAXES))
            for _ in range(self.rng.choice((1, 1, 1, 1, 2, 3, 8))):
                number += 1
                world.bills[number] = self.bill(self.sub(number, customer, country))
        world.scene = world.crowd_again()
        return world

    def sub(self, number: int, customer: int, country: str) -> Sub:
        rng = self.rng
        plan, unit = rng.choice(list(PLANS)), rng.choice(LENGTHS)
        metered = plan in METERED
        unit = "month" if metered else unit
        terms = price(plan, CURRENCIES[country], unit, TAXES[country])
        if rng.random() < 0.04:
            terms = replace(terms, unit_price=terms.unit_price * Decimal(rng.choice(["0.7", "0.8", "0.95"])))
        day = rng.randrange(1, 29) if rng.random() < 0.6 else rng.choice((1, 29, 30, 31))
        anchor = date(
            self.first.year, self.first.month, min(day, monthrange(self.first.year, self.first.month)[1])
        )
        if day > 28 and unit == "month":
            anchor = date(self.first.year - 1, 1, day)
        quantity = Decimal(1 if PLANS[plan][0] == "flat" else max(1, round(rng.lognormvariate(2.2, 1.0))))
        wild = rng.random()
        return Sub(
            number, customer, country, terms, anchor, rng.choice((0, 1, 2, 3, 4, 5) + (6,) * 9), quantity, metered,
            base=rng.lognormvariate(4.5, 1.3), sigma=0.5 if wild < 0.05 else rng.uniform(0.05, 0.22),
            trend=1.2 if wild > 0.95 else rng.uniform(0.97, 1.06), gaps=0.3 if wild > 0.97 else 0.0, ramp=wild < 0.3,
        )  # fmt: skip

    def used(self, sub: Sub, span: Period, n: int) -> Decimal:
        rng = self.rng
        if rng.random() < sub.gaps:
            return Decimal(0)
        season = SEASONS.get(sub.terms.plan, (1.0,))[
            span.start.month % len(SEASONS.get(sub.terms.plan, (1.0,)))
        ]
        start = min(1.0, 0.2 * 2 ** (n + sub.periods)) if sub.ramp else 1.0
        return Decimal(
            round(sub.base * start * span.days * season * sub.trend**n * rng.lognormvariate(0, sub.sigma))
        )

    def grid(self, sub: Sub, n: int) -> Period:
        """The period n before (negative) the one that starts within the month."""
        step = STEP[sub.terms.unit]
        months = (self.first.year - sub.anchor.year) * 12 + self.first.month - sub.anchor.month
        return Period(month(sub.anchor, months + n * step), month(sub.anchor, months + (n + 1) * step))

    def bill(self, sub: Sub) -> Bill:
        rng = self.rng
        first, late = -sub.periods, 0
        if not sub.periods and rng.random() < 0.1 and sub.terms.unit == "month":
            late = rng.randrange(1, 3)  # entered after it had begun
            first = -late
        start = self.grid(sub, first).start
        if rng.random() < 0.15 and not late:
            start += timedelta(days=rng.randrange(1, 20))  # joins the calendar within a period
        start = min(start, self.grid(sub, first).end - timedelta(days=3), self.as_of)
        discounts = self.discounts(sub, start)
        terms = replace(sub.terms, discounts=discounts)
        item = Item(sub.id * 10, start, None, sub.anchor, terms, None if sub.metered else sub.quantity)
        past, item = self.past(sub, item, first, 0 if not late else first)
        entered = self.first + timedelta(days=rng.randrange(20)) if late or not sub.periods else start
        bill = Bill(
            sub.id, sub.customer, sub.country, sub.terms.currency, entered, (), (item,), tuple(past),
            usual_minor=None,
        )  # fmt: skip
        bill = self.changed(sub, bill, item)
        return self.lines(sub, bill, first if late else 0)

    def discounts(self, sub: Sub, start: date) -> tuple[Discount, ...]:
        kind = self.rng.random()
        if kind < 0.04:
            return (Discount("WELCOME", Decimal(self.rng.choice((20, 50, 100))), until=month(start, 1)),)
        if kind < 0.08:
            return (Discount("QUARTER", Decimal(25), until=month(start, 3)),)
        if kind < 0.11:
            return (Discount("PARTNER", Decimal(10)),)
        if kind < 0.12 and sub.terms.plan != "Calls":
            return (Discount("PARTNER", Decimal(10)), Discount("FIVE", amount_minor=500))
        return ()

    def past(self, sub: Sub, item: Item, first: int, to: int) -> tuple[list[Line], Item]:
        lines = []
        for n in range(first, to):
            if n > first and self.rng.random() < 0.05 and not sub.metered and sub.terms.model != "flat":
                item = replace(item, quantity=self.grown(item.quantity))
            whole = self.grid(sub, n)
            span = Period(max(item.starts_on, whole.start), whole.end)
            quantity = self.used(sub, span, n) if sub.metered else item.quantity
            lines.append(bill_line(item, sub.customer, span, quantity, whole, metered=sub.metered))
        return lines, item

    def grown(self, quantity: Decimal | None) -> Decimal:
        return max(
            Decimal(1),
            Decimal(round(float(quantity or 1) * self.rng.choice((0.8, 1.1, 1.2, 1.5, 2.0, 3.0))) + 1),
        )

    def changed(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        """What somebody did since the last bill, with its record."""
        if not bill.past:
            return bill
        chance = self.rng.random()
        if item.terms.price in self.risen or (chance < 0.01 and sub.terms.plan in ("Basic", "Office")):
            return self.moved(bill, item, rise=item.terms.price in self.risen)
        if sub.country in self.new_tax:
            now = self.new_tax[sub.country]
            said = Declared(item.id, "tax", TAXES[sub.country], now)
            return self.with_item(
                bill, replace(item, terms=replace(item.terms, tax_percent=Decimal(now))), said
            )
        deeds = (
            (0.08, self.more), (0.10, self.ending), (0.11, self.loyal), (0.115, self.resumed), (0.12, self.put_aside),
        )  # fmt: skip
        return next((deed(sub, bill, item) for below, deed in deeds if chance < below), bill)

    def more(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        if sub.metered or sub.terms.model == "flat":
            return bill
        now = self.grown(item.quantity)
        said = Declared(item.id, "quantity", f"{item.quantity:f}", f"{now:f}")
        return self.with_item(bill, replace(item, quantity=now), said)

    def ending(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        whole = self.grid(sub, 0)
        end = whole.start + timedelta(days=self.rng.randrange(1, whole.days))
        return self.with_item(bill, replace(item, ends_on=end), Declared(item.id, "end", "", end.isoformat()))

    def loyal(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        coupon = Discount("LOYAL", Decimal(15), since=self.first, until=month(self.first, 6))
        terms = replace(item.terms, discounts=(*item.terms.discounts, coupon))
        said = Declared(item.id, discount_field(coupon), "", discount_words(coupon))
        return self.with_item(bill, replace(item, terms=terms), said)

    def resumed(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        paused = bill.past[-1].span.end
        day = paused + timedelta(days=self.rng.randrange(2, 15))
        if day > self.as_of:
            return bill
        return self.with_item(bill, replace(item, cuts=frozenset({paused, day})))

    def put_aside(self, sub: Sub, bill: Bill, item: Item) -> Bill:
        """It was held a month ago: two periods come now."""
        if len(bill.past) < 2 or bill.past[-1].quantity != bill.past[-2].quantity:
            return bill
        return replace(bill, past=bill.past[:-1], waited=True)

    def moved(self, bill: Bill, item: Item, *, rise: bool) -> Bill:
        """To the next version of its price, or to another plan as a new item."""
        old = item.terms
        if rise:
            now = (old.unit_price * self.rise).quantize(Decimal("0.01"))
            terms = replace(old, price=f"{old.price}-2", unit_price=now)
            return self.with_item(
                bill, replace(item, terms=terms), Declared(item.id, "price", old.price, terms.price)
            )
        plan = self.rng.choice(("Seats", "Office", "Archive", "Fleet"))
        terms = replace(price(plan, old.currency, old.unit, f"{old.tax_percent}"), discounts=old.discounts)
        day = bill.past[-1].span.end
        other = replace(item, id=item.id + 1, starts_on=day, terms=terms, quantity=Decimal(3))
        return replace(
            bill, items=(replace(item, ends_on=day), other),
            declared=(Declared(item.id, "end", "", day.isoformat()), Declared(other.id, "item", "", str(other.id))),
        )  # fmt: skip

    def with_item(self, bill: Bill, item: Item, *said: Declared) -> Bill:
        return replace(bill, items=(item,), declared=(*bill.declared, *said))

    def lines(self, sub: Sub, bill: Bill, first: int) -> Bill:
        item, found = bill.items[-1], []
        first = -1 if bill.waited else first
        for n in range(first, 1):
            whole = self.grid(sub, n)
            start = max(whole.start, item.starts_on, *(cut for cut in item.cuts))
            end = min(whole.end, item.ends_on or whole.end)
            if start < end:
                quantity = self.used(sub, Period(start, end), n) if sub.metered else item.quantity
                found.append(
                    bill_line(item, sub.customer, Period(start, end), quantity, whole, metered=sub.metered)
                )
        return replace(bill, lines=tuple(found))
