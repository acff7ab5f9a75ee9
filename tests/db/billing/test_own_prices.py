"""A unit price that was agreed for single subscriptions: the same price otherwise, kept once, offered to nobody."""

from datetime import date
from decimal import Decimal

import pytest

from billing import listing
from billing.models import HeldSubscription, Price
from billing.services.change import change
from billing.services.prices import own_price, retire_price
from billing.services.run import run_billing
from core.errors import Invalid
from core.scope import Scope, work
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced

DAY = date(2026, 6, 1)


def test_it_is_billed_at_its_own_price_and_at_the_other_s_again(acorn: Scope) -> None:
    with work():
        base = priced(unit_price=Decimal(20))
        own = own_price(base, Decimal("17.50"))
        owner = factories.customer()
        sub = factories.subscribe(customer=owner.public_id, price=own, starts_on=DAY, quantity=Decimal(2))
    run_billing(DAY)
    with work():
        assert own_price(own, Decimal(20)) == base
        change(sub.public_id, price=base, today=DAY)
    run_billing(date(2026, 7, 1))
    assert [minor for *_, minor in billed()] == [3500, 4000]
    with work():
        assert not HeldSubscription.objects.exists()
    proven()


def test_it_is_kept_once_and_offered_to_nobody(acorn: Scope) -> None:
    with work():
        base = priced(unit_price=Decimal(20), tax_percent=Decimal(7))
        one, two = own_price(base, Decimal(15)), own_price(base, Decimal("15.00"))
        assert one == two
        assert own_price(one, Decimal(14)).overrides == base, "of an own price too"
        assert (one.plan, one.tax_percent, one.unit) == (base.plan, base.tax_percent, base.unit)
        assert listing.prices() == [base]
        assert list(listing.price_rows()) == [base]
        assert [prices for _, prices in listing.plans()] == [[base]]


@pytest.mark.parametrize("wrong", [Decimal(-1), Decimal("NaN"), Decimal(10**15)])
def test_what_is_no_price_is_refused(acorn: Scope, wrong: Decimal) -> None:
    with work():
        base = priced(unit_price=Decimal(20))
        with pytest.raises(Invalid) as refused:
            own_price(base, wrong)
        assert list(refused.value.fields) == ["unit_price"]
        assert Price.objects.count() == 1


def test_tiers_and_retired_prices_have_none(acorn: Scope) -> None:
    with work():
        tiers = priced(
            model="graduated", tiers=[{"up_to": Decimal(5), "unit_price": Decimal(7)}, {"unit_price": Decimal(6)}],
            unit_price=None,
        )  # fmt: skip
        old = priced(unit_price=Decimal(20))
        own = own_price(old, Decimal(19))
        old = retire_price(old.public_id)
        for base in (tiers, old, own):
            with pytest.raises(Invalid):
                own_price(base, Decimal(1))
