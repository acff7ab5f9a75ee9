"""Prices of every model on the pages: typed with their tiers, quoted while somebody types, added to what is billed."""

import html
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Price, Subscription, SubscriptionItem
from billing.services.prices import create_price, retire_price
from billing.services.run import run_billing
from core.books import verify
from core.scope import Scope, enter, work
from tests import factories
from tests.metering import meter

Snapshot = Callable[[], dict[str, int]]
NEW = "/o/acorn/plans/new/"
DAY = date(2026, 11, 1)
TYPED: dict[str, Any] = {
    "name": "Calls", "code": "calls", "model": "graduated", "currency": "EUR", "every": "1", "unit": "month",
    "timing": "arrears", "tax_percent": "19", "quantity": "12", "key": "form_01J9ZK0000000000000000",
    "tier_up_to": ["5", "", "10", ""], "tier_unit_price": ["7", "", "6.50", "6"], "tier_flat": ["", "", "", "1,5"],
    "tier_percent": ["", "", "", ""], "tier_per": ["", "", "", ""],
}  # fmt: skip


def saved(client: Client, **given: Any) -> Any:
    return client.post(NEW, {**TYPED, "save": "1", **given})


def calls() -> Price:
    tiers = [{"up_to": Decimal(5), "unit_price": Decimal(7)}, {"unit_price": Decimal("6.5")}]
    return create_price(
        name="Calls", code="calls", model="graduated", currency="EUR", tiers=tiers, timing="arrears"
    )


def test_a_price_with_tiers_is_saved_once_as_it_was_typed(ana: Client, acorn: Scope) -> None:
    for _ in range(2):
        answer = saved(ana, tier_flat=["", "", "", "1.5"])
        assert answer.status_code == 302
    with work():
        made = Price.objects.get()
        assert made.terms == {"tiers": [
            {"up_to": "5", "unit_price": "7"}, {"up_to": "10", "unit_price": "6.5"},
            {"up_to": None, "unit_price": "6", "flat": "1.5"},
        ]}  # fmt: skip
        assert made.timing == "arrears"
    page = ana.get(answer["Location"]).content.decode()
    for text in ("Graduated, 3 tiers", "in arrears", "7.00 – 6.00", "the first flat part is owed"):
        assert text in page, text


def test_a_part_by_its_share_is_typed_and_shown_and_needs_a_meter(ana: Client, acorn: Scope) -> None:
    refused = saved(ana, by_share="on", tier_flat=["", "", "", ""])
    assert (refused.status_code, "Only where a meter counts" in refused.content.decode()) == (422, True)
    with work():
        assert not Price.objects.exists()
        code = meter("sum").code
    answer = saved(ana, by_share="on", meter=code, tier_flat=["", "", "", ""])
    with work():
        assert Price.objects.get().terms["by_share"] is True
    assert "what is free and bounds by its share" in ana.get(answer["Location"]).content.decode()


RENT: dict[str, Any] = {
    "name": "Rent", "code": "rent", "model": "flat", "unit_price": "900", "unit": "dates", "timing": "advance",
}  # fmt: skip


def test_a_price_by_listed_days_is_saved_shown_and_replaced(ana: Client, acorn: Scope) -> None:
    answer = saved(ana, **RENT, dates="25 Dec, 25 March; Jun 24 and 09-29")
    assert answer.status_code == 302
    with work():
        made = Price.objects.get()
        assert (made.unit, made.every, made.dates) == ("dates", 1, ["03-25", "06-24", "09-29", "12-25"])
    page = ana.get(answer["Location"]).content.decode()
    assert page.count("25 Mar, 24 Jun, 29 Sept and 25 Dec") == 2
    assert "on 25 Mar, 24 Jun, 29 Sept and 25 Dec" in ana.get("/o/acorn/plans/").content.decode()
    with work():
        sub = factories.subscribe(customer=factories.customer().public_id, price=made, starts_on=DAY)
    assert "on 4 days a year" in ana.get("/o/acorn/subscriptions/").content.decode()
    page = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert "on 25 Mar, 24 Jun, 29 Sept and 25 Dec" in page
    form = ana.get(f"{NEW}?replaces={made.public_id}").content.decode()
    assert 'value="25 Mar, 24 Jun, 29 Sept, 25 Dec"' in form
    again = saved(
        ana, **RENT, dates="25 Mar, 24 Jun, 29 Sept, 25 Dec", replaces=made.public_id, key="form_again_1"
    )
    assert again.status_code == 302
    with work():
        assert [each.dates for each in Price.objects.all()] == [made.dates] * 2


