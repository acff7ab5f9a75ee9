"""A plan's price or quantity changes from a day on that is not billed yet, can be taken back, and is billed once."""

from datetime import date
from decimal import Decimal

import pytest

from billing.listing import subscribed
from billing.models import Price, Subscription, SubscriptionItem
from billing.selectors import preview
from billing.services.change import change, revoke_change
from billing.services.prices import create_price, retire_price
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core.errors import AppError, Conflict, Invalid, NotFound
from core.scope import Scope, enter, work
from tests import factories
from tests.billed import billed, proven

DAY = date(2026, 1, 31)
TODAY = date(2026, 2, 10)


def priced(**given: object) -> Price:
    n = Price.objects.count()
    said = {
        "name": f"P{n}",
        "code": f"p{n}",
        "model": "per_unit",
        "currency": "EUR",
        "unit_price": Decimal(20),
    }
    return create_price(**{**said, **given})  # type: ignore[arg-type]


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """Two units at 14.50 a month from 31 January, billed for the first month."""
    with work():
        made = factories.subscription(factories.customer(), DAY, quantity=Decimal(2))
    run_billing(TODAY)
    return made


def test_another_quantity_holds_from_the_next_period_on(sub: Subscription) -> None:
    with work():
        changed = change(sub.public_id, quantity=Decimal(5), today=TODAY)
        assert changed.quantity == 2, "today it is what it was"
        assert subscribed() == {sub.price_id: 1}
        ((coming,), _) = preview(date(2026, 2, 28))
        assert [line.amount_minor for line in coming.lines] == [7250]
    run_billing(date(2026, 3, 1))
    assert billed() == [("2026-01-31", "2026-02-28", 2900), ("2026-02-28", "2026-03-31", 7250)]
    with work():
        sub.refresh_from_db()
        assert (sub.quantity, sub.next_bill_on) == (5, date(2026, 3, 31))
    proven()


def test_another_price_holds_from_the_next_period_on(sub: Subscription) -> None:
    with work():
        price = priced()
        change(sub.public_id, price=price, today=TODAY)
    run_billing(date(2026, 3, 1))
    assert billed()[-1] == ("2026-02-28", "2026-03-31", 4000)
    with work():
        sub.refresh_from_db()
        assert sub.price_id == price.pk
    proven()


def test_a_change_that_is_not_billed_yet_is_replaced_or_taken_back(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(5), today=TODAY)
        version = change(sub.public_id, quantity=Decimal(5), today=TODAY).version  # the same wish sent twice
        assert SubscriptionItem.objects.count() == 2
        change(sub.public_id, quantity=Decimal(7), today=TODAY)
        revoke_change(sub.public_id, today=TODAY)
        again = revoke_change(sub.public_id, today=TODAY)
        assert again.version >= version
        assert (again.quantity, again.next_bill_on) == (2, date(2026, 2, 28))
    run_billing(date(2026, 3, 1))
    assert billed()[-1] == ("2026-02-28", "2026-03-31", 2900)
    proven()


def test_wishing_back_what_is_now_takes_the_change_back(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(5), today=TODAY)
        change(sub.public_id, quantity=Decimal(2), today=TODAY)
    run_billing(date(2026, 3, 1))
    assert billed()[-1] == ("2026-02-28", "2026-03-31", 2900)
    proven()


