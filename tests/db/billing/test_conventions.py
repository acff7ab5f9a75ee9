"""Where billing systems differ: what others bill for the same days, by its setting, and what our default comes to.

Days are local; an `end` is the first day that is not billed. Amounts are minor units, written down by hand.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import Subscription
from billing.services.change import change
from billing.services.lifecycle import reactivate
from billing.services.run import run_billing
from billing.services.subscriptions import PLAIN, add_item, end, end_item
from core import clock
from core.scope import Scope, work
from invoicing.models import Document
from tenants.models import LegalEntity
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import bought, credited, documents, flat

CALENDAR = Rhythm(calendar=True)
THIRTIETHS = Rhythm(anchor_day=15, proration=Proration.THIRTIETH)


def day(text: str) -> date:
    return date.fromisoformat(text)


def run_through(sub: Subscription, last: str) -> None:
    """A run on each day on which something of a subscription is due, up to a day."""
    for _ in range(40):
        with work():
            sub.refresh_from_db()
            due = sub.next_bill_on if sub.state == "active" and sub.next_bill_on <= day(last) else None
        if due is None:
            return
        run_billing(due)


def sold(
    price: str, starts: str, *, rhythm: Rhythm = PLAIN, ends: str = "", zone: str = "", **given: Any
) -> Subscription:
    """A subscription to a flat price, in days of the legal entity's zone. Inside work()."""
    made = {"model": "flat", "unit_price": Decimal(price), "tax_percent": Decimal(0)}
    if zone:
        LegalEntity.objects.update(zone=zone)
    owner = factories.customer()
    return factories.subscribe(
        customer=owner.public_id, price=priced(**(made | given)), starts_on=day(starts), rhythm=rhythm,
        ends_on=day(ends) if ends else None,
    )  # fmt: skip


MONTH, YEAR = {"unit": "month"}, {"unit": "year"}
ARREARS = {"unit": "month", "timing": "arrears"}
ON = {n: Rhythm(anchor_day=n) for n in (1, 7, 13, 14, 15, 27, 30, 31)}


