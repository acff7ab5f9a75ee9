"""When a period of a subscription's plan begins anew, and what is billed for that. Pure; days are local to its zone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import dropwhile, takewhile

from billing.domain.charges import Charge, charge
from billing.domain.dues import Due, dues
from billing.domain.facts import ItemFacts, SubscriptionFacts
from core.periods import Listed, Unit, boundary
from invoicing.domain.totals import totals

MONTH, YEAR = "month", "year"
AT_LEAST = {
    MONTH: {Unit.DAY: 30, Unit.WEEK: 5, Unit.MONTH: 1, Unit.QUARTER: 1, Unit.YEAR: 1},
    YEAR: {Unit.DAY: 360, Unit.WEEK: 52, Unit.MONTH: 12, Unit.QUARTER: 4, Unit.YEAR: 1},
}
"""How many of each unit are a month or longer, or a year or longer."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """A period of the plan, `due`, begins again, or for the first time where a `trial` ends that day."""

    due: Due
    trial: bool

    @property
    def on(self) -> date:
        """The day on which the period begins."""
        return self.due.span.start

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return self.due.span.end - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RenewalBill:
    """What is billed for a renewal on `on`: `charge` without what meters count, which is said by `metered` alone."""

    on: date
    charge: Charge
    metered: bool

    @property
    def total_minor(self) -> int:
        """With tax, in minor units."""
        return totals(self.charge.drafts).total_minor


def renewal(
    facts: SubscriptionFacts,
    *,
    starts_on: date,
    trial_ends_on: date | None,
    today: date,
    within: int,
    least: str,
) -> Renewal | None:
    """The next renewal after `today`, if it is within so many days; of plans renewed for `least` or longer.

    The end of a trial is one whatever the plan's interval. What begins for other reasons is none: the first day, a
    change, or the end of a pause within a period.
    """
    last = today + timedelta(days=within)
    found = [
        Renewal(due, trial=due.span.start == trial_ends_on)
        for item in facts.items
        if item.is_plan and item.unit is not None
        for due in takewhile(lambda due: due.span.start <= last, dues(facts, item))
        if due.span.start > today and (due.span.start == trial_ends_on or _renews(due, starts_on, least))
    ]
    return min(found, key=lambda each: each.on, default=None)


def _renews(due: Due, starts_on: date, least: str) -> bool:
    return _long(due, least) and due.span.start == due.whole.start and due.span.start > starts_on


def _long(due: Due, least: str) -> bool:
    """Whether a plan is renewed for `least` or longer; from a listed day on for as long as it is to the next."""
    unit, whole = due.item.unit, due.whole
    if isinstance(unit, Listed):
        return boundary(whole.start, Unit(least), 1, 1) <= whole.end
    return unit is not None and due.item.every >= AT_LEAST[least][unit]


def bill_of(facts: SubscriptionFacts, found: Renewal) -> RenewalBill | None:
    """What is billed on the day on which a renewal is; None where that is nothing. Raises Odd as `charge` does.

    It is `charge` of a subscription of which all is billed that falls due before that day.
    """
    day = found.due.on
    made = charge(replace(facts, items=tuple(_left(facts, item, day) for item in facts.items)), day)
    metered = any(
        item.meter_id is not None
        and item.starts_on <= found.last_day
        and ((end := facts.end_of(item)) is None or end > found.on)
        for item in facts.items
    )
    bill = RenewalBill(day, made, metered)
    return bill if bill.metered or bill.total_minor else None


def _left(facts: SubscriptionFacts, item: ItemFacts, day: date) -> ItemFacts:
    """An item of which all is billed that falls due before a day; of what a meter counts also what does on it."""
    left = next(_from(facts, item, day), None)
    end = facts.end_of(item) or item.starts_on + timedelta(days=1)
    through = left.span.start if left is not None else end
    return replace(item, billed_through=through, late=None, recounts=(), billed=())


def _from(facts: SubscriptionFacts, item: ItemFacts, day: date) -> Iterator[Due]:
    first = day if item.meter_id is None else day + timedelta(days=1)
    return dropwhile(lambda due: due.on < first, dues(facts, item))
