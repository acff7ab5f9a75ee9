"""How an amount per bill is shared out over the lines that it is for. Pure; days are local to the subscription's zone.

What falls due on one day is one bill, whenever a run comes for it: a run that is three months late shares out three
amounts, as three runs in time would have.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from billing.domain.discounts import Discount, Per
from billing.domain.dues import Due, Odd, plan_on
from billing.domain.facts import SubscriptionFacts, Timing
from billing.domain.lines import gross
from core.money import MoneyError, allocate, exponent, from_decimal, round_half_up


def shared_out(facts: SubscriptionFacts, found: Sequence[Due], returned: Collection[int] = ()) -> list[Due]:
    """The periods with their shares of the amounts per bill that are for them.

    It is for the bills of its days, whatever periods are on them: so that for three periods of the plan it is three
    bills, where the plan is billed in arrears those after each of the three. An amount goes by what is left of each
    line when its turn comes, in whole minor units that add up to it. Of a day that was billed before only what those
    bills left is shared out, and nothing of an earlier one. `returned` are billed periods (ids) that are taken back
    from their first day on, and their shares with them.
    """
    shared = [each for each in facts.discounts if each.per is Per.BILL]
    if not shared:
        return list(found)
    dues = list(found)
    for on in {due.on for due in found}:
        here = [n for n, due in enumerate(dues) if due.on == on]
        for n, granted in _granted(facts, [dues[n] for n in here], on, returned).items():
            dues[here[n]] = replace(dues[here[n]], discounts=granted)
    return dues


def bill_day(facts: SubscriptionFacts, on: date) -> date:
    """The day that the bill of a due day counts as: that day, or the last that it is for where the plan up to then is
    billed in arrears.
    """
    before = on - timedelta(days=1)
    return before if plan_on(facts, before).timing is Timing.ARREARS else on


def _granted(
    facts: SubscriptionFacts, bill: Sequence[Due], on: date, returned: Collection[int]
) -> Mapping[int, tuple[Discount, ...]]:
    """What each line of a bill has off, amounts shared out; in the one order in which all of them apply."""
    day = bill_day(facts, on)
    left = [gross(due) for due in bill]
    granted: dict[int, tuple[Discount, ...]] = defaultdict(tuple)
    for each in facts.discounts:
        mine = {
            n: part
            for n, due in enumerate(bill)
            for part in each.parts(due.item.plan, due.item.belongs)
            if part.holds(day if each.per is Per.BILL else due.span.start)
        }
        if each.per is Per.BILL:
            parts = _parts(
                _there(each, facts.currency, on, returned), [left[n] for n in mine], facts.currency
            )
            mine = {n: part.share(minor) for (n, part), minor in zip(mine.items(), parts, strict=True)}
        for n, part in mine.items():
            left[n] -= part.off(left[n])
            granted[n] += (part,)
    return granted


def _there(each: Discount, currency: str, on: date, returned: Collection[int]) -> int:
    """What of an amount is there for the bill of a day, minor units: less what bills of that day took already, and
    nothing where a later day was billed.
    """
    try:
        whole = from_decimal(each.amount, currency).minor
    except MoneyError as error:
        raise Odd(str(error)) from error
    if each.taken is None or each.taken.on < on:
        return whole
    if each.taken.on > on:
        return 0
    return max(0, whole - sum(minor for period_id, minor in each.taken.parts if period_id not in returned))


def _parts(there: int, left: Sequence[Fraction], currency: str) -> list[Decimal]:
    """An amount by what is left of each line, in major units; where it is more than all of that, each line's own."""
    scale = 10 ** exponent(currency)
    whole = [max(round_half_up(each * scale), 0) for each in left]
    parts = whole if sum(whole) <= there else allocate(there, whole)
    return [Decimal(part) / scale for part in parts]