def test_many_days_are_told_by_their_number_and_listed_on_the_price_s_page(ana: Client, acorn: Scope) -> None:
    answer = saved(ana, **RENT, dates=", ".join(f"{n:02}-15" for n in range(1, 13)))
    assert "on 12 days a year" in ana.get("/o/acorn/plans/").content.decode()
    page = ana.get(answer["Location"]).content.decode()
    assert "on 12 days a year" in page
    assert "15 Jan, 15 Feb, 15 Mar" in page


@pytest.mark.parametrize(("_case", "given", "message"), [
    ("none", {"dates": ""}, "1 to 24 days."),
    ("only commas", {"dates": " , ;"}, "1 to 24 days."),
    ("twice", {"dates": "25 Mar, 25 March"}, "This day is listed already."),
    ("31 April", {"dates": "25 Mar, 31 Apr"}, "31 Apr: There is no such day in a year."),
    ("30 February", {"dates": "30 Feb"}, "30 Feb: There is no such day in a year."),
    ("29 February", {"dates": "29 Feb"}, "29 Feb: Not every year has 29 February"),
    ("a month of two", {"dates": "25 Ma"}, "25 Ma: There is no such day in a year."),
    ("no month", {"dates": "25 Foo"}, "25 Foo: There is no such day in a year."),
    ("which is the month", {"dates": "3/4"}, "3/4: There is no such day in a year."),
    ("too many", {"dates": ", ".join(f"01-{n:02}" for n in range(1, 26))}, "1 to 24 days."),
    ("hidden characters", {"dates": "25\x00Mar"}, "cannot be"),
    ("of months", {"unit": "month", "dates": "25 Mar"}, "Only an interval of listed days has days."),
    ("every second", {"dates": "25 Mar", "every": "2"}, "Listed days are there once a year: 1."),
    ("every second of once", {"unit": "once", "every": "2", "dates": ""}, "What is owed once does not come again: 1."),
    ("half a yen", {"unit": "month", "dates": "", "model": "per_unit", "currency": "JPY", "minimum": "1.5"},
     "JPY has no decimals."),
    ("a tenth of a cent", {"unit": "month", "dates": "", "model": "per_unit", "maximum": "9.999"},
     "EUR has 2 decimals."),
])  # fmt: skip
def test_what_is_wrong_with_a_price_stands_at_the_field(
    ana: Client, acorn: Scope, snapshot: Snapshot, _case: str, given: dict[str, Any], message: str
) -> None:
    before = snapshot()
    answer = saved(ana, **{**RENT, **given})
    assert answer.status_code == 422
    errors = re.findall(r'<div class="form-err".*?</div>', answer.content.decode(), re.DOTALL)
    assert any(message in html.unescape(each) for each in errors), errors
    assert snapshot() == before


def test_the_days_are_asked_for_when_the_interval_is_of_listed_days(ana: Client, acorn: Scope) -> None:
    asked = {}
    for unit in ("month", "dates"):
        page = ana.post("/o/acorn/plans/typed/", {**TYPED, "unit": unit}).content.decode()
        asked[unit] = [name for name in ("dates", "every") if f'<input type="text" name="{name}"' in page
                       or f'<input type="number" name="{name}"' in page]  # fmt: skip
    assert asked == {"month": ["every"], "dates": ["dates"]}


@pytest.mark.parametrize(("_case", "given", "row", "message"), [
    ("not a number", {"tier_up_to": ["five", "", "10", ""]}, 1, "number"),
    ("tiers fall, beyond a blank row", {"tier_up_to": ["10", "", "5", ""]}, 3, "ends above the tier"),
    ("the last ends", {"tier_up_to": ["5", "", "10", "20"]}, 4, "The last tier has no end"),
    ("below zero", {"tier_unit_price": ["-7", "", "6.50", "6"]}, 1, "Zero or more"),
    ("text for numbers", {"tier_flat": ["\x00", "", "", ""]}, 1, ""),
])  # fmt: skip
def test_what_is_wrong_with_a_tier_stands_below_its_row(
    ana: Client, acorn: Scope, snapshot: Snapshot, _case: str, given: dict[str, Any], row: int, message: str
) -> None:
    before = snapshot()
    answer = saved(ana, **{"tier_flat": ["", "", "", ""], **given})
    assert answer.status_code == 422
    (problem,) = re.findall(rf'id="tier-{row}-problem">(.*?)</td>', answer.content.decode(), re.DOTALL)
    assert message in problem
    assert snapshot() == before


