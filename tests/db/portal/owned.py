"""The page of a subscription for its customer in tests: what is sold and offered, opened by its link, and read."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from django.test import Client

from billing.models import Plan, Price, Subscription, SubscriptionItem, SubscriptionStep
from billing.services.offers import Offered, set_plan_offers
from billing.services.prices import create_price
from billing.services.self_service import own_url
from core.models import OutboxEvent
from core.scope import work
from messaging.models import Message
from tenants.models import LegalEntity
from tests import factories

JUNE, MID, JULY = date(2026, 6, 1), date(2026, 6, 16), date(2026, 7, 1)
NOON = datetime(2026, 6, 16, 10, tzinfo=UTC)
SAME = [("team", "2026-06-01")]
"""What the plan bills at first, as `plans` says it."""


def priced(code: str, amount: str, tax: str = "0", **given: object) -> Price:
    said = {
        "name": code.title(),
        "code": code,
        "model": "flat",
        "currency": "EUR",
        "tax_percent": Decimal(tax),
    }
    return create_price(**{**said, "unit_price": Decimal(amount), **given})  # type: ignore[arg-type]


def sold(price: Price, starts_on: date = JUNE, **given: object) -> Subscription:
    """To a customer who reads mail."""
    owner = factories.customer(name="Kestrel", email="rita@kestrel.example")
    return factories.subscribe(customer=owner.public_id, price=price, starts_on=starts_on, **given)  # type: ignore[arg-type]


def offer(*offered: tuple[str, str], plan: str = "team") -> None:
    with work():
        row = Plan.objects.get(code=plan)
        set_plan_offers(row.public_id, [Offered(*each) for each in offered])


def let(way: str) -> None:
    """How customers of Acorn's may end by themselves."""
    with work():
        LegalEntity.objects.update(customers_end=way)


def link_to(sub: Subscription) -> str:
    with work():
        return "/" + own_url(sub).split("/", 3)[3]


def opened(customer: Client, sub: Subscription) -> str:
    """The address of the page, its link exchanged for a cookie."""
    answer = customer.get(link_to(sub))
    assert answer.status_code == 302
    return str(answer["Location"])


def offered(page: bytes) -> dict[str, str]:
    """What the form would send, by the plan's code."""
    found = re.findall(r'name="change" value="([^"]+)"', page.decode())
    with work():
        rows = Price.objects.select_related("plan")
        return {rows.get(public_id=each.partition(":")[0]).plan.code: each for each in found}


def words(page: bytes) -> str:
    text = re.sub(r"<[^>]+>", " ", page.decode()).replace("&nbsp;", " ")
    return re.sub(r"[\s\u202f]+", " ", text)


def plans(sub: Subscription) -> list[tuple[str, str]]:
    """Code and first day of what the plan bills, by day."""
    with work():
        rows = SubscriptionItem.objects.filter(subscription=sub).select_related("price__plan")
        lived = [row for row in rows.order_by("starts_on", "id") if row.ends_on != row.starts_on]
        return [(row.price.plan.code, str(row.starts_on)) for row in lived]


def told_of(what: str) -> tuple[int, int]:
    """How many mails and how many events there are of what customers did: changed, ended, kept."""
    with work():
        return (
            Message.objects.filter(kind=f"subscription_{what}").count(),
            OutboxEvent.objects.filter(name=f"subscription.{what}_by_customer").count(),
        )


def backs(page: bytes) -> list[str]:
    """What the form would send to take each back."""
    return re.findall(r'name="keep" value="([^"]+)"', page.decode())


def said(client: Client, address: str, what: str) -> str:
    """Have it changed to Solo in July, or ended then; what the page sends to take that back."""
    page = client.get(address).content
    if what == "plan":
        answer = client.post(address, {"change": offered(page)["solo"]})
    else:
        answer = client.post(address, {"end": f"period_end:{JULY}"})
    assert answer.status_code == 302
    (found,) = backs(client.get(address).content)
    return found


def as_it_was(sub: Subscription) -> bool:
    with work():
        row = Subscription.objects.get(pk=sub.pk)
        steps = SubscriptionStep.objects.filter(subscription=sub).exists()
    return (row.ends_on, row.ended_by_customer, row.state, steps) == (None, False, "active", False)
