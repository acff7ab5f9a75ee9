"""The gate in a run: what is odd is held before anything is issued, and a person's yes is heard once."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import expectation
from billing.expectation import Expectation
from billing.listing import held_by
from billing.models import (
    AcceptedFinding,
    BilledPeriod,
    BillingRun,
    HeldSubscription,
    Price,
    Subscription,
    SubscriptionItem,
)
from billing.previews import run_preview
from billing.selectors import due
from billing.services import run as runs
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, release, subscribe
from core.models import AuditEntry
from core.scope import Scope, enter, work
from invoicing.models import Document
from tests import factories
from tests.conftest import seat

FIRST, SECOND, THIRD = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
Planting = Callable[[Subscription], object]


@pytest.fixture
def house(db: None) -> Iterator[Scope]:
    """Ana's scope, not judged at the end: these tests wreck rows on purpose."""
    with enter(seat("acorn", "ana@acorn.example")) as scope:
        yield scope


@pytest.fixture
def subs(house: Scope) -> list[Subscription]:
    """Six subscriptions to one price, billed twice."""
    with work():
        price = create_price(
            name="Seats", code="seats", model="per_unit", unit_price=Decimal(12), currency="EUR"
        )
        made = [
            subscribe(
                customer=factories.customer().public_id, price=price, starts_on=FIRST, quantity=Decimal(n + 3)
            )
            for n in range(6)
        ]
    run_billing(FIRST)
    run_billing(SECOND)
    return made


def found(sub: Subscription) -> list[str]:
    with work():
        rows = HeldSubscription.objects.filter(subscription=sub).order_by("-id")[:1]
        return [each["kind"] for row in rows for each in row.findings]


def documents() -> int:
    with work():
        return Document.objects.count()


def change(sub: Subscription, **values: Any) -> None:
    """What a wrong statement or a broken script leaves behind."""
    with work():
        SubscriptionItem.objects.filter(subscription=sub).update(**values)


def of_price(sub: Subscription, **values: Any) -> None:
    with work():
        copy = Price.objects.get(pk=sub.price_id)
        copy.pk, copy.public_id = None, f"price_copy{sub.pk}"
        for name, value in values.items():
            setattr(copy, name, value)
        copy.save(force_insert=True)
        SubscriptionItem.objects.filter(subscription=sub).update(price=copy)
        Subscription.objects.filter(pk=sub.pk).update(price=copy)


def of_row(sub: Subscription, **values: Any) -> None:
    with work():
        Subscription.objects.filter(pk=sub.pk).update(**values)


FAULTS: dict[str, tuple[Planting, set[str]]] = {
    "quantity doubled": (lambda sub: change(sub, quantity=sub.quantity * 2), {"quantity", "listed"}),
    "price x10": (lambda sub: of_price(sub, unit_price=Decimal(120)), {"price"}),
    "year for month": (lambda sub: of_price(sub, unit="year"), {"price", "days"}),
    "tax off": (lambda sub: of_price(sub, tax_percent=Decimal(0)), {"price", "tax"}),
    "wrong currency": (lambda sub: of_price(sub, currency="USD"), {"price", "currency", "currency_changed"}),
    "in arrears": (lambda sub: of_price(sub, timing="arrears"), {"absent"}),
    "date slipped": (lambda sub: of_row(sub, anchor=FIRST + timedelta(days=4)), {"days", "start"}),
    "period missing": (lambda sub: of_row(sub, next_bill_on=THIRD + timedelta(days=30)), {"absent"}),
    "another customer": (lambda sub: of_row(sub, customer=factories_customer()), {"customer_changed"}),
    "what lists show": (lambda sub: of_row(sub, quantity=Decimal(500)), {"listed"}),
}


def factories_customer() -> Any:
    with work():
        return factories.customer()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_held_and_the_others_are_billed(name: str, subs: list[Subscription]) -> None:
    plant, kinds = FAULTS[name]
    plant(subs[2])
    before = documents()
    run = run_billing(THIRD)
    assert (documents() - before, run.documents, run.held) == (5, 5, 1)
    assert set(found(subs[2])) & kinds, found(subs[2])
    with work():
        assert Subscription.objects.exclude(held_at=None).get().pk == subs[2].pk
        assert not BilledPeriod.objects.filter(subscription=subs[2], period_start__gte=THIRD).exists()


