"""Where billing systems differ in what an amount comes to: least amounts, usage, rounding, tax, and what is credited.

Amounts are minor units, written down by hand; what others bill stands beside what we bill by default.
"""

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.domain.anchors import Rhythm
from billing.models import Meter, Price, Subscription
from billing.previews import next_bill
from billing.services.change import subscribe_in_steps
from billing.services.discounts import discount
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import add_item, end, end_item, release
from core.errors import Invalid
from core.money import MoneyError
from core.scope import Scope, work
from invoicing.models import Document
from invoicing.services.content import content_of, worked_out
from invoicing.services.credit import credit
from tenants.models import LegalEntity
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_conventions import CALENDAR, day, run_through, sold
from tests.db.billing.test_lifecycle import bought, documents, flat
from tests.db.billing.test_metered import billed as of_meters
from tests.db.billing.test_metered import counted
from tests.lived import ZONE
from tests.metering import meter, said, send

TIERS = [
    {"up_to": Decimal(5), "unit_price": Decimal(10), "flat": Decimal(100)},
    {"up_to": Decimal(15), "unit_price": Decimal(5), "flat": Decimal(50)},
    {"unit_price": Decimal(2)},
]


def at_midnight(by: Meter, sub: Subscription, on: str, **properties: Any) -> None:
    """An event as a day begins in Berlin."""
    (answer,) = send(said(by, sub, at=datetime.combine(day(on), time(), ZONE), **properties))
    assert str(answer.status) == "created", answer


def each_of(by: Meter, **given: Any) -> Price:
    """What a meter counts at a price each, 1 unless told otherwise. Inside work()."""
    return counted(by, **{"model": "per_unit", "unit_price": Decimal(1), "tax_percent": Decimal(0)} | given)


def metered() -> list[tuple[str, str, int]]:
    """First day, first day after and minor units of what meters counted."""
    with work():
        return of_meters()


@pytest.mark.parametrize(("_case", "interval", "rhythm", "starts", "last", "periods"), [
    ("weeks", {"unit": "week"}, Rhythm(), "2023-02-01", "2023-02-15",
     [("2023-02-01", "2023-02-08", 1000000), ("2023-02-08", "2023-02-15", 1000000)]),
    ("a month", {}, Rhythm(), "2023-02-04", "2023-03-04", [("2023-02-04", "2023-03-04", 1000000)]),
    ("334 of 365 days", {"unit": "year"}, CALENDAR, "2022-02-01", "2023-01-01", [("2022-02-01", "2023-01-01", 915068)]),
])  # fmt: skip
def test_a_least_amount_is_owed_by_the_share_of_its_period(
    acorn: Scope, _case: str, interval: dict[str, Any], rhythm: Rhythm, starts: str, last: str,
    periods: list[tuple[str, str, int]],
) -> None:  # fmt: skip
    """1,000 with 10,000 at the least are one line. Others have two: a fee, and what is missing, each rounded alone.

    Of 334 days 915.07 and 8,235.61, together what we bill; 8,235.62, what is missing rounded once, is a cent too much.
    """
    with work():
        sub = sold(
            "1000", starts, rhythm=rhythm, model="per_unit", minimum=Decimal(10000), timing="arrears", **interval
        )  # fmt: skip
    run_through(sub, last)
    assert billed() == periods
    proven()


