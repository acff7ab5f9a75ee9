"""Discounts that came to nothing, and good bills with discounts that were held."""

from datetime import date
from decimal import Decimal

from billing.services.discounts import discount, end_discount
from billing.services.run import run_billing
from billing.services.subscriptions import add_item
from core.scope import Scope, work
from tests import factories
from tests.billed import proven
from tests.db.billing.test_discounts import amounts
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, flat

AUGUST, SEPTEMBER = date(2026, 8, 1), date(2026, 9, 1)


def test_given_once_within_a_period_it_is_for_the_next_one(acorn: Scope) -> None:
    with work():
        sub = bought(100)
    run_billing(JUNE)
    with work():
        given = discount(sub.public_id, name="x", percent=Decimal(10), periods=1, on=MID, today=MID)
        assert (given.starts_on, given.ends_on) == (MID, AUGUST)
    run_billing(AUGUST)
    assert amounts() == [10000, 9000, 10000]
    proven()


def test_by_default_it_is_for_the_first_period_that_may_have_it(acorn: Scope) -> None:
    """The plan is billed in arrears, so its period under way is not billed, but what is beside it is."""
    with work():
        owner = factories.customer()
        price = flat(100, timing="arrears")
        sub = factories.subscribe(customer=owner.public_id, price=price, starts_on=JUNE)
        add_item(sub.public_id, price=flat(10), starts_on=JUNE)
    run_billing(MID)
    with work():
        given = discount(sub.public_id, name="x", percent=Decimal(10), periods=1, today=MID)
        assert (given.starts_on, given.ends_on) == (JULY, AUGUST)
        assert end_discount(given.public_id, today=MID).ends_on == JULY
    proven()