@pytest.mark.parametrize(("_case", "given"), [
    ("no tier at all", {name: [""] for name in ("tier_up_to", "tier_unit_price", "tier_flat")}),
    ("no unit price", {"model": "flat"}),
    ("no size", {"model": "package", "unit_price": "5"}),
    ("more than all", {"model": "percentage", "percent": "101"}),
    ("least above most", {"minimum": "5", "maximum": "4"}),
    ("arrears of what is owed once", {"unit": "once"}),
    ("replaces nothing that is here", {"replaces": "price_none"}),
    ("replaces a forged id", {"replaces": "\x00"}),
])  # fmt: skip
def test_a_price_that_makes_none_is_refused_and_nothing_is_written(
    ana: Client, acorn: Scope, snapshot: Snapshot, _case: str, given: dict[str, Any]
) -> None:
    before = snapshot()
    answer = saved(ana, **{"tier_flat": ["", "", "", ""], **given})
    assert answer.status_code in {404, 422}
    assert snapshot() == before


def test_ten_thousand_tiers_are_no_work(ana: Client, acorn: Scope) -> None:
    many = [str(n) for n in range(1, 200)]
    answer = saved(
        ana, tier_up_to=many, tier_unit_price=many, tier_flat=[""], tier_percent=[""], tier_per=[""]
    )
    assert answer.status_code == 422
    assert answer.content.decode().count('name="tier_up_to"') == 100


def test_one_more_row_keeps_what_was_typed_and_saves_nothing(
    ana: Client, acorn: Scope, snapshot: Snapshot
) -> None:
    before = snapshot()
    for address in (NEW, "/o/acorn/plans/typed/"):
        page = ana.post(address, {**TYPED, "more": "1"}).content.decode()
        assert page.count('name="tier_up_to"') == 5
        assert 'value="6.50"' in page
    assert snapshot() == before


@pytest.mark.parametrize(("_case", "given", "shown"), [
    ("tiers", {"tier_flat": ["", "", "", ""]}, "EUR\u00a079.50"),
    ("a package", {"model": "package", "unit_price": "100", "per": "10", "quantity": "121"}, "EUR\u00a01,300.00"),
    ("a percentage of one event", {"model": "percentage", "percent": "1", "per_event": "5", "quantity": "100"},
     "EUR\u00a06.00"),
    ("not said yet", {"model": "package", "unit_price": "100"}, "needs it"),
    ("no quantity", {"model": "flat", "unit_price": "100", "quantity": ""}, "Fill in the price"),
    ("a quantity below zero", {"model": "flat", "unit_price": "100", "quantity": "-1"}, "below zero"),
    ("more than there is", {"model": "per_unit", "unit_price": "999999999999", "quantity": "999999999999"},
     "too large"),
])  # fmt: skip
def test_what_it_costs_is_told_while_somebody_types(
    ana: Client, acorn: Scope, snapshot: Snapshot, _case: str, given: dict[str, Any], shown: str
) -> None:
    before = snapshot()
    answer = ana.post("/o/acorn/plans/typed/", {**TYPED, **given})
    assert answer.status_code == 200
    assert shown in answer.content.decode()
    assert snapshot() == before


def test_a_price_page_says_what_a_quantity_costs_as_the_api_does(ana: Client, acorn: Scope) -> None:
    with work():
        price = calls()
    page = ana.get(f"/o/acorn/plans/prices/{price.public_id}/?quantity=12").content.decode()
    assert "EUR\u00a080.50" in page
    assert "Up to 5: 5 × 7.00" in page
    assert (
        "EUR\u00a080.50"
        in ana.get(f"/o/acorn/plans/prices/{price.public_id}/quote/?quantity=12").content.decode()
    )
    for wrong in ("", "x", "1e9", "\x00"):
        assert ana.get(f"/o/acorn/plans/prices/{price.public_id}/", {"quantity": wrong}).status_code == 422


