"""Which periods of a subscription's items are owed, and when. Pure; days are local to the subscription's zone.

Periods come from the subscription's anchor and the price's interval, or from the days that it lists, so that they never
drift.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from billing.domain.discounts import Discount, Per
from billing.domain.facts import ItemFacts, SubscriptionFacts, Timing, Used
from billing.domain.proration import DAY, MIDNIGHT, Proration, share, unused
from core.periods import Period, index_on, period, period_on

NO_SHARES: Mapping[str, Decimal] = MappingProxyType({})


class Odd(Exception):
    """The subscription cannot be billed as it stands; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Due:
    """A period of an item that is billed as one line: `span`, which is all of `whole` or a part of it.

    By seconds it begins at `since` on its first day and goes on to `until` on the day after its last.
    """

    item: ItemFacts
    span: Period
    whole: Period
    proration: Proration = Proration.DAY
    discounts: tuple[Discount, ...] = ()
    since: time = MIDNIGHT
    until: time = MIDNIGHT

    @property
    def quantity(self) -> Decimal:
        """What is priced: the item's quantity, or what its meter counted; raises Odd when that is not known."""
        return self.item.quantity if self.item.meter_id is None else self.used.quantity

    @property
    def used(self) -> Used:
        """What the item's meter counted; raises Odd when that is not known."""
        counted = self.item.used.get(self.span.start)
        if counted is None:
            raise Odd("What was used in the period is not known.")
        return counted

    @property
    def on(self) -> date:
        """The local date on which it falls due."""
        return self.span.end if self.item.timing is Timing.ARREARS else self.span.start

    @property
    def share(self) -> Fraction:
        """How much of the whole period it costs, from 0 to 1; all of what a meter counted or what is owed once, but for
        a level by whose price a part costs its share.
        """
        item = self.item
        return Fraction(1) if item.meter_id and not (item.level and item.terms.by_share) else self.part

    @property
    def part(self) -> Fraction:
        """How much of the whole period it is, from 0 to 1, by the convention for parts; all where it is owed once."""
        item = self.item
        if item.unit is None:
            return Fraction(1)
        return share(
            self.proration, self.span, self.whole, item.unit, item.every, since=self.since, until=self.until
        )

    @property
    def by_days(self) -> bool:
        """Whether its share is so many days of the period's."""
        timed = self.since != MIDNIGHT or self.until != MIDNIGHT
        return self.proration is Proration.DAY or (self.proration is Proration.SECOND and not timed)

    @property
    def seconds(self) -> int:
        """How many seconds of the whole period it is."""
        return int(self.share * self.whole.days * DAY)

    def unused(self, part: Period, ended: time) -> Fraction:
        """How much of what it costs its last days are, from a time of the first of them on; of what is owed once 0."""
        item = self.item
        if item.unit is None:
            return Fraction(0)
        return unused(
            self.proration, part, self.span, self.whole, item.unit, item.every,
            ended=ended, since=self.since, until=self.until,
        )  # fmt: skip


def dues(facts: SubscriptionFacts, item: ItemFacts) -> Iterator[Due]:
    """The periods of an item from its `billed_through` on, without end unless it has one."""
    end = facts.end_of(item)
    start = item.billed_through
    if item.unit is None:
        if start == item.starts_on and (end is None or start < end):
            yield due_of(facts, item, Period(start, start + timedelta(days=1)))
        return
    index = index_on(facts.anchor, item.unit, item.every, start)
    while end is None or start < end:
        whole = period(facts.anchor, item.unit, item.every, index)
        span = Period(start, whole.end if end is None else min(whole.end, end))
        yield due_of(facts, item, span, whole)
        start, index = span.end, index + 1


def due_of(
    facts: SubscriptionFacts,
    item: ItemFacts,
    span: Period,
    whole: Period | None = None,
    *,
    until: time | None = None,
    shares: Mapping[str, Decimal] = NO_SHARES,
) -> Due:
    """A period of an item, or the part of one, with the convention for parts and the discounts that hold for it.

    By seconds it goes on to `until` on the day after its last, by default as the item does. `shares` are those that it
    has of amounts per bill, in major units by key; what is not billed yet has none until `shared_out` gives it some.
    """
    whole = whole or whole_of(facts, item, span.start)
    since = item.starts_time if span.start == item.starts_on else MIDNIGHT
    if span.end == whole.end:
        until = MIDNIGHT
    elif until is None:
        until = facts.goes_on_to(item, span.end)
    return Due(item, span, whole, facts.proration, tuple(_granted(facts, item, span, shares)), since, until)


def _granted(
    facts: SubscriptionFacts, item: ItemFacts, span: Period, shares: Mapping[str, Decimal]
) -> Iterator[Discount]:
    for each in facts.discounts:
        if each.per is Per.LINE:
            yield from (part for part in each.parts(item.plan, item.belongs) if part.holds(span.start))
        elif each.key in shares:
            yield each.share(shares[each.key])


