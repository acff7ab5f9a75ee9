"""Who pays in advance in the demo: some of those whose usage is counted, before their first month of it is billed."""

from datetime import date, timedelta

from arapp.demo.story import CALLS
from billing.listing import subscriptions
from invoicing.services.prepaid import top_up

MINOR = (25_000, 4_000)
"""What as many pay, minor units: one more than is used, one less."""
DAYS = 29
"""So many days before today."""


def paid_on(today: date) -> date:
    """The day on which they are billed for it."""
    return today - timedelta(days=DAYS)


def top_up_some(day: date) -> None:
    """Issue the invoices of the top-ups. Inside work()."""
    soon = (day + timedelta(days=5), day + timedelta(days=DAYS - 2))  # so that the story draws of it
    users = subscriptions(plan=CALLS).filter(next_bill_on__range=soon).order_by("id")[: len(MINOR)]
    for n, (each, minor) in enumerate(zip(users, MINOR, strict=False)):
        end = day + timedelta(days=365)
        top_up(each.customer.public_id, minor=minor, expires_on=end, key=f"demo-{n}", today=day)
