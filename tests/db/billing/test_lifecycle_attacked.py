"""What once lost a pause, a discount or a cent: acts in the order in which nobody means them."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import SubscriptionItem
from billing.services.change import change, revoke_change
from billing.services.discounts import discount
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item
from core.errors import Conflict, Invalid
from core.models import OutboxEvent
from core.scope import Scope, work
from customers.services.customers import set_archived
from invoicing.models import Document
from receivables.selectors import item_states
from receivables.services.reserve import release, reserve
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, credited, flat, state

SOON, AUGUST, SEPTEMBER = date(2026, 6, 20), date(2026, 8, 1), date(2026, 9, 1)
IN_JUNE = [("2026-06-01", "2026-07-01", 1000), ("2026-06-01", "2026-07-01", 500)]


def test_what_an_amount_left_of_a_period_is_credited_by_its_days_also_in_two_steps(acorn: Scope) -> None:
    """100 less 60 are 40: half of it back from the 16th on, the rest when it ends where it began."""
    with work():
        sub = bought(1)
        added = add_item(sub.public_id, price=flat(100), starts_on=JUNE)
        discount(
            sub.public_id, name="x", amount=Decimal(60), plans=[added.price.plan.code], today=JUNE
        )  # fmt: skip
    run_billing(JUNE)
    with work():
        end_item(added.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        end(sub.public_id, on=JUNE, today=MID)
    run_billing(MID)
    assert sorted(credited()) == [
        ("2026-06-01", "2026-06-16", 2000),
        ("2026-06-01", "2026-07-01", 100),
        ("2026-06-16", "2026-07-01", 2000),
    ]
    proven()


def test_two_steps_of_a_credit_leave_no_cent(acorn: Scope) -> None:
    """10.008 are billed as 10.01; half of it is 5.00, twice."""
    with work():
        sub = bought(1)
        price = priced(model="flat", unit_price=Decimal("10.008"))
        added = add_item(sub.public_id, price=price, starts_on=JUNE)
    run_billing(JUNE)
    with work():
        end_item(added.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        end(sub.public_id, on=JUNE, today=MID)
    run_billing(MID)
    assert sum(minor for *_, minor in credited()) == 1001 + 100
    proven()


def test_a_refund_is_not_asked_of_what_is_only_promised(acorn: Scope) -> None:
    """A payment of the whole invoice is under way when half of it is credited."""
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        invoice = Document.objects.get()
        promised = {item_states([invoice.public_id])[invoice.public_id].item_id: 1000}
        reserve(promised)
        end(sub.public_id, on=MID, today=MID, refund=True)
    run_billing(MID)
    assert credited() == [("2026-06-16", "2026-07-01", 500)]
    with work():
        assert not OutboxEvent.objects.filter(name="refund.asked").exists()
        release(promised)
    proven()


@pytest.mark.parametrize("first_run", [True, False])
def test_a_second_pause_on_the_day_of_the_first_begins_again_once(acorn: Scope, first_run: bool) -> None:
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        resume(sub.public_id, on=MID, today=MID)
    if first_run:
        run_billing(MID)
    with work():
        pause(sub.public_id, on=MID, today=MID)
        resume(sub.public_id, on=SOON, today=MID)
    run_billing(SOON)
    assert billed()[-1] == ("2026-06-20", "2026-07-01", 367)
    assert len(billed()) == 2 + first_run
    proven()


def test_a_second_pause_then_an_end_and_it_begins_again_once(acorn: Scope) -> None:
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        resume(sub.public_id, on=MID, today=MID)
        pause(sub.public_id, on=MID, today=MID)
        end(sub.public_id, on=SOON, today=MID)
        reactivate(sub.public_id, on=SOON, today=SOON)
    run_billing(SOON)
    assert billed()[-1] == ("2026-06-20", "2026-07-01", 367)
    proven()


@pytest.mark.parametrize("paused_on", [MID, JULY])
def test_a_change_to_come_is_another_in_a_pause_and_is_not_lost(acorn: Scope, paused_on: date) -> None:
    with work():
        sub = bought(10)
        change(sub.public_id, price=flat(20), on=MID, today=JUNE)
        pause(sub.public_id, on=paused_on, today=JUNE)
        change(sub.public_id, price=flat(40), on=MID, today=JUNE)
    run_billing(JULY)
    assert billed()[0] == ("2026-06-01", "2026-06-16", 500)
    assert max(last for _, last, _ in billed()) == str(paused_on)
    assert state(sub)[0] == "paused"
    with work():
        resume(sub.public_id, on=AUGUST, today=AUGUST)
    run_billing(AUGUST)
    assert billed()[-1] == ("2026-08-01", "2026-09-01", 4000)
    proven()


def test_paused_from_its_first_day_it_may_be_changed_and_bills_nothing(acorn: Scope) -> None:
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=JUNE, today=JUNE)
        change(sub.public_id, price=flat(20), today=JUNE)
        revoke_change(sub.public_id, today=JUNE)
        change(sub.public_id, price=flat(30), on=JULY, today=JUNE)
    run_billing(JULY)
    assert (state(sub)[0], credited()) == ("paused", [("2026-06-01", "2026-07-01", 1000)])
    with work():
        resume(sub.public_id, on=AUGUST, today=AUGUST)
    run_billing(AUGUST)
    assert billed()[1:] == [("2026-08-01", "2026-09-01", 3000)]
    proven()


@pytest.mark.parametrize("resumes_on", [None, AUGUST])
def test_what_is_paused_does_not_end_later_than_its_pause(acorn: Scope, resumes_on: date | None) -> None:
    with work():
        sub = bought(10)
        added = add_item(sub.public_id, price=flat(5), starts_on=JUNE)
        pause(sub.public_id, on=JULY, resumes_on=resumes_on, today=JUNE)
        with pytest.raises(Conflict, match="paused from 2026-07-01"):
            end_item(added.public_id, on=SEPTEMBER, today=JUNE)
    run_billing(JULY)
    assert billed() == IN_JUNE
    proven()


def test_what_is_added_is_not_billed_in_a_pause(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        pause(sub.public_id, on=MID, resumes_on=AUGUST, today=JUNE)
        for day in (SOON, JUNE):
            with pytest.raises(Conflict, match="paused from 2026-06-16"):
                add_item(sub.public_id, price=flat(5), starts_on=day)
        add_item(sub.public_id, price=flat(5), starts_on=AUGUST)
        add_item(sub.public_id, price=flat(9, unit="once"), starts_on=JULY)
    run_billing(JULY)
    assert billed() == [("2026-06-01", "2026-06-16", 500), ("2026-07-01", "2026-07-02", 900)]
    proven()


def test_what_was_added_and_ended_behind_a_pause_outlives_that_it_is_taken_back(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        add_item(sub.public_id, price=flat(5), starts_on=JUNE)
        pause(sub.public_id, on=JULY, resumes_on=AUGUST, today=JUNE)
        again = SubscriptionItem.objects.get(role="added", starts_on=AUGUST)
        end_item(again.public_id, on=SEPTEMBER, today=JUNE)
        add_item(sub.public_id, price=flat(3), starts_on=AUGUST)
        resume(sub.public_id, on=JUNE, today=JUNE)
    run_billing(SEPTEMBER)
    ends = {minor: last for _, last, minor in billed()}
    assert ends == {1000: "2026-10-01", 500: "2026-09-01", 300: "2026-10-01"}
    assert billed()[:2] == IN_JUNE
    assert sorted(billed())[-1][0] == "2026-09-01"
    assert min(first for first, _, minor in billed() if minor == 300) == "2026-08-01"
    proven()


def test_what_ended_in_a_pause_stays_ended_when_that_is_taken_back(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        add_item(sub.public_id, price=flat(5), starts_on=JUNE)
        pause(sub.public_id, on=JULY, resumes_on=AUGUST, today=JUNE)
        again = SubscriptionItem.objects.get(role="added", starts_on=AUGUST)
        end_item(again.public_id, on=AUGUST, today=JUNE)
        resume(sub.public_id, on=JUNE, today=JUNE)
    run_billing(AUGUST)
    assert [minor for *_, minor in billed()].count(500) == 1
    proven()


@pytest.mark.parametrize(
    ("again", "july"), [(JUNE, ("2026-07-01", 1000)), (date(2026, 7, 16), ("2026-07-16", 516))]
)
def test_another_price_behind_a_pause_keeps_its_day_wherever_the_pause_goes(
    acorn: Scope, again: date, july: tuple[str, int]
) -> None:
    with work():
        sub = bought(10)
        pause(sub.public_id, on=JULY, resumes_on=AUGUST, today=JUNE)
        change(sub.public_id, price=flat(20), on=AUGUST, today=JUNE)
        resume(sub.public_id, on=again, today=JUNE)
    run_billing(AUGUST)
    first, minor = july
    assert billed()[1:] == [(first, "2026-08-01", minor), ("2026-08-01", "2026-09-01", 2000)]
    proven()


def test_a_discount_for_more_periods_than_there_are_days_is_refused(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        sub = factories.subscribe(
            customer=owner.public_id, price=flat(9, unit="year", every=120), starts_on=JUNE
        )
        with pytest.raises(Invalid, match="longer than days"):
            discount(sub.public_id, name="x", percent=Decimal(5), periods=120, today=JUNE)
    proven()


@pytest.mark.parametrize("ended", [MID, date(2026, 6, 10)])
def test_what_was_taken_back_from_its_first_day_begins_again_as_another(acorn: Scope, ended: date) -> None:
    """A change on the 16th was billed; then it ends on that day or before it, is credited, and begins again."""
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=flat(20), on=MID, today=MID)
    run_billing(MID)
    with work():
        end(sub.public_id, on=ended, today=MID)
    run_billing(MID)
    assert state(sub)[0] == "ended"
    with work():
        reactivate(sub.public_id, on=ended, today=MID)
    run_billing(MID)
    kept = {MID: [], date(2026, 6, 10): [("2026-06-10", "2026-06-16", 200)]}[ended]
    again = ("2026-06-16", "2026-07-01", 1000)
    assert billed()[1:] == [*kept, again, again]
    assert state(sub) == ("active", "2026-07-01")
    proven()


def test_a_refund_is_asked_of_the_end_alone(acorn: Scope) -> None:
    """It ends in September; what a change in June leaves is for the invoice of July."""
    with work():
        sub = bought(100)
    run_billing(JUNE)
    with work():
        factories.pay(Document.objects.get(), on=JUNE)
        end(sub.public_id, on=SEPTEMBER, today=MID, refund=True)
        change(sub.public_id, price=flat(40), on=MID, today=MID)
    run_billing(MID)
    assert credited() == [("2026-06-16", "2026-07-01", 5000)]
    with work():
        assert not OutboxEvent.objects.filter(name="refund.asked").exists()
    run_billing(JULY)
    with work():
        factories.pay(Document.objects.order_by("id").last(), on=JULY)
        end(sub.public_id, on=date(2026, 7, 16), today=JULY, refund=True)
    run_billing(date(2026, 7, 16))
    with work():
        (asked,) = OutboxEvent.objects.filter(name="refund.asked")
        assert asked.payload["amount_minor"] == 2065
    proven()


def test_what_is_paused_does_not_go_on_for_an_archived_customer(acorn: Scope) -> None:
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=JULY, today=MID)
        set_archived(sub.customer_id, archived=True)
        with pytest.raises(Invalid, match="archived"):
            resume(sub.public_id, on=AUGUST, today=JULY)
    proven()
