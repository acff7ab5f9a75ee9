"""What meters counted becomes money: by period, to the cent, once, and as the preview says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.domain.anchors import Rhythm
from billing.models import BilledPeriod, Meter, Price, Subscription
from billing.selectors import facts_to_bill, preview
from billing.services.meters import archive_meter
from billing.services.prices import create_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import PLAIN, add_item, end_item, subscribe
from billing.services.usage_voids import void
from core.errors import Invalid
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.explain import line_view
from invoicing.models import Line
from tenants.models import User
from tests import factories
from tests.billed import proven
from tests.metering import meter, said, send

FIRST, NEXT = date(2026, 11, 1), date(2026, 12, 1)
TIERS = [{"up_to": Decimal(5), "unit_price": Decimal(7)}, {"unit_price": Decimal("6.5")}]


@pytest.fixture(autouse=True)
def _at_the_end_of_november() -> Any:
    with time_machine.travel(datetime(2026, 11, 30, 23, 30, tzinfo=UTC), tick=True):
        yield


def counted(by: Meter, **given: Any) -> Price:
    n = Price.objects.count()
    terms = {} if "model" in given else {"model": "graduated", "tiers": TIERS}
    said = {"name": "Calls", "code": f"calls-{n}", "currency": "EUR", "timing": "arrears", "meter": by.code}
    return create_price(**{**said, **terms, **given})


def sold(
    *added: Price, zone: str = "Europe/Berlin", starts_on: date = FIRST, rhythm: Rhythm = PLAIN
) -> Subscription:
    owner = factories.customer()
    Customer.objects.filter(pk=owner.pk).update(zone=zone)
    n = Price.objects.count()
    plan = create_price(name="Pro", code=f"pro-{n}", model="flat", currency="EUR", unit_price=Decimal(29))
    return subscribe(
        customer=owner.public_id,
        price=plan,
        starts_on=starts_on,
        added=[(each, Decimal(1)) for each in added],
        rhythm=rhythm,
    )


def used(by: Meter, sub: Subscription, amount: str, at: str, name: str = "") -> None:
    (answer,) = send(said(by, sub, name, amount=amount, at=datetime.fromisoformat(at)))
    assert str(answer.status) == "created", answer


def billed() -> list[tuple[str, str, int]]:
    rows = BilledPeriod.objects.exclude(item__price__meter=None).order_by("id")
    return [(str(row.period_start), str(row.period_end), row.amount_minor) for row in rows]


def test_what_was_counted_is_billed_by_its_tiers_as_the_preview_says(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by))
        for amount, at in (("4", "2026-11-02T10:00+01:00"), ("8.5", "2026-11-29T10:00+01:00")):
            used(by, sub, amount, at)
    run_billing(FIRST)
    with work():
        ((coming,), _) = preview(NEXT)
    run_billing(NEXT)
    run_billing(NEXT)
    with work():
        assert billed() == [("2026-11-01", "2026-12-01", 8375)]
        line = Line.objects.order_by("-id")[0]
        assert [each.amount_minor for each in coming.lines] == [2900, line.amount_minor]
        assert line.detail == "5 × 7.00 + 7.5 × 6.50"
        assert "Above 5: 7.5 × 6.50" in [step.label for step in line_view(line, "EUR").steps]
    proven()


@pytest.mark.parametrize(("zone", "first", "last"), [
    ("Europe/Berlin", "2026-10-31T23:00Z", "2026-11-30T22:59:59Z"),
    ("Pacific/Kiritimati", "2026-10-31T10:00Z", "2026-11-30T09:59:59Z"),
    ("Asia/Kathmandu", "2026-10-31T18:15Z", "2026-11-30T18:14:59Z"),
    ("Pacific/Pago_Pago", "2026-11-01T11:00Z", "2026-11-30T23:29:59Z"),
])  # fmt: skip
def test_a_day_begins_at_midnight_of_the_subscription(acorn: Scope, zone: str, first: str, last: str) -> None:
    """The first and the last second count, what is a second before the first is of no period that is billed."""
    terms = {"model": "per_unit", "unit_price": Decimal(1)}
    with work():
        by = meter("sum")
        sub = sold(counted(by, **terms), zone=zone)
        used(by, sub, "1", first)
        used(by, sub, "10", last)
        before = datetime.fromisoformat(first).timestamp() - 1
        used(by, sub, "100", datetime.fromtimestamp(before, UTC).isoformat())
    run_billing(NEXT)
    with work():
        assert billed() == [("2026-11-01", "2026-12-01", 1100)]
    proven()


def test_nothing_used_is_billed_as_nothing_but_a_least_amount(acorn: Scope) -> None:
    with work():
        by = meter("count")
        sold(
            counted(by, model="per_unit", unit_price=Decimal(1)),
            counted(by, model="per_unit", unit_price=Decimal(1), minimum=Decimal(5)),
        )
    run_billing(NEXT)
    with work():
        assert [minor for *_, minor in billed()] == [0, 500]
    proven()


def test_a_percentage_looks_at_each_event(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        price = counted(by, model="percentage", percent=Decimal(1), per_event=Decimal(5), free_events=3)
        one, two = sold(price), sold(price)
        for n in range(4):
            used(by, one, "10", f"2026-11-0{n + 2}T10:00Z")
        used(by, two, "10", "2026-11-02T10:00Z")
    run_billing(NEXT)
    with work():
        assert sorted(minor for *_, minor in billed()) == [0, 510]
    proven()


def test_an_item_that_ends_within_a_period_bills_what_was_used_by_then(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "3", "2026-11-10T10:00Z")
        used(by, sub, "5", "2026-11-20T10:00Z")
        end_item(sub.items.get(role="added").public_id, on=date(2026, 11, 15), today=date(2026, 11, 15))
    run_billing(NEXT)
    with work():
        assert billed() == [("2026-11-01", "2026-11-15", 600)]
    proven()


@pytest.mark.parametrize(("by_share", "minor"), [(False, [0]), (True, [500])])
def test_in_a_first_part_what_is_free_is_whole_or_its_share(
    acorn: Scope, by_share: bool, minor: list[int]
) -> None:
    """Half of November: 20 calls free, or 10, of 12 that were used at 2.50 each; other systems have it both ways."""
    terms = {"model": "per_unit", "unit_price": Decimal("2.50"), "free": Decimal(20), "by_share": by_share}
    with work():
        by = meter("sum")
        sub = sold(counted(by, **terms), starts_on=date(2026, 11, 16), rhythm=Rhythm(calendar=True))
        used(by, sub, "12", "2026-11-20T10:00Z")
    run_billing(NEXT)
    with work():
        assert [amount for *_, amount in billed()] == minor
        line = Line.objects.get(source__contains=":2026-11-16", description="Calls")
        said = [step["step"] for step in line.why]
        assert ("for_part" in said) == by_share
        labels = [step.label for step in line_view(line, "EUR").steps]
        assert ("What is free and the bounds, for a part of the period" in labels) == by_share
    proven()


@pytest.mark.parametrize(("by_share", "minor"), [(False, [1000]), (True, [500])])
def test_in_a_first_part_a_minimum_is_whole_or_its_share(
    acorn: Scope, by_share: bool, minor: list[int]
) -> None:
    terms = {"model": "per_unit", "unit_price": Decimal(1), "minimum": Decimal(10), "by_share": by_share}
    with work():
        by = meter("sum")
        sub = sold(counted(by, **terms), starts_on=date(2026, 11, 16), rhythm=Rhythm(calendar=True))
        used(by, sub, "2", "2026-11-20T10:00Z")
    run_billing(NEXT)
    with work():
        assert [amount for *_, amount in billed()] == minor
    proven()


@pytest.mark.parametrize(("by_share", "minor"), [(False, [500]), (True, [183])])
def test_in_a_first_part_a_level_costs_a_month_or_its_days(
    acorn: Scope, by_share: bool, minor: list[int]
) -> None:
    """5 held on the last 11 of November's 30 days at 1.00: the average of those days, or 11 thirtieths of it."""
    with work():
        by = meter("weighted_sum")
        price = counted(by, model="per_unit", unit_price=Decimal(1), by_share=by_share)
        sub = sold(price, starts_on=date(2026, 11, 20), rhythm=Rhythm(calendar=True))
        used(by, sub, "5", "2026-11-19T23:00Z")
    run_billing(NEXT)
    with work():
        assert [amount for *_, amount in billed()] == minor
    proven()