@pytest.mark.parametrize(("_case", "how", "terms", "minor"), [
    ("a least amount", "sum", {"minimum": Decimal(50)}, 5000),
    ("free units", "sum", {"free": Decimal(20)}, 0),
    ("half of the free units", "sum", {"free": Decimal(10)}, 500),
    ("a level, as it was in that part", "weighted_sum", {}, 3000),
])  # fmt: skip
def test_what_was_counted_in_a_part_of_a_period_is_priced_as_in_a_whole_one(
    acorn: Scope, _case: str, how: str, terms: dict[str, Any], minor: int
) -> None:
    """12 in 14 of 28 days, 2.50 each. Others take their share of what is free and of the least: a price of its own up
    to the first boundary does that.
    """
    with time_machine.travel(datetime.fromisoformat("2026-03-01T12:00Z"), tick=True):
        with work():
            by = meter(how)
            sub = sold("200", "2026-02-15", rhythm=CALENDAR)
            first, full = (each_of(by, unit_price=Decimal("2.5"), **each) for each in (terms, {}))
            item = add_item(sub.public_id, price=first, starts_on=day("2026-02-15"))
            end_item(item.public_id, on=day("2026-03-01"), today=day("2026-03-01"))
            add_item(sub.public_id, price=full, starts_on=day("2026-03-01"))
            at_midnight(by, sub, "2026-02-15", amount="12")
        run_billing(day("2026-03-01"))
        assert metered() == [("2026-02-15", "2026-03-01", minor)]
        proven()


def test_what_was_counted_is_not_taken_back_by_days(acorn: Scope) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-07-01T12:00Z"), tick=True):
        with work():
            by = meter("sum")
            sub = sold("200", "2026-06-01")
            item = add_item(sub.public_id, price=each_of(by), starts_on=day("2026-06-01"))
            at_midnight(by, sub, "2026-06-20", amount="12")
        run_billing(day("2026-07-01"))
        with work():
            for act, row in ((end_item, item), (end, sub)):
                with pytest.raises(Invalid, match="What was used is billed up to 2026-07-01"):
                    act(row.public_id, on=day("2026-06-15"), today=day("2026-07-01"))
        assert metered() == [("2026-06-01", "2026-07-01", 1200)]
        proven()


def test_a_level_is_averaged_over_time_and_then_priced_by_its_tiers(acorn: Scope) -> None:
    """A month of 30 days in which a level goes up and down to 75, then one in which 20 come on the 17th of 31 days.

    Others price each level and weigh that, 187.00; the average of the first month is 191/30. What stands comes over to
    the next month, where both come to 370.00 and, with the 20 for 15 days, to 389.35.
    """
    june = [("10", "2"), ("16", "5"), ("20", "-6"), ("25", "10"), ("26", "4"), ("30", "60")]
    with time_machine.travel(datetime.fromisoformat("2026-08-01T12:00Z"), tick=True):
        with work():
            by = meter("weighted_sum", late_days=90)
            sub = sold("0.99", "2026-06-01", rhythm=CALENDAR)
            add_item(
                sub.public_id, price=counted(by, model="graduated", tiers=TIERS), starts_on=day("2026-06-01")
            )
            for on, change in june:
                at_midnight(by, sub, f"2026-06-{on}", amount=change)
        run_billing(day("2026-07-01"))
        with work():
            coming = next_bill(Subscription.objects.get(), today=day("2026-08-01"))
            assert coming.totals is not None
            assert coming.totals.net_minor == 99 + 37000
            at_midnight(by, sub, "2026-07-17", amount="20")
        run_billing(day("2026-08-01"))
        with work():
            release(sub.public_id)  # thirteen times as much as before waits for a person
        run_billing(day("2026-08-01"))
        assert metered() == [("2026-06-01", "2026-07-01", 20683), ("2026-07-01", "2026-08-01", 38935)]
        proven()


@pytest.mark.parametrize(("_case", "how", "events", "minor"), [
    ("the most there were at once", "max", [{"amount": "1"}, {"amount": "0"}, {"amount": "1"}], 100),
    ("who there was", "unique", [{"seat": "seat_1"}, {"seat": "seat_1"}, {"seat": "seat_2"}], 200),
])  # fmt: skip
def test_a_seat_that_another_takes_over_counts_as_its_meter_says(
    acorn: Scope, _case: str, how: str, events: list[dict[str, str]], minor: int
) -> None:
    """A seat is added on the 23rd, and on the 26th removed and another added."""
    with time_machine.travel(datetime.fromisoformat("2026-10-01T12:00Z"), tick=True):
        with work():
            by = meter(how, **({"field": "seat"} if how == "unique" else {}))
            sub = sold("0.99", "2026-09-01")
            add_item(sub.public_id, price=each_of(by), starts_on=day("2026-09-01"))
            for on, event in zip(("2026-09-23", "2026-09-26", "2026-09-26"), events, strict=True):
                at_midnight(by, sub, on, **event)
        run_billing(day("2026-10-01"))
        assert metered()[0][2] == minor