@pytest.mark.parametrize(("_case", "price", "given", "rhythm", "starts", "ends", "last", "periods"), [
    ("13 of 28 days, ended before the next", "28", MONTH, ON[1], "2011-02-01", "2011-02-14", "2011-03-01",
     [("2011-02-01", "2011-02-14", 1300)]),
    ("13 of 31 days, then one", "31", MONTH, ON[27], "2011-02-14", "", "2011-03-01",
     [("2011-02-14", "2011-02-27", 1300), ("2011-02-27", "2011-03-27", 3100)]),
    ("8 of 28 days from a boundary on", "28", MONTH, ON[7], "2011-02-07", "2011-02-15", "2011-04-21",
     [("2011-02-07", "2011-02-15", 800)]),
    ("5 of 28 days, then two", "28", MONTH, ON[15], "2011-03-10", "", "2011-04-21",
     [("2011-03-10", "2011-03-15", 500), ("2011-03-15", "2011-04-15", 2800), ("2011-04-15", "2011-05-15", 2800)]),
    ("three, then 2 of 31 days", "31", MONTH, ON[15], "2010-12-15", "2011-03-17", "2011-03-15",
     [("2010-12-15", "2011-01-15", 3100), ("2011-01-15", "2011-02-15", 3100), ("2011-02-15", "2011-03-15", 3100),
      ("2011-03-15", "2011-03-17", 200)]),
    ("a year by a day it begins on: 12 of 365 days, then one", "365", YEAR, Rhythm(anchor=day("2011-02-13")),
     "2011-02-01", "", "2011-02-13", [("2011-02-01", "2011-02-13", 1200), ("2011-02-13", "2012-02-13", 36500)]),
    ("a year by a day of the month: from that day of its first month", "365", YEAR, ON[13],
     "2011-02-01", "", "2011-02-13", [("2011-02-01", "2011-02-13", 1200), ("2011-02-13", "2012-02-13", 36500)]),
    ("a quarter by a day of the month: likewise", "92", {"unit": "quarter"}, ON[13],
     "2011-02-01", "", "2011-02-13", [("2011-02-01", "2011-02-13", 1200), ("2011-02-13", "2011-05-13", 9200)]),
    ("a year from the end of February", "366", YEAR, Rhythm(anchor=day("2012-02-29")),
     "2012-02-16", "", "2012-02-29", [("2012-02-16", "2012-02-29", 1300), ("2012-02-29", "2013-02-28", 36600)]),
    ("a year from a day of its first month that is over", "366", YEAR, ON[14],
     "2012-02-16", "", "2012-02-16", [("2012-02-16", "2013-02-14", 36400)]),
    ("every 30 days from its first", "30", {"unit": "day", "every": 30}, Rhythm(), "2012-02-16", "", "2012-03-17",
     [("2012-02-16", "2012-03-17", 3000), ("2012-03-17", "2012-04-16", 3000)]),
    ("a month of thirty days is whole", "29.95", MONTH, ON[31], "2012-03-31", "", "2012-06-30",
     [("2012-03-31", "2012-04-30", 2995), ("2012-04-30", "2012-05-31", 2995), ("2012-05-31", "2012-06-30", 2995),
      ("2012-06-30", "2012-07-31", 2995)]),
    ("from the 30th over February", "30", MONTH, Rhythm(), "2024-01-30", "", "2024-04-30",
     [("2024-01-30", "2024-02-29", 3000), ("2024-02-29", "2024-03-30", 3000), ("2024-03-30", "2024-04-30", 3000),
      ("2024-04-30", "2024-05-30", 3000)]),
    ("from the 31st, when it is over", "30", ARREARS, Rhythm(), "2024-01-31", "", "2024-04-30",
     [("2024-01-31", "2024-02-29", 3000), ("2024-02-29", "2024-03-31", 3000), ("2024-03-31", "2024-04-30", 3000)]),
    ("a quarter of the calendar, its last day billed", "910", {"unit": "quarter", "timing": "arrears"}, CALENDAR,
     "2024-05-20", "2024-06-21", "2024-06-21", [("2024-05-20", "2024-06-21", 32000)]),
    ("a week from Sundays on", "7", {"unit": "week"}, Rhythm(anchor=day("2023-06-11")), "2023-06-15", "", "2023-06-18",
     [("2023-06-15", "2023-06-18", 300), ("2023-06-18", "2023-06-25", 700)]),
    ("by thirtieths 22, though 23 days", "19.95", MONTH, THIRTIETHS, "2023-05-23", "", "2023-05-23",
     [("2023-05-23", "2023-06-15", 1463)]),
    ("the same by days", "19.95", MONTH, ON[15], "2023-05-23", "", "2023-05-23",
     [("2023-05-23", "2023-06-15", 1480)]),
    ("by thirtieths 22 of 30 days", "19.95", MONTH, THIRTIETHS, "2023-06-23", "", "2023-06-23",
     [("2023-06-23", "2023-07-15", 1463)]),
    ("seven days of trial, then 21 of 28", "200", MONTH, Rhythm(calendar=True, trial_days=7), "2015-02-01", "",
     "2015-02-08", [("2015-02-08", "2015-03-01", 15000)]),
    ("the same, periods from the trial's end", "200", MONTH, Rhythm(trial_days=7), "2015-02-01", "",
     "2015-02-08", [("2015-02-08", "2015-03-08", 20000)]),
])  # fmt: skip
def test_periods_and_their_parts(
    acorn: Scope, _case: str, price: str, given: dict[str, Any], rhythm: Rhythm, starts: str, ends: str, last: str,
    periods: list[tuple[str, str, int]],
) -> None:  # fmt: skip
    with work():
        sub = sold(price, starts, rhythm=rhythm, ends=ends, **given)
    run_through(sub, last)
    assert billed() == periods
    proven()


def test_a_year_of_months_is_twelve(acorn: Scope) -> None:
    with work():
        sub = sold("20", "2024-08-03", ends="2025-08-03")
    run_through(sub, "2025-08-03")
    assert [minor for *_, minor in billed()] == [2000] * 12
    proven()