def next_due(facts: SubscriptionFacts) -> date | None:
    """The local date on which something falls due next or is to be credited, or None when nothing is left to do."""
    firsts = [next(dues(facts, item), None) for item in facts.items]
    days = [each.on for each in firsts if each is not None]
    days += [day for item in facts.items if (day := unused_from(facts, item)) is not None]
    return min(days, default=None)


def unused_from(facts: SubscriptionFacts, item: ItemFacts) -> date | None:
    """The day an item ended though it is billed beyond it, so that the rest is to be credited; else None.

    What a meter counted was used, and what is owed once is not owed by days.
    """
    end = facts.end_of(item)
    if end is None or item.unit is None or item.meter_id is not None:
        return None
    if item.billed_through == item.starts_on or end >= item.billed_through:
        return None
    return max(end, item.starts_on)


def unused_since(facts: SubscriptionFacts, item: ItemFacts, day: date) -> time:
    """From when on a day is not used that is the first of what is taken back of an item: its end, or its beginning."""
    if day == item.starts_on:
        return item.starts_time
    return facts.goes_on_to(item, day) if day == facts.end_of(item) else MIDNIGHT


def stops(facts: SubscriptionFacts, day: date) -> dict[int, time]:
    """Up to which time of a date on which it ends each item is billed, by id, as far as not all is taken back.

    What begins on that day begins when the plan before it stopped, since it never bills itself.
    """
    found = {item.item_id: _stop(facts, item, day) for item in facts.items}
    plans = [item for item in facts.items if item.is_plan]
    before = [found[item.item_id] for item in plans if item.starts_on < day]
    return found | {
        item.item_id: max(before, default=item.starts_time) for item in plans if item.starts_on == day
    }


def _stop(facts: SubscriptionFacts, item: ItemFacts, day: date) -> time:
    """The beginning of the day where days are not shared: where a meter counts, where a period begins that is not
    billed, and of what does not end on it.
    """
    if item.starts_on == day:
        return item.starts_time
    begins = whole_of(facts, item, day).start == day and item.billed_through <= day and not item.credited
    if facts.end_of(item) != day or item.meter_id is not None or begins:
        return MIDNIGHT
    return facts.goes_on_to(item, day)


def settled_to(facts: SubscriptionFacts, day: date) -> time:
    """Up to which time of a date the plan was billed, and credited, for good: it cannot end before."""
    return max(
        (
            item.ends_time
            for item in facts.items
            if item.is_plan and item.ends_on == day > item.starts_on and cut_at(facts, item, day)
        ),
        default=MIDNIGHT,
    )


def whole_of(facts: SubscriptionFacts, item: ItemFacts, day: date) -> Period:
    """The period of an item's calendar that contains a local date; of what is owed once, the day."""
    if item.unit is None:
        return Period(day, day + timedelta(days=1))
    return period_on(facts.anchor, item.unit, item.every, day)


def boundary_after(facts: SubscriptionFacts, item: ItemFacts, day: date) -> date:
    """The first day of the item's next period: the first boundary after a local date."""
    return whole_of(facts, item, day).end


def was_cut(facts: SubscriptionFacts, item: ItemFacts) -> bool:
    """Whether an item can never be billed again: its last billed period ended before its boundary, or was credited."""
    through = item.billed_through
    if item.credited:
        return True
    if through == item.starts_on or item.unit is None:
        return False
    return boundary_after(facts, item, through - timedelta(days=1)) != through


def cut_at(facts: SubscriptionFacts, item: ItemFacts, day: date | None) -> bool:
    """Whether an item is settled up to a local date and can never be billed again: what ended there has ended."""
    return item.billed_through == day and was_cut(facts, item)


def period_end(facts: SubscriptionFacts, item: ItemFacts, today: date) -> date:
    """The end of the item's period under way on a local date, or of what is billed, when that is later."""
    return max(item.billed_through, boundary_after(facts, item, today))


def billed_through(facts: SubscriptionFacts) -> date:
    """The first day that nothing was billed for yet; an item that begins later was not billed up to its first day."""
    billed = (item.billed_through for item in facts.items if item.billed_through > item.starts_on)
    return max(billed, default=min(item.starts_on for item in facts.items))


def plan_on(facts: SubscriptionFacts, day: date) -> ItemFacts:
    """The plan's item that is in force on a local date: the last one that began by then, else the first.

    After the subscription's end it is the one of its last day.
    """
    if facts.ends_on is not None:
        day = min(day, facts.ends_on - timedelta(days=1))
    plans = sorted((item for item in facts.items if item.is_plan), key=lambda item: item.starts_on)
    plans = [item for item in plans if item.ends_on != item.starts_on] or plans
    begun = [item for item in plans if item.starts_on <= day]
    return begun[-1] if begun else plans[0]