def test_a_price_that_was_overwritten_holds_all_who_pay_it(subs: list[Subscription]) -> None:
    with work():
        Price.objects.filter(pk=subs[0].price_id).update(unit_price=Decimal(120))
    before = documents()
    run = run_billing(THIRD)
    assert (documents() - before, run.held) == (0, 6)


def test_honest_change_passes(subs: list[Subscription]) -> None:
    with work():
        extra = create_price(
            name="Support", code="support", model="flat", unit_price=Decimal(900), currency="EUR"
        )
        add_item(subs[0].public_id, price=extra, starts_on=date(2026, 10, 15))
        end(subs[1].public_id, on=date(2026, 11, 11), today=date(2026, 11, 11))
        plan = SubscriptionItem.objects.get(subscription=subs[2])
        dear = create_price(
            name="Fleet", code="fleet", model="flat", unit_price=Decimal(7000), currency="EUR"
        )
        SubscriptionItem.objects.filter(pk=plan.pk).update(ends_on=THIRD)
        SubscriptionItem.objects.create(
            subscription=subs[2], price=dear, quantity=Decimal(1), starts_on=THIRD, role="plan"
        )
        Subscription.objects.filter(pk=subs[2].pk).update(price=dear, quantity=Decimal(1))
        SubscriptionItem.objects.filter(subscription=subs[3]).update(ends_on=THIRD)
        SubscriptionItem.objects.create(
            subscription=subs[3], price=subs[3].price, quantity=Decimal(40), starts_on=THIRD, role="plan"
        )
        Subscription.objects.filter(pk=subs[3].pk).update(quantity=Decimal(40))
        factories.subscription(factories.customer(), date(2026, 10, 20), quantity=Decimal(55))
    run = run_billing(THIRD)
    assert (run.held, run.documents) == (0, 7)