@pytest.mark.parametrize(("zone", "instant", "starts", "minor"), [
    ("America/Denver", "2023-06-16T05:00Z", "2023-06-15", 400),
    ("Europe/Paris", "2023-06-16T20:00Z", "2023-06-16", 300),
])  # fmt: skip
def test_a_first_week_has_the_days_of_the_legal_entity_s_zone(
    acorn: Scope, zone: str, instant: str, starts: str, minor: int
) -> None:
    """7 a week from Mondays on: what begins at an instant begins on the day that it is there."""
    with time_machine.travel(datetime.fromisoformat(instant), tick=False):
        assert str(clock.today(zone)) == starts
    with work():
        sub = sold("7", starts, zone=zone, rhythm=CALENDAR, unit="week")
        LegalEntity.objects.update(zone="Pacific/Kiritimati")
        later = factories.subscribe(
            customer=sub.customer.public_id, price=flat(7), starts_on=day("2024-01-01")
        )
        assert later.zone == zone, "of when the customer was made"
    run_billing(day(starts))
    assert [each for *_, each in billed()] == [minor]
    proven()


def test_a_month_in_which_clocks_change_ends_on_its_day(acorn: Scope) -> None:
    """Seven hours behind at its start, eight at its end: no day more and none less."""
    with work():
        sub = sold("30", "2015-11-01", zone="America/Los_Angeles", rhythm=CALENDAR)
        assert sub.next_bill_at == datetime(2015, 11, 1, 7, tzinfo=UTC)
    run_billing(day("2015-11-01"))
    with work():
        end(sub.public_id, on=day("2015-12-01"), today=day("2015-11-30"))
        sub.refresh_from_db()
        assert (sub.state, sub.next_bill_at) == ("ended", datetime(2015, 12, 1, 8, tzinfo=UTC))
    run_billing(day("2015-12-01"))
    assert (documents(), credited()) == ([("invoice", 3000, 3000)], [])
    proven()


@pytest.mark.parametrize(("_case", "price", "tax", "rhythm", "starts", "on", "invoiced", "note"), [
    ("its last day stays billed", 50, 20, CALENDAR, "2023-02-08", "2023-02-09", 4500, (3571, 714, 4285)),
    ("its day is not billed", 50, 20, CALENDAR, "2023-02-08", "2023-02-08", 4500, (3750, 750, 4500)),
    ("on its first day after a trial", 35, 0, Rhythm(calendar=True, trial_days=7), "2024-03-04", "2024-03-11",
     2371, (2371, 0, 2371)),
    ("29 of 30 days", 160, 25, Rhythm(), "2024-04-01", "2024-04-02", 20000, (15467, 3867, 19334)),
    ("11 of 29 days used", 29, 0, CALENDAR, "2024-02-01", "2024-02-12", 2900, (1800, 0, 1800)),
])  # fmt: skip
def test_what_an_end_credits(
    acorn: Scope, _case: str, price: int, tax: int, rhythm: Rhythm, starts: str, on: str, invoiced: int,
    note: tuple[int, int, int],
) -> None:  # fmt: skip
    with work():
        sub = bought(price, day(starts), tax=tax, rhythm=rhythm)
    run_through(sub, on)
    with work():
        end(sub.public_id, on=day(on), today=day(on))
    run_billing(day(on))
    with work():
        one, back = Document.objects.order_by("id")
        assert one.total_minor == invoiced
        assert (back.net_minor, back.tax_minor, back.total_minor) == note
    proven()


