"""Customers who want one invoice of all that is due together: what is on it, to the cent, once, whatever fails."""

import threading
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain import invoices
from billing.domain.anchors import Rhythm
from billing.expectation import Expectation
from billing.models import BilledPeriod, BillingRun, Subscription
from billing.previews import next_bill, run_preview
from billing.selectors import priced
from billing.services import run as runs
from billing.services.lifecycle import pause, resume
from billing.services.run import run_billing
from billing.services.subscriptions import end, release, subscribe
from core.errors import Invalid
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document, Line
from tests import factories
from tests.billed import proven

DAY, MID, NEXT = date(2026, 11, 1), date(2026, 11, 16), date(2026, 12, 1)


def together(count: int = 0, **given: object) -> tuple[Customer, list[Subscription]]:
    """A customer who wants one invoice, with subscriptions of 1, 2, 3 … things."""
    owner = factories.customer(one_invoice=True)
    subs = [factories.subscription(owner, DAY, quantity=Decimal(n + 1), **given) for n in range(count)]
    return owner, subs


def mates() -> list[int]:
    """How many subscriptions each invoice bills."""
    with work():
        rows = set(BilledPeriod.objects.values_list("document_id", "subscription_id"))
    return sorted(Counter(document_id for document_id, _ in rows).values())


def test_what_is_due_together_stands_on_one_invoice(acorn: Scope) -> None:
    with work():
        owner, _ = together(3)
        other = factories.customer()
        for _n in range(2):
            factories.subscription(other, DAY)
    run = run_billing(DAY, batch=1)
    assert (run.documents, run.billed, run.held) == (3, 5, 0)
    with work():
        document = Document.objects.get(customer=owner)
        lines = Line.objects.filter(document=document).order_by("position")
        assert [line.quantity for line in lines] == [1, 2, 3]
        assert document.net_minor == 6 * 1450
    assert mates() == [1, 1, 3]
    assert run_billing(DAY).documents == 3
    proven()


def test_the_preview_of_each_is_that_invoice_to_the_cent(acorn: Scope) -> None:
    """Three times 19 % of 0.13 are 0.02 each; of 0.39 they are 0.07."""
    with work():
        owner, subs = together()
        terms = {"unit_price": Decimal("0.13"), "tax_percent": Decimal(19)}
        subs = [factories.subscription(owner, DAY, **terms) for _ in range(3)]
        seen = [next_bill(each, today=DAY) for each in subs]
        whole = run_preview(DAY).sums
    assert {each.totals.tax_minor for each in seen if each.totals} == {7}
    assert seen[1].others == [subs[0].public_id, subs[2].public_id]
    run_billing(DAY)
    with work():
        document = Document.objects.get()
    for each in seen:
        assert each.totals is not None
        assert (each.totals.net_minor, each.totals.tax_minor, each.totals.total_minor) == (
            document.net_minor, document.tax_minor, document.total_minor,
        )  # fmt: skip
    assert [(each.count, each.total.minor) for each in whole] == [(1, document.total_minor)]


def test_a_preview_has_of_others_what_is_due_on_that_day_alone(acorn: Scope) -> None:
    with work():
        owner, (monthly,) = together(1)
        weekly = factories.subscription(owner, DAY, unit="week")
    run_billing(DAY)
    with work():
        monthly.refresh_from_db()
        assert monthly.next_bill_on == NEXT
        alone = next_bill(monthly, today=date(2026, 11, 2))
        assert alone.others == []  # weeks from 1 November begin on the 29th and on 6 December
        weekly.refresh_from_db()
        missed = next_bill(monthly, today=NEXT)
        assert missed.others == [weekly.public_id]
        assert missed.totals is not None
    run_billing(NEXT)
    with work():
        newest = Document.objects.order_by("-id")[0]
        assert newest.total_minor == missed.totals.total_minor
        assert Line.objects.filter(document=newest).count() == 5
    proven()


def test_what_differs_in_how_it_is_collected_has_its_own(acorn: Scope) -> None:
    with work():
        _, subs = together(3)
        Subscription.objects.filter(pk=subs[1].pk).update(autopay=True)
    run_billing(DAY)
    assert mates() == [1, 2]
    proven()


def test_an_invoice_has_no_more_lines_than_anybody_reads(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoices, "MOST_LINES", 2)
    with work():
        together(5)
    run_billing(DAY)
    assert mates() == [1, 2, 2]


