"""What a customer may not take back: what others set, what has come, what is not theirs or was never set."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.test import Client

from billing.models import Price, Subscription, SubscriptionStep
from billing.services.change import add_step, change
from billing.services.lifecycle import reactivate
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.scope import Scope, enter, work
from customers.models import Customer, Link
from tenants.models import LegalEntity
from tests import factories
from tests.billed import proven
from tests.cast import CANARY
from tests.db.portal.owned import (
    JULY,
    JUNE,
    MID,
    NOON,
    SAME,
    as_it_was,
    backs,
    let,
    offered,
    opened,
    plans,
    priced,
    said,
    told_of,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401

AUGUST = date(2026, 8, 1)

both = pytest.mark.parametrize("what", ["plan", "end"])


@pytest.fixture(autouse=True)
def lets(sub: Subscription) -> None:
    let("now")


def told() -> tuple[int, int]:
    return told_of("kept")


def _changes(sub: Subscription) -> None:
    change(sub.public_id, price=priced("mini", "5"), on=JULY, today=MID)


def _steps(sub: Subscription) -> None:
    add_step(sub.public_id, Step(price=priced("mini", "5"), on=AUGUST), today=MID)


def _ends(sub: Subscription) -> None:
    end(sub.public_id, on=JULY, today=MID)


@pytest.mark.parametrize("member", [_changes, _steps, _ends])
def test_what_a_member_set_is_not_the_customers_to_take_back(
    customer: Client,
    sub: Subscription,
    member: Callable[[Subscription], None],
) -> None:
    with work():
        member(sub)
        steps = SubscriptionStep.objects.filter(subscription=sub).values_list("on", "price__public_id")
        values = [f"{price}:plan:{day}" for day, price in steps] or [f":end:{JULY}"]
    before = plans(sub)
    address = opened(customer, sub)
    assert backs(customer.get(address).content) == []
    for value in values:
        answer = customer.post(address, {"keep": value})
        assert answer.status_code == 409
        assert b"This has changed meanwhile" in answer.content
    assert (plans(sub), told()) == (before, (0, 0))
    with work():
        assert Subscription.objects.get(pk=sub.pk).ends_on == (JULY if member is _ends else None)


def test_a_change_in_the_place_of_what_a_member_set_is_not_taken_back(
    customer: Client, sub: Subscription
) -> None:
    """It would be a way round what the seller had set, which is gone."""
    with work():
        _changes(sub)
    address = opened(customer, sub)
    customer.post(address, {"change": offered(customer.get(address).content)["solo"]})
    assert plans(sub) == [*SAME, ("solo", "2026-07-01")]
    assert backs(customer.get(address).content) == []
    with work():
        solo = Price.objects.get(plan__code="solo").public_id
    assert customer.post(address, {"keep": f"{solo}:plan:{JULY}"}).status_code == 409
    assert plans(sub) == [*SAME, ("solo", "2026-07-01")]


def test_an_end_before_the_one_a_member_set_is_not_taken_back(customer: Client, sub: Subscription) -> None:
    with work():
        end(sub.public_id, on=date(2026, 12, 1), today=MID)
    address = opened(customer, sub)
    customer.post(address, {"end": f"period_end:{JULY}"})
    assert backs(customer.get(address).content) == []
    assert customer.post(address, {"keep": f":end:{JULY}"}).status_code == 409
    with work():
        assert Subscription.objects.get(pk=sub.pk).ends_on == JULY


def test_a_member_who_moves_the_end_makes_it_the_sellers(customer: Client, sub: Subscription) -> None:
    """Also where it is moved to and fro: what was said last is the member's."""
    with work():
        LegalEntity.objects.update(customers_end="period_end")
    address = opened(customer, sub)
    value = said(customer, address, "end")
    with work():
        reactivate(sub.public_id, today=MID)
        end(sub.public_id, on=JULY, today=MID)
    assert backs(customer.get(address).content) == []
    assert customer.post(address, {"keep": value}).status_code == 409
    with work():
        assert Subscription.objects.get(pk=sub.pk).ends_on == JULY
    assert told() == (0, 0)