def test_a_part_counts_by_its_share_only_where_a_meter_does(acorn: Scope) -> None:
    with work(), pytest.raises(Invalid) as found:
        create_price(
            name="Seats", code="seats", model="per_unit", unit_price=Decimal(1), currency="EUR", by_share=True
        )
    assert set(found.value.fields) == {"by_share"}


def test_a_void_before_the_run_is_not_billed(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "3", "2026-11-10T10:00Z", "good")
        used(by, sub, "5", "2026-11-20T10:00Z", "wrong")
        void(["wrong"])
    run_billing(NEXT)
    with work():
        assert [minor for *_, minor in billed()] == [600]
    proven()


def test_what_comes_after_its_period_was_billed_is_named_by_the_replay(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "3", "2026-11-10T10:00Z")
    run_billing(NEXT)
    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
    ((late),) = replay_billing().differences
    assert (late.billed_minor, late.would) == (600, 800)


def test_what_comes_to_less_than_nothing_is_held(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "-3", "2026-11-10T10:00Z")
    run_billing(NEXT)
    with work():
        sub.refresh_from_db()
        assert "below zero" in sub.held_reason
        assert billed() == []


def test_many_are_read_in_as_many_queries_as_few(acorn: Scope) -> None:
    def asked(count: int) -> int:
        with work():
            by = meter("sum")
            prices = [counted(by), counted(by, model="percentage", percent=Decimal(1), per_event=Decimal(5))]
            ids = [sold(*prices).pk for _ in range(count)]
            with CaptureQueriesContext(connection) as queries:
                facts_to_bill(ids, NEXT)
            return len(queries)

    assert asked(6) == asked(2) <= 5


