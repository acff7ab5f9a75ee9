"""A customer's page lists what they subscribe to, the newest first, and leads on to all of it and to a new one."""

from collections.abc import Callable
from datetime import date

from django.test import Client

from core.scope import Scope, enter, work
from customers.models import Customer
from tenants.models import Role
from tests import factories
from tests.cast import CANARY
from tests.db.pages.test_roles import give

JUNE = date(2026, 6, 1)


def at(customer: Customer) -> str:
    return f"/o/acorn/customers/{customer.public_id}/subscriptions/"


def sold(house: Scope, customer: Customer, times: int = 1) -> list[str]:
    """So many subscriptions to one price; their public ids."""
    with enter(house), work():
        first = factories.subscription(customer, JUNE)
        more = [
            factories.subscribe(customer=customer.public_id, price=first.price, starts_on=JUNE)
            for _ in range(times - 1)
        ]
        return [each.public_id for each in (first, *more)]


def test_the_page_of_a_customer_fetches_what_they_subscribe_to(
    ana: Client, house: Scope, kestrel: Customer
) -> None:
    (made,) = sold(house, kestrel)
    with enter(house), work():
        sold_to_others = factories.subscription(factories.customer(name=CANARY), JUNE)
    assert at(kestrel).encode() in ana.get(f"/o/acorn/customers/{kestrel.public_id}/").content
    shown = ana.get(at(kestrel)).content.decode()
    assert f"/o/acorn/subscriptions/{made}/" in shown
    assert sold_to_others.public_id not in shown
    assert f"/o/acorn/subscriptions/new/?customer={kestrel.public_id}" in shown
    assert "All subscriptions" not in shown


def test_of_many_the_newest_are_shown_with_a_way_to_all(ana: Client, house: Scope, kestrel: Customer) -> None:
    made = sold(house, kestrel, 9)
    shown = ana.get(at(kestrel)).content.decode()
    assert made[0] not in shown
    assert all(each in shown for each in made[1:])
    assert f"/o/acorn/subscriptions/?customer={kestrel.public_id}" in shown


def test_as_many_reads_for_one_as_for_eight(
    ana: Client, house: Scope, kestrel: Customer, queries: Callable[[Client, str], int]
) -> None:
    sold(house, kestrel)
    one = queries(ana, at(kestrel))
    sold(house, kestrel, 7)
    assert queries(ana, at(kestrel)) == one


def test_who_subscribes_to_nothing_is_said(ana: Client, kestrel: Customer) -> None:
    assert b"They subscribe to nothing." in ana.get(at(kestrel)).content


def test_who_may_not_see_subscriptions_gets_no_panel(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer
) -> None:
    with enter(house), work():
        role = Role.objects.create(name="People", permissions=["customers.view"])
        give(house, "Vic", role)
    vic = client_of("Vic")
    page = vic.get(f"/o/acorn/customers/{kestrel.public_id}/")
    assert page.status_code == 200
    assert at(kestrel).encode() not in page.content
    assert vic.get(at(kestrel)).status_code == 403


def test_another_organization_finds_nothing(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer
) -> None:
    sold(house, kestrel)
    bea = client_of("Bea")
    assert bea.get(at(kestrel)).status_code == 404
    assert bea.get(at(kestrel).replace("acorn", "birch")).status_code == 404