def test_what_is_held_is_not_on_it_and_comes_on_its_own(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        _, subs = together(3)

    def one_odd(*asked: Any) -> Any:
        charges, odd = priced(*asked)
        return [each for each in charges if each.facts.subscription_id != subs[1].pk], [
            *odd,
            *((each.facts, "Odd.") for each in charges if each.facts.subscription_id == subs[1].pk),
        ]

    with monkeypatch.context() as patched:
        patched.setattr(runs, "priced", one_odd)
        assert run_billing(DAY).held == 1
    assert mates() == [2]
    with work():
        release(subs[1].public_id)
    run_billing(DAY)
    assert mates() == [1, 2]
    proven()


def test_one_that_fails_costs_the_others_no_more_than_their_common_invoice(acorn: Scope) -> None:
    with work():
        _, fine = together(2)
        _, subs = together(3)
        draft = factories.draft_invoice(factories.customer())
        source = f"{subs[0].public_id}:{subs[0].items.get().public_id}:{DAY.isoformat()}"
        Document.objects.filter(pk=draft).update(source=source)
    run = run_billing(DAY)
    assert run.held == 1
    assert mates() == [1, 1, 2]
    with work():
        assert not BilledPeriod.objects.filter(subscription=subs[0]).exists()
        held = BilledPeriod.objects.filter(subscription__in=fine).values_list("document_id", flat=True)
        assert len(set(held)) == 1


def test_what_is_credited_of_one_is_taken_of_its_own_lines(acorn: Scope) -> None:
    with work():
        _, subs = together(3)
    run_billing(DAY)
    with work():
        end(subs[2].public_id, on=MID, today=DAY)
    run_billing(MID)
    with work():
        note = Document.objects.get(kind="credit_note")
        assert note.credits.kind == "invoice"
        assert note.net_minor == 3 * 1450 // 2
    run_billing(NEXT)
    assert mates() == [2, 3]
    proven()


def test_a_later_one_falls_due_with_the_others_after_a_first_part(acorn: Scope) -> None:
    """From the 20th to the month's end of thirty days are 11 days: 14.50 * 11 / 30 = 5.32."""
    with work():
        owner, _ = together(2)
        price = factories.subscription(factories.customer(), DAY).price
        rhythm = Rhythm(with_others=True)
        late = subscribe(customer=owner.public_id, price=price, starts_on=date(2026, 11, 20), rhythm=rhythm)
        with pytest.raises(Invalid, match="no other subscription"):
            subscribe(customer=factories.customer().public_id, price=price, starts_on=DAY, rhythm=rhythm)
    run_billing(DAY)
    run_billing(date(2026, 11, 20))
    run_billing(NEXT)
    with work():
        rows = BilledPeriod.objects.filter(subscription=late).order_by("period_start")
        assert [(row.period_end, row.amount_minor) for row in rows] == [(NEXT, 532), (date(2027, 1, 1), 1450)]
        assert Document.objects.filter(customer=owner, issued_on=NEXT).count() == 1
    proven()


def test_statements_do_not_grow_with_customers_or_subscriptions(acorn: Scope) -> None:
    def statements(customers: int, each: int) -> int:
        with work():
            for _ in range(customers):
                together(each)
            run = BillingRun.objects.get_or_create(as_of=DAY)[0]
            with CaptureQueriesContext(connection) as queries:
                runs._bill(run, runs._together(run), Expectation(DAY))
            return len(queries)

    statements(1, 2)
    assert statements(2, 2) == statements(6, 5) <= 40


@pytest.mark.usefixtures("committed_acorn")
def test_workers_beside_each_other_make_one_invoice_of_each_customer(committed_acorn: Scope) -> None:
    with work():
        for _ in range(12):
            together(4)
        rested = [together(1)[1][0] for _ in range(4)]
        for each in rested:
            pause(each.public_id, on=DAY, today=DAY)
    wrong: list[Exception] = []

    def beside(act: object, *args: object, **given: object) -> threading.Thread:
        def run() -> None:
            try:
                with enter(committed_acorn):
                    act(*args, **given)  # type: ignore[operator]
            except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
                wrong.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def resumed() -> None:
        for each in rested:
            with work():
                resume(each.public_id, on=DAY, today=DAY)

    threads = [beside(run_billing, DAY), beside(run_billing, DAY), beside(resumed), beside(run_billing, DAY)]
    for thread in threads:
        thread.join()
    assert wrong == []
    run_billing(DAY)
    assert mates() == [1] * 4 + [4] * 12
    proven()
