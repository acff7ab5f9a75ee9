"""Prorated by the second, what changes or ends at a time of day shares that day: nothing twice, nothing left out."""

from datetime import date, time
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import Price, Subscription, SubscriptionItem
from billing.previews import next_bill
from billing.ramps import upcoming
from billing.services.change import add_step, change
from billing.services.lifecycle import pause, reactivate
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.errors import Invalid
from core.scope import Scope, work
from invoicing.models import Line
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import bought, credited, flat
from tests.metering import meter

JULY, MID, AUGUST = date(2026, 7, 1), date(2026, 7, 16), date(2026, 8, 1)
NOON = time(12)
WHOLE = ("2026-07-01", "2026-08-01")


def by_seconds(price: Price | int, starts_on: date = JULY, **given: object) -> Subscription:
    """A subscription that is prorated by the second, by the calendar's months."""
    rhythm = Rhythm(calendar=True, proration=Proration.SECOND)
    if isinstance(price, int):
        return bought(price, starts_on, rhythm=rhythm, **given)
    owner = factories.customer()
    return factories.subscribe(
        customer=owner.public_id, price=price, starts_on=starts_on, rhythm=rhythm, **given
    )  # type: ignore[arg-type]


def changed(sub: Subscription, price: Price, on: date, at: time) -> Subscription:
    with work():
        return change(sub.public_id, price=price, on=on, at=at, today=on)


def plan(sub: Subscription) -> list[tuple[str, str, str, str]]:
    """First day and time, last day and time of each item that bills."""
    with work():
        rows = SubscriptionItem.objects.filter(subscription=sub).order_by("starts_on", "id")
        lived = [row for row in rows if row.ends_on != row.starts_on]
        return [
            (str(row.starts_on), f"{row.starts_time:%H:%M}", str(row.ends_on or ""), f"{row.ends_time:%H:%M}")
            for row in lived
        ]


def test_at_the_exact_half_of_a_month_of_31_days(acorn: Scope) -> None:
    """10 to 20 a month at its half: 5 back and 10 more."""
    with work():
        sub, dear = by_seconds(10), flat(20)
    run_billing(JULY)
    changed(sub, dear, MID, NOON)
    with work():
        bill = next_bill(Subscription.objects.get(), today=MID, settled=True)
        assert bill.totals is not None
        assert (bill.totals.total_minor, bill.due_minor) == (1000, 500)
    run_billing(MID)
    assert billed() == [(*WHOLE, 1000), ("2026-07-16", "2026-08-01", 1000)]
    assert credited() == [("2026-07-16", "2026-08-01", 500)]
    with work():
        line, back = Line.objects.order_by("id")[1:3]
        if line.document.kind == "credit_note":
            line, back = back, line
        assert line.detail == "20.00 for 15 days 12:00 of 31 days"
        assert line.why[-2] == {
            "step": "seconds", "seconds": 1339200, "of": 2678400, "start": "2026-07-01", "end": "2026-08-01",
        }  # fmt: skip
    run_billing(AUGUST)
    assert billed()[-1] == ("2026-08-01", "2026-09-01", 2000)
    proven()


