"""A customer changes to nothing that is not offered, not so any more, or not theirs."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client

from billing.models import Plan, Price, Subscription
from billing.services.lifecycle import pause
from billing.services.prices import retire_price
from billing.services.products import archive_product, create_product, move_plan
from billing.services.subscriptions import end
from core.scope import Scope, enter, work
from tests import factories
from tests.cast import CANARY
from tests.db.pages_documents.test_budgets import MOST, reads
from tests.db.portal.owned import JULY, JUNE, MID, SAME, offer, offered, opened, plans, priced, sold, told_of
from tests.db.sandbox.conftest import no_files  # noqa: F401

pytestmark = pytest.mark.usefixtures("noon")


def told() -> tuple[int, int]:
    return told_of("changed")


def test_nothing_is_offered_at_first(customer: Client, sub: Subscription) -> None:
    offer()
    address = opened(customer, sub)
    page = customer.get(address).content
    assert offered(page) == {}
    assert b"Change the plan" not in page
    assert len(reads(customer, address)) <= MOST
    assert b"To change something or to end it, please ask Acorn Instruments" in page


def _withdrawn() -> None:
    offer(("business", "now"))


def _later() -> None:
    offer(("business", "now"), ("solo", "now"))


def _retired() -> None:
    with work():
        retire_price(Price.objects.get(plan__code="solo").public_id)


def _replaced() -> None:
    with work():
        priced("solo", "12", replaces=Price.objects.get(plan__code="solo").public_id)


def _archived() -> None:
    with work():
        product = create_product(name="Small", code="small")
        move_plan(Plan.objects.get(code="solo").public_id, product="small")
        archive_product(product.public_id)


@pytest.mark.parametrize("meanwhile", [_withdrawn, _later, _retired, _replaced, _archived])
def test_what_is_not_so_any_more_is_not_done_and_the_page_says_what_is(
    customer: Client, sub: Subscription, meanwhile: Callable[[], None]
) -> None:
    address = opened(customer, sub)
    was = offered(customer.get(address).content)
    meanwhile()
    answer = customer.post(address, {"change": was["solo"]})
    assert answer.status_code == 409
    assert b"This has changed meanwhile" in answer.content
    now = offered(answer.content)
    assert was["solo"] not in now.values()
    assert now["business"] == was["business"]
    assert (plans(sub), told()) == (SAME, (0, 0))


def test_yesterdays_page_changes_nothing_at_once(
    customer: Client, sub: Subscription, noon: time_machine.Traveller
) -> None:
    address = opened(customer, sub)
    said = offered(customer.get(address).content)
    noon.shift(timedelta(days=1))
    answer = customer.post(opened(customer, sub), {"change": said["business"]})
    assert answer.status_code == 409
    assert offered(answer.content)["business"].endswith(":2026-06-17")
    assert (plans(sub), told()) == (SAME, (0, 0))


@pytest.mark.parametrize("value", [
    "", ":", "::", "{solo}", "{solo}:period_end", "{solo}:now:2026-06-16", "{solo}:period_end:2026-06-16",
    "{solo}:never:2026-07-01", "{team}:now:2026-06-16", "{dollars}:now:2026-06-16", "{once}:now:2026-06-16",
    "price_nobody:now:2026-06-16", "\x00:now:2026-06-16", "{solo}:period_end:2026-07-01:x", "<script>:now:2026-06-16",
    "{solo}:period_end:20260701", "{solo}:period_end:٢٠٢٦-٠٧-٠١", "x" * 5000, "{solo}\x00:period_end:2026-07-01",
    "{business}:now:9999-99-99", "{business}:now:0001-01-01", "{business}:now:9999-12-31",
])  # fmt: skip
def test_what_was_not_offered_changes_nothing(customer: Client, sub: Subscription, value: str) -> None:
    with work():
        priced("business", "99", currency="USD")
        priced("business", "500", unit="once")
        prices = Price.objects.select_related("plan")
        names = {
            each.plan.code: each.public_id
            for each in prices
            if (each.currency, each.unit) == ("EUR", "month")
        }
        names |= {"dollars": prices.get(currency="USD").public_id, "once": prices.get(unit="once").public_id}
    answer = customer.post(opened(customer, sub), {"change": value.format(**names)})
    assert answer.status_code == 409
    assert b"<script>:" not in answer.content
    assert (plans(sub), told()) == (SAME, (0, 0))


def test_two_answers_in_one_form_change_nothing(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    every = list(offered(customer.get(address).content).values())
    assert customer.post(address, {"change": every}).status_code == 400
    assert plans(sub) == SAME


def test_changing_needs_the_forms_token(sub: Subscription) -> None:
    customer = Client(enforce_csrf_checks=True)
    address = opened(customer, sub)
    said = offered(customer.get(address).content)["business"]
    assert customer.post(address, {"change": said}).status_code == 403
    assert plans(sub) == SAME


def _ends(sub: Subscription) -> None:
    end(sub.public_id, on=date(2026, 6, 25), today=MID)


def _ended(sub: Subscription) -> None:
    end(sub.public_id, on=MID, today=MID)


def _paused(sub: Subscription) -> None:
    pause(sub.public_id, on=MID, today=MID)


def _pauses(sub: Subscription) -> None:
    pause(sub.public_id, on=date(2026, 6, 20), resumes_on=date(2026, 8, 5), today=MID)


@pytest.mark.parametrize("lived", [_ends, _ended, _paused, _pauses])
def test_what_ends_or_is_paused_is_not_changed(
    customer: Client, sub: Subscription, lived: Callable[[Subscription], None]
) -> None:
    address = opened(customer, sub)
    said = offered(customer.get(address).content)
    with work():
        lived(sub)
    page = customer.get(address)
    assert (page.status_code, offered(page.content)) == (200, {})
    for value in said.values():
        assert customer.post(address, {"change": value}).status_code == 409
    assert ({code for code, _ in plans(sub)}, told()) == ({"team"}, (0, 0))


def test_before_it_begins_it_is_not_changed(acorn: Scope, customer: Client) -> None:
    with work():
        sub = sold(priced("team", "30"), JULY)
        priced("solo", "10")
    offer(("solo", "now"))
    assert offered(customer.get(opened(customer, sub)).content) == {}


def test_anothers_link_changes_nothing(customer: Client, sub: Subscription, birch: Scope) -> None:
    said = offered(customer.get(opened(Client(), sub)).content)
    address = f"/subscription/s/{sub.public_id}/"
    every = offered(Client().get(address).content)
    assert (said, every) == ({}, {})
    mine = Client()
    value = offered(mine.get(opened(mine, sub)).content)["business"]
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(name=f"Bea's {CANARY}"), JUNE)
    with enter(birch):
        their_page = opened(customer, theirs)
        answer = customer.post(their_page, {"change": value})
    assert answer.status_code == 409
    cookie = customer.cookies["own"].value
    for client in (customer, Client()):
        client.cookies["own"] = cookie
        assert client.post(address, {"change": value}).status_code == 404
    assert (plans(sub), told()) == (SAME, (0, 0))
