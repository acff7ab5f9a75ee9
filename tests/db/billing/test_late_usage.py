"""What was counted or voided after its period was billed is billed or credited once, as if it had been there then."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.domain.pricing import plain
from billing.listing import subscription
from billing.models import BilledPeriod, CorrectedPeriod, LateUsage, Meter, Subscription
from billing.previews import next_bill
from billing.selectors import preview
from billing.services.run import run_billing
from billing.services.subscriptions import end
from billing.services.usage_voids import void
from core.models import OutboxEvent
from core.scope import Scope, work
from invoicing.listing import DocumentFilter
from invoicing.listing import documents as of
from invoicing.models import Document, Line
from receivables.selectors import item_states
from tests import factories
from tests.billed import proven
from tests.db.billing.test_metered import TIERS, counted, sold, used
from tests.metering import meter, said, send

FIRST, NEXT, AFTER = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
PER_UNIT = {"model": "per_unit", "unit_price": Decimal(2)}


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def calls(acorn: Scope) -> tuple[Meter, Subscription]:
    """November is billed: three calls at 2.00 each."""
    with work():
        by = meter("sum")
        sub = sold(counted(by, **PER_UNIT))
        used(by, sub, "3", "2026-11-10T10:00Z", "three")
    run_billing(FIRST)
    run_billing(NEXT)
    return by, sub


def corrected() -> list[tuple[int, str, str, int, int]]:
    with work():
        rows = CorrectedPeriod.objects.order_by("id")
        return [
            (
                row.nth,
                plain(row.quantity_before),
                plain(row.quantity_now),
                row.difference_minor,
                row.after_minor,
            )
            for row in rows
        ]


def documents(kind: str = "invoice") -> list[int]:
    with work():
        return list(Document.objects.filter(kind=kind).order_by("id").values_list("net_minor", flat=True))


def open_of(document: Document) -> int:
    state = item_states([document.public_id]).get(document.public_id)
    return state.open_minor if state else 0


def test_what_comes_late_stands_on_the_next_invoice_with_its_reason(
    calls: tuple[Meter, Subscription],
) -> None:
    by, sub = calls
    with work():
        used(by, sub, "1.5", "2026-11-11T10:00Z")
        used(by, sub, "4", "2026-12-02T10:00Z")
        ((coming,), _) = preview(AFTER)
        shown = next_bill(subscription(sub.public_id), today=AFTER)
    run_billing(date(2026, 12, 3))
    assert corrected() == []
    run_billing(AFTER)
    assert corrected() == [(1, "3", "4.5", 300, 900)]
    with work():
        last = Document.objects.order_by("-id")[0]
        lines = list(Line.objects.filter(document=last).order_by("position"))
        assert [line.amount_minor for line in lines] == [2900, 800, 300]
        assert [each.amount_minor for each in coming.drafts] == [2900, 800, 300]
        assert shown.totals is not None
        assert shown.totals.net_minor == 4000
        line = lines[-1]
        assert (line.service_start, line.service_end) == (FIRST, NEXT)
        assert line.detail == "4.5 counted by now, 3 when it was billed: 4.5 × 2.00, less 6.00 billed before"
        assert [each["step"] for each in line.why] == [
            "recounted",
            "period",
            "per_unit",
            "billed_before",
            "rounded",
        ]
        assert not LateUsage.objects.exists()
    proven()
    run_billing(AFTER)
    run_billing(date(2027, 2, 1))
    assert len(corrected()) == 1
    proven()


def test_what_is_void_is_credited_over_its_invoice_and_pays_the_next(
    calls: tuple[Meter, Subscription],
) -> None:
    with work():
        void(["three"])
    run_billing(AFTER)
    assert corrected() == [(1, "3", "0", -600, 0)]
    assert documents("credit_note") == [600]
    with work():
        note = Document.objects.get(kind="credit_note")
        first, second = Document.objects.filter(kind="invoice").order_by("id")[1:]
        assert note.credits_id == first.pk
        assert (first.net_minor, second.net_minor) == (3500, 2900)
        assert open_of(first) == first.total_minor - note.total_minor
    proven()


def test_up_and_down_comes_to_the_last_count_and_takes_the_newest_back_first(
    calls: tuple[Meter, Subscription],
) -> None:
    by, sub = calls
    with work():
        used(by, sub, "5", "2026-11-11T10:00Z", "five")
    run_billing(AFTER)
    with work():
        void(["three", "five"])
        used(by, sub, "2", "2026-11-12T10:00Z")
    run_billing(date(2027, 2, 1))
    assert corrected() == [(1, "3", "8", 1000, 1600), (2, "8", "2", -1000, 600), (3, "8", "2", -200, 400)]
    with work():
        notes = Document.objects.filter(kind="credit_note").order_by("id")
        first, second = Document.objects.filter(kind="invoice").order_by("id")[1:3]
        assert {(note.credits_id, note.net_minor) for note in notes} == {(first.pk, 200), (second.pk, 1000)}
    proven()


def test_a_difference_of_nothing_writes_nothing_and_is_looked_at_once(
    calls: tuple[Meter, Subscription],
) -> None:
    by, sub = calls
    with work():
        used(by, sub, "0", "2026-11-11T10:00Z")
        assert LateUsage.objects.count() == 1
    run_billing(AFTER)
    assert corrected() == []
    with work():
        assert not LateUsage.objects.exists()
    proven()


def test_an_ended_one_is_corrected_when_no_more_can_come(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        sub.refresh_from_db()
        assert sub.state == "ended"
        version = sub.version
        for n in range(3):
            used(by, sub, "1", f"2026-11-1{n}T10:00Z")
    run_billing(date(2027, 1, 5))
    assert corrected() == []
    run_billing(date(2027, 1, 6))
    assert corrected() == [(1, "3", "6", 600, 1200)]
    assert documents() == [2900, 3500, 600]
    with work():
        its_own = of(DocumentFilter(subscription=sub.public_id, kind="invoice"), today=NEXT)
        assert sorted(its_own.values_list("net_minor", flat=True)) == [600, 2900, 3500]
        sub.refresh_from_db()
        assert (sub.state, sub.version) == ("ended", version)
    run_billing(date(2027, 1, 6))
    run_billing(date(2027, 1, 7))
    assert len(corrected()) == 1
    proven()


def test_an_ended_one_with_less_is_credited_and_asked_back(calls: tuple[Meter, Subscription]) -> None:
    _, sub = calls
    with work():
        factories.pay(Document.objects.order_by("-id")[0], on=NEXT)
        end(sub.public_id, on=NEXT, today=NEXT, refund=True)
    run_billing(NEXT)
    with work():
        void(["three"])
    run_billing(date(2027, 1, 6))
    assert documents("credit_note") == [2900, 600]
    with work():
        asked = OutboxEvent.objects.filter(name="refund.asked").order_by("id")
        assert [each.payload["amount_minor"] for each in asked] == [3451, 714]
    proven()


def test_what_is_replaced_by_an_event_of_another_time_is_taken_back(
    calls: tuple[Meter, Subscription],
) -> None:
    """It was used in December, not in November."""
    by, sub = calls
    with work():
        (answer,) = send(
            said(by, sub, "right", amount="3", at=datetime(2026, 12, 2, 10, tzinfo=UTC), replaces="three")
        )
        assert str(answer.status) == "created"
    run_billing(AFTER)
    assert corrected() == [(1, "3", "0", -600, 0)]
    with work():
        rows = BilledPeriod.objects.filter(item__price__meter=by).order_by("id")
        assert [row.amount_minor for row in rows] == [600, 600]
    proven()


def test_usage_on_time_leaves_no_mark(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        used(by, sub, "1", "2026-12-01T00:00+01:00")
        assert not LateUsage.objects.exists()
        used(by, sub, "1", "2026-11-30T23:59:59+01:00")
        assert LateUsage.objects.count() == 1


def test_a_level_that_was_other_all_along_changes_all_that_follow(acorn: Scope) -> None:
    """Weighted sums go on from one period to the next: 10 more from 30 October on are 10 more in November."""
    with work():
        by = meter("weighted_sum")
        sub = sold(counted(by, **PER_UNIT))
    run_billing(NEXT)
    with work():
        used(by, sub, "10", "2026-10-30T10:00Z")
    run_billing(AFTER)
    assert corrected() == [(1, "0", "10", 2000, 2000)]
    proven()


@pytest.mark.parametrize("given", [
    {},
    {"model": "volume", "tiers": TIERS},
    {"model": "package", "unit_price": Decimal("0.99"), "per": Decimal(3)},
    {"model": "per_unit", "unit_price": Decimal("0.333"), "minimum": Decimal(5)},
    {"model": "percentage", "percent": Decimal("2.9"), "per_event": Decimal("0.3"), "free_events": 2},
    {"model": "stairstep", "tiers": [{"up_to": Decimal(5), "flat": Decimal(7)}, {"flat": Decimal(11)}]},
])  # fmt: skip
def test_by_any_price_the_steps_come_to_one_bill(acorn: Scope, given: dict[str, Any]) -> None:
    with work():
        by = meter("sum")
        price = counted(by, **given)
        late, prompt = sold(price), sold(price)
        for n, (amount, day) in enumerate([("2", 4), ("3.7", 5), ("9", 6), ("1.3", 7)]):
            used(by, prompt, amount, f"2026-11-0{day}T10:00Z", f"p{n}")
        used(by, late, "2", "2026-11-04T10:00Z")
    run_billing(NEXT)
    with work():
        used(by, late, "3.7", "2026-11-05T10:00Z")
        used(by, late, "4", "2026-11-05T11:00Z", "wrong")
    run_billing(AFTER)
    with work():
        void(["wrong"])
        used(by, late, "9", "2026-11-06T10:00Z")
        used(by, late, "1.3", "2026-11-07T10:00Z")
    run_billing(date(2027, 2, 1))
    with work():
        rows = BilledPeriod.objects.filter(item__price=price, period_start=FIRST)
        once = rows.get(subscription=prompt).amount_minor
        steps = CorrectedPeriod.objects.filter(subscription=late).values_list("difference_minor", flat=True)
        assert rows.get(subscription=late).amount_minor + sum(steps) == once
    proven()
