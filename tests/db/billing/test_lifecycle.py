"""Trials, ends and changes within a period that is billed, pauses, and what begins again: billed and credited once."""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import BillingRun, CreditedPeriod, HeldSubscription, Price, Subscription
from billing.services.change import change, revoke_change
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item
from core.errors import AppError, Conflict, Invalid
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from invoicing.models import Document
from invoicing.services.correct import void
from invoicing.services.credit import credit
from receivables.selectors import item_states
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced

JUNE, MID, JULY = date(2026, 6, 1), date(2026, 6, 16), date(2026, 7, 1)


def flat(price: int, tax: int = 0, **given: object) -> Price:
    return priced(model="flat", unit_price=Decimal(price), tax_percent=Decimal(tax), **given)


def bought(price: int, starts_on: date = JUNE, tax: int = 0, **given: object) -> Subscription:
    owner = factories.customer()
    return factories.subscribe(customer=owner.public_id, price=flat(price, tax), starts_on=starts_on, **given)  # type: ignore[arg-type]


def credited() -> list[tuple[str, str, int]]:
    with work():
        rows = CreditedPeriod.objects.order_by("period_start", "id")
        return [(str(row.period_start), str(row.period_end), row.amount_minor) for row in rows]


def documents() -> list[tuple[str, int, int]]:
    """Kind, total and what is open or left of each document, in order."""
    with work():
        rows = Document.objects.order_by("id")
        states = item_states([row.public_id for row in rows])
        return [(row.kind, row.total_minor, states[row.public_id].open_minor) for row in rows]


def state(sub: Subscription) -> tuple[str, str]:
    with work():
        sub.refresh_from_db()
        return sub.state, str(sub.next_bill_on)


def test_an_upgrade_in_the_middle_credits_the_rest_and_bills_the_new_rest(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        dear = flat(20)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=dear, on=MID, today=MID)
    run = run_billing(MID)
    assert (run.documents, run.credit_notes, run.held) == (1, 1, 0)
    assert billed() == [("2026-06-01", "2026-07-01", 1000), ("2026-06-16", "2026-07-01", 1000)]
    assert credited() == [("2026-06-16", "2026-07-01", 500)]
    assert documents() == [("invoice", 1000, 500), ("invoice", 1000, 1000), ("credit_note", 500, 0)]
    again = run_billing(MID)
    assert (again.documents, again.credit_notes) == (1, 1)
    run_billing(JULY)
    assert billed()[-1] == ("2026-07-01", "2026-08-01", 2000)
    proven()


