"""Makes the demo's organizations with everything they start from, and then has their year lived (life.py)."""

from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from arapp.demo import agreements, features, products, story, usage
from arapp.demo.life import Life, at, days_of
from arapp.demo.people import House, Person
from arapp.demo.story import Subscribing
from billing.services.prices import create_price
from billing.services.subscriptions import subscribe
from core import clock, doors, jobs
from core.models import Job, Organization
from core.scope import Actor, Scope, enter, work
from customers.lookup import named
from customers.services.customers import create_customer
from tenants.services.organizations import add_member, create_organization

PASSWORD = "acorn-and-birch-demo"  # noqa: S105 - printed for everybody; refused where DEBUG is off
JOB = "demo"
DEPOSITS = {"U1003": 30}
"""Who pays late and has been told to pay a part at once, in percent; others who do are only advised to be."""


def make(house: House) -> bool:
    """Make the organization and its year, or what is missing of them; False when it is there already."""
    organization_id = doors.org_of_slug(house.slug)
    if organization_id is None:
        organization_id = _found(house)
    scope = Scope(organization_id, Actor("system", label="demo"), origin="command")
    with enter(scope):
        with work():
            job = Job.objects.filter(kind=JOB).first()
        if job is None or job.state == "done":
            return False
        Life(house, job).live()
        with work():
            Organization.objects.filter(pk=organization_id).update(suspended_at=None)
            Job.objects.filter(pk=job.pk).update(done=job.total)
        jobs.finish(job, message="The demo's year is told.")
    return True


def _found(house: House) -> int:
    """The organization with members, customers, prices and subscriptions, each dated when it came; all or nothing."""
    with transaction.atomic():
        owner = _user(house.owner)
        organization_id = create_organization(
            owner=owner,
            name=house.name,
            slug=house.slug,
            country=house.country,
            currency=house.currency,
            zone=house.zone,
            tax_percent=house.tax_percent,
        )
        with enter(Scope(organization_id, Actor("member", owner.pk, owner.name), origin="command")), work():
            today = clock.today(house.zone)
            # From now on nothing happens by itself until the past is told: a worker would bill the year at once.
            Organization.objects.filter(pk=organization_id).update(suspended_at=clock.wall())
            for person in house.members:
                add_member(user=_user(person), role=person.role)
            subscriptions = story.subscribing(house, today)
            _buyers(house, today, subscriptions)
            subscribed = _subscribe(house, subscriptions, today)
            features.grant(house, subscribed, today)
            agreements.agree(house, subscribed, today)
            usage.use(house, subscribed, today)
            products.group(house, today)
            jobs.start(JOB, total=len(days_of(house, today)), today=today.isoformat())
    return organization_id


def _user(person: Person) -> Any:
    return get_user_model().objects.create_user(person.email, person.name, PASSWORD)


def _buyers(house: House, today: date, subscriptions: list[Subscribing]) -> None:
    """Customers, each made a few days before the first thing that concerns them."""
    first = {each.customer: each.on for each in reversed(story.handwritten(house, today))}
    for each in subscriptions:
        first[each.customer] = min(each.starts_on, first.get(each.customer, each.starts_on))
    for number, market, place in story.customers(house):
        buyer = market.buyers[place]
        with at(house, min(first.get(number, today), today) - timedelta(days=3), 10):
            create_customer(
                name=buyer.name,
                number=number,
                email=f"accounts.{number.lower()}@{house.slug}-customers.example",
                currency=market.currency,
                country=market.country,
                address=buyer.place,
                terms_days=buyer.terms_days,
                deposit_percent=DEPOSITS.get(number),
            )


def _subscribe(house: House, subscriptions: list[Subscribing], today: date) -> dict[str, Subscribing]:
    made = {}
    prices: dict[tuple[str, str], Any] = {}
    for n, each in enumerate(sorted(subscriptions, key=lambda each: each.starts_on)):
        offer, market = each.offer, each.market
        with at(house, min(each.starts_on - timedelta(days=1), today), 11):
            if (offer.code, market.currency) not in prices:
                prices[offer.code, market.currency] = create_price(
                    name=offer.plan,
                    code=offer.code,
                    model=offer.model,
                    unit_price=offer.unit_price,
                    currency=market.currency,
                    unit=offer.unit,
                    tax_percent=market.tax_percent,
                )
            row = subscribe(
                customer=named(each.customer).public_id,
                price=prices[offer.code, market.currency],
                starts_on=each.starts_on,
                quantity=each.quantity,
                ends_on=each.ends_on,
                external_id=f"demo-{n}",
            )
            made[row.public_id] = each
    return made
