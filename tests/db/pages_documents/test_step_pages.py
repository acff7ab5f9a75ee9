"""The steps of a plan on the pages of its subscription: typed with it, shown by day, added, taken back, refused."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription, SubscriptionStep
from billing.services.change import add_step, subscribe_in_steps
from billing.services.lifecycle import pause
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core import clock
from core.ids import new
from core.scope import Scope, work
from tests import factories

Snapshot = Callable[[], dict[str, int]]
TODAY = clock.today("Europe/Berlin")


def day(ahead: int) -> date:
    return TODAY + timedelta(days=ahead)


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """Ten units at 1.00 a month since ten days ago, billed."""
    with work():
        made = factories.subscription(
            factories.customer(name="Kestrel"), day(-10), quantity=Decimal(10), unit_price=1, tax_percent=0
        )
    run_billing(day(-10))
    return made


def step(sub: Subscription, ahead: int, quantity: int) -> None:
    with work():
        add_step(sub.public_id, Step(quantity=Decimal(quantity), on=day(ahead)), today=TODAY)


def path(sub: Subscription, *places: str) -> str:
    return "/".join([f"/o/acorn/subscriptions/{sub.public_id}", *places, ""])


def days() -> list[tuple[date, Decimal | None]]:
    with work():
        return list(SubscriptionStep.objects.order_by("on").values_list("on", "quantity"))


def test_steps_are_shown_by_day_with_what_a_period_costs_before_and_after(
    ana: Client, sub: Subscription
) -> None:
    assert "Nothing of the plan is set for later." in ana.get(path(sub)).content.decode()
    step(sub, 60, 30)
    step(sub, 40, 20)
    page = ana.get(path(sub)).content.decode()
    assert page.index("quantity 10 → 20") < page.index("quantity 20 → 30")
    for figure in ("10.00", "20.00", "30.00"):
        assert figure in page
    assert page.count("Take back<") == 2


def test_a_step_is_added_on_its_page_and_a_double_click_adds_one(ana: Client, sub: Subscription) -> None:
    wish = {"price": "", "quantity": "20", "on": str(day(40))}
    seen = ana.post(path(sub, "change", "preview"), wish).content.decode()
    assert "20.00" in seen
    assert days() == []
    for _ in range(2):
        assert ana.post(path(sub, "change"), wish).status_code == 302
    assert days() == [(day(40), 20)]


def test_each_is_taken_back_and_a_double_click_takes_back_one(ana: Client, sub: Subscription) -> None:
    step(sub, 40, 20)
    step(sub, 60, 30)
    for _ in range(2):
        assert ana.post(path(sub, "change", "revoke"), {"on": str(day(40))}).status_code == 302
    assert days() == [(day(60), 30)]
    assert ana.post(path(sub, "change", "revoke"), {"on": "soon"}).status_code == 404
    assert days() == [(day(60), 30)]


def test_of_several_the_day_has_to_be_said(ana: Client, sub: Subscription) -> None:
    step(sub, 40, 20)
    step(sub, 60, 30)
    answer = ana.post(path(sub, "change", "revoke"))
    assert (answer.status_code, "Several steps" in answer.content.decode()) == (409, True)
    assert len(days()) == 2


def test_a_preview_within_what_is_billed_names_charge_credit_and_net(ana: Client, sub: Subscription) -> None:
    seen = ana.post(path(sub, "change", "preview"), {"quantity": "20", "on": str(TODAY)}).content.decode()
    assert "Credit: " in seen
    assert "To pay after credit" in seen


def test_what_it_ends_before_is_said_so_and_a_paused_one_offers_none(ana: Client, sub: Subscription) -> None:
    step(sub, 60, 30)
    with work():
        end(sub.public_id, on=day(50), today=TODAY)
    assert "it ends before" in ana.get(path(sub)).content.decode()


@pytest.mark.parametrize("known", [True, False])
def test_while_it_is_paused_steps_are_shown_added_and_taken_back(
    ana: Client, sub: Subscription, known: bool
) -> None:
    step(sub, 60, 30)
    with work():
        pause(sub.public_id, on=day(30), resumes_on=day(90) if known else None, today=TODAY)
    page = ana.get(path(sub)).content.decode()
    assert "quantity 10 → 30" in page
    assert "Add a step" in page
    wish = {"quantity": "40", "on": str(day(70))}
    seen = ana.post(path(sub, "change", "preview"), wish).content.decode()
    assert "40.00" in seen
    assert ana.post(path(sub, "change"), wish).status_code == 302
    assert ana.post(path(sub, "change", "revoke"), {"on": str(day(60))}).status_code == 302
    assert days() == [(day(70), 40)]


@pytest.mark.parametrize("known", [True, False])
def test_paused_from_its_first_day_on_its_steps_are_shown(
    ana: Client, sub: Subscription, known: bool
) -> None:
    with work():
        made = subscribe_in_steps(
            customer=sub.customer.public_id, price=sub.price, starts_on=day(10), today=TODAY,
            steps=[Step(quantity=Decimal(7), on=day(40))],
        )  # fmt: skip
        pause(made.public_id, on=day(10), resumes_on=day(90) if known else None, today=TODAY)
    page = ana.get(path(made))
    assert (page.status_code, "quantity 1 → 7" in page.content.decode()) == (200, True)
    wish = {"quantity": "8", "on": str(day(50))}
    seen = ana.post(path(made, "change", "preview"), wish)
    assert (seen.status_code, "8.00" in seen.content.decode()) == (200, True)


def test_an_own_price_is_said_beside_a_quantity_without_a_stray_comma(ana: Client, sub: Subscription) -> None:
    with work():
        add_step(sub.public_id, Step(unit_price=Decimal(2), quantity=Decimal(20), on=day(40)), today=TODAY)
    text = " ".join(re.sub(r"<[^>]+>", "", ana.get(path(sub)).content.decode()).split())
    assert "own price quantity 10 → 20" in text


TYPED = {"customer": "Kestrel", "quantity": "10", "starts_on": str(TODAY), "steps": "3"}


def typed(sub: Subscription, **given: str) -> dict[str, str]:
    return {**TYPED, "price": sub.price.public_id, "key": new("form"), **given}


def test_a_subscription_is_typed_with_its_steps_and_empty_rows_are_none(
    ana: Client, sub: Subscription
) -> None:
    wish = typed(sub, **{
        "step-0-on": str(day(90)), "step-0-quantity": "40", "step-2-on": str(day(30)), "step-2-unit_price": "2.5",
    })  # fmt: skip
    for _ in range(2):
        assert ana.post("/o/acorn/subscriptions/new/", wish).status_code == 302
    assert days() == [(day(30), None), (day(90), 40)]


def test_another_row_is_asked_for_and_what_was_typed_stays(
    ana: Client, sub: Subscription, snapshot: Snapshot
) -> None:
    before = snapshot()
    wish = typed(sub, **{"step-2-quantity": "77", "more": "1", "customer": ""})
    page = ana.post("/o/acorn/subscriptions/new/", wish).content.decode()
    assert 'name="step-3-on"' in page
    assert 'value="77"' in page
    assert 'name="steps" value="4"' in page
    assert snapshot() == before


@pytest.mark.parametrize(("_case", "wish", "said"), [
    ("no day", {"step-0-quantity": "5"}, "Say from which day on."),
    ("its first day", {"step-0-on": str(TODAY), "step-0-quantity": "5"}, "something begins on this one"),
    ("before it", {"step-0-on": "2020-01-01", "step-0-quantity": "5"}, "from then on"),
    ("no date", {"step-0-on": "soon", "step-0-quantity": "5"}, "valid date"),
    ("too far", {"step-0-on": "9999-01-01", "step-0-quantity": "5"}, "too far away"),
    ("nothing new", {"step-1-on": str(day(30)), "step-1-quantity": "10"}, "Another price, or another quantity."),
    ("no number", {"step-0-on": str(day(30)), "step-0-quantity": "ten"}, "number"),
    ("below zero", {"step-0-on": str(day(30)), "step-0-quantity": "-1"}, "ero or more"),
    ("no price", {"step-0-on": str(day(30)), "step-0-price": "price_x"}, "valid choice"),
    ("one day twice", {"step-0-on": str(day(30)), "step-0-quantity": "5", "step-1-on": str(day(30)),
                       "step-1-quantity": "6"}, "something begins on this one"),
])  # fmt: skip
def test_a_step_that_cannot_be_is_named_in_its_row_and_nothing_is_made(
    ana: Client, sub: Subscription, snapshot: Snapshot, _case: str, wish: dict[str, str], said: str
) -> None:
    before = snapshot()
    answer = ana.post("/o/acorn/subscriptions/new/", typed(sub, **wish))
    page = answer.content.decode()
    assert (answer.status_code, said in page) == (422, True), page[page.find("form-err") :][:300]
    assert "A step further down" in page
    assert snapshot() == before


@pytest.mark.parametrize("count", ["99", "-1", "x", "", "²", "1000000000"])
def test_a_number_of_rows_that_is_none_makes_no_more_than_there_may_be(
    ana: Client, sub: Subscription, count: str
) -> None:
    page = ana.post("/o/acorn/subscriptions/new/", typed(sub, steps=count, more="1")).content.decode()
    assert page.count('type="date" name="step-') <= 24


def test_only_who_may_acts_and_another_house_finds_nothing(
    vic: Client, bea: Client, sub: Subscription
) -> None:
    step(sub, 40, 20)
    page = vic.get(path(sub)).content.decode()
    assert "quantity 10 → 20" in page
    for client, status in ((vic, 403), (bea, 404)):
        house = "acorn" if client is vic else "birch"
        at = path(sub, "change", "revoke").replace("acorn", house)
        assert client.post(at, {"on": str(day(40))}).status_code == status
        at = path(sub, "change").replace("acorn", house)
        assert client.post(at, {"quantity": "5", "on": str(day(70))}).status_code == status
    assert days() == [(day(40), 20)]


def test_the_page_asks_as_often_however_many_steps_there_are(ana: Client, sub: Subscription) -> None:
    with work():
        many = subscribe_in_steps(
            customer=factories.customer(name="Wren").public_id, price=sub.price, starts_on=TODAY, today=TODAY,
            steps=[Step(quantity=Decimal(n + 2), on=day(30 * (n + 1))) for n in range(24)],
        )  # fmt: skip
    step(sub, 40, 20)
    counts = []
    for row in (sub, many):
        ana.get(path(row))
        with CaptureQueriesContext(connection) as seen:
            ana.get(path(row))
        counts.append(len(seen))
    assert counts[1] <= counts[0], counts
