"""Many subscriptions are changed at once: looked at first by what does it, so that what was seen is what comes."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import (
    BilledPeriod,
    BulkChangeItem,
    CreditedPeriod,
    MrrMovement,
    Price,
    Subscription,
    SubscriptionItem,
)
from billing.services.bulk_change import Given, Wish, act_on, carry_out, look_at
from billing.services.change import change
from billing.services.lifecycle import pause
from billing.services.prices import create_price, own_price, retire_price
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core.errors import Invalid
from core.models import Effect, Job, OutboxEvent
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from tests import factories
from tests.billed import proven

DAY = date(2026, 1, 31)
TODAY = date(2026, 2, 10)


def priced(**given: Any) -> Price:
    n = Price.objects.count()
    said = {
        "name": f"P{n}",
        "code": f"p{n}",
        "model": "per_unit",
        "currency": "EUR",
        "unit_price": Decimal(20),
    }
    return create_price(**{**said, **given})


@pytest.fixture
def subs(acorn: Scope) -> list[Subscription]:
    """Four at 14.50 a month from 31 January, one of them with three units; billed for the first month."""
    with work():
        owner = factories.customer()
        made = [factories.subscription(owner, DAY, quantity=Decimal(n)) for n in (1, 1, 3, 1)]
    run_billing(TODAY)
    return made


@pytest.fixture
def dear(acorn: Scope) -> Price:
    with work():
        return priced()


def anew(rows: Sequence[Subscription]) -> list[Subscription]:
    return list(
        Subscription.objects.filter(pk__in=[row.pk for row in rows])
        .select_related("customer", "price__plan")
        .order_by("pk")
    )


def counts() -> list[Any]:
    """Everything that a change writes."""
    with work():
        models = (SubscriptionItem, OutboxEvent, MrrMovement, Effect, Document, CreditedPeriod, Job)
        versions = list(Subscription.objects.order_by("pk").values_list("version", "next_bill_on", "ends_on"))
        return [[each.objects.count() for each in models], versions]


def why(rows: Sequence[Subscription], wish: Wish) -> list[str]:
    with work():
        seen = look_at(anew(rows), wish, today=TODAY)
        return [each.error.code if each.error else "" for each in seen]


def result(day: date) -> dict[int, tuple[int, int]]:
    """What a run bills and credits of each subscription, net."""
    with work():
        known = set(BilledPeriod.objects.values_list("pk", flat=True))
    run_billing(day)
    found: dict[int, tuple[int, int]] = {}
    with work():
        for row in BilledPeriod.objects.exclude(pk__in=known):
            charge, credit = found.get(row.subscription_id, (0, 0))
            found[row.subscription_id] = (charge + row.amount_minor, credit)
        for row in CreditedPeriod.objects.all():
            charge, credit = found.get(row.subscription_id, (0, 0))
            found[row.subscription_id] = (charge, credit + row.amount_minor)
    return found


@pytest.mark.parametrize(
    "wish",
    [
        lambda price: Wish("change", price),
        lambda price: Wish("change", price, on=TODAY),
        lambda price: Wish("end", on=TODAY),
        lambda price: Wish("end", on=date(2026, 2, 20), refund=True),
        lambda price: Wish("end"),
        lambda price: Wish("pause", on=TODAY, resumes_on=date(2026, 3, 12)),
        lambda price: Wish("pause", on=TODAY),
    ],
)
def test_what_is_seen_is_what_the_next_run_does_to_the_cent(
    subs: list[Subscription], dear: Price, wish: Callable[[Price], Wish]
) -> None:
    asked = wish(dear)
    before = counts()
    with work():
        seen = look_at(anew(subs), asked, today=TODAY)
    assert counts() == before, "a look writes nothing"
    assert [each.error for each in seen] == [None] * 4
    assert all(each.charge_minor or each.credit_minor or each.bill_on is None for each in seen)
    with work():
        given = [Given(each.row.pk, each.day, each.digest) for each in seen]
        assert carry_out(given, asked, today=TODAY) == {}
    days = {each.bill_on for each in seen} - {None}
    assert len(days) <= 1
    came = result(max(days, default=TODAY))  # type: ignore[type-var]
    wanted = {each.row.pk: (each.charge_minor, each.credit_minor) for each in seen if each.bill_on}
    assert came == wanted
    proven()


def test_of_what_has_one_invoice_each_is_seen_for_itself(subs: list[Subscription], dear: Price) -> None:
    asked, due = Wish("change", dear), date(2026, 2, 28)
    with work():
        Customer.objects.update(one_invoice=True)
        seen = look_at(anew(subs), asked, today=TODAY)
        assert (
            carry_out([Given(each.row.pk, each.day, each.digest) for each in seen], asked, today=TODAY) == {}
        )
    assert result(due) == {each.row.pk: (each.charge_minor, each.credit_minor) for each in seen}
    with work():
        assert Document.objects.filter(kind="invoice").count() == len(subs) + 1
    proven()


def test_each_of_those_that_cannot_be_says_why_and_stops_no_other(
    subs: list[Subscription], dear: Price
) -> None:
    with work():
        dollars = factories.subscription(factories.customer(currency="USD"), DAY)
        change(subs[0].public_id, quantity=Decimal(5), today=TODAY)
        Subscription.objects.filter(pk=subs[1].pk).update(held_at="2026-02-09T00:00Z", held_reason="Odd.")
        end(subs[2].public_id, on=date(2026, 6, 1), today=TODAY)
    rows = [*subs, dollars]
    assert why(rows, Wish("change", dear)) == ["planned", "held", "", "", "invalid"]
    assert why(rows, Wish("change", dear, on=date(2026, 6, 1))) == [
        "planned",
        "held",
        "invalid",
        "",
        "invalid",
    ]
    assert why(rows, Wish("end")) == ["", "held", "planned", "", ""]
    assert why(rows, Wish("pause", on=date(2026, 7, 1))) == ["", "held", "invalid", "", ""]
    with work():
        mine = Price.objects.get(pk=subs[2].price_id)
        pause(subs[3].public_id, on=date(2026, 5, 1), today=TODAY)
    assert why(rows[2:4], Wish("change", mine)) == ["invalid", "conflict"], (
        "nothing would change; it is paused"
    )
    assert why(rows[3:4], Wish("pause", on=date(2026, 5, 1))) == ["unchanged"]
    assert why(rows[3:4], Wish("pause", on=date(2026, 5, 2))) == ["conflict"]


def test_one_that_is_paused_from_its_first_day_on_says_so(acorn: Scope, dear: Price) -> None:
    """It has no item of a plan that bills a day."""
    with work():
        sub = factories.subscription(factories.customer(), date(2026, 3, 1))
        pause(sub.public_id, on=date(2026, 3, 1), today=TODAY)
    assert why([sub], Wish("change", dear)) == ["conflict"]
    assert why([sub], Wish("end", on=date(2026, 3, 5))) == [""]


def test_what_has_ended_stays_ended(subs: list[Subscription], dear: Price) -> None:
    with work():
        end(subs[0].public_id, on=date(2026, 2, 5), today=TODAY)
    assert why(subs[:1], Wish("change", dear)) == ["ended"], "settled or not"
    run_billing(TODAY)
    assert why(subs[:1], Wish("change", dear)) == ["ended"]
    assert why(subs[:1], Wish("end")) == ["ended"]


@pytest.mark.parametrize("what", ["quantity", "billed", "discount", "end", "metadata", "archived"])
def test_what_was_changed_since_is_left_as_it_is(subs: list[Subscription], dear: Price, what: str) -> None:
    from billing.services.discounts import discount

    asked = Wish("change", dear, on=date(2026, 6, 15))
    with work():
        seen = look_at(anew(subs), asked, today=TODAY)
        first = subs[0]
        if what == "quantity":
            change(first.public_id, quantity=Decimal(2), on=TODAY, today=TODAY)
        elif what == "discount":
            discount(first.public_id, name="Ten", percent=Decimal(10), today=TODAY)
        elif what == "end":
            end(first.public_id, on=date(2026, 9, 1), today=TODAY)
        elif what == "metadata":
            row = Subscription.objects.get(pk=first.pk)
            row.metadata = {"a": "b"}
            row.touch("metadata")
        elif what == "archived":
            Customer.objects.update(archived_at="2026-02-09T00:00Z")
    if what == "billed":
        run_billing(date(2026, 3, 1))
    with work():
        given = [Given(each.row.pk, each.day, each.digest) for each in seen]
        refused = carry_out(given, asked, today=TODAY)
    many = len(subs) if what in {"billed", "archived"} else 1
    assert [each.code for each in refused.values()] == ["changed_since"] * many
    with work():
        assert SubscriptionItem.objects.filter(price=dear).count() == len(subs) - many
        if what == "archived":
            Customer.objects.update(archived_at=None)


def test_in_a_period_that_began_since_it_is_not_another_day_than_was_seen(
    subs: list[Subscription], dear: Price
) -> None:
    """Seen on the last day of a period it would change on the next; then that has begun, and is not billed yet."""
    asked, last, first = Wish("change", dear), date(2026, 2, 27), date(2026, 2, 28)
    with work():
        seen = look_at(anew(subs), asked, today=last)
        assert {each.day for each in seen} == {first}
        digests = {each.row.public_id: each.digest for each in seen}
        refused = act_on([row.public_id for row in subs], asked, today=first, digests=digests)
    assert [each.code for each in refused.values()] == ["changed_since"] * len(subs)


def test_one_that_is_refused_by_its_service_stops_no_other(subs: list[Subscription], dear: Price) -> None:
    asked = Wish("change", dear)
    with work():
        seen = look_at(anew(subs), asked, today=TODAY)
        retire_price(dear.public_id)
        dear.refresh_from_db()
        refused = carry_out([Given(each.row.pk, each.day, each.digest) for each in seen], asked, today=TODAY)
    assert {each.message for each in refused.values()} == {"This price is not offered any more."}
    with work():
        assert not SubscriptionItem.objects.filter(price=dear).exists()


def test_what_has_a_price_of_its_own_loses_it(subs: list[Subscription], dear: Price) -> None:
    with work():
        own = own_price(Price.objects.get(pk=subs[0].price_id), Decimal(9))
        change(subs[0].public_id, price=own, on=date(2026, 1, 31), today=TODAY)
    run_billing(TODAY)
    assert why(subs[:1], Wish("change", dear)) == [""]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        (Wish("drop"), "act"),
        (Wish("change"), "price"),
        (Wish("end", on=date(1, 1, 1)), "on"),
        (Wish("pause", on=TODAY, resumes_on=TODAY), "resumes_on"),
    ],
)
def test_a_wish_that_nothing_could_fulfil_is_refused(
    subs: list[Subscription], wish: Wish, field: str
) -> None:
    before = counts()
    with work(), pytest.raises(Invalid) as refused:
        act_on([each.public_id for each in subs], wish, today=TODAY)
    assert field in refused.value.fields
    assert counts() == before


def test_by_ids_each_is_told_of_and_others_are_absent(
    subs: list[Subscription], dear: Price, birch: Scope
) -> None:
    ids = [subs[0].public_id, "sub_nowhere", subs[1].public_id]
    with work():
        left = act_on(ids, Wish("change", dear), today=TODAY, digests={subs[1].public_id: "other"})
    assert {name: each.code for name, each in left.items()} == {
        "sub_nowhere": "not_found",
        subs[1].public_id: "changed_since",
    }


def test_a_look_takes_no_more_statements_for_each_of_many(subs: list[Subscription], dear: Price) -> None:
    with work():
        owner = factories.customer()
        many = [factories.subscription(owner, DAY) for _ in range(12)]
    run_billing(TODAY)
    wish = Wish("change", dear, on=TODAY)

    def statements(rows: Sequence[Subscription]) -> int:
        with work():
            read = anew(rows)
            with CaptureQueriesContext(connection) as captured:
                look_at(read, wish, today=TODAY)
        return len(captured)

    statements(many[:1])
    one, three, twelve = (statements(many[:n]) for n in (1, 3, 12))
    assert (twelve - three) / 9 == (three - one) / 2, (
        "each takes as many, and what is read for all is read once"
    )
    assert three - one <= 2 * 90


def test_no_item_of_a_bulk_change_is_without_a_day(subs: list[Subscription], acorn: Scope) -> None:
    from django.db import IntegrityError, transaction

    from billing.models import BulkChange
    from billing.services import bulk_jobs

    with work():
        name = bulk_jobs.start(Wish("end"), {"ids": [subs[0].public_id]}, today=TODAY, key="k" * 20)
        row = BulkChange.objects.get(public_id=name)
        said = {"bulk": row, "subscription": subs[0], "price_id": subs[0].price_id, "quantity": 1}
        with pytest.raises(IntegrityError), transaction.atomic():
            BulkChangeItem.objects.create(**said, outcome="fits", seen="x", currency="EUR")
        BulkChangeItem.objects.create(**said, outcome="unfit", seen="x", currency="EUR")
        with pytest.raises(IntegrityError), transaction.atomic():
            BulkChangeItem.objects.create(**said, outcome="unfit", seen="x", currency="EUR")