@pytest.mark.parametrize(("_case", "how", "given"), [
    ("in advance", "sum", {"timing": "advance"}),
    ("owed once", "sum", {"unit": "once", "timing": "advance"}),
    ("flat", "sum", {"model": "flat", "unit_price": Decimal(1)}),
    ("events of a count", "count", {"model": "percentage", "percent": Decimal(1), "per_event": Decimal(1)}),
    ("no such meter", "sum", {"meter": "nobody"}),
    ("events of no meter", "sum", {"meter": "", "model": "percentage", "percent": Decimal(1), "per_event": Decimal(1)}),
])  # fmt: skip
def test_a_price_and_a_meter_that_do_not_go_together_are_refused(
    acorn: Scope, _case: str, how: str, given: dict[str, Any]
) -> None:
    with work():
        by = meter(how)
        with pytest.raises(Invalid) as refused:
            counted(by, **given)
        assert list(refused.value.fields) == ["meter"]
        assert not Price.objects.exists()


def test_an_archived_meter_is_taken_by_no_new_price_and_goes_on_for_the_old(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "3", "2026-11-10T10:00Z")
        archive_meter(by.public_id)
        with pytest.raises(Invalid):
            counted(by)
    run_billing(NEXT)
    with work():
        assert [minor for *_, minor in billed()] == [600]


def test_what_is_counted_takes_no_quantity(acorn: Scope) -> None:
    with work():
        sub = sold()
        with pytest.raises(Invalid) as refused:
            add_item(sub.public_id, price=counted(meter("sum")), quantity=Decimal(3), starts_on=FIRST)
        assert list(refused.value.fields) == ["quantity"]


def test_anothers_meter_counts_for_no_price_here(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = meter("sum")
    with work():
        for name in (theirs.code, theirs.public_id):
            with pytest.raises(Invalid):
                counted(theirs, meter=name)


def test_more_events_than_can_be_looked_at_are_held_with_their_own_reason(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.selectors.values_of", lambda asked: {})
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="percentage", percent=Decimal(1), per_event=Decimal(5)))
        used(by, sub, "3", "2026-11-10T10:00Z")
    run_billing(NEXT)
    with work():
        sub.refresh_from_db()
        assert "more single events" in sub.held_reason


def test_a_change_to_what_is_counted_is_previewed_without_an_amount(acorn: Scope) -> None:
    client = Client()
    client.force_login(User.objects.get(email="ana@acorn.example"))
    with work():
        sub = sold()
        price = counted(meter("sum"), model="percentage", percent=Decimal(1), per_event=Decimal(5))
    wish = {"price": price.public_id, "quantity": "1", "on": "2026-12-01"}
    page = client.post(f"/o/acorn/subscriptions/{sub.public_id}/change/preview/", wish).content.decode()
    assert "as counted" in page
    assert client.post(f"/o/acorn/subscriptions/{sub.public_id}/change/", wish).status_code == 302


def test_a_day_that_a_zone_left_out_has_no_usage(acorn: Scope) -> None:
    """Samoa had no 30 December 2011."""
    with work():
        by = meter("sum")
        daily = counted(by, model="per_unit", unit_price=Decimal(2), unit="day")
        sub = sold(daily, zone="Pacific/Apia", starts_on=date(2011, 12, 29))
        (facts,) = facts_to_bill([sub.pk], date(2011, 12, 31))
        (item,) = [each for each in facts.items if each.meter_id]
        assert {start: each.quantity for start, each in item.used.items()} == {
            date(2011, 12, 29): 0, date(2011, 12, 30): 0,
        }  # fmt: skip
