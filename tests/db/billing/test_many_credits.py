"""Runs that credit many at once: as many statements as for few, each note as it would be alone."""

from datetime import date

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.expectation import Expectation
from billing.models import CreditedPeriod, Subscription
from billing.previews import next_bill
from billing.selectors import billable
from billing.services import run as runs
from billing.services.change import change
from billing.services.run import open_run, run_billing
from billing.services.subscriptions import end, subscribe
from core.models import StateChange
from core.scope import Scope, work
from invoicing.models import Document
from invoicing.services.correct import give_up
from receivables.selectors import item_states
from tests import factories
from tests.billed import proven
from tests.db.billing.test_lifecycle import JUNE, MID, bought, flat


def statements(day: date, size: int) -> int:
    rows = list(billable(day).order_by("-id")[:size])
    assert len(rows) == size
    with CaptureQueriesContext(connection) as seen:
        runs._bill(open_run(day), [row.pk for row in rows], Expectation(day))
    return len(seen)


def test_a_batch_that_credits_many_takes_as_many_statements_as_for_few(acorn: Scope) -> None:
    with work():
        dear = flat(20)
        subs = [bought(10, tax=19) for _ in range(24)]
    run_billing(JUNE)
    with work():
        for n, sub in enumerate(subs):
            if n % 3:
                factories.pay(Document.objects.get(customer=sub.customer), on=JUNE)
            if n % 2:
                end(sub.public_id, on=MID, today=MID, refund=True)
            else:
                change(sub.public_id, price=dear, on=MID, today=MID)
        statements(MID, 2)  # what is read once is read
        few, many = statements(MID, 4), statements(MID, 18)
        assert CreditedPeriod.objects.count() == 24
    assert few == many
    proven()


def test_notes_over_one_invoice_take_what_the_ones_before_left(acorn: Scope) -> None:
    """Three subscriptions on one invoice end at once: three notes, whose tax adds up to that of the days."""
    with work():
        owner = factories.customer(one_invoice=True)
        price = flat(1, tax=19)
        subs = [subscribe(customer=owner.public_id, price=price, starts_on=JUNE) for _ in range(3)]
    run_billing(JUNE)
    with work():
        for sub in subs:
            end(sub.public_id, on=JUNE, today=JUNE)
        first = next_bill(Subscription.objects.get(pk=subs[0].pk), today=JUNE)
    run = run_billing(MID)
    assert run.credit_notes == 3
    with work():
        invoice = Document.objects.get(kind="invoice")
        notes = list(Document.objects.filter(kind="credit_note").order_by("id"))
        assert (invoice.net_minor, invoice.tax_minor) == (300, 57)
        assert [(each.net_minor, each.tax_minor) for each in notes] == [(100, 19)] * 3
        assert [each.totals.total_minor for each in first.credits] == [119]
        assert item_states([invoice.public_id])[invoice.public_id].open_minor == 0
    proven()


def test_among_many_one_that_was_given_up_is_taken_up_as_far_as_its_note_needs(acorn: Scope) -> None:
    with work():
        subs = [bought(100) for _ in range(3)]
    run_billing(JUNE)
    with work():
        given_up = Document.objects.get(customer=subs[1].customer)
        give_up(given_up.public_id, minor=9000, on=JUNE, reason="insolvent", key="w")
        for sub in subs:
            end(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        states = item_states(
            list(Document.objects.filter(kind="invoice").values_list("public_id", flat=True))
        )
        assert sorted(each.open_minor for each in states.values()) == [0, 5000, 5000]
        notes = Document.objects.filter(kind="credit_note")
        assert {
            each.open_minor for each in item_states(notes.values_list("public_id", flat=True)).values()
        } == {0}
        assert notes.count() == 3
    proven()


def test_each_note_says_its_own_reason(acorn: Scope) -> None:
    with work():
        for day in (11, 21):
            end(bought(10).public_id, on=date(2026, 6, day), today=JUNE)
    run_billing(JUNE)
    run_billing(date(2026, 6, 25))
    with work():
        notes = Document.objects.filter(kind="credit_note").order_by("id")
        said = dict(StateChange.objects.filter(to_state="issued").values_list("object_public_id", "reason"))
        assert [said[each.public_id] for each in notes] == [each.memo for each in notes]
