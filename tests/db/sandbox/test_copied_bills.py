"""What a copied subscription bills next is what the live one does, to the cent and to the day."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.listing import subscription
from billing.models import Coupon, Price, Subscription, SubscriptionDiscount, SubscriptionStep
from billing.previews import next_bill
from billing.services.change import add_step, change
from billing.services.discounts import archive_coupon, create_coupon, discount, give_coupon
from billing.services.lifecycle import pause, resume
from billing.services.prices import create_price, own_price, retire_price
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import add_item, end
from billing.standing import state_of
from core import clock
from core.books import verify
from core.scope import Scope, enter, work
from tests import factories
from tests.conftest import seat
from tests.db.sandbox.test_copying import copy

TODAY = clock.today("Europe/Berlin")
AHEAD = (0, 35, 70, 130)
"""Days from now by which bills are compared."""


def sold(starts_on: date, **given: Any) -> Subscription:
    return factories.subscription(factories.customer(), starts_on, unit_price=Decimal("29.99"), **given)


def last(day: int) -> date:
    """The last such day of a month before this one that has it."""
    found = TODAY.replace(day=1) - timedelta(days=32)
    while found.day != day:
        found -= timedelta(days=1)
    return found


def calendar() -> Subscription:
    return sold(TODAY - timedelta(days=12), rhythm=Rhythm(calendar=True), quantity=Decimal(3))


def thirty_first() -> Subscription:
    return sold(last(31))


def thirty_first_later() -> Subscription:
    return sold(TODAY - timedelta(days=9), rhythm=Rhythm(anchor_day=31))


def thirtieth() -> Subscription:
    rhythm = Rhythm(anchor_day=10, proration=Proration.THIRTIETH)
    return sold(TODAY - timedelta(days=40), rhythm=rhythm, ends_on=TODAY + timedelta(days=50))


def trial() -> Subscription:
    return sold(TODAY - timedelta(days=5), rhythm=Rhythm(trial_days=17))


def trial_to_come() -> Subscription:
    return sold(TODAY + timedelta(days=5), rhythm=Rhythm(trial_days=17, anchor_day=31))


def coupon() -> Subscription:
    made = sold(TODAY - timedelta(days=3), unit="week")
    create_coupon(code="three", name="Three", percent=Decimal("33.3333"), periods=3, plans=[], most=9)
    give_coupon(made.public_id, coupon="three", today=TODAY)
    day = TODAY - timedelta(days=1)
    discount(made.public_id, name="Five off", amount=Decimal(5), per="line", on=day, today=TODAY)
    discount(made.public_id, name="Two off a bill", amount=Decimal(2), on=day, today=TODAY)
    return made


def paused() -> Subscription:
    made = sold(TODAY - timedelta(days=20))
    day = TODAY - timedelta(days=2)
    pause(made.public_id, on=day, resumes_on=TODAY + timedelta(days=11), today=TODAY)
    return made


def pause_to_come() -> Subscription:
    made = sold(TODAY - timedelta(days=20))
    days = {"on": TODAY + timedelta(days=30), "resumes_on": TODAY + timedelta(days=45)}
    pause(made.public_id, **days, today=TODAY)
    return made


def changed_later() -> Subscription:
    made = sold(TODAY - timedelta(days=20))
    change(made.public_id, quantity=Decimal(7), today=TODAY)
    return made


def by_the_second() -> Subscription:
    """A change that has come, one that is to come and the end, each at a time of its day."""
    rhythm = Rhythm(calendar=True, proration=Proration.SECOND)
    made = sold(TODAY - timedelta(days=40), rhythm=rhythm)
    for ahead, at in ((-3, time(6)), (17, time(18, 30))):
        day = TODAY + timedelta(days=ahead)
        change(made.public_id, quantity=Decimal(20 + ahead), on=day, at=at, today=TODAY)
    return end(made.public_id, on=TODAY + timedelta(days=60), at=time(12), today=TODAY)


def in_steps() -> Subscription:
    """Steps that say a quantity or a price alone, one that changes nothing by now, and one within the pause."""
    made = sold(TODAY - timedelta(days=20))
    dear = create_price(
        name="Dear", code=f"dear-{made.pk}", model="per_unit", currency="EUR", unit_price=Decimal(40)
    )
    for ahead, step in (
        (15, Step(quantity=Decimal(3))), (60, Step(quantity=Decimal(5))), (40, Step(quantity=Decimal(5))),
        (25, Step(price=dear)),
    ):  # fmt: skip
        add_step(made.public_id, replace(step, on=TODAY + timedelta(days=ahead)), today=TODAY)
    days = {"on": TODAY + timedelta(days=30), "resumes_on": TODAY + timedelta(days=45)}
    return pause(made.public_id, **days, today=TODAY)


def many() -> Subscription:
    """A yearly plan with something in arrears beside it, and a fee to come."""
    made = sold(TODAY - timedelta(days=45), unit="year", rhythm=Rhythm(anchor_day=31))
    said: dict[str, Any] = {"currency": "EUR", "model": "per_unit", "unit_price": Decimal("0.37")}
    seats = create_price(name="Seats", code=f"seats-{made.pk}", timing="arrears", **said)
    fee = create_price(name="Move", code=f"move-{made.pk}", unit="once", **said)
    add_item(made.public_id, price=seats, quantity=Decimal(11), starts_on=TODAY - timedelta(days=40))
    add_item(made.public_id, price=fee, starts_on=TODAY + timedelta(days=4))
    return made


def own() -> Subscription:
    base = sold(TODAY + timedelta(days=90)).price
    price = own_price(base, Decimal("17.5001"))
    retire_price(base.public_id)
    owner = factories.customer()
    return factories.subscribe(customer=owner.public_id, price=price, starts_on=TODAY - timedelta(days=3))


LIVES: list[Callable[[], Subscription]] = [
    calendar, thirty_first, thirty_first_later, thirtieth, trial, trial_to_come, coupon, paused, pause_to_come,
    changed_later, by_the_second, in_steps, many, own,
]  # fmt: skip


def bills(public_id: str) -> list[Any]:
    """The lines and sums of what is due by several days; credits of live invoices stay with the live one."""
    row = subscription(public_id)
    found: list[Any] = [state_of(row)]
    for days in AHEAD:
        bill = next_bill(row, today=TODAY + timedelta(days=days))
        lines = bill.charge.lines if bill.charge else ()
        found += [
            bill.odd,
            bill.totals and (bill.totals.net_minor, bill.totals.tax_minor, bill.totals.total_minor),
        ]
        found += [
            (
                each.description,
                each.detail,
                each.quantity,
                each.amount_minor,
                each.service_start,
                each.service_end,
            )
            for each in lines
        ]
    return found


@pytest.fixture
def lives(sandbox: Scope) -> dict[str, str]:
    """Public ids of live subscriptions by name, each billed up to today."""
    with work():
        made = {life.__name__: life().public_id for life in LIVES}
    run_billing(TODAY)
    with work():
        return made


def twins(sandbox: Scope) -> dict[str, str]:
    """Public ids of the copies by those of the live ones."""
    with enter(sandbox), work():
        return dict(Subscription.objects.values_list("external_id", "public_id"))


def test_next_bills_are_equal_to_the_cent(sandbox: Scope, lives: dict[str, str]) -> None:
    with work():
        before = {name: bills(public_id) for name, public_id in lives.items()}
        assert [before[name][0] for name in ("trial", "trial_to_come", "paused")] == [
            "trialing", "scheduled", "paused",
        ]  # fmt: skip
        assert all(each[2] or each[-1] for each in before.values()), "each bills something"
    assert copy(sandbox).state == "done"
    found = twins(sandbox)
    with enter(sandbox), work():
        for name, public_id in lives.items():
            assert bills(found[public_id]) == before[name], name
        assert verify() == []


def test_billed_day_by_day_the_copy_bills_what_the_live_one_does(
    sandbox: Scope, lives: dict[str, str]
) -> None:
    """The run's own bills by the last day compared, the coupon's last period among them."""
    copy(sandbox)
    found = twins(sandbox)

    def all_of(public_id: str) -> list[Any]:
        row = subscription(public_id)
        bill = next_bill(row, today=TODAY + timedelta(days=300))
        assert bill.charge is not None
        return [
            (due.span, line.amount_minor)
            for due, line in zip(bill.charge.dues, bill.charge.lines, strict=True)
        ]

    for name, public_id in lives.items():
        if name == "coupon":
            continue  # weekly: too many periods at once
        with work():
            live = all_of(public_id)
        with enter(sandbox), work():
            assert all_of(found[public_id]) == live, name


def test_a_coupon_goes_on_with_what_is_left_of_it(sandbox: Scope, lives: dict[str, str]) -> None:
    with work():
        archive_coupon(create_coupon(code="gone", name="Gone", amount=Decimal(3), currency="EUR").public_id)
        create_coupon(code="once", name="Once", percent=Decimal(10), periods=1, most=2, until=TODAY)
    copy(sandbox)
    copy(sandbox)
    with enter(sandbox), work():
        rows = Coupon.objects.order_by("code")
        assert [(row.code, row.given, row.most, row.archived_at is not None) for row in rows] == [
            ("gone", 0, None, True), ("once", 0, 2, False), ("three", 1, 9, False),
        ]  # fmt: skip
        off = SubscriptionDiscount.objects.order_by("id")
        assert [(row.coupon and row.coupon.code, row.name, row.per) for row in off] == [
            ("three", "Three", "line"),
            (None, "Five off", "line"),
            (None, "Two off a bill", "bill"),
        ]
        assert Subscription.objects.count() == len(LIVES) + 1
        assert Price.objects.get(unit_price=Decimal("17.5001")).overrides is not None, (
            "offered to nobody else"
        )
    with work():
        live = SubscriptionDiscount.objects.get(coupon__code="three")
    assert (off[0].starts_on, off[0].ends_on) == (live.starts_on, live.ends_on)
    assert live.ends_on == TODAY + timedelta(days=18), "three weeks, one of them used"


def test_what_is_over_of_a_discount_stays_behind(sandbox: Scope) -> None:
    with work():
        made = sold(TODAY - timedelta(days=40), unit="week")
        discount(
            made.public_id,
            name="Once",
            percent=Decimal(50),
            periods=1,
            on=TODAY - timedelta(days=40),
            today=TODAY,
        )
    run_billing(TODAY)
    copy(sandbox)
    with enter(sandbox), work():
        assert (Subscription.objects.count(), SubscriptionDiscount.objects.count()) == (1, 0)


def test_a_pause_is_moved_and_taken_back_here_as_there(sandbox: Scope, lives: dict[str, str]) -> None:
    copy(sandbox)
    found = twins(sandbox)
    with enter(sandbox), work():
        sooner = resume(found[lives["paused"]], on=TODAY + timedelta(days=1), today=TODAY)
        (item,) = [each for each in sooner.billed_items if each.ends_on != each.starts_on]
        assert item.starts_on == TODAY + timedelta(days=1)
        back = resume(found[lives["pause_to_come"]], on=TODAY, today=TODAY)
        assert (back.paused_on, back.resumes_on) == (None, None)
        end(found[lives["trial"]], on=TODAY + timedelta(days=6), today=TODAY)
        assert verify() == []


def test_a_step_on_the_first_day_of_a_pause_holds_wherever_that_is_moved(sandbox: Scope) -> None:
    with work():
        made = sold(TODAY - timedelta(days=10))
    run_billing(TODAY)
    with work():
        made.refresh_from_db()
        off, sooner = made.next_bill_on, made.next_bill_on + timedelta(days=20)
        add_step(made.public_id, Step(quantity=Decimal(20), on=off), today=TODAY)
        pause(made.public_id, on=off, resumes_on=off + timedelta(days=40), today=TODAY)
    copy(sandbox)
    found = twins(sandbox)
    with work():
        resume(made.public_id, on=sooner, today=TODAY)
        live = bills(made.public_id)
    with enter(sandbox), work():
        resume(found[made.public_id], on=sooner, today=TODAY)
        assert bills(found[made.public_id]) == live
        assert verify() == []


def test_a_pause_that_is_over_is_not_taken_up_again(sandbox: Scope) -> None:
    with work():
        made = sold(TODAY - timedelta(days=20), unit="week")
        days = {"on": TODAY - timedelta(days=9), "resumes_on": TODAY - timedelta(days=4)}
        pause(made.public_id, **days, today=TODAY)
    run_billing(TODAY)
    copy(sandbox)
    with enter(sandbox), work():
        (row,) = Subscription.objects.all()
        with pytest.raises(Exception, match="went on already"):
            resume(row.public_id, on=TODAY, today=TODAY)
        assert row.items.count() == 1


def test_nothing_of_another_organization_comes(sandbox: Scope, lives: dict[str, str]) -> None:
    with enter(seat("birch", "bea@birch.example")), work():
        create_coupon(code="birch", name="Birch", percent=Decimal(5))
    copy(sandbox)
    with enter(sandbox), work():
        assert list(Coupon.objects.values_list("code", flat=True)) == ["three"]


def test_what_a_customer_said_is_theirs_in_the_copy_too(sandbox: Scope) -> None:
    with work():
        changed, ended = sold(TODAY - timedelta(days=10)), sold(TODAY - timedelta(days=10))
        for on, theirs in ((40, True), (80, False)):
            day = TODAY + timedelta(days=on)
            add_step(changed.public_id, Step(quantity=Decimal(on), on=day), today=TODAY)
            SubscriptionStep.objects.filter(on=day).update(by_customer=theirs)
        end(ended.public_id, on=TODAY + timedelta(days=60), today=TODAY)
        Subscription.objects.filter(pk=ended.pk).update(ended_by_customer=True)
    copy(sandbox)
    found = twins(sandbox)
    with enter(sandbox), work():
        steps = SubscriptionStep.objects.order_by("on").values_list("by_customer", flat=True)
        assert list(steps) == [True, False]
        theirs = Subscription.objects.filter(ended_by_customer=True).values_list("public_id", flat=True)
        assert list(theirs) == [found[ended.public_id]]