def test_what_was_paid_of_the_old_goes_to_the_invoice_of_the_new(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        dear = flat(20)
    run_billing(JUNE)
    with work():
        factories.pay(Document.objects.get(), on=JUNE)
        change(sub.public_id, price=dear, on=MID, today=MID)
    run_billing(MID)
    assert documents() == [("invoice", 1000, 0), ("invoice", 1000, 500), ("credit_note", 500, 0)]
    proven()


def test_a_downgrade_leaves_the_customer_a_credit(acorn: Scope) -> None:
    with work():
        sub = bought(20)
        cheap = flat(10)
    run_billing(JUNE)
    with work():
        factories.pay(Document.objects.get(), on=JUNE)
        change(sub.public_id, price=cheap, on=MID, today=MID)
    run_billing(MID)
    assert documents() == [("invoice", 2000, 0), ("invoice", 500, 0), ("credit_note", 1000, 500)]
    proven()


def test_two_upgrades_on_one_day_by_the_calendar(acorn: Scope) -> None:
    """10, 15 and 19 a month, taxed, from 5 March: what another system bills and credits for the same."""
    start, day = date(2024, 3, 5), date(2024, 3, 12)
    with work():
        tax = 25
        sub = bought(10, start, tax=tax, rhythm=Rhythm(calendar=True))
        prices = [flat(n, tax) for n in (15, 19)]
    run_billing(start)
    for price in prices:
        with work():
            change(sub.public_id, price=price, on=day, today=day)
        run_billing(day)
    with work():
        rows = Document.objects.order_by("id").values_list("kind", "net_minor", "total_minor")
        invoices = [net for kind, net, _ in rows if kind == "invoice"]
        notes = [total for kind, _, total in rows if kind == "credit_note"]
    assert (invoices, notes) == ([871, 968, 1226], [806, 1210])
    proven()


def test_two_changes_before_a_run_bill_the_last(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        a, b = (flat(n) for n in (20, 40))
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=a, on=MID, today=MID)
        change(sub.public_id, price=b, on=MID, today=MID)
    run_billing(MID)
    assert billed()[1:] == [("2026-06-16", "2026-07-01", 2000)]
    assert credited() == [("2026-06-16", "2026-07-01", 500)]
    proven()


def test_a_change_to_come_within_a_billed_period_is_taken_back_without_a_trace(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        dear = flat(20)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=dear, on=MID, today=JUNE)
    assert state(sub) == ("active", "2026-06-16")
    run_billing(date(2026, 6, 15))
    with work():
        revoke_change(sub.public_id, today=date(2026, 6, 15))
    assert state(sub) == ("active", "2026-07-01")
    run_billing(JULY)
    assert credited() == []
    assert len(billed()) == 2
    proven()


def test_ended_now_the_rest_is_credited_once_with_its_tax(acorn: Scope) -> None:
    """100 by the calendar from 8 February, 20 % tax, ended after the 21st: 25 and 5 come back."""
    start, ends = date(2025, 2, 8), date(2025, 2, 22)
    with work():
        sub = bought(100, start, tax=20, rhythm=Rhythm(calendar=True))
    run_billing(start)
    with work():
        assert end(sub.public_id, on=ends, today=ends).state == "active"
        end(sub.public_id, on=ends, today=ends)
    run_billing(ends)
    run_billing(ends)
    assert documents() == [("invoice", 9000, 6000), ("credit_note", 3000, 0)]
    assert state(sub) == ("ended", "2025-02-22")
    with work():
        names = list(
            OutboxEvent.objects.filter(object_public_id=sub.public_id).values_list("name", flat=True)
        )
    assert names == ["subscription.created", "subscription.changed", "subscription.ended"]
    proven()


def test_what_was_paid_is_asked_back_and_never_more(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        factories.pay(Document.objects.get(), on=JUNE, minor=2000)
        end(sub.public_id, on=MID, today=MID, refund=True)
    run_billing(MID)
    assert documents() == [("invoice", 3000, 0), ("credit_note", 1500, 500)]
    with work():
        (asked,) = OutboxEvent.objects.filter(name="refund.asked")
        assert (asked.payload["amount_minor"], asked.payload["subscription"]) == (500, sub.public_id)
    proven()


def test_nothing_is_asked_back_of_what_was_never_paid(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=MID, refund=True)
    run_billing(MID)
    with work():
        assert not OutboxEvent.objects.filter(name="refund.asked").exists()
    proven()


def test_what_a_person_credited_before_is_not_credited_again(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        credit(Document.objects.get().public_id, on=JUNE, reason="Sorry", key="by_hand_1", amounts={1: 2900})
        end(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    assert credited() == [("2026-06-16", "2026-07-01", 100)]
    proven()


def test_of_a_void_invoice_nothing_is_credited_and_it_ends_all_the_same(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        void(Document.objects.get().public_id, on=JUNE, reason="Wrong customer")
        end(sub.public_id, on=MID, today=MID)
    assert run_billing(MID).held == 0
    assert credited() == [("2026-06-16", "2026-07-01", 0)]
    assert state(sub)[0] == "ended"
    proven()


def test_without_proration_a_part_is_neither_billed_nor_credited(acorn: Scope) -> None:
    with work():
        rhythm = Rhythm(calendar=True, proration=Proration.NONE)
        sub = bought(30, date(2026, 6, 11), rhythm=rhythm)
        dear = flat(60)
    run_billing(JULY)
    assert billed() == [("2026-06-11", "2026-07-01", 0), ("2026-07-01", "2026-08-01", 3000)]
    with work():
        change(sub.public_id, price=dear, on=date(2026, 7, 16), today=date(2026, 7, 16))
    run_billing(date(2026, 8, 1))
    assert credited() == [("2026-07-16", "2026-08-01", 0)]
    assert billed()[2:] == [("2026-07-16", "2026-08-01", 0), ("2026-08-01", "2026-09-01", 6000)]
    proven()


def test_an_add_on_of_a_year_is_credited_when_all_ends(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        yearly = flat(365, unit="year")
        add_item(sub.public_id, price=yearly, starts_on=JUNE)
    run_billing(JUNE)
    with work():
        assert end(sub.public_id, today=MID).ends_on == JULY, "the plan's period under way"
    run_billing(JULY)
    assert credited() == [("2026-07-01", "2027-06-01", 33500)]
    assert state(sub)[0] == "ended"
    proven()


def test_an_add_on_that_ends_within_its_period_is_credited(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        more = add_item(sub.public_id, price=flat(90), starts_on=JUNE)
    run_billing(JUNE)
    with work():
        end_item(more.public_id, on=MID, today=MID)
        end_item(more.public_id, on=date(2026, 6, 21), today=MID)
    run_billing(date(2026, 6, 21))
    assert credited() == [("2026-06-21", "2026-07-01", 3000)]
    with work(), pytest.raises(Conflict):
        end_item(more.public_id, on=date(2026, 6, 25), today=MID)
    proven()


def test_a_trial_costs_nothing_and_then_it_is_billed(acorn: Scope) -> None:
    with work():
        sub = bought(30, rhythm=Rhythm(trial_days=15))
    assert run_billing(date(2026, 6, 15)).documents == 0
    run_billing(MID)
    assert billed() == [("2026-06-16", "2026-07-16", 3000)]
    with work():
        sub.refresh_from_db()
        assert (sub.starts_on, sub.trial_ends_on, sub.anchor) == (JUNE, MID, MID)
    proven()


def test_after_a_trial_the_calendar_goes_on(acorn: Scope) -> None:
    with work():
        bought(50000, date(2024, 3, 5), rhythm=Rhythm(trial_days=45, calendar=True))
    run_billing(date(2024, 4, 19))
    assert billed() == [("2024-04-19", "2024-05-01", 2000000)]
    proven()


def test_ended_in_its_trial_it_never_costs_anything_and_begins_again(acorn: Scope) -> None:
    with work():
        sub = bought(30, rhythm=Rhythm(trial_days=30))
        assert end(sub.public_id, on=date(2026, 6, 10), today=date(2026, 6, 10)).state == "ended"
    assert run_billing(JULY).documents == 0
    with work():
        reactivate(sub.public_id, on=date(2026, 6, 20), today=date(2026, 6, 20))
    run_billing(JULY)
    assert billed() == [("2026-07-01", "2026-08-01", 3000)]
    proven()


def test_more_than_a_year_back_is_a_mistake(acorn: Scope) -> None:
    with work():
        sub = bought(30, date(2024, 6, 1))
        for act in (end, pause):
            with pytest.raises(Invalid, match="year back"):
                act(sub.public_id, on=date(2025, 6, 1), today=date(2026, 6, 3))
        with pytest.raises(Invalid, match="year back"):
            change(sub.public_id, quantity=Decimal(2), on=date(2025, 6, 1), today=date(2026, 6, 3))


def test_two_anchors_are_refused_at_both(acorn: Scope) -> None:
    with work(), pytest.raises(Invalid) as refused:
        bought(30, rhythm=Rhythm(anchor=JUNE, calendar=True))
    assert set(refused.value.fields) == {"anchor", "calendar"}


def test_an_anchor_may_lie_before_or_after_the_first_day(acorn: Scope) -> None:
    with work():
        bought(30, date(2026, 6, 11), rhythm=Rhythm(anchor=date(2026, 8, 1)))
        bought(30, date(2026, 6, 11), rhythm=Rhythm(anchor=date(2024, 2, 1)))
    run_billing(JULY)
    first = ("2026-06-11", "2026-07-01", 2000)
    assert billed()[:2] == [first, first]
    assert billed()[2:] == [("2026-07-01", "2026-08-01", 3000)] * 2
    proven()


def test_the_gate_lets_all_of_it_pass(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    for month in range(6, 10):
        run_billing(date(2026, month, 1))
    with work():
        change(sub.public_id, quantity=Decimal(1), price=flat(45),
               on=date(2026, 9, 10), today=date(2026, 9, 10))  # fmt: skip
    run_billing(date(2026, 9, 10))
    with work():
        pause(sub.public_id, on=date(2026, 9, 20), resumes_on=date(2026, 11, 5), today=date(2026, 9, 20))
    run_billing(date(2026, 9, 20))
    run_billing(date(2026, 11, 5))
    with work():
        end(sub.public_id, on=date(2026, 11, 15), today=date(2026, 11, 15))
    run_billing(date(2026, 11, 15))
    with work():
        assert [row.reason for row in HeldSubscription.objects.all()] == []
        assert BillingRun.objects.filter(held__gt=0).count() == 0
    assert state(sub)[0] == "ended"
    proven()


def test_another_tenant_s_subscription_is_not_there(acorn: Scope, birch: Scope) -> None:
    with work():
        sub = bought(30)
    with enter(birch), work():
        for act in (
            lambda: end(sub.public_id, on=MID, today=MID),
            lambda: pause(sub.public_id, on=MID, today=MID),
            lambda: resume(sub.public_id, on=MID, today=MID),
            lambda: reactivate(sub.public_id, today=MID),
        ):
            with pytest.raises(AppError, match="not here"):
                act()
