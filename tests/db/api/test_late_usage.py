"""What was counted after it was billed, for programs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.services.run import run_billing
from billing.services.usage_voids import void
from core.scope import Scope, enter, work
from tests.db.api.conftest import same_refusal
from tests.db.billing.test_metered import counted, sold, used
from tests.metering import meter


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def test_the_usage_says_what_was_billed_of_it(house: Scope, as_key: Any) -> None:
    with enter(house):
        with work():
            by = meter("sum")
            sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
            used(by, sub, "30", "2026-11-10T10:00Z", "first")
        run_billing(date(2026, 12, 1))
        with work():
            used(by, sub, "1", "2026-11-11T10:00Z")
        run_billing(date(2027, 1, 1))
        with work():
            void(["first"])
    query = f"/subscriptions/{sub.public_id}/usage?meter={by.code}&from=2026-11-01&to=2026-12-01"
    seen = as_key("acorn", "ana@acorn.example", rights=["usage.view", "subscriptions.view"]).get(query)
    (billed,) = seen["billed"]
    (correction,) = billed.pop("corrections")
    assert (correction["amount_minor"], correction["counted"]) == (200, "31")
    assert {name: billed[name] for name in ("counted", "billed_minor", "counted_now", "to_bill_minor")} == {
        "counted": "31", "billed_minor": 6200, "counted_now": "1", "to_bill_minor": -6000,
    }  # fmt: skip
    other = as_key("acorn", "ana@acorn.example", rights=["usage.view"]).get(query)
    assert other["billed"] == []
    theirs = as_key("birch", "bea@birch.example", rights=["usage.view", "subscriptions.view"])
    same_refusal(theirs, "GET", query, sub.public_id)
