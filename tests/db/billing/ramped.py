"""A subscription to say steps of, and its plan day by day, read from its items and, for itself, from what was said."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from billing.models import PLAN, Price, Subscription, SubscriptionItem, SubscriptionStep
from billing.ramps import upcoming
from billing.services.change import add_step, subscribe_in_steps
from billing.services.run import run_billing
from billing.services.steps import Step, ramp_of
from core.scope import work
from tests import factories
from tests.db.billing.test_change import priced

JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in (1, 2, 3, 4, 5))
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
TODAY = date(2026, 1, 10)
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


def ten() -> Subscription:
    """Ten units at 1.00 a month from 1 January, billed for January."""
    with work():
        made = factories.subscription(
            factories.customer(), JAN, quantity=Decimal(10), unit_price=Decimal(1), tax_percent=Decimal(0)
        )
    run_billing(JAN)
    return made


def step(sub: Subscription, on: date, quantity: int | None = None, price: Price | None = None) -> None:
    wish = Step(price, quantity=None if quantity is None else Decimal(quantity), on=on)
    add_step(sub.public_id, wish, today=TODAY)


def plan(sub: Subscription) -> list[tuple[str, str, str]]:
    """First day, first day after and quantity of each item of the plan that bills something, in order."""
    with work():
        sub.refresh_from_db()
        as_said(sub)
        rows = SubscriptionItem.objects.filter(subscription=sub, role="plan").order_by("starts_on", "id")
        return [
            (
                f"{row.starts_on:%m-%d}",
                f"{row.ends_on:%m-%d}" if row.ends_on else "",
                f"{row.quantity.normalize():f}",
            )
            for row in rows
            if row.ends_on != row.starts_on
        ]


def coming(sub: Subscription, today: date = TODAY) -> list[tuple[str, str, str]]:
    """Day, quantity before and after of each step to come."""
    with work():
        found = upcoming(Subscription.objects.get(pk=sub.pk), today=today)
        return [
            (
                f"{each.on:%m-%d}",
                f"{each.quantity_before.normalize():f}",
                f"{each.quantity_after.normalize():f}",
            )
            for each in found
        ]


def in_steps(*steps: Step, **given: object) -> Subscription:
    said = {"price": priced(unit_price=Decimal(1)), "quantity": Decimal(10), "starts_on": JAN, **given}
    return subscribe_in_steps(
        customer=factories.customer().public_id,
        steps=steps,
        today=TODAY,
        **said,  # type: ignore[arg-type]
    )
