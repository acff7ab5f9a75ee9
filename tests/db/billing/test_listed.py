"""Subscriptions whose periods begin on listed days: billed from any day on, changed both ways, paused and ended."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.expectation import missed
from billing.models import BilledPeriod, HeldSubscription, Price, Subscription
from billing.offers import is_alike
from billing.selectors import preview, subscription_facts
from billing.services.change import change, subscribe_in_steps
from billing.services.lifecycle import pause
from billing.services.prices import own_price
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import add_item, end
from billing.services.usage_alerts import period_at
from core import clock
from core.errors import Invalid
from core.scope import Scope, work
from invoicing.models import Line
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import credited, documents, flat, state
from tests.listed import QUARTER_DAYS, TERMS

BEGINS = date(2026, 5, 4)


def listed(price: int = 900, dates: tuple[str, ...] = QUARTER_DAYS, **given: object) -> Price:
    return flat(price, unit="dates", dates=list(dates), **given)


def bought(price: Price, starts_on: date = BEGINS, **given: object) -> Subscription:
    return factories.subscribe(
        customer=factories.customer().public_id, price=price, starts_on=starts_on, **given
    )  # type: ignore[arg-type]


def run(first: date, last: date) -> None:
    """Bill on each day on which something is due; each bill is as the preview of that day says, and none is held."""
    day = first
    while day <= last:
        with work():
            seen = [line.amount_minor for each in preview(day)[0] for line in each.drafts]
            before = BilledPeriod.objects.count()
        assert run_billing(day).held == 0, list(HeldSubscription.objects.values_list("reason", flat=True))
        with work():
            rows = BilledPeriod.objects.order_by("id").values_list("amount_minor", flat=True)[before:]
            assert sorted(rows) == sorted(seen)
            coming = Subscription.objects.exclude(state="ended").order_by("next_bill_on").first()
        day = max(coming.next_bill_on, day + timedelta(days=1)) if coming else date.max


def test_two_years_from_the_middle_of_a_period_are_billed_on_their_days(acorn: Scope) -> None:
    with work():
        bought(listed())
    run(BEGINS, date(2028, 3, 25))
    assert billed() == [
        ("2026-05-04", "2026-06-24", 50440),
        ("2026-06-24", "2026-09-29", 90000),
        ("2026-09-29", "2026-12-25", 90000),
        ("2026-12-25", "2027-03-25", 90000),
        ("2027-03-25", "2027-06-24", 90000),
        ("2027-06-24", "2027-09-29", 90000),
        ("2027-09-29", "2027-12-25", 90000),
        ("2027-12-25", "2028-03-25", 90000),
        ("2028-03-25", "2028-06-24", 90000),
    ]  # fmt: skip
    proven()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_day_begins_where_the_customer_is(acorn: Scope, zone: str) -> None:
    with work():
        sub = bought(listed(), date(2026, 3, 25))
        Subscription.objects.filter(pk=sub.pk).update(zone=zone)
    run_billing(date(2026, 3, 25))
    assert billed() == [("2026-03-25", "2026-06-24", 90000)]
    assert state(sub) == ("active", "2026-06-24")
    proven()


def test_no_anchor_moves_the_days(acorn: Scope) -> None:
    rhythms = (
        Rhythm(), Rhythm(calendar=True), Rhythm(anchor_day=31), Rhythm(anchor=date(2020, 1, 13)),
    )  # fmt: skip
    with work():
        price = listed(dates=TERMS)
        for rhythm in rhythms:
            bought(price, rhythm=rhythm)
    run_billing(date(2026, 9, 1))
    assert set(billed()) == {("2026-05-04", "2026-09-01", 50943), ("2026-09-01", "2027-02-01", 90000)}
    proven()


def test_a_trial_ends_within_a_period_and_the_rest_of_it_is_billed(acorn: Scope) -> None:
    with work():
        bought(listed(), rhythm=Rhythm(trial_days=14))
    run(BEGINS, date(2026, 6, 24))
    assert billed() == [("2026-05-18", "2026-06-24", 36593), ("2026-06-24", "2026-09-29", 90000)]
    proven()


def test_from_a_month_to_listed_days_and_back(acorn: Scope) -> None:
    """At the end of the month under way a part of the listed period begins; back at a listed day, part of a month."""
    with work():
        monthly, terms = flat(300), listed(dates=TERMS)
        sub = bought(monthly)
    run_billing(BEGINS)
    with work():
        change(sub.public_id, price=terms, today=BEGINS)
    run(date(2026, 6, 4), date(2026, 8, 1))
    assert billed() == [("2026-05-04", "2026-06-04", 30000), ("2026-06-04", "2026-09-01", 37783)]
    with work():
        change(sub.public_id, price=monthly, today=date(2026, 8, 1))
    run(date(2026, 9, 1), date(2026, 9, 4))
    assert billed()[2:] == [("2026-09-01", "2026-09-04", 2903), ("2026-09-04", "2026-10-04", 30000)]
    assert credited() == []
    proven()


def test_a_change_within_a_listed_period_credits_its_rest_by_its_own_days(acorn: Scope) -> None:
    with work():
        sub, dear = bought(listed(), date(2026, 6, 24)), listed(1800)
    run_billing(date(2026, 6, 24))
    with work():
        change(sub.public_id, price=dear, on=date(2026, 8, 1), today=date(2026, 8, 1))
    run(date(2026, 8, 1), date(2026, 9, 29))
    assert billed()[1:] == [("2026-08-01", "2026-09-29", 109485), ("2026-09-29", "2026-12-25", 180000)]
    assert credited() == [("2026-08-01", "2026-09-29", 54742)]
    proven()


@pytest.mark.parametrize(("by", "minor"), [
    (Proration.DAY, 54742), (Proration.THIRTIETH, 54742), (Proration.SECOND, 54742), (Proration.NONE, 0),
])  # fmt: skip
def test_an_end_within_a_period_credits_by_the_convention(acorn: Scope, by: Proration, minor: int) -> None:
    with work():
        sub = bought(listed(), date(2026, 6, 24), rhythm=Rhythm(proration=by))
    run_billing(date(2026, 6, 24))
    with work():
        end(sub.public_id, on=date(2026, 8, 1), today=date(2026, 8, 1))
    run_billing(date(2026, 8, 1))
    assert sum(each[2] for each in credited()) == minor
    assert state(sub)[0] == "ended"
    proven()


def test_a_pause_within_a_period_goes_on_up_to_the_next_listed_day(acorn: Scope) -> None:
    with work():
        sub = bought(listed(), date(2026, 6, 24))
    run_billing(date(2026, 6, 24))
    with work():
        pause(sub.public_id, on=date(2026, 8, 1), resumes_on=date(2026, 11, 1), today=date(2026, 8, 1))
    run(date(2026, 8, 1), date(2026, 12, 25))
    assert billed()[1:] == [("2026-11-01", "2026-12-25", 55862), ("2026-12-25", "2027-03-25", 90000)]
    assert credited() == [("2026-08-01", "2026-09-29", 54742)]
    proven()


def test_the_end_of_so_many_periods_is_a_listed_day(acorn: Scope) -> None:
    with work():
        wishes = [
            Step(unit_price=Decimal(950), after_periods=2),
            Step(unit_price=Decimal(980), after_periods=4),
        ]
        made = subscribe_in_steps(
            customer=factories.customer().public_id,
            price=listed(),
            starts_on=BEGINS,
            steps=wishes,
            today=BEGINS,
        )
        days = [str(day) for day in made.items.order_by("starts_on").values_list("starts_on", flat=True)]
    assert days == ["2026-05-04", "2026-09-29", "2027-03-25"]
    run(BEGINS, date(2027, 3, 25))
    assert [minor for *_, minor in billed()] == [50440, 90000, 95000, 95000, 98000]
    proven()


def test_what_is_beside_a_plan_has_days_of_its_own(acorn: Scope) -> None:
    """A month in arrears and school terms in advance: each goes its way, and the gate finds nothing odd in either."""
    with work():
        sub = bought(listed(dates=TERMS))
        add_item(sub.public_id, price=priced(timing="arrears"), starts_on=BEGINS)
    run(BEGINS, date(2026, 9, 4))
    assert [each[:2] for each in billed()] == [
        ("2026-05-04", "2026-09-01"), ("2026-05-04", "2026-06-04"), ("2026-06-04", "2026-07-04"),
        ("2026-07-04", "2026-08-04"), ("2026-08-04", "2026-09-04"), ("2026-09-01", "2027-02-01"),
    ]  # fmt: skip
    proven()


def test_very_unequal_periods_are_not_odd_to_the_gate(acorn: Scope) -> None:
    """A fortnight costs what the rest of the year does, for six customers; a seventh has another price of the plan."""
    with work():
        plan = {"dates": ("09-01", "09-15"), "name": "Camp", "code": "camp"}
        price = listed(900, **plan)  # type: ignore[arg-type]
        for _ in range(6):
            bought(price, date(2026, 9, 1))
    run(date(2026, 9, 1), date(2026, 9, 14))
    with work():
        bought(flat(155, name="Camp", code="camp"), date(2026, 9, 15))
    run(date(2026, 9, 15), date(2027, 9, 15))
    proven()


def test_what_no_run_came_for_is_missed_on_its_listed_day_and_not_before(acorn: Scope) -> None:
    with work():
        sub = bought(listed(timing="arrears"), date(2026, 6, 24))
        Subscription.objects.filter(pk=sub.pk).update(next_bill_on=date(2027, 1, 1))
        assert [missed(date(2026, 9, day)) for day in (28, 29)] == [[], [sub.pk]]


def test_alerts_of_usage_count_from_a_listed_day(acorn: Scope) -> None:
    with work():
        sub = bought(listed(), date(2026, 1, 1))
        at = clock.wall().replace(year=2026, month=7, day=15)
        found = period_at(sub, at)
        assert found is not None
        assert (str(found.start), str(found.end)) == ("2026-06-24", "2026-09-29")


def test_others_on_listed_days_are_nothing_to_count_from(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        factories.subscribe(customer=owner.public_id, price=listed(), starts_on=BEGINS)
        wish = {"customer": owner.public_id, "price": flat(10), "rhythm": Rhythm(with_others=True)}
        with pytest.raises(Invalid) as refused:
            factories.subscribe(starts_on=date(2026, 6, 1), **wish)
        assert "with_others" in refused.value.fields
        factories.subscribe(customer=owner.public_id, price=flat(10), starts_on=date(2026, 5, 20))
        made = factories.subscribe(starts_on=date(2026, 6, 1), **wish)
        assert made.anchor == date(2026, 5, 20)


def test_an_own_price_keeps_the_days(acorn: Scope) -> None:
    with work():
        assert own_price(listed(), Decimal(850)).dates == list(QUARTER_DAYS)


@pytest.mark.parametrize(("given", "field"), [
    ({"dates": []}, "dates"),
    ({"dates": ["03-25", "03-25"]}, "dates.1"),
    ({"every": 2}, "every"),
    ({"unit": "month"}, "dates"),
])  # fmt: skip
def test_a_list_that_cannot_be_is_refused(acorn: Scope, given: dict[str, object], field: str) -> None:
    with work():
        with pytest.raises(Invalid) as refused:
            flat(900, **{"unit": "dates", "dates": list(QUARTER_DAYS), **given})
        assert list(refused.value.fields) == [field]
        assert Price.objects.count() == 0


def test_days_are_kept_in_the_order_of_the_year(acorn: Scope) -> None:
    with work():
        assert listed(dates=("12-25", "03-25", "09-29", "06-24")).dates == list(QUARTER_DAYS)


@pytest.mark.parametrize("broken", [
    {"dates": []}, {"every": 2}, {"unit": "month"}, {"unit": "once"},
])  # fmt: skip
def test_the_database_holds_days_and_interval_together(acorn: Scope, broken: dict[str, object]) -> None:
    with work():
        price = listed()
        with pytest.raises(IntegrityError, match="price_listed"), work():
            Price.objects.filter(pk=price.pk).update(**broken)


def test_lists_add_one_statement_to_a_look_for_what_is_missed(acorn: Scope) -> None:
    with work():
        for n in range(3):
            bought(listed(dates=(f"0{n + 1}-01", "09-01"), timing="arrears"))
        with CaptureQueriesContext(
            connection,
        ) as seen:
            missed(date(2026, 5, 5))
    assert len(seen) == 2


def test_documents_say_the_days_of_the_period(acorn: Scope) -> None:
    with work():
        bought(listed(), date(2026, 6, 24))
    run_billing(date(2026, 6, 24))
    assert documents() == [("invoice", 90000, 90000)]
    with work():
        line = Line.objects.get()
        assert (str(line.service_start), str(line.service_end)) == ("2026-06-24", "2026-09-29")
        assert [step["step"] for step in line.why] == ["period", "flat", "rounded"]


def test_a_price_is_alike_only_where_it_lists_the_same_days(acorn: Scope) -> None:
    """As an offer on the customer's page: of the same periods where there is one."""
    with work():
        sub = bought(listed(dates=TERMS))
        (facts,) = subscription_facts([sub.pk])
        (item,) = facts.items
        assert is_alike(listed(dates=TERMS), item)
        assert not is_alike(listed(), item)
        assert not is_alike(flat(30), item)