def test_what_it_costs_is_read_out_by_something_that_is_not_swapped(ana: Client, acorn: Scope) -> None:
    with work():
        price = calls()
    page = f"/o/acorn/plans/prices/{price.public_id}/"
    around = re.compile(r'<div [^>]*aria-live="polite"[^>]*>\s*<div id="quote"')
    for path in (page, NEW):
        assert around.search(ana.get(path).content.decode()), path
    assert "aria-live" not in ana.get(f"{page}quote/?quantity=12").content.decode()


def test_a_price_is_replaced_from_its_page(ana: Client, acorn: Scope) -> None:
    with work():
        old = calls()
    form = ana.get(f"{NEW}?replaces={old.public_id}").content.decode()
    assert 'value="calls"' in form
    assert old.public_id in form
    assert saved(ana, replaces=old.public_id, tier_flat=[""]).status_code == 302
    page = ana.get(f"/o/acorn/plans/prices/{old.public_id}/").content.decode()
    assert "Another price took its place" in page
    assert "not offered any more" in ana.get("/o/acorn/plans/").content.decode()
    assert ana.get(f"{NEW}?replaces=price_none").status_code == 404


def test_a_price_is_retired_once(ana: Client, acorn: Scope) -> None:
    with work():
        price = calls()
    for _ in range(2):
        assert ana.post(f"/o/acorn/plans/prices/{price.public_id}/retire/").status_code == 302
    with work():
        price.refresh_from_db()
        assert price.version == 2
    assert "Calls" not in ana.get("/o/acorn/subscriptions/new/").content.decode()


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(name="Kestrel"), DAY)


@time_machine.travel("2026-11-27T09:00:00Z")
def test_something_more_is_billed_once_however_often_it_is_sent(ana: Client, sub: Subscription) -> None:
    with work():
        price = calls()
    wish = {"price": price.public_id, "quantity": "12", "starts_on": "2026-11-01", "key": TYPED["key"]}
    for _ in range(2):
        assert ana.post(f"/o/acorn/subscriptions/{sub.public_id}/items/", wish).status_code == 302
    with work():
        item = SubscriptionItem.objects.get(role="added")
    page = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert "Graduated, 2 tiers, in arrears" in page
    assert f"end-{item.public_id}" in page
    end = f"/o/acorn/subscriptions/{sub.public_id}/items/{item.public_id}/end/"
    for _ in range(2):
        assert ana.post(end, {"on": "2026-11-16"}).status_code == 302
    run_billing(date(2026, 12, 1))
    with work():
        assert item.subscription_id == sub.pk
        assert verify() == []
    assert "40.25" in ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()


@pytest.mark.parametrize(("_case", "given"), [
    ("no price", {"price": ""}), ("a price that is not offered", {"price": "price_none"}),
    ("no quantity", {"quantity": ""}), ("less than nothing", {"quantity": "-1"}), ("no number", {"quantity": "many"}),
    ("before the first day", {"starts_on": "2026-10-31"}), ("no day", {"starts_on": "soon"}), ("no key", {"key": ""}),
])  # fmt: skip
def test_what_cannot_be_added_comes_back_with_its_reason(
    ana: Client, sub: Subscription, snapshot: Snapshot, _case: str, given: dict[str, str]
) -> None:
    with work():
        price = calls()
    before = snapshot()
    wish = {
        "price": price.public_id,
        "quantity": "1",
        "starts_on": "2026-11-01",
        "key": TYPED["key"],
        **given,
    }
    answer = ana.post(f"/o/acorn/subscriptions/{sub.public_id}/items/", wish)
    assert answer.status_code == 422
    assert re.search(r'<dialog class="dlg" id="add"[^>]*data-show="1"', answer.content.decode())
    assert snapshot() == before


def test_an_item_is_ended_only_below_its_own_subscription(
    ana: Client, bea: Client, sub: Subscription
) -> None:
    with work():
        other = factories.subscription(factories.customer(), DAY)
        item = SubscriptionItem.objects.get(subscription=sub)
    for client, house, above in ((ana, "acorn", other), (bea, "birch", sub), (bea, "acorn", sub)):
        end = f"/o/{house}/subscriptions/{above.public_id}/items/{item.public_id}/end/"
        assert client.post(end, {"on": "2027-01-01"}).status_code == 404
    own = f"/o/acorn/subscriptions/{sub.public_id}/items/{item.public_id}/end/"
    assert ana.post(own, {"on": "2027-01-01"}).status_code == 409, "the plan ends with its subscription"
    with work():
        item.refresh_from_db()
        assert item.ends_on is None


