"""What happens in the demo, as pure plans: who subscribes when, what is invoiced by hand, how each invoice ends.

Everything follows from SEED, the dates and the documents' numbers, so two seedings of one day tell one story.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from arapp.demo.people import GOODS, House, Market, Offer
from core.periods import Unit, boundary

SEED = 20
DAYS = 365
BILLING_DAYS = (1, 1, 1, 15, 15, 28, 31)
"""Days of the month on which subscriptions start; the last one is the end of each month."""
QUIET = 130
"""For so many days those who fell silent have paid nothing."""


def luck(*about: object) -> Random:
    """A generator for one thing of the story, so that adding another changes nothing here."""
    return Random(":".join(map(str, (SEED, *about))))  # noqa: S311 - a story, not a secret


@dataclass(frozen=True, slots=True)
class Subscribing:
    """Somebody subscribes: `customer` is their number."""

    customer: str
    market: Market
    offer: Offer
    quantity: Decimal
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Handwritten:
    """An invoice written by a person: (description, quantity, unit price) lines. `fate` is how it ends."""

    key: str
    customer: str
    market: Market
    on: date
    lines: tuple[tuple[str, Decimal, Decimal], ...]
    fate: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something done about an invoice on a day: transfer, card, declined, void, credit, write_off, undo.

    `share` is how much of what is open, in percent; `extra` minor units come on top.
    """

    on: date
    act: str
    key: str
    share: int = 100
    extra: int = 0

    @property
    def number(self) -> str:
        """The invoice it is about; keys start with it."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Bill:
    """An issued invoice as the story needs it."""

    number: str
    issued_on: date
    due_on: date
    habit: str
    fate: str


def number_of(market: Market, place: int) -> str:
    """The customer number: a letter of the market and a counter."""
    return f"{market.letter}{1001 + place}"


def customers(house: House) -> Iterator[tuple[str, Market, int]]:
    """(number, market, place in its buyers) of every customer."""
    for market in house.markets:
        for place in range(len(market.buyers)):
            yield number_of(market, place), market, place


def subscribing(house: House, today: date) -> list[Subscribing]:
    """The subscriptions of a house, the oldest a year ago."""
    everybody = list(customers(house))
    found = []
    for n in range(house.subscriptions):
        dice = luck(house.slug, "subscription", n)
        number, market, _ = everybody[n % len(everybody)]
        offer = _offer(market, dice.randrange(100))
        starts_on = _billing_day(today - timedelta(days=dice.randrange(12, DAYS - 5)), dice)
        ended = dice.randrange(100) < 12 and (today - starts_on).days > 120  # noqa: PLR2004 - one in eight leaves
        found.append(
            Subscribing(
                customer=number,
                market=market,
                offer=offer,
                quantity=Decimal(dice.randrange(2, offer.seats + 1)) if offer.seats > 1 else Decimal(1),
                starts_on=starts_on,
                ends_on=starts_on + timedelta(days=100) if ended else None,
            )
        )
    return [*found, *_mistyped(house, today)]


def _mistyped(house: House, today: date) -> Iterator[Subscribing]:
    """Somebody typed a customer's number into the quantity: no run can bill this, a person has to look."""
    if house.mistyped:
        market = house.markets[0]
        seats = next(offer for offer in market.offers if offer.seats > 1)
        day = today - timedelta(days=9)
        yield Subscribing(number_of(market, 4), market, seats, Decimal(10**12), day, None)


def billing_days(house: House, today: date) -> set[date]:
    """Days on which a period of some subscription starts."""
    days = set()
    for each in subscribing(house, today):
        n = 0
        while (day := boundary(each.starts_on, Unit(each.offer.unit), 1, n)) < today:
            days.add(day)
            n += 1
    return days


def _offer(market: Market, point: int) -> Offer:
    for offer in market.offers:
        point -= offer.share
        if point < 0:
            return offer
    return market.offers[-1]


