"""Clicks at once, and clicks while a run bills: one change, end or taking back, told once, and the books hold."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import Price, Subscription, SubscriptionItem
from billing.services.offers import Offered, set_plan_offers
from billing.services.run import run_billing
from billing.services.self_change import change_by_customer, ways_to_change
from billing.services.self_keep import END, Choice, keep_by_customer
from billing.services.self_service import NotOffered, end_by_customer
from core.scope import Scope, work
from tests.billed import proven
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere
from tests.db.portal.owned import JULY, JUNE, MID, let, priced, sold, told_of


@pytest.fixture
def sub(committed_acorn: Scope) -> Subscription:
    with work():
        made = sold(priced("team", "30"))
        for code, amount in (("business", "90"), ("solo", "10")):
            priced(code, amount)
        set_plan_offers(made.price.plan.public_id, [Offered("business", "now"), Offered("solo", "now")])
    run_billing(JUNE)
    return made


def click(sub: Subscription, code: str) -> str:
    """What became of a click on what the page of the 16th shows."""
    price = Price.objects.get(plan__code=code).public_id
    try:
        change_by_customer(sub.public_id, price=price, way="now", on=MID, today=MID)
    except NotOffered:
        return "refused"
    return "done"


def lived(sub: Subscription) -> list[str]:
    with work():
        rows = SubscriptionItem.objects.filter(subscription=sub).order_by("starts_on", "id")
        rows = rows.select_related("price__plan")
        return [row.price.plan.code for row in rows if row.ends_on != row.starts_on]


def told() -> tuple[int, int]:
    return told_of("changed")


def test_the_same_click_three_times_at_once(committed_acorn: Scope, sub: Subscription) -> None:
    assert at_once(committed_acorn, *[lambda: click(sub, "business")] * 3) == ["done"] * 3
    assert (lived(sub), told()) == (["team", "business"], (1, 1))
    run_billing(MID)
    proven()


def test_two_wishes_at_once_are_one_change(committed_acorn: Scope, sub: Subscription) -> None:
    """Whoever comes second sees another plan than the page showed."""
    found = at_once(committed_acorn, lambda: click(sub, "business"), lambda: click(sub, "solo"))
    assert sorted(found) == ["done", "refused"]
    assert len(lived(sub)) == 2
    assert told() == (1, 1)
    run_billing(MID)
    proven()


def test_a_click_while_the_page_is_looked_at_elsewhere(committed_acorn: Scope, sub: Subscription) -> None:
    """A look changes, bills and takes back: a click waits for it and is done."""
    with work():
        row = Subscription.objects.select_related("customer", "price__plan").get(pk=sub.pk)
        assert {each.price.plan.code for each in ways_to_change(row, today=MID)} == {"business", "solo"}
    with open_elsewhere(committed_acorn, lambda: ways_to_change(row, today=MID)), work():
        assert click(sub, "business") == "done"
    run_billing(MID)
    assert told() == (1, 1)
    proven()


def test_after_a_run_came_between_what_is_billed_is_credited(
    committed_acorn: Scope, sub: Subscription
) -> None:
    run_billing(JUNE + timedelta(days=14))
    with work():
        assert click(sub, "business") == "done"
    run_billing(MID)
    run_billing(MID)
    with work():
        assert Decimal(sub.price.unit_price) == 30
    assert (lived(sub), told()) == (["team", "business"], (1, 1))
    proven()


def ended(sub: Subscription) -> str:
    """What became of a click on the end of June."""
    try:
        end_by_customer(sub.public_id, way="period_end", on=JULY, today=MID)
    except NotOffered:
        return "refused"
    return "done"


def kept(sub: Subscription) -> str:
    """What became of a click that takes that back."""
    try:
        keep_by_customer(sub.public_id, Choice(END, JULY), today=MID)
    except NotOffered:
        return "refused"
    return "done"


def test_the_same_end_three_times_at_once(committed_acorn: Scope, sub: Subscription) -> None:
    let("period_end")
    assert at_once(committed_acorn, *[lambda: ended(sub)] * 3) == ["done"] * 3
    assert told_of("ended") == (1, 1)
    proven()


def test_an_end_taken_back_three_times_at_once(committed_acorn: Scope, sub: Subscription) -> None:
    let("period_end")
    with work():
        ended(sub)
    assert at_once(committed_acorn, *[lambda: kept(sub)] * 3) == ["done"] * 3
    assert told_of("kept") == (1, 1)
    with work():
        assert Subscription.objects.get(pk=sub.pk).ends_on is None
    proven()


def test_a_change_and_an_end_at_once_are_one_of_them_first(committed_acorn: Scope, sub: Subscription) -> None:
    """A change is not made behind an end; an end comes behind a change. Told is what was done."""
    let("period_end")
    found = at_once(committed_acorn, lambda: click(sub, "business"), lambda: ended(sub))
    assert found in (["done", "done"], ["refused", "done"])
    assert told() == ((1, 1) if found[0] == "done" else (0, 0))
    assert told_of("ended") == (1, 1)
    run_billing(MID)
    run_billing(JULY)
    proven()
