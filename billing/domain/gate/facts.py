"""What the gate is told, and what it says: plain facts in, findings out.

None of these are the pricing core's own types: what compares two accounts of the same bill must not share the
arithmetic or the shapes of either.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from core.periods import Period


class Severity(StrEnum):
    """How sure a finding is. Both hold the bill: the difference is in what a person is told."""

    WRONG = "wrong"
    """It contradicts the contract or what was billed before."""
    ODD = "odd"
    """It may be right, but nothing that was recorded explains it."""


class Timing(StrEnum):
    """When a period falls due."""

    ADVANCE = "advance"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: all others) cost `unit_price` each and `flat` on top."""

    up_to: Decimal | None
    unit_price: Decimal
    flat: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Discount:
    """Taken off a line: `percent` of what is left, then `amount_minor`; from `since` to before `until`.

    `per_bill`: the amount is once off all lines that fall due on one day, by what is left of each. `name` and `since`
    make it the same discount; two of one name that hold on one day are one granted twice. `key` is one for all lines.
    """

    name: str
    percent: Decimal = Decimal(0)
    amount_minor: int = 0
    since: date | None = None
    until: date | None = None
    per_bill: bool = False
    key: str = field(default="", compare=False)

    def holds(self, day: date) -> bool:
        """Whether it is granted for a period that starts on a day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that the amount of a period depends on, but its quantity and days.

    `price` is a name that never changes hands, `plan` what people call it. `dates` are the days of each year, as 03-25
    and in order, on which periods of a unit of “dates” begin. `more` is whatever else the model looks at, as text: it
    is compared, not computed.
    """

    price: str
    plan: str
    model: str
    currency: str
    unit_price: Decimal
    unit: str
    every: int = 1
    dates: tuple[str, ...] = ()
    tiers: tuple[Tier, ...] = ()
    minimum_minor: int = 0
    maximum_minor: int | None = None
    free: Decimal = Decimal(0)
    per: Decimal = Decimal(1)
    timing: Timing = Timing.ADVANCE
    tax_percent: Decimal = Decimal(0)
    discounts: tuple[Discount, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A period of an item as it was billed, or is about to be. `amount_minor` is before discounts and tax."""

    item: int
    customer: int
    span: Period
    quantity: Decimal
    amount_minor: int
    terms: Terms
    discount_minor: int = 0
    metered: bool = False

    @property
    def net_minor(self) -> int:
        """What the line adds to the invoice before tax."""
        return self.amount_minor - self.discount_minor

    @property
    def due_on(self) -> date:
        """The day on which it falls due."""
        return self.span.end if self.terms.timing is Timing.ARREARS else self.span.start


@dataclass(frozen=True, slots=True)
class Item:
    """What the contract says today of a thing that is billed. `anchor` is any boundary of its calendar.

    `cuts` are days on which it was cut for a recorded reason (a pause, a change, an alignment). `quantity` is None
    where a meter counts it. `once`: it is billed a single time. `follows` is the item it took the place of,
    `entered_on` the day somebody entered it, where that is later than its subscription's. `slack` is how many days the
    convention for parts of a period may be off their count; None: a part may cost anything up to all of it. `timed`: it
    begins at a time of its first day, so that its first period is a part also where a period begins on that day.
    """

    id: int
    starts_on: date
    ends_on: date | None
    anchor: date
    terms: Terms
    quantity: Decimal | None = Decimal(1)
    cuts: frozenset[date] = frozenset()
    once: bool = False
    follows: int | None = None
    entered_on: date | None = None
    slack: int | None = 1
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """A change that a person, a key or a rule recorded: `field` of an item went from `was` to `now`.

    It explains that change and nothing else. Fields: price, quantity, tax, end, item, minimum, and for each discount
    what `changes.discount_field` says.
    """

    item: int
    field: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Bill:
    """One subscription that is about to be billed. `recounted` are periods billed before that were counted anew since,
    as if each were billed at once now; what they differ by is billed or taken back with the lines.

    `past` is what was billed of it, oldest first. `entered_on` is the day somebody entered it. `waited`: it was put
    aside or could not be billed before, so it comes late. `usual_minor` is what its customer usually pays in thirty
    days over all subscriptions, None while that is not known. `alike` are other live subscriptions of the customer:
    (subscription, price, quantity, first day). `listed` is the price and quantity that lists show for it. `arrears`:
    its plan is billed in arrears; None where that changes.
    """

    subscription: int
    customer: int
    country: str
    currency: str
    entered_on: date
    lines: tuple[Line, ...]
    items: tuple[Item, ...]
    past: tuple[Line, ...] = ()
    declared: tuple[Declared, ...] = ()
    waited: bool = False
    usual_minor: int | None = None
    alike: tuple[tuple[int, str, Decimal, date], ...] = ()
    listed: tuple[str, Decimal] | None = None
    recounted: tuple[Line, ...] = ()
    arrears: bool | None = False

    def day_of(self, line: Line) -> date | None:
        """The day that the bill of a line counts as for an amount per bill: its due day, or the last that it is for
        where the plan is billed in arrears; None where that is not known.
        """
        return None if self.arrears is None else line.due_on - timedelta(days=self.arrears)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What subscriptions of one price (or plan) were last billed.

    `unit_day` is minor units per unit and day: its median. `terms` are those of most of them, where most agree;
    only what the amount hangs on counts. `quantity` is (median, highest), `daily` the same of
    metered units per day. `taxes` is the usual percentage by the customers' country.
    """

    members: int
    unit_day: Fraction
    quantity: tuple[Fraction, Fraction]
    daily: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds for all bills of a run: its day, the day of the run before, and the crowds by price and by plan.

    A plan's crowd goes by (plan, currency).
    """

    as_of: date
    last_run_on: date | None = None
    prices: Mapping[str, Crowd] = field(default_factory=dict)
    plans: Mapping[tuple[str, str], Crowd] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a bill that a person should look at, with what it is and what it was expected to be."""

    kind: str
    severity: Severity
    item: int
    start: date
    sentence: str
    now: str
    usual: str

    @property
    def key(self) -> str:
        """What a person says yes to: this finding with these figures. Any other figure is another finding."""
        figures = hashlib.sha256(f"{self.now}|{self.usual}".encode()).hexdigest()[:24]
        return f"{self.kind}:{self.item}:{self.start.isoformat()}:{figures}"