def test_what_was_billed_before_terms_were_kept_is_taken_as_it_is_now(
    house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = runs._periods

    def as_before(*args: Any) -> list[BilledPeriod]:
        rows = real(*args)
        for row in rows:
            row.terms, row.quantity = {}, None
        return rows

    with work():
        factories.subscription(factories.customer(), FIRST, quantity=Decimal(7))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_periods", as_before)
        run_billing(FIRST)
    assert run_billing(SECOND).held == 0
    assert run_billing(THIRD).held == 0


def test_a_yes_lets_these_figures_pass_and_no_others(subs: list[Subscription]) -> None:
    change(subs[2], quantity=Decimal(50))
    of_row(subs[2], quantity=Decimal(50))
    run_billing(THIRD)
    with work():
        release(subs[2].public_id)
        assert AcceptedFinding.objects.count() == 1
        release(subs[2].public_id)
        assert AcceptedFinding.objects.count() == 1, "the second click says nothing more"
    change(subs[2], quantity=Decimal(60))
    of_row(subs[2], quantity=Decimal(60))
    run = run_billing(THIRD)
    assert (run.held, found(subs[2])) == (2, ["quantity"])
    with work():
        release(subs[2].public_id)
    before = documents()
    assert run_billing(THIRD).held == 2
    assert documents() - before == 1
    with work():
        assert BilledPeriod.objects.get(subscription=subs[2], period_start=THIRD).amount_minor == 72000


def test_a_yes_is_in_the_audit(subs: list[Subscription]) -> None:
    of_price(subs[2], unit_price=Decimal(13))
    run_billing(THIRD)
    with work():
        release(subs[2].public_id)
        (row,) = AuditEntry.objects.filter(content_type__model="acceptedfinding")
        assert row.actor_id is not None
        assert AcceptedFinding.objects.get().sentence.startswith("The price is EUR 13 per month")


def test_released_a_bill_that_stayed_away_is_due_again(subs: list[Subscription]) -> None:
    of_row(subs[2], next_bill_on=date(2027, 1, 1))
    run_billing(THIRD)
    assert found(subs[2]) == ["absent"]
    with work():
        assert release(subs[2].public_id).next_bill_on == THIRD
    before = documents()
    run_billing(THIRD)
    assert documents() - before == 1


def test_the_preview_finds_what_the_run_holds(subs: list[Subscription]) -> None:
    change(subs[2], quantity=Decimal(50))
    of_row(subs[4], next_bill_on=date(2027, 1, 1))
    with work():
        shown = run_preview(THIRD)
    run = run_billing(THIRD)
    with work():
        held = {row.subscription.public_id: row.findings for row in held_by(run)}
    assert {each.subscription: each.findings for each in shown.odd} == held
    assert held.keys() == {subs[2].public_id, subs[4].public_id}
    assert (shown.count, len(shown.sums)) == (run.documents, 1)


def test_killed_between_batches_nothing_held_is_issued_and_a_rerun_finds_the_same(
    subs: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    for sub in subs[:3]:
        change(sub, quantity=Decimal(50))
    real, calls = runs._bill_batch, []

    def dies(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    before = documents()
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_bill_batch", dies)
        with pytest.raises(KeyboardInterrupt):
            run_billing(THIRD, batch=2)
    assert documents() == before
    first = [found(sub) for sub in subs[:2]]
    run = run_billing(THIRD, batch=2)
    assert (run.held, documents() - before) == (3, 3)
    assert first == [found(sub) for sub in subs[:2]]


def test_a_rerun_of_a_finished_run_holds_nothing_anew(subs: list[Subscription]) -> None:
    change(subs[2], quantity=Decimal(50))
    assert run_billing(THIRD).held == run_billing(THIRD).held == 1


def test_a_gate_that_cannot_judge_issues_nothing(
    subs: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no judgement")

    monkeypatch.setattr(expectation, "review", fails)
    before = documents()
    run = run_billing(THIRD)
    assert (documents() - before, run.held) == (0, 6)
    with work():
        assert {row.reason for row in held_by(run)} == {"ValueError: no judgement"}


def test_a_first_bill_is_compared_with_others_of_its_price(subs: list[Subscription]) -> None:
    with work():
        price = Price.objects.get(pk=subs[0].price_id)
        for _ in range(20):
            subscribe(
                customer=factories.customer().public_id, price=price, starts_on=SECOND, quantity=Decimal(5)
            )
    run_billing(SECOND)
    with work():
        one, other = (
            subscribe(
                customer=factories.customer().public_id, price=price, starts_on=THIRD, quantity=Decimal(n)
            )
            for n in (9000, 9)
        )
    assert run_billing(THIRD).held == 1
    assert (found(one), found(other)) == (["crowd_quantity"], [])


def test_statements_do_not_grow_with_the_batch_or_its_past(house: Scope) -> None:
    def statements(count: int, day: date) -> int:
        with work():
            price = factories.subscription(factories.customer(), FIRST).price
            for _ in range(count - 1):
                subscribe(customer=factories.customer().public_id, price=price, starts_on=FIRST)
        run_billing(SECOND)
        with work():
            run = BillingRun.objects.get_or_create(as_of=day)[0]
            with CaptureQueriesContext(connection) as queries:
                runs._bill(run, list(due(day).values_list("id", flat=True)), Expectation(day))
            return len(queries)

    statements(2, THIRD)
    few, many = statements(3, date(2026, 11, 2)), statements(25, date(2026, 11, 3))
    assert few == many <= 40


def test_the_preview_of_the_command_names_what_the_run_would_hold(subs: list[Subscription]) -> None:
    told, odd = StringIO(), subs[0]
    with work():
        SubscriptionItem.objects.filter(subscription=odd).update(quantity=Decimal(900))
    call_command("run_billing", organization="acorn", as_of=THIRD, preview=True, stdout=told)
    assert f"{odd.public_id} held:" in told.getvalue()
    assert f"{subs[1].public_id} {THIRD} EUR" in told.getvalue()