def test_in_arrears_each_price_bills_its_days(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        one, two = (
            priced(timing="arrears", unit_price=Decimal(28)),
            priced(timing="arrears", unit_price=Decimal(56)),
        )
        sub = factories.subscribe(customer=owner.public_id, price=one, starts_on=date(2026, 2, 1))
        change(sub.public_id, price=two, on=date(2026, 2, 15), today=date(2026, 2, 14))
        sub.refresh_from_db()
        assert sub.next_bill_on == date(2026, 2, 15)
    run_billing(date(2026, 3, 1))
    assert billed() == [("2026-02-01", "2026-02-15", 1400), ("2026-02-15", "2026-03-01", 2800)]
    proven()


def test_a_change_long_due_is_billed_at_its_day(sub: Subscription) -> None:
    """The run was late: the day of the change is over and not billed."""
    with work():
        changed = change(sub.public_id, quantity=Decimal(3), on=date(2026, 2, 28), today=date(2026, 4, 5))
        assert changed.quantity == 3
    run_billing(date(2026, 4, 5))
    assert [minor for *_, minor in billed()] == [2900, 4350, 4350]
    proven()


def test_before_anything_is_billed_it_changes_from_the_first_day_on(acorn: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(), date(2026, 3, 1), quantity=Decimal(2))
        change(sub.public_id, quantity=Decimal(4), on=date(2026, 3, 1), today=TODAY)
    run_billing(date(2026, 3, 1))
    assert [minor for *_, minor in billed()] == [5800]
    proven()


@pytest.mark.parametrize(("_case", "wish", "field"), [
    ("before it begins", {"quantity": Decimal(5), "on": date(2026, 1, 30)}, "on"),
    ("at its end", {"quantity": Decimal(5), "on": date(2026, 12, 1)}, "on"),
    ("nothing", {"quantity": Decimal(2)}, "price"),
    ("less than nothing", {"quantity": Decimal(-1)}, "quantity"),
    ("no number", {"quantity": Decimal("NaN")}, "quantity"),
])  # fmt: skip
def test_what_cannot_be_is_named_and_nothing_changes(
    sub: Subscription, _case: str, wish: dict[str, object], field: str
) -> None:
    with work():
        end(sub.public_id, on=date(2026, 12, 1), today=date(2026, 12, 1))
        with pytest.raises(Invalid) as refused:
            change(sub.public_id, today=TODAY, **wish)  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
        item = SubscriptionItem.objects.get()
        assert (item.ends_on, item.version) == (None, 1)


def test_a_price_that_cannot_be_taken_is_refused(sub: Subscription) -> None:
    with work():
        once, dollars, gone = priced(unit="once"), priced(currency="USD"), priced()
        for price in (once, dollars, retire_price(gone.public_id)):
            with pytest.raises(Invalid):
                change(sub.public_id, price=price, today=TODAY)
        assert SubscriptionItem.objects.count() == 1


def test_a_retired_price_may_have_another_quantity(sub: Subscription) -> None:
    with work():
        retire_price(sub.price.public_id)
        change(sub.public_id, quantity=Decimal(3), today=TODAY)
    run_billing(date(2026, 3, 1))
    assert billed()[-1][2] == 4350


def test_what_has_ended_does_not_change(sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=date(2026, 2, 28), today=date(2026, 2, 28))
        for act in (lambda: change(sub.public_id, quantity=Decimal(5), today=TODAY),
                    lambda: revoke_change(sub.public_id, today=TODAY)):  # fmt: skip
            with pytest.raises(Conflict):
                act()


def test_a_change_in_force_is_not_taken_back(sub: Subscription) -> None:
    with work():
        change(sub.public_id, quantity=Decimal(5), today=TODAY)
    run_billing(date(2026, 3, 1))
    with work():
        revoke_change(sub.public_id, today=date(2026, 3, 1))  # nothing is set for later
        change(sub.public_id, quantity=Decimal(6), on=date(2026, 3, 31), today=date(2026, 3, 1))
        with pytest.raises(Conflict, match="in force"):
            revoke_change(sub.public_id, today=date(2026, 4, 1))


def test_anothers_subscription_is_not_there(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(), DAY)
    with work():
        for act in (lambda: change(theirs.public_id, quantity=Decimal(5), today=TODAY),
                    lambda: revoke_change(theirs.public_id, today=TODAY)):  # fmt: skip
            with pytest.raises((NotFound, AppError)):
                act()


def test_a_change_up_to_which_is_billed_is_no_longer_to_come(acorn: Scope) -> None:
    """In arrears the old price is billed up to the change before anything of the new one is due."""
    with work():
        owner = factories.customer()
        one, two = (
            priced(timing="arrears", unit_price=Decimal(28)),
            priced(timing="arrears", unit_price=Decimal(56)),
        )
        sub = factories.subscribe(customer=owner.public_id, price=one, starts_on=date(2026, 2, 1))
        change(sub.public_id, price=two, on=date(2026, 2, 15), today=date(2026, 2, 14))
    run_billing(date(2026, 2, 15))
    with work():
        for wish in ({"price": one}, {"quantity": Decimal(3)}):
            with pytest.raises(Invalid, match="changed on 2026-02-15"):
                change(sub.public_id, on=date(2026, 2, 14), today=date(2026, 2, 16), **wish)
        change(sub.public_id, price=one, on=date(2026, 2, 20), today=date(2026, 2, 16))
    run_billing(date(2026, 3, 1))
    assert billed() == [
        ("2026-02-01", "2026-02-15", 1400), ("2026-02-15", "2026-02-20", 1000), ("2026-02-20", "2026-03-01", 900),
    ]  # fmt: skip
    proven()


def test_a_period_that_was_cut_and_billed_ahead_stays_cut(acorn: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(), date(2026, 3, 1), quantity=Decimal(31))
        change(sub.public_id, quantity=Decimal(62), on=date(2026, 3, 11), today=TODAY)
    run_billing(date(2026, 3, 1))
    with work():
        revoke_change(sub.public_id, today=date(2026, 3, 5))  # nothing is to come any more
    run_billing(date(2026, 3, 31))
    assert [(start, end) for start, end, _ in billed()] == [
        ("2026-03-01", "2026-03-11"),
        ("2026-03-11", "2026-04-01"),
    ]
    proven()
