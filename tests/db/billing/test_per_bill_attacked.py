"""Amounts per bill where it is hard: changes on the first day, what is put before billed days, and odd amounts."""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.mrr import mrr_on
from billing.models import Price, Subscription
from billing.selectors import subscription_facts
from billing.services.discounts import create_coupon, discount, give_coupon
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end_item
from core.errors import Invalid
from core.scope import Scope, work
from tests import factories
from tests.billed import proven
from tests.db.billing.test_discounts import amounts, nothing_held
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, flat
from tests.db.billing.test_metered import counted
from tests.db.billing.test_seconds import AUGUST, NOON, by_seconds, changed
from tests.metering import meter


def test_what_an_earlier_day_took_stays_taken_when_the_last_is_given_back(acorn: Scope) -> None:
    """An add-on has the amount in June and July; July's is taken back, then another is added for all of June."""
    with work():
        sub, first, other = bought(100), flat(50), flat(60)
        added = add_item(sub.public_id, price=first, starts_on=JUNE)
        codes = [each.plan.code for each in (first, other)]
        create_coupon(code="GIFT", name="Gift", amount=Decimal(10), currency="EUR", plans=codes)
        give_coupon(sub.public_id, coupon="GIFT", today=JUNE)
    run_billing(JULY)
    assert amounts() == [10000, 4000, 10000, 4000]
    with work():
        end_item(added.public_id, on=JULY, today=JULY)
    run_billing(JULY)
    with work():
        add_item(sub.public_id, price=other, starts_on=JUNE)
    run_billing(JULY)
    assert amounts()[2:3] + amounts()[-1:] == [6000, 5000], "June had it, and July has it again"
    nothing_held()
    proven()


def test_what_is_taken_back_in_part_keeps_its_share(acorn: Scope) -> None:
    """An add-on has June's amount and ends in the middle; another one for June has none of it."""
    with work():
        sub, first, other = bought(100), flat(50), flat(60)
        added = add_item(sub.public_id, price=first, starts_on=JUNE)
        codes = [each.plan.code for each in (first, other)]
        create_coupon(code="GIFT", name="Gift", amount=Decimal(10), currency="EUR", plans=codes)
        give_coupon(sub.public_id, coupon="GIFT", today=JUNE)
    run_billing(JUNE)
    with work():
        end_item(added.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        add_item(sub.public_id, price=other, starts_on=JUNE)
    run_billing(MID)
    assert amounts() == [10000, 4000, 6000]
    nothing_held()
    proven()


def test_what_is_added_for_a_day_before_the_last_bill_has_none_and_is_not_held(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        discount(sub.public_id, name="Gift", amount=Decimal(10), today=JUNE)
    run_billing(JULY)
    with work():
        add_item(sub.public_id, price=flat(60), starts_on=MID)
    run_billing(JULY)
    nothing_held()
    assert amounts() == [9000, 3000, 9000, 6000]
    proven()


def test_what_is_left_of_one_is_not_what_another_took_or_when(acorn: Scope) -> None:
    """30 off what is added of two plans, of which the first takes 20 a quarter; 15 off the plan every month."""
    with work():
        sub, first, other = bought(100), flat(20, unit="quarter"), flat(60, unit="quarter")
        add_item(sub.public_id, price=first, starts_on=JUNE)
        codes = [each.plan.code for each in (first, other)]
        create_coupon(code="MORE", name="More", amount=Decimal(30), currency="EUR", plans=codes)
        give_coupon(sub.public_id, coupon="MORE", today=JUNE)
        discount(sub.public_id, name="Gift", amount=Decimal(15), plans=[sub.price.plan.code], today=JUNE)
    run_billing(JULY)
    assert amounts() == [8500, 0, 8500]
    with work():
        add_item(sub.public_id, price=other, starts_on=JUNE)
    run_billing(JULY)
    assert amounts() == [8500, 0, 5000, 8500]
    nothing_held()
    proven()


def test_changed_at_a_time_of_a_first_day_the_new_plan_has_it(acorn: Scope) -> None:
    """As it would on any other day: what goes on from there is a bill of its own."""
    with work():
        sub = by_seconds(31, JUNE)
        discount(sub.public_id, name="Gift", amount=Decimal(10), today=JUNE)
    run_billing(JULY)
    changed(sub, _flat(62), JULY, NOON)
    run_billing(JULY)
    assert amounts() == [2100, 2100, 5100], "30.5 of 31 days of 62, less 10"
    nothing_held()
    run_billing(AUGUST)
    assert amounts()[3:] == [5200]
    proven()


def _flat(price: int) -> Price:
    with work():
        return flat(price)


@pytest.mark.parametrize("free", [True, False])
def test_what_is_beside_a_plan_that_is_worth_nothing_a_month_has_it_off(acorn: Scope, free: bool) -> None:
    with work():
        price = flat(0) if free else counted(meter("sum"), model="per_unit", unit_price=Decimal(3))
        sub = factories.subscribe(customer=factories.customer().public_id, price=price, starts_on=JUNE)
        add_item(sub.public_id, price=flat(50), starts_on=JUNE)
        discount(sub.public_id, name="Gift", amount=Decimal(10), today=JUNE)
        (facts,) = subscription_facts([sub.pk])
        assert mrr_on(facts, JUNE) == 4000
    run_billing(JUNE)
    assert sum(amounts()) == (4000 if free else 5000), "by a plan in arrears the first bill is that of 1 July"
    run_billing(JULY)
    assert sum(amounts()) == (8000 if free else 9000)
    nothing_held()


@pytest.mark.parametrize(("amount", "currency"), [
    ("0.005", "EUR"), ("10.001", "EUR"), ("0.5", "JPY"), ("1.0001", "KWD"), ("99999999999999", "EUR"),
])  # fmt: skip
def test_an_amount_off_a_bill_is_money_of_its_currency(acorn: Scope, amount: str, currency: str) -> None:
    with work(), pytest.raises(Invalid) as found:
        create_coupon(code="x", name="x", amount=Decimal(amount), currency=currency)
    assert set(found.value.fields) == {"amount"}
    with work():
        create_coupon(code="x", name="x", amount=Decimal(amount), currency=currency, per="line")
    if currency == "EUR":
        with work(), pytest.raises(Invalid) as found:
            discount(bought(100).public_id, name="x", amount=Decimal(amount), today=JUNE)
        assert set(found.value.fields) == {"amount"}


@pytest.mark.parametrize(("currency", "amount", "expected"), [
    ("JPY", "100", [933, 467]), ("KWD", "1.234", [99177, 49589]),
])  # fmt: skip
def test_in_whole_minor_units_of_the_currency(
    acorn: Scope, currency: str, amount: str, expected: list[int]
) -> None:
    with work():
        sub = bought_in(currency, 1000 if currency == "JPY" else 100)
        add_item(
            sub.public_id, price=flat(500 if currency == "JPY" else 50, currency=currency), starts_on=JUNE
        )
        discount(sub.public_id, name="Gift", amount=Decimal(amount), today=JUNE)
    run_billing(JUNE)
    assert amounts() == expected
    nothing_held()
    proven()


def bought_in(currency: str, price: int) -> Subscription:
    owner = factories.customer(currency=currency)
    return factories.subscribe(
        customer=owner.public_id, price=flat(price, currency=currency), starts_on=date(2026, 6, 1)
    )
