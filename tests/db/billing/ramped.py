"""A subscription's plan day by day, read from its items and, for itself, from what was said."""

from datetime import timedelta
from itertools import pairwise

from billing.models import PLAN, Subscription, SubscriptionItem, SubscriptionStep
from billing.services.steps import ramp_of

ONE = timedelta(days=1)


def as_said(row: Subscription, days: int = 150) -> None:
    """From the last that stays as it is on, each day has the price and quantity that were said last, but in a pause.

    Where one takes the place of another within a day, it does from the second on to which the other goes.
    """
    base = ramp_of(row).base
    held = (base.price_id, base.quantity.normalize())
    steps = {each.on: each for each in SubscriptionStep.objects.filter(subscription=row)}
    items = list(SubscriptionItem.objects.filter(subscription=row, role=PLAN))
    day = base.starts_on
    for _ in range(days):
        if day > base.starts_on and day in steps:
            said = steps[day]
            quantity = held[1] if said.quantity is None else said.quantity.normalize()
            held = (said.price_id or held[0], quantity)
        there = [
            (each.price_id, each.quantity.normalize())
            for each in items
            if each.starts_on <= day and (each.ends_on is None or day < each.ends_on)
        ]
        resting = row.paused_on is not None and row.paused_on >= base.starts_on
        resting = resting and row.paused_on <= day and (row.resumes_on is None or day < row.resumes_on)
        assert there == ([] if resting else [held]), (day, there, held, resting)
        day += ONE
    lived = sorted(
        (each for each in items if each.ends_on != each.starts_on), key=lambda each: each.starts_on
    )
    for was, then in pairwise(lived):
        assert was.ends_on != then.starts_on or was.ends_time == then.starts_time, (was.pk, then.pk)