@pytest.mark.parametrize(("_case", "old", "new", "given", "on", "back", "more"), [
    ("half a month of thirty days", 100, 200, {"unit": "day", "every": 30}, "2026-01-16", 5000, 10000),
    ("its last day", 300, 600, {"unit": "day", "every": 30}, "2026-01-30", 1000, 2000),
    ("down after a day of thirty", 20, 5, {"unit": "day", "every": 30}, "2026-01-02", 1933, 483),
    ("its last day goes to the new plan", 31, 62, MONTH, "2026-01-31", 100, 200),
])  # fmt: skip
def test_the_day_of_a_change_is_the_new_plans(
    acorn: Scope, _case: str, old: int, new: int, given: dict[str, Any], on: str, back: int, more: int
) -> None:
    with work():
        sub = sold(str(old), "2026-01-01", **given)
        dear = flat(new, **given)
    run_billing(day("2026-01-01"))
    with work():
        change(sub.public_id, price=dear, on=day(on), today=day(on))
    run_billing(day(on))
    assert [minor for *_, minor in credited()] == [back]
    assert [minor for *_, minor in billed()] == [old * 100, more]
    proven()


def test_an_upgrade_with_what_was_used_leaves_the_difference_to_pay(acorn: Scope) -> None:
    """29 becomes 290 after 11 of 29 days that are paid for; five units held for those days are billed with it."""
    start, turn = day("2024-02-01"), day("2024-02-12")
    with work():
        sub = bought(29, start, rhythm=CALENDAR)
        held = add_item(
            sub.public_id, price=priced(unit_price=Decimal(1), timing="arrears", tax_percent=Decimal(0)),
            quantity=Decimal(5), starts_on=start,
        )  # fmt: skip
        dear = flat(290)
    run_billing(start)
    with work():
        factories.pay(Document.objects.get(), on=start)
        change(sub.public_id, price=dear, on=turn, today=turn)
        end_item(held.public_id, on=turn, today=turn)
    run_billing(turn)
    assert billed()[1:] == [("2024-02-01", "2024-02-12", 190), ("2024-02-12", "2024-03-01", 18000)]
    assert documents() == [("invoice", 2900, 0), ("invoice", 18190, 16390), ("credit_note", 1800, 0)]
    proven()


def test_what_is_changed_added_and_dropped_at_a_half_comes_to_its_halves_and_what_is_once_is_whole(
    acorn: Scope,
) -> None:
    half = day("2026-06-16")
    with work():
        sub = bought(100)
        dropped = add_item(sub.public_id, price=flat(30), starts_on=day("2026-06-01"))
        dear, added, once = flat(200), flat(50), priced(unit="once", unit_price=Decimal(500))
    run_billing(day("2026-06-01"))
    with work():
        change(sub.public_id, price=dear, on=half, today=half)
        end_item(dropped.public_id, on=half, today=half)
        add_item(sub.public_id, price=added, starts_on=half)
        add_item(sub.public_id, price=once, quantity=Decimal(2), starts_on=half)
    run_billing(half)
    assert sorted(minor for *_, minor in billed()[2:]) == [2500, 10000, 100000]
    assert sorted(minor for *_, minor in credited()) == [1500, 5000], (
        "60 more in all, beside what is owed once"
    )
    proven()


def test_what_begins_again_has_no_second_trial(acorn: Scope) -> None:
    """Ended on its first paid day and taken up on the same: billed, credited whole, billed again."""
    on = day("2024-03-11")
    with work():
        sub = bought(35, day("2024-03-04"), rhythm=Rhythm(calendar=True, trial_days=7))
    run_through(sub, "2024-03-11")
    with work():
        end(sub.public_id, on=on, today=on)
    run_billing(on)
    with work():
        reactivate(sub.public_id, on=on, today=on)
    run_billing(on)
    assert billed() == [("2024-03-11", "2024-04-01", 2371)] * 2
    assert [(kind, total) for kind, total, _ in documents()] == [
        ("invoice", 2371), ("credit_note", 2371), ("invoice", 2371)
    ]  # fmt: skip
    proven()


def test_another_subscription_has_the_trial_that_is_said_for_it(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        price = flat(35)
        for days in (7, 0, 7):
            factories.subscribe(
                customer=owner.public_id, price=price, starts_on=day("2024-03-04"),
                rhythm=Rhythm(calendar=True, trial_days=days),
            )  # fmt: skip
    run_billing(day("2024-03-11"))
    assert sorted(start for start, *_ in billed()) == ["2024-03-04", "2024-03-11", "2024-03-11"]
    proven()
