"""Pauses, and what begins again after an end: as it was, billed and credited once."""

from datetime import date

import pytest

from billing.models import SubscriptionItem
from billing.services.change import change
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end
from core.errors import Conflict, Invalid
from core.scope import Scope, work
from customers.services.customers import set_archived
from tests.billed import billed, proven
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, credited, flat, state


def test_paused_at_its_period_s_end_it_goes_on_when_asked(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        assert str(pause(sub.public_id, today=MID).paused_on) == "2026-07-01"
    assert state(sub) == ("paused", "2026-07-01")
    assert run_billing(date(2026, 9, 10)).documents == 0
    with work():
        resume(sub.public_id, on=date(2026, 9, 11), today=date(2026, 9, 11))
    assert run_billing(date(2026, 9, 11)).held == 0
    assert billed()[1:] == [("2026-09-11", "2026-10-01", 2000)]
    run_billing(date(2026, 10, 1))
    assert billed()[2:] == [("2026-10-01", "2026-11-01", 3000)]
    proven()


def test_paused_now_the_rest_is_credited_and_it_goes_on_by_itself(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        add_item(sub.public_id, price=flat(60), starts_on=JUNE)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=MID, resumes_on=date(2026, 7, 11), today=MID)
        pause(sub.public_id, on=MID, resumes_on=date(2026, 7, 11), today=MID)
        with pytest.raises(Conflict):
            pause(sub.public_id, on=date(2026, 6, 20), today=MID)
    run_billing(MID)
    assert [minor for *_, minor in credited()] == [1500, 3000]
    assert state(sub) == ("active", "2026-07-11")
    run_billing(date(2026, 8, 1))
    assert [minor for *_, minor in billed()[2:]] == [2032, 4065, 3000, 6000]
    proven()


def test_a_pause_that_has_not_begun_is_taken_back(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, resumes_on=date(2026, 9, 1), today=MID)
        resume(sub.public_id, on=MID, today=MID)
        sub.refresh_from_db()
        assert (sub.paused_on, sub.resumes_on) == (None, None)
    run_billing(JULY)
    assert billed()[1:] == [("2026-07-01", "2026-08-01", 3000)]
    assert credited() == []
    proven()


def test_the_day_it_goes_on_can_be_another(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, on=MID, resumes_on=date(2026, 9, 1), today=MID)
    run_billing(MID)
    with work():
        resume(sub.public_id, on=date(2026, 6, 21), today=date(2026, 6, 20))
    run_billing(date(2026, 6, 21))
    assert billed()[1:] == [("2026-06-21", "2026-07-01", 1000)]
    with work(), pytest.raises(Conflict, match="went on"):
        resume(sub.public_id, on=date(2026, 8, 1), today=date(2026, 6, 21))
    proven()


def test_a_paused_one_can_be_ended_and_taken_up_again(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        pause(sub.public_id, today=MID)
        assert end(sub.public_id, on=date(2026, 8, 1), today=MID).state == "ended"
        reactivate(sub.public_id, on=date(2026, 9, 1), today=date(2026, 9, 1))
    run_billing(date(2026, 9, 1))
    assert billed()[1:] == [("2026-09-01", "2026-10-01", 3000)]
    proven()


def test_an_end_to_come_is_taken_back(acorn: Scope) -> None:
    with work():
        sub = bought(30)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=JUNE)
        reactivate(sub.public_id, today=JUNE)
        with pytest.raises(Conflict, match="no end"):
            reactivate(sub.public_id, today=JUNE)
    run_billing(JULY)
    assert (credited(), len(billed())) == ([], 2)
    proven()


def test_what_ended_begins_again_as_it_was(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        add_item(sub.public_id, price=flat(60), starts_on=JUNE)
        add_item(sub.public_id, price=flat(5, unit="once"), starts_on=JUNE)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        with pytest.raises(Invalid):
            reactivate(sub.public_id, on=date(2026, 6, 10), today=MID)
        reactivate(sub.public_id, on=date(2026, 6, 21), today=date(2026, 6, 21))
    run_billing(date(2026, 6, 21))
    assert billed()[-2:] == [("2026-06-21", "2026-07-01", 1000), ("2026-06-21", "2026-07-01", 2000)]
    assert [minor for *_, minor in credited()] == [1500, 3000]
    proven()


def test_of_an_archived_customer_nothing_begins_again(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        end(sub.public_id, on=JUNE, today=JUNE)
        set_archived(sub.customer_id, archived=True)
        with pytest.raises(Invalid, match="archived"):
            reactivate(sub.public_id, today=JUNE)


@pytest.mark.parametrize(("_case", "wish", "field"), [
    ("before it begins", {"on": date(2026, 5, 31)}, "on"),
    ("out of range", {"on": date(9999, 1, 1)}, "on"),
    ("on before it is paused", {"on": MID, "resumes_on": MID}, "resumes_on"),
    ("beyond its end", {"on": date(2026, 12, 1)}, "on"),
    ("on beyond its end", {"on": MID, "resumes_on": date(2027, 1, 1)}, "resumes_on"),
])  # fmt: skip
def test_a_pause_that_cannot_be_is_named_and_nothing_is_written(
    acorn: Scope, _case: str, wish: dict[str, date], field: str
) -> None:
    with work():
        sub = bought(30, ends_on=date(2026, 12, 1))
        with pytest.raises(Invalid) as refused:
            pause(sub.public_id, today=JUNE, **wish)
        assert list(refused.value.fields) == [field]
        item = SubscriptionItem.objects.get()
        assert (item.ends_on, item.version) == (None, 1)


def test_a_change_to_come_is_not_lost_by_a_pause(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        change(sub.public_id, price=flat(60), on=JULY, today=JUNE)
        pause(sub.public_id, on=MID, today=JUNE)
        resume(sub.public_id, on=date(2026, 7, 11), today=JUNE)
    run_billing(JULY)
    run_billing(date(2026, 8, 1))
    assert [minor for *_, minor in billed()] == [1500, 4065, 6000]
    proven()
