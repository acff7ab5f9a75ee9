"""Ending a subscription: from a day on that is not billed yet, and never again."""

from datetime import date

import pytest

from billing.models import BilledPeriod, Subscription
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core.errors import Conflict, Invalid
from core.scope import Scope, work
from tests import factories

DAY = date(2026, 11, 1)


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(), DAY)


def test_what_ends_where_it_is_billed_up_to_has_ended(sub: Subscription) -> None:
    run_billing(DAY)
    with work():
        ended = end(sub.public_id, on=date(2026, 12, 1), today=date(2026, 12, 1))
        assert (ended.state, ended.ends_on) == ("ended", date(2026, 12, 1))
    assert run_billing(date(2027, 3, 1)).documents == 0


def test_what_ends_later_is_billed_up_to_then(sub: Subscription) -> None:
    with work():
        assert end(sub.public_id, on=date(2026, 12, 11), today=date(2026, 12, 11)).state == "active"
    run_billing(date(2027, 3, 1))
    with work():
        assert [str(day) for day in BilledPeriod.objects.order_by("id").values_list("period_end", flat=True)] == [
            "2026-12-01", "2026-12-11",
        ]  # fmt: skip
        sub.refresh_from_db()
        assert sub.state == "ended"


@pytest.mark.parametrize("day", [date(2026, 10, 31), date(9999, 1, 1)])
def test_it_does_not_end_before_it_begins_or_out_of_range(sub: Subscription, day: date) -> None:
    run_billing(DAY)
    with work():
        with pytest.raises(Invalid) as refused:
            end(sub.public_id, on=day, today=DAY)
        assert list(refused.value.fields) == ["on"]
        sub.refresh_from_db()
        assert (sub.state, sub.ends_on) == ("active", None)


def test_what_ended_cannot_be_ended_again(sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=DAY, today=DAY)
        end(sub.public_id, on=DAY, today=DAY)  # the same wish sent twice
        with pytest.raises(Conflict):
            end(sub.public_id, on=date(2026, 12, 1), today=date(2026, 12, 1))


def test_one_that_is_held_can_be_ended(acorn: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(), date(1999, 1, 1))
    run_billing(DAY)
    with work():
        assert end(sub.public_id, on=date(1999, 1, 1), today=date(1999, 1, 1)).state == "ended"
