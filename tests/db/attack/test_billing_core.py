"""What a subscription comes to when it is used against the grain: far days, large numbers, changes upon changes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.domain.pricing import Model, Terms, Tier, price
from billing.models import BilledPeriod, Price, Subscription, SubscriptionItem
from billing.quotes import quoted
from billing.selectors import preview
from billing.services.change import change, revoke_change
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item
from core.errors import Invalid
from core.scope import work
from tests import factories
from tests.billed import billed, proven
from tests.metering import meter, said, send

DAY = date(2026, 1, 1)
TODAY = date(2026, 1, 20)


def priced(**given: object) -> Price:
    n = Price.objects.count()
    said = {
        "name": f"P{n}",
        "code": f"p{n}",
        "model": "per_unit",
        "currency": "EUR",
        "unit_price": Decimal(31),
    }
    return create_price(**{**said, **given})  # type: ignore[arg-type]


def sold(price: Price, **given: object) -> Subscription:
    owner = factories.customer()
    return factories.subscribe(customer=owner.public_id, price=price, starts_on=DAY, **given)  # type: ignore[arg-type]


def test_an_amount_beyond_all_money_is_refused_in_words() -> None:
    most = Decimal(10) ** 12
    tiers = Terms(Model.GRADUATED, tiers=(Tier(up_to=most, unit_price=most), Tier()))
    bounded = Terms(Model.PER_UNIT, unit_price=most, maximum=Decimal(5))
    with pytest.raises(Invalid, match="too large"):
        quoted(tiers, "EUR", most)
    assert price(bounded, most).amount == 5


@pytest.mark.usefixtures("acorn")
def test_a_day_out_of_range_is_refused_in_words() -> None:
    far = date(9999, 12, 31)
    with work():
        sub = sold(priced())
        extra = priced()
        item = add_item(sub.public_id, price=extra, starts_on=DAY)
        with pytest.raises(Invalid):
            add_item(sub.public_id, price=extra, starts_on=far)
        with pytest.raises(Invalid):
            change(sub.public_id, quantity=Decimal(5), on=far, today=TODAY)
        with pytest.raises(Invalid):
            end_item(item.public_id, on=far, today=far)


@pytest.mark.usefixtures("acorn")
def test_what_begins_later_does_not_keep_a_subscription_from_ending() -> None:
    """Nothing is billed of it: neither of a change taken back, nor of one to come, nor of what is added later."""
    with work():
        sub = sold(priced())
        add_item(sub.public_id, price=priced(), starts_on=date(2026, 5, 1))
        change(sub.public_id, quantity=Decimal(5), on=date(2026, 4, 1), today=TODAY)
        revoke_change(sub.public_id, today=TODAY)
        change(sub.public_id, quantity=Decimal(2), on=date(2026, 3, 1), today=TODAY)
        end(sub.public_id, on=date(2026, 2, 1), today=date(2026, 2, 1))
    run_billing(date(2026, 6, 1))
    assert billed() == [("2026-01-01", "2026-02-01", 3100)]
    with work():
        sub.refresh_from_db()
        assert (sub.state, sub.quantity) == ("ended", 1), "the change to come never was"
    proven()


@pytest.mark.usefixtures("acorn")
def test_a_change_in_force_is_not_undone_by_the_next_one() -> None:
    """In arrears nothing of either is billed yet: each price bills its days, and the next goes on from the second."""
    with work():
        dear = priced(timing="arrears", unit_price=Decimal(62))
        sub = sold(priced(timing="arrears"))
        change(sub.public_id, price=dear, on=date(2026, 1, 11), today=TODAY)
        change(sub.public_id, price=dear, on=date(2026, 1, 11), today=TODAY)  # the same wish sent twice
        change(sub.public_id, quantity=Decimal(3), today=TODAY)
    run_billing(date(2026, 3, 1))
    assert billed() == [
        ("2026-01-01", "2026-01-11", 1000),
        ("2026-01-11", "2026-02-01", 4200),
        ("2026-02-01", "2026-03-01", 18600),
    ]
    proven()


@pytest.mark.usefixtures("acorn")
def test_many_metered_periods_are_billed_again_as_they_were() -> None:
    with work():
        by = meter("sum")
        daily = priced(timing="arrears", unit="day", meter=by.code, unit_price=Decimal(1))
        sold(priced(), added=[(daily, Decimal(1))])
    for n in (30, 60):
        with time_machine.travel(datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n)):
            run_billing(DAY + timedelta(days=n))
    with work():
        assert BilledPeriod.objects.exclude(item__price__meter=None).count() == 60
    proven()


@pytest.mark.usefixtures("acorn")
def test_more_than_can_be_written_is_held_in_words_as_the_preview_says() -> None:
    with work():
        by = meter("sum")
        tiny = priced(timing="arrears", meter=by.code, unit_price=Decimal("1e-12"))
        sub = sold(priced(), added=[(tiny, Decimal(1))])
    with time_machine.travel(datetime(2026, 1, 30, 12, tzinfo=UTC)):
        with work():
            send(*(said(by, sub, amount="999999999999999") for _ in range(11)))
            _, ((_facts, why),) = preview(date(2026, 2, 1))
        run_billing(date(2026, 2, 1))
    with work():
        sub.refresh_from_db()
        assert sub.held_reason == why == "The quantity is too large."


@pytest.mark.usefixtures("acorn")
def test_a_change_from_the_first_day_on_sent_twice_is_one() -> None:
    with work():
        sub = sold(priced())
        for _ in range(2):
            change(sub.public_id, quantity=Decimal(4), on=DAY, today=DAY)
        assert SubscriptionItem.objects.count() == 2
    run_billing(DAY)
    assert billed() == [("2026-01-01", "2026-02-01", 12400)]