def test_another_houses_price_can_be_neither_seen_nor_taken(
    ana: Client, birch: Scope, sub: Subscription
) -> None:
    with enter(birch), work():
        theirs = create_price(name="X", code="x", model="flat", currency="EUR", unit_price=Decimal(1))
    for path in ("", "quote/?quantity=1"):
        assert ana.get(f"/o/acorn/plans/prices/{theirs.public_id}/{path}").status_code == 404
    assert ana.post(f"/o/acorn/plans/prices/{theirs.public_id}/retire/").status_code == 404
    assert ana.get(f"{NEW}?replaces={theirs.public_id}").status_code == 404
    wish = {"price": theirs.public_id, "quantity": "1", "starts_on": "2026-11-01", "key": TYPED["key"]}
    assert ana.post(f"/o/acorn/subscriptions/{sub.public_id}/items/", wish).status_code == 422


def test_a_page_of_many_prices_and_items_asks_no_more(ana: Client, sub: Subscription) -> None:
    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ana.get(path).status_code == 200
        return len(queries)

    pages = ["/o/acorn/plans/", f"/o/acorn/subscriptions/{sub.public_id}/"]
    before = [asked(path) for path in pages]
    with work():
        for n in range(8):
            price = create_price(
                name=f"N{n}", code=f"n{n}", model="flat", currency="EUR", unit_price=Decimal(n)
            )
            SubscriptionItem.objects.create(
                subscription=sub, price=price, quantity=1, role="added", starts_on=DAY
            )
            if n % 2:
                retire_price(price.public_id)
    assert [asked(path) for path in pages] == before


@time_machine.travel("2026-11-27T09:00:00Z")
def test_a_plan_changes_from_its_page_as_its_preview_says(ana: Client, sub: Subscription) -> None:
    run_billing(DAY)
    path = f"/o/acorn/subscriptions/{sub.public_id}/"
    wish = {"price": sub.price.public_id, "quantity": "5", "on": "2027-03-01"}
    shown = ana.post(f"{path}change/preview/", wish).content.decode()
    assert "From 1 Mar 2027" in shown
    assert (shown.count("<caption"), shown.count('<th scope="row"')) == (2, 5)
    assert "EUR\u00a072.50" in shown
    with work():
        assert SubscriptionItem.objects.count() == 1, "a preview writes nothing"
    for _ in range(2):
        assert ana.post(f"{path}change/", wish).status_code == 302
    page = ana.get(path).content.decode()
    assert "quantity 1 → 5" in page
    assert "Take back<" in page
    with work():
        assert SubscriptionItem.objects.count() == 2
    assert ana.post(f"{path}change/revoke/").status_code == 302
    assert "quantity 1 → 5" not in ana.get(path).content.decode()


@pytest.mark.parametrize(("_case", "given", "why"), [
    ("before it begins", {"on": "2026-10-15"}, "changed on"), ("nothing said", {"quantity": "", "price": ""}, ""),
    ("less than nothing", {"quantity": "-1"}, "zero or more"), ("no such price", {"price": "price_none"}, ""),
    ("no day", {"on": "soon"}, ""), ("nothing new", {"quantity": "1"}, "Nothing would change"),
])  # fmt: skip
def test_a_change_that_cannot_be_comes_back_with_its_reason(
    ana: Client, sub: Subscription, snapshot: Snapshot, _case: str, given: dict[str, str], why: str
) -> None:
    run_billing(DAY)
    before = snapshot()
    path = f"/o/acorn/subscriptions/{sub.public_id}/change/"
    wish = {"price": sub.price.public_id, "quantity": "5", "on": "", **given}
    answer = ana.post(path, wish)
    assert answer.status_code == 422
    assert re.search(r'id="change"[^>]*data-show="1"', answer.content.decode())
    preview = ana.post(f"{path}preview/", wish)
    assert preview.status_code == 200
    assert why in preview.content.decode()
    assert snapshot() == before


def test_another_houses_plan_is_not_changed(bea: Client, sub: Subscription) -> None:
    for house in ("acorn", "birch"):
        for act in ("change/", "change/preview/", "change/revoke/"):
            wish = {"price": sub.price.public_id, "quantity": "5"}
            assert bea.post(f"/o/{house}/subscriptions/{sub.public_id}/{act}", wish).status_code == 404
