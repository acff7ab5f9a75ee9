"""What is known of a subscription when it is billed: plain facts. Days are local to its zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum

from billing.domain.discounts import Belongs, Discount
from billing.domain.pricing import Terms
from billing.domain.proration import MIDNIGHT, Proration
from core.periods import Listed, Period, Unit


class Timing(StrEnum):
    """When a period is billed."""

    ADVANCE = "advance"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class Used:
    """What a meter counted in a period; `events` are the single values in their order, where a price looks at them."""

    quantity: Decimal
    events: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """A period of an item that was billed, and what credits took back of it: its days from one on; net minor units.

    By seconds it goes on to `until` on the day after its last. `shares` are those that it had of amounts per bill, in
    major units by the discount's key.
    """

    period_id: int
    document_id: int
    span: Period
    amount_minor: int
    back_from: date | None = None
    back_minor: int = 0
    until: time = MIDNIGHT
    shares: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Late:
    """What was counted or voided after its period may have been billed: the marks that say so, the first and last
    instant that it is of, and the local date on which it is billed when no bill comes before.
    """

    marks: tuple[int, ...]
    since: datetime
    until: datetime
    due_on: date


@dataclass(frozen=True, slots=True)
class Stands:
    """What a line of an invoice bills of a period, as far as no correction took it back; net minor units.

    Of what is taken back of a line, `rest` is what stays of it.
    """

    document_id: int
    source: str
    minor: int
    rest: int = 0


@dataclass(frozen=True, slots=True)
class Recount:
    """A billed period that is looked at again: what it was counted as, what it came to with all `corrections` so far,
    and the lines that bill it, the newest last. `shares` as of what is billed.
    """

    period_id: int
    span: Period
    quantity: Decimal | None
    minor: int
    corrections: int
    lines: tuple[Stands, ...]
    shares: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One thing that a subscription bills: a price, how much of it, and from when to when; the plan, or beside it.

    With `meter_id` the quantity is what that meter counted, by the first day of the period in `used`; it is a `level`
    where it is averaged over time. `unit` None is a
    price that is owed once, on `starts_on`. By seconds it begins at `starts_time` on its first day and goes on to
    `ends_time` on the day it ends. `plan` is the code of the price's plan, `belongs` the products that this
    belongs to. `billed_through` is the first day
    not billed yet, or taken back when it was `credited`; `billed` says what was billed from the item's end on, where
    that is not taken back yet. `late` says that usage of billed periods may have changed, `recounts` which these are.
    """

    item_id: int
    public_id: str
    name: str
    terms: Terms
    quantity: Decimal
    tax_percent: Decimal
    unit: Unit | Listed | None
    every: int
    timing: Timing
    starts_on: date
    ends_on: date | None
    billed_through: date
    starts_time: time = MIDNIGHT
    ends_time: time = MIDNIGHT
    price_id: int = 0
    is_plan: bool = True
    plan: str = ""
    belongs: tuple[Belongs, ...] = ()
    meter_id: int | None = None
    level: bool = False
    used: Mapping[date, Used] = field(default_factory=dict)
    billed: tuple[Billed, ...] = ()
    credited: bool = False
    late: Late | None = None
    recounts: tuple[Recount, ...] = ()
    deposit_percent: int = 0


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is needed to bill one subscription; its items are in the order of their lines.

    `paused`: nobody knows yet when it goes on. `refund`: what is credited is asked back to the method it was paid by.
    `discounts` are in the order in which they apply. `one_invoice`: the customer wants one of all that is due together.
    `deposit_percent`: the customer's own; None where the plans say it, which each item has of its plan. Its days are
    those of `zone`; it is billed when they have begun for the legal entity, too, in `seller_zone`.
    """

    subscription_id: int
    public_id: str
    customer_id: int
    entity_id: int
    currency: str
    anchor: date
    zone: str
    ends_on: date | None
    terms_days: int
    autopay: bool
    items: tuple[ItemFacts, ...]
    customer_archived: bool = False
    proration: Proration = Proration.DAY
    paused: bool = False
    refund: bool = False
    ends_time: time = MIDNIGHT
    discounts: tuple[Discount, ...] = ()
    one_invoice: bool = False
    deposit_percent: int | None = None
    seller_zone: str = ""

    @property
    def late_on(self) -> date | None:
        """The local date on which its late usage is billed when no bill comes before; None where nothing is late."""
        return min((item.late.due_on for item in self.items if item.late is not None), default=None)

    def discounts_of(self, item: ItemFacts) -> tuple[Discount, ...]:
        """What an item has or had off, each for the days on which it is for that."""
        return tuple(part for each in self.discounts for part in each.parts(item.plan, item.belongs))

    def end_of(self, item: ItemFacts) -> date | None:
        """The first day that an item is not billed any more: its own end or the subscription's; None without one."""
        ends = [day for day in (item.ends_on, self.ends_on) if day is not None]
        return min(ends) if ends else None

    def goes_on_to(self, item: ItemFacts, day: date) -> time:
        """The time of a day up to which an item goes on into it, where it is the item's end or the subscription's."""
        ends = ((item.ends_on, item.ends_time), (self.ends_on, self.ends_time))
        return min((at for end, at in ends if end == day), default=MIDNIGHT)
