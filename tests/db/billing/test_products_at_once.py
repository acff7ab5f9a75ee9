"""Plans moved by two at once, and while a run bills or a discount is given: whoever comes first, it comes out again."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError

from billing.models import Plan, Product, Subscription
from billing.services.discounts import create_coupon, give_coupon
from billing.services.mrr import fill_movements
from billing.services.products import archive_product
from billing.services.run import run_billing
from core.errors import AppError, CodeTaken
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from tests.db.billing.test_late_at_once import batch
from tests.db.billing.test_lifecycle import bought, flat
from tests.db.billing.test_products import (
    a_product,
    amounts,
    begun,
    coming,
    exact,
    half,
    nothing_held,
    put,
    today,
    turn,
)
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere


@pytest.fixture
def sub(committed_acorn: Scope) -> Subscription:
    """A plan of Track, half off for it; nothing is billed yet."""
    with work():
        a_product(), a_product("other")
        made = bought(100, begun())
        put(made.price, "track")
        half(made)
    return made


def moved(sub: Subscription, code: str) -> Callable[[], object]:
    return lambda: put(sub.price, code)


def told() -> int:
    with work():
        return OutboxEvent.objects.filter(name="plan.product_changed").count()


def plan(sub: Subscription) -> tuple[str, list[Any]]:
    with work():
        row = Plan.objects.select_related("product").get(pk=sub.price.plan_id)
        return row.product.code if row.product else "", row.products_before


def whole() -> None:
    fill_movements()
    run_billing(today())
    run_billing(coming())
    nothing_held()
    exact()


@pytest.mark.parametrize("run_first", [True, False])
def test_a_plan_is_moved_while_a_run_bills_it(
    committed_acorn: Scope, sub: Subscription, run_first: bool
) -> None:
    """Neither waits for the other, and neither changes what the other does: the move is for days to come."""
    bill = batch(today())
    acts = (bill, moved(sub, "other")) if run_first else (moved(sub, "other"), bill)
    with open_elsewhere(committed_acorn, acts[0]), work():
        acts[1]()
    whole()
    assert amounts() == [5000] * 4 + [10000]


def test_of_two_who_move_a_plan_the_second_moves_what_the_first_left(
    committed_acorn: Scope, sub: Subscription
) -> None:
    before = told()
    at_once(committed_acorn, moved(sub, "other"), moved(sub, ""))
    code, left = plan(sub)
    assert code in {"other", ""}
    assert left == [{"product": "track", "until": turn().isoformat()}]
    assert told() == before + 2
    whole()
    assert amounts() == [5000] * 4 + [10000]


def test_a_move_that_is_sent_twice_at_once_is_one(committed_acorn: Scope, sub: Subscription) -> None:
    before = told()
    at_once(committed_acorn, *[moved(sub, "other")] * 4)
    assert (plan(sub)[0], told()) == ("other", before + 1)
    with work():
        assert Effect.objects.filter(kind="billing.mrr").count() == 1
    whole()


def test_two_plans_that_change_places_do_not_wait_for_each_other_for_ever(
    committed_acorn: Scope, sub: Subscription
) -> None:
    with work():
        second = flat(40)
        put(second, "other")
    for n in range(6):
        there, back = ("other", "track") if n % 2 == 0 else ("track", "other")
        at_once(committed_acorn, moved(sub, there), lambda back=back: put(second, back))
    assert plan(sub) == ("track", [])
    whole()


def test_a_coupon_waits_for_a_plan_that_is_being_moved(committed_acorn: Scope) -> None:
    """Given behind it, it knows where the plan is."""
    with work():
        a_product(), a_product("other")
        made = bought(100, begun())
        put(made.price, "track")
        create_coupon(code="H", name="Half", percent=50, products=["track"])

    def give() -> object:
        return give_coupon(made.public_id, coupon="H", on=begun(), today=today())

    with open_elsewhere(committed_acorn, moved(made, "other")), pytest.raises(OperationalError), work():
        give()
    with work():
        give()
    whole()
    assert amounts() == [10000] * 5, "where no discount was given it is as if it had always been in the other"


def test_what_is_bought_while_its_product_is_archived_is_bought_or_refused(
    committed_acorn: Scope, sub: Subscription
) -> None:
    with work():
        track = Product.objects.get(code="track")

    def buy() -> object:
        with suppress(AppError):
            return bought(5, today())
        return None

    at_once(committed_acorn, lambda: archive_product(track.public_id), buy, moved(sub, "other"))
    assert plan(sub)[0] == "other"
    whole()


def test_of_two_products_of_one_code_one_is_made(committed_acorn: Scope) -> None:
    def make() -> str:
        try:
            return a_product().code
        except CodeTaken:
            return "taken"

    assert sorted(at_once(committed_acorn, make, make)) == ["taken", "track"]
    with work():
        assert Product.objects.count() == 1
        assert OutboxEvent.objects.filter(name="product.created").count() == 1
