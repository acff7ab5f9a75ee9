"""The gate looks at what is counted anew as at any bill, and at bills by what is counted by now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.domain import late as core_late
from billing.models import (
    BilledPeriod,
    CorrectedPeriod,
    HeldSubscription,
    LateUsage,
    Meter,
    Subscription,
)
from billing.services.run import run_billing
from billing.services.subscriptions import end, release
from core.scope import Scope, work
from tests.billed import proven
from tests.db.billing.test_metered import counted, sold, used
from tests.metering import meter

FIRST, NEXT, AFTER, THEN = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)
CLOSED = date(2027, 1, 6)
"""No more of November can come from here on."""


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def per_call(by: Meter, **given: Any) -> Any:
    return counted(by, **{"model": "per_unit", "unit_price": Decimal(2), **given})


@pytest.fixture
def calls(acorn: Scope) -> tuple[Meter, Subscription]:
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        used(by, sub, "30", "2026-11-10T10:00Z", "first")
    run_billing(FIRST)
    run_billing(NEXT)
    return by, sub


def steps() -> list[int]:
    with work():
        return list(CorrectedPeriod.objects.order_by("id").values_list("difference_minor", flat=True))


def kinds(sub: Subscription) -> list[str]:
    with work():
        rows = HeldSubscription.objects.filter(subscription=sub).order_by("-id")[:1]
        return [each["kind"] for row in rows for each in row.findings]


def test_usage_that_was_multiplied_is_held_for_a_person(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        used(by, sub, "3000", "2026-11-11T10:00Z")
    run = run_billing(AFTER)
    assert (run.held, steps(), kinds(sub)) == (1, [], ["usage"])
    with work():
        assert LateUsage.objects.exists()
        release(sub.public_id)
    run_billing(AFTER)
    assert steps() == [600000]
    proven()


def test_what_has_ended_is_held_and_released_as_well(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        used(by, sub, "3000", "2026-11-11T10:00Z")
    assert run_billing(CLOSED).held == 1
    assert run_billing(CLOSED).held == 1
    with work():
        release(sub.public_id)
        sub.refresh_from_db()
        assert (sub.state, sub.held_at) == ("ended", None)
    run_billing(CLOSED)
    assert steps() == [600000]
    proven()


def test_what_was_down_for_a_month_and_comes_late_is_not_held(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(per_call(by), starts_on=date(2026, 10, 1))
        used(by, sub, "30", "2026-10-30T10:00Z")
    for day in (date(2026, 10, 1), FIRST, NEXT):
        run_billing(day)
    with work():
        used(by, sub, "31", "2026-11-11T10:00Z")
        used(by, sub, "29", "2026-12-02T10:00Z")
    assert run_billing(AFTER).held == 0
    assert steps() == [6200]
    with work():
        assert BilledPeriod.objects.get(period_start=NEXT, item__price__meter=by).amount_minor == 5800
    proven()


def test_a_bill_is_compared_with_what_is_counted_by_now(acorn: Scope) -> None:
    """Four, then thirty, then forty-five: eleven times the four, and no wonder after the thirty."""
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        used(by, sub, "4", "2026-11-10T10:00Z")
    run_billing(FIRST)
    run_billing(NEXT)
    with work():
        used(by, sub, "26", "2026-11-11T10:00Z")
        used(by, sub, "45", "2026-12-02T10:00Z")
    assert run_billing(AFTER).held == 0
    assert steps() == [5200]
    with time_machine.travel(datetime(2027, 1, 20, 12, tzinfo=UTC)), work():
        used(by, sub, "300", "2027-01-11T10:00Z")
    assert run_billing(THEN).held == 1
    proven()


def test_later_bills_are_compared_with_what_was_corrected(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        used(by, sub, "4", "2026-11-10T10:00Z")
    run_billing(FIRST)
    run_billing(NEXT)
    with work():
        used(by, sub, "26", "2026-11-11T10:00Z")
    run_billing(AFTER)
    with time_machine.travel(datetime(2027, 1, 20, 12, tzinfo=UTC)), work():
        used(by, sub, "45", "2027-01-11T10:00Z")
    assert run_billing(THEN).held == 0
    proven()


def test_a_correction_by_other_terms_than_the_contract_is_held(
    calls: tuple[Meter, Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = core_late.line_of
    monkeypatch.setattr(core_late, "line_of", lambda *given: replace(plain(*given), amount_minor=7777))
    by, sub = calls
    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
    assert run_billing(AFTER).held == 1
    assert kinds(sub) == ["amount"]