@pytest.mark.parametrize(
    ("_case", "group_by", "minor"), [("in each group", ["region"], 300), ("in all", [], 200)]
)
def test_a_key_counts_once_in_each_group(acorn: Scope, _case: str, group_by: list[str], minor: int) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-10-01T12:00Z"), tick=True):
        with work():
            by = meter("unique", field="item", group_by=group_by)
            sub = sold("0.99", "2026-09-01")
            add_item(sub.public_id, price=each_of(by), starts_on=day("2026-09-01"))
            for item, region in (("001", "08"), ("001", "06"), ("002", "06")):
                at_midnight(by, sub, "2026-09-10", item=item, region=region)
        run_billing(day("2026-10-01"))
        assert metered()[0][2] == minor
        proven()


def test_usage_is_free_in_a_trial_and_billed_where_the_trial_is_a_step_that_costs_nothing(
    acorn: Scope,
) -> None:
    """45 days, then 50,000 a month; one unit at 10 is used on the sixth day."""
    with time_machine.travel(datetime.fromisoformat("2026-05-01T12:00Z"), tick=True):
        with work():
            by = meter("sum", late_days=90)
            usage, dear = each_of(by, unit_price=Decimal(10)), flat(50000)
            kinds = [
                (Rhythm(calendar=True, trial_days=45), dear, ()),
                (CALENDAR, flat(0), [Step(dear, None, None, day("2026-04-19"))]),
            ]
            for rhythm, price, steps in kinds:
                sub = subscribe_in_steps(
                    steps=steps, today=day("2026-03-05"), customer=factories.customer().public_id, price=price,
                    starts_on=day("2026-03-05"), rhythm=rhythm, added=[(usage, Decimal(1))],
                )  # fmt: skip
                at_midnight(by, sub, "2026-03-10", amount="1")
        for on in ("2026-03-05", "2026-04-01", "2026-04-19"):
            run_billing(day(on))
        paid = [minor for *_, minor in billed() if minor]
        assert paid == [1000, 2000000, 2000000], "usage of the second alone, then 12 of 30 days of each"
        proven()


@pytest.mark.parametrize(("_case", "plan", "beside", "starts", "percent", "tax", "net", "total"), [
    ("a quarter off both, half a cent of tax up", 200, 50, "2015-06-01", 25, 19, 18750, 22313),
    ("a tenth off", 200, 100, "2015-06-01", 10, 0, 27000, 27000),
])  # fmt: skip
def test_a_percentage_comes_off_each_line_and_tax_of_what_is_left_is_rounded_half_up(
    acorn: Scope,
    _case: str,
    plan: int,
    beside: int,
    starts: str,
    percent: int,
    tax: int,
    net: int,
    total: int,
) -> None:
    """Others round half to even: 223.12 of 223.125."""
    with work():
        sub = bought(plan, day(starts), tax=tax, rhythm=CALENDAR)
        add_item(sub.public_id, price=flat(beside, tax, timing="arrears"), starts_on=day(starts))
        discount(sub.public_id, name="Agreed", percent=Decimal(percent), today=day(starts))
    run_through(sub, "2015-07-01")
    with work():
        last = Document.objects.order_by("-id")[0]
        assert (last.net_minor, last.total_minor) == (net, total)
    proven()


def test_a_part_of_a_month_what_was_used_in_it_and_the_next_month_have_a_tenth_off(acorn: Scope) -> None:
    """18 of 31 days of 200, 40 units at 2.50, and 200."""
    with time_machine.travel(datetime.fromisoformat("2026-06-01T12:00Z"), tick=True):
        with work():
            by = meter("sum")
            sub = sold("200", "2026-05-14", rhythm=CALENDAR)
            usage = each_of(by, unit_price=Decimal("2.5"))
            add_item(sub.public_id, price=usage, starts_on=day("2026-05-14"))
            discount(sub.public_id, name="Agreed", percent=Decimal(10), today=day("2026-05-14"))
            at_midnight(by, sub, "2026-05-20", amount="40")
        run_billing(day("2026-06-01"))
        assert sum(total for _, total, _ in documents()) == 37452
        proven()