@both
def test_what_has_come_meanwhile_is_not_taken_back(
    customer: Client,
    sub: Subscription,
    noon: time_machine.Traveller,
    what: str,
) -> None:
    value = said(customer, opened(customer, sub), what)
    noon.shift(timedelta(days=20))
    run_billing(date(2026, 7, 6))
    before = plans(sub)
    address = opened(customer, sub)
    assert backs(customer.get(address).content) == []
    answer = customer.post(address, {"keep": value})
    assert answer.status_code == 409
    assert b"Its day has come, so it is not taken back any more. Nothing was changed." in answer.content
    assert (plans(sub), told()) == (before, (0, 0))
    proven()


def test_the_end_of_an_archived_customer_is_not_taken_back(customer: Client, sub: Subscription) -> None:
    address = opened(customer, sub)
    value = said(customer, address, "end")
    with work():
        Customer.objects.filter(pk=sub.customer_id).update(archived_at=NOON)
    page = customer.get(address)
    assert page.status_code == 200
    answer = customer.post(address, {"keep": value})
    assert answer.status_code == 422
    assert b"archived" in answer.content
    with work():
        assert Subscription.objects.get(pk=sub.pk).ends_on == JULY
    assert told() == (0, 0)


@pytest.mark.parametrize("value", [
    "", ":", "::", ":end:", ":end:2026-07-32", ":end:20260701", ":never:2026-07-01", "\x00:plan:2026-07-01",
    "<script>:plan:2026-07-01", "x" * 5000, ":end:٢٠٢٦-٠٧-٠١", ":end:2026-07-02", ":end:2026-06-16", ":end:0001-01-01",
    "price_nobody:plan:2026-07-01", "{solo}:plan:2026-06-01", "{business}:plan:2026-07-01", "{solo}:end:2026-07-01:x",
])  # fmt: skip
@both
def test_what_was_not_shown_is_not_taken_back(
    customer: Client,
    sub: Subscription,
    what: str,
    value: str,
) -> None:
    address = opened(customer, sub)
    shown = said(customer, address, what)
    with work():
        names = {each.plan.code: each.public_id for each in Price.objects.select_related("plan")}
    answer = customer.post(address, {"keep": value.format(**names)})
    assert b"<script>:" not in answer.content
    assert backs(customer.get(address).content) == [shown]
    assert told() == (0, 0)
    nothing = (
        value.endswith("2026-07-02") or ":plan:2026-07" in value
    )  # of that kind is set: it is back already
    assert answer.status_code == 409 or nothing


@both
def test_taking_back_needs_the_forms_token(sub: Subscription, what: str) -> None:
    mine = Client()
    value = said(mine, opened(mine, sub), what)
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(opened(strict, sub), {"keep": value}).status_code == 403
    assert told() == (0, 0)


@both
def test_another_tenants_or_an_old_link_takes_nothing_back(
    customer: Client,
    sub: Subscription,
    birch: Scope,
    what: str,
) -> None:
    address = opened(customer, sub)
    value = said(customer, address, what)
    theirs = Client()
    with enter(birch), work():
        hers = factories.subscription(factories.customer(name=f"Bea's {CANARY}"), JUNE)
    with enter(birch):
        answer = theirs.post(opened(theirs, hers), {"keep": value})
        assert answer.status_code in {302, 409}, "nothing of theirs is set for that day"
    theirs.cookies["own"]["path"] = "/"
    assert theirs.post(address, {"keep": value}).status_code == 404
    with work():
        Link.objects.update(expires_at=NOON)
    assert customer.post(address, {"keep": value}).status_code == 404
    assert (as_it_was(sub), told()) == (False, (0, 0))
    with enter(birch):
        assert told() == (0, 0)
