"""What some of the demo's subscribers used: a meter, a price by tiers, and a month of events before today."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from arapp.demo import story
from arapp.demo.life import at
from arapp.demo.people import House
from arapp.demo.story import CALLS, Subscribing
from billing.domain.usage_events import Said
from billing.services.meters import create_meter
from billing.services.prices import create_price
from billing.services.subscriptions import add_item
from billing.services.usage import ingest

USERS = 6
"""Subscriptions that use it."""
DAYS = 33
"""Days of usage; events may be 35 days late."""
TIERS = (("1000", "0.04"), ("10000", "0.025"), (None, "0.0125"))
REGIONS = ("eu", "us", "apac")


def use(house: House, subscriptions: Mapping[str, Subscribing], today: date) -> None:
    """Meter some of the subscriptions, by public id, each day of the last month. Inside work()."""
    first = today - timedelta(days=DAYS)
    market = house.markets[0]
    users = [
        public_id
        for public_id, each in subscriptions.items()
        if each.market == market and each.ends_on is None and each.starts_on <= first
    ][:USERS]
    if not users:
        return
    with at(house, first - timedelta(days=1), 10):
        create_meter(name="Position calls", code=CALLS, aggregation="sum", field="calls", group_by=["region"])
        price = create_price(
            name="Position calls",
            code=CALLS,
            model="graduated",
            currency=market.currency,
            tax_percent=market.tax_percent,
            timing="arrears",
            meter=CALLS,
            tiers=[{"up_to": end and Decimal(end), "unit_price": Decimal(each)} for end, each in TIERS],
        )
        for each in users:
            add_item(each, price=price, starts_on=first)
    for n in range(DAYS):
        with at(house, first + timedelta(days=n), 20):
            ingest([_said(house, place, each, n) for place, each in enumerate(users)])


def _said(house: House, place: int, subscription: str, day: int) -> Said:
    dice = story.luck(house.slug, "usage", place, day)
    calls = dice.randrange(80, 400) + 15 * day
    return Said(
        f"demo-{place}-{day}",
        CALLS,
        subscription,
        properties={"calls": str(calls), "region": dice.choice(REGIONS)},
    )