def test_a_line_is_rounded_once_after_its_share_and_what_comes_off(acorn: Scope) -> None:
    """Half of half of 5 cents is a cent and a quarter; rounded in between it would be two."""
    with work():
        sub = sold("0.05", "2026-06-16", rhythm=CALENDAR)
        discount(sub.public_id, name="Agreed", percent=Decimal(50), today=day("2026-06-16"))
    run_billing(day("2026-06-16"))
    assert [minor for *_, minor in billed()] == [1]
    proven()


Line = tuple[str, str, str | None]


@pytest.mark.parametrize(("_case", "house", "lines", "tax", "total"), [
    ("one line", "0", [("1", "100", "22")], 2200, 12200),
    ("by document and rate, not by line (15.42)", "0", [("1", "6.70", "15"), ("1", "6.70", "15")], 201, 1541),
    ("the legal entity's", "25", [("1", "100", None)], 2500, 12500),
    ("what the line says comes first", "25", [("1", "100", "5")], 500, 10500),
    ("nothing is said as nothing", "25", [("1", "100", "0")], 0, 10000),
    ("1 % of a fourth event and 5", "20", [("1", "5.10", None)], 102, 612),
    ("what is beyond a free amount", "20", [("1", "5.05", None)], 101, 606),
    ("and the event after it", "20", [("1", "10.15", None)], 203, 1218),
])  # fmt: skip
def test_tax_is_of_each_rate_s_sum_and_the_nearest_that_is_said(
    acorn: Scope, _case: str, house: str, lines: Sequence[Line], tax: int, total: int
) -> None:
    with work():
        LegalEntity.objects.update(tax_percent=Decimal(house))
        said = [
            {"description": "Work", "quantity": Decimal(count), "unit_price": Decimal(price)}
            | ({} if rate is None else {"tax_percent": Decimal(rate)})
            for count, price, rate in lines
        ]
        found = worked_out(content_of(factories.customer().public_id, said))
        assert (found.tax_minor, found.total_minor) == (tax, total)


def test_a_price_has_the_legal_entity_s_tax_unless_it_says_its_own(acorn: Scope) -> None:
    with work():
        LegalEntity.objects.update(tax_percent=Decimal(25))
        assert [priced().tax_percent, priced(tax_percent=Decimal(5)).tax_percent] == [25, 5]


def test_what_is_below_zero_is_a_credit_note(acorn: Scope) -> None:
    """100 less 10 at 10 %: no invoice of -99, a credit note of 99 with 9 of tax."""
    with work():
        owner = factories.customer()
        minus = [{"description": "Back", "unit_price": Decimal(-90), "tax_percent": Decimal(10)}]
        with pytest.raises((Invalid, MoneyError), match="less than zero"):
            worked_out(content_of(owner.public_id, minus))
        document = factories.invoice(owner, ("1", "90"), tax="10")
        note = credit(document.public_id, on=factories.DAY, reason="Taken back", key="all")
        assert (note.tax_minor, note.total_minor) == (900, 9900)
    proven()


def test_credits_in_two_steps_come_to_their_invoice(acorn: Scope) -> None:
    """769.00 at 20 %, all of it taken back in two."""
    with work():
        document = factories.invoice(factories.customer(), ("1", "769"), tax="20")
        notes = [
            credit(document.public_id, on=factories.DAY, reason="Back", key=str(net), amounts={1: net})
            for net in (72686, 4214)
        ]
        assert [(note.tax_minor, note.total_minor) for note in notes] == [(14537, 87223), (843, 5057)]
        assert sum(note.total_minor for note in notes) == document.total_minor == 92280
    proven()