def test_what_is_said_for_later_is_billed_up_to_its_time_and_from_it_on(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(10), flat(20)
        change(sub.public_id, price=dear, on=MID, at=NOON, today=JULY)
    run_billing(JULY)
    assert billed() == [("2026-07-01", "2026-07-16", 500)]
    run_billing(MID)
    assert billed()[1:] == [("2026-07-16", "2026-08-01", 1000)]
    assert credited() == []
    assert plan(sub) == [
        ("2026-07-01", "00:00", "2026-07-16", "12:00"),
        ("2026-07-16", "12:00", "", "00:00"),
    ]
    proven()


@pytest.mark.parametrize(("on", "shown"), [(MID, NOON), (AUGUST, time.min)])
def test_a_step_is_shown_from_when_it_counts(acorn: Scope, on: date, shown: time) -> None:
    with work():
        sub = by_seconds(10)
        add_step(sub.public_id, Step(flat(20), on=on, at=NOON), today=JULY)
        (step,) = upcoming(Subscription.objects.get(), today=JULY)
        assert (step.on, step.at) == (on, shown)


def test_in_arrears_each_bills_its_seconds(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(flat(31, timing="arrears")), flat(62, timing="arrears")
    changed(sub, dear, MID, time(6))
    run_billing(AUGUST)
    assert billed() == [("2026-07-01", "2026-07-16", 1525), ("2026-07-16", "2026-08-01", 3150)]
    proven()


def test_without_a_time_days_count_whole(acorn: Scope) -> None:
    """5 to 20 after one day of thirty: what another system bills by seconds."""
    june = date(2026, 6, 1)
    with work():
        sub, dear = by_seconds(5, june), flat(20)
    run_billing(june)
    changed(sub, dear, date(2026, 6, 2), time.min)
    run_billing(date(2026, 6, 2))
    assert billed()[1:] == [("2026-06-02", "2026-07-01", 1933)]
    assert credited() == [("2026-06-02", "2026-07-01", 483)]
    proven()


def test_on_the_first_day_of_a_period_the_time_counts_once_it_is_billed(acorn: Scope) -> None:
    """Half of the day stays with what billed it. Before it is billed the new one bills all of the period."""
    with work():
        sub, dear = by_seconds(31, date(2026, 6, 1)), flat(62)
    run_billing(date(2026, 6, 1))
    run_billing(JULY)
    changed(sub, dear, JULY, NOON)
    run_billing(JULY)
    assert billed()[1:] == [(*WHOLE, 3100), (*WHOLE, 6100)]
    assert credited() == [(*WHOLE, 3050)]
    changed(sub, flat_in_work(93), AUGUST, NOON)
    run_billing(AUGUST)
    assert billed()[-1] == ("2026-08-01", "2026-09-01", 9300)
    proven()


def flat_in_work(price: int) -> Price:
    with work():
        return flat(price)


def test_it_ends_at_a_time_of_its_last_day(acorn: Scope) -> None:
    with work():
        sub = by_seconds(31)
    run_billing(JULY)
    with work():
        ended = end(sub.public_id, on=MID, at=time(6), today=MID)
        version = ended.version
        assert end(sub.public_id, on=MID, at=time(6), today=MID).version == version, "again changes nothing"
        later = end(sub.public_id, on=MID, at=time(18), today=MID)
        assert later.version > version
    run_billing(MID)
    assert credited() == [("2026-07-16", "2026-08-01", 1525)]
    proven()


def test_an_end_known_before_is_billed_up_to_its_time(acorn: Scope) -> None:
    with work():
        sub = by_seconds(31)
        end(sub.public_id, on=MID, at=time(18), today=JULY)
    run_billing(JULY)
    assert billed() == [("2026-07-01", "2026-07-16", 1575)]
    proven()


@pytest.mark.parametrize("timing", ["advance", "arrears"])
def test_an_end_on_the_first_day_of_a_period_that_is_not_billed_bills_nothing_of_it(
    acorn: Scope, timing: str
) -> None:
    with work():
        sub = by_seconds(flat(31, timing=timing))
        end(sub.public_id, on=AUGUST, at=NOON, today=JULY)
    run_billing(AUGUST)
    assert billed() == [(*WHOLE, 3100)]
    proven()


def test_what_begins_and_ends_at_times_is_credited_from_its_end(acorn: Scope) -> None:
    """From the 11th at noon to the 16th at six, of what was billed to the end of the month."""
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    changed(sub, dear, date(2026, 7, 11), NOON)
    run_billing(date(2026, 7, 11))
    changed(sub, flat_in_work(31), MID, time(6))
    run_billing(MID)
    assert credited() == [("2026-07-11", "2026-08-01", 2050), ("2026-07-16", "2026-08-01", 3150)]
    assert billed()[1:] == [("2026-07-11", "2026-08-01", 4100), ("2026-07-16", "2026-08-01", 1575)]
    proven()


def test_what_began_on_the_day_it_all_ended_is_credited_whole(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    changed(sub, dear, MID, NOON)
    run_billing(MID)
    with work():
        end(sub.public_id, on=MID, at=time(18), today=MID)
    run_billing(MID)
    assert billed()[1:] == [("2026-07-16", "2026-08-01", 3100)]
    assert credited()[1:] == [("2026-07-16", "2026-08-01", 3100)]
    proven()


def test_a_period_after_what_ended_is_credited_whole_also_where_it_all_ends(acorn: Scope) -> None:
    """Changed in July when August is billed, and over on the afternoon of 1 August."""
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    run_billing(AUGUST)
    with work():
        end(sub.public_id, on=AUGUST, at=time(18), today=AUGUST)
        change(sub.public_id, price=dear, on=MID, at=NOON, today=AUGUST)
    run_billing(AUGUST)
    assert ("2026-08-01", "2026-09-01", 3100) in credited()
    proven()


def test_taken_up_on_the_day_it_ended_it_goes_on_from_that_time(acorn: Scope) -> None:
    with work():
        sub = by_seconds(31)
    run_billing(JULY)
    with work():
        end(sub.public_id, on=MID, at=NOON, today=MID)
    run_billing(MID)
    with work():
        reactivate(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    assert credited() == [("2026-07-16", "2026-08-01", 1550)]
    assert billed()[1:] == [("2026-07-16", "2026-08-01", 1550)]
    proven()


def test_taken_up_before_it_is_credited_it_never_ended(acorn: Scope) -> None:
    with work():
        sub = by_seconds(31)
    run_billing(JULY)
    with work():
        end(sub.public_id, on=MID, at=NOON, today=MID)
        reactivate(sub.public_id, today=MID)
        again = Subscription.objects.get()
        assert (again.ends_on, again.ends_time) == (None, time.min)
    run_billing(AUGUST)
    assert billed() == [(*WHOLE, 3100), ("2026-08-01", "2026-09-01", 3100)]
    proven()


def test_another_time_of_the_same_day_takes_the_place_of_the_first(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
    changed(sub, dear, MID, time(6))
    before = changed(sub, dear, MID, time(18))
    again = changed(sub, dear, MID, time(18))
    assert again.version == before.version, "the same wish again changes nothing"
    assert plan(sub) == [
        ("2026-07-01", "00:00", "2026-07-16", "18:00"),
        ("2026-07-16", "18:00", "", "00:00"),
    ]
    run_billing(MID)
    assert billed() == [("2026-07-01", "2026-07-16", 1575), ("2026-07-16", "2026-08-01", 3050)]
    proven()


def test_what_takes_the_place_of_what_was_billed_that_day_holds_from_the_same_time(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    changed(sub, dear, MID, time(6))
    run_billing(MID)
    changed(sub, flat_in_work(93), MID, time(18))
    run_billing(MID)
    assert credited() == [("2026-07-16", "2026-08-01", 1575), ("2026-07-16", "2026-08-01", 3150)]
    assert billed()[-1] == ("2026-07-16", "2026-08-01", 4725)
    proven()


def test_what_a_meter_counts_changes_with_the_day(acorn: Scope) -> None:
    with work():
        sub = by_seconds(31)
        metered = priced(timing="arrears", meter=meter("sum").code)
    run_billing(JULY)
    changed(sub, metered, MID, NOON)
    run_billing(MID)
    assert credited() == [("2026-07-16", "2026-08-01", 1600)]
    assert plan(sub)[-1] == ("2026-07-16", "00:00", "", "00:00")
    proven()


def test_a_pause_goes_by_days_also_over_a_change_at_a_time(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
        change(sub.public_id, price=dear, on=MID, at=NOON, today=JULY)
        pause(sub.public_id, on=date(2026, 7, 11), resumes_on=date(2026, 7, 21), today=JULY)
    run_billing(date(2026, 7, 21))
    assert billed() == [("2026-07-01", "2026-07-11", 1000), ("2026-07-21", "2026-08-01", 2200)]
    proven()


@pytest.mark.parametrize("by", [each for each in Proration if each is not Proration.SECOND])
def test_only_by_the_second_a_time_counts(acorn: Scope, by: Proration) -> None:
    with work():
        sub, dear = bought(10, rhythm=Rhythm(proration=by)), flat(20)
        step = Step(dear, on=MID, at=NOON)
        for act in (
            lambda: change(sub.public_id, price=dear, on=MID, at=NOON, today=MID),
            lambda: add_step(sub.public_id, step, today=JULY),
            lambda: end(sub.public_id, on=MID, at=NOON, today=MID),
        ):
            with pytest.raises(Invalid) as refused:
                act()
            assert list(refused.value.fields) == ["at"]


def test_a_time_needs_its_day(acorn: Scope) -> None:
    with work():
        sub = by_seconds(10)
        for act in (
            lambda: change(sub.public_id, quantity=Decimal(2), at=NOON, today=JULY),
            lambda: end(sub.public_id, at=NOON, today=JULY),
        ):
            with pytest.raises(Invalid) as refused:
                act()
            assert list(refused.value.fields) == ["at"]
