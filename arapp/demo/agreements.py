"""What else was agreed in the demo: a coupon that some were given, a trial, a pause and an end to come."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from arapp.demo.life import at
from arapp.demo.people import House
from arapp.demo.story import Subscribing
from billing.domain.anchors import Rhythm
from billing.listing import subscription
from billing.services.discounts import create_coupon, give_coupon
from billing.services.lifecycle import pause
from billing.services.subscriptions import end, subscribe

COUPON = "WELCOME"
GIVEN = 3
TRIAL = 14


def agree(house: House, subscriptions: Mapping[str, Subscribing], today: date) -> None:
    """Give, pause, end and try, each as of a day of the story. Inside work(), before anything is billed."""
    live = [(name, each) for name, each in subscriptions.items() if each.ends_on is None]
    settled = [(name, each) for name, each in live if each.starts_on < today - timedelta(days=60)]
    if len(settled) <= GIVEN + 1:
        return
    first = min(each.starts_on for each in subscriptions.values()) - timedelta(days=1)
    with at(house, first, 12):
        create_coupon(code=COUPON, name="Welcome", percent=Decimal(10), periods=3)
    for name, each in settled[:GIVEN]:
        with at(house, each.starts_on - timedelta(days=1), 12):
            give_coupon(name, coupon=COUPON, on=each.starts_on, today=each.starts_on)
    (resting, _), (leaving, _) = settled[GIVEN : GIVEN + 2]
    with at(house, today - timedelta(days=1), 16):
        pause(resting, resumes_on=today + timedelta(days=90), today=today)
        end(leaving, today=today)
    tried = subscription(settled[0][0])
    with at(house, today - timedelta(days=4), 10):
        subscribe(
            customer=tried.customer.public_id,
            price=tried.price,
            starts_on=today - timedelta(days=4),
            rhythm=Rhythm(trial_days=TRIAL),
            external_id="demo-trial",
        )