def _billing_day(near: date, dice: Random) -> date:
    """The chosen day of the month of `near`, or the month's last."""
    wanted = BILLING_DAYS[dice.randrange(len(BILLING_DAYS))]
    last = (near.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return near.replace(day=min(wanted, last.day))


CALLS = "position-calls"
"""Code of the meter, the plan and the price of what is counted."""
_FATES = {
    3: "void",
    21: "void",
    40: "void",
    6: "credit",
    27: "credit",
    44: "credit",
    11: "refunded",
    33: "refunded",
}
_FATES |= {1: "write_off", 9: "undo", 30: "undo"}


def handwritten(house: House, today: date) -> list[Handwritten]:
    """Invoices by hand over the year, oldest first, at working days."""
    everybody = list(customers(house))
    found = []
    for n in range(house.manual):
        dice = luck(house.slug, "manual", n)
        number, market, _ = everybody[(n * 7 + 3) % len(everybody)]
        day = today - timedelta(days=DAYS - 8 - (DAYS - 12) * n // house.manual)
        found.append(
            Handwritten(
                key=f"demo-{house.slug}-{n}",
                customer=number,
                market=market,
                on=working_day(day),
                lines=tuple(_line(dice) for _ in range(dice.randrange(1, 5))),
                fate=_FATES.get(n, ""),
            )
        )
    return found


def drafts(house: House, today: date) -> list[Handwritten]:
    """What lies there unfinished today."""
    everybody = list(customers(house))
    found = []
    for n in range(max(1, house.manual // 16)):
        dice = luck(house.slug, "draft", n)
        number, market, _ = everybody[dice.randrange(len(everybody))]
        lines = tuple(_line(dice) for _ in range(dice.randrange(1, 4)))
        found.append(Handwritten(f"demo-{house.slug}-draft-{n}", number, market, today, lines, ""))
    return found


def _line(dice: Random) -> tuple[str, Decimal, Decimal]:
    description, price = GOODS[dice.randrange(len(GOODS))]
    return description, Decimal(dice.randrange(1, 7)), price


def working_day(day: date) -> date:
    """The day, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)  # noqa: PLR2004 - Friday


def plan(bill: Bill, today: date) -> list[Step]:
    """How an invoice goes on, from the customer's habit unless it has a fate of its own."""
    dice = luck("bill", bill.number)
    if bill.fate == "void":
        return [Step(bill.issued_on + timedelta(days=1), "void", bill.number)]
    if bill.fate == "prepaid":
        return [Step(working_day(bill.issued_on + timedelta(days=2)), "transfer", f"{bill.number}:1")]
    if bill.fate == "write_off":
        return [Step(working_day(bill.due_on + timedelta(days=90)), "write_off", bill.number)]
    after = {
        "credit": [Step(bill.issued_on + timedelta(days=6), "credit", bill.number)],
        "refunded": [Step(working_day(bill.due_on + timedelta(days=20)), "credit", bill.number)],
        "undo": [Step(working_day(bill.due_on + timedelta(days=9)), "undo", f"{bill.number}:1")],
    }.get(bill.fate, [])
    habit = bill.habit if not bill.fate else "usual"
    if habit == "silent" and bill.due_on > today - timedelta(days=QUIET):
        return after
    return [*_paying(bill, habit, dice), *after]


def _paying(bill: Bill, habit: str, dice: Random) -> list[Step]:
    def on(day: date) -> date:
        return working_day(max(day, bill.issued_on + timedelta(days=2)))

    key = f"{bill.number}:1"
    due = bill.due_on
    if habit == "card":
        day = on(bill.issued_on + timedelta(days=dice.randrange(2, 7)))
        if dice.randrange(5) == 0:
            return [Step(day, "declined", f"{bill.number}:0"), Step(day + timedelta(days=3), "card", key)]
        return [Step(day, "card", key)]
    if habit == "parts":
        first = Step(on(due + timedelta(days=2)), "transfer", key, share=dice.randrange(40, 65))
        rest = Step(on(due + timedelta(days=dice.randrange(18, 40))), "transfer", f"{bill.number}:2")
        return [first] if dice.randrange(3) == 0 else [first, rest]
    days = {"prompt": (-12, -2), "late": (8, 38), "silent": (8, 30)}.get(habit, (-4, 6))
    extra = 1000 * dice.randrange(1, 4) if habit == "over" and dice.randrange(3) == 0 else 0
    return [Step(on(due + timedelta(days=dice.randrange(*days))), "transfer", key, extra=extra)]
