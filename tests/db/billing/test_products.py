"""Products: whose discounts hold for which plan and day, what is billed coming to the same again, and what is sold."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta
from django.db import OperationalError

from billing.domain.discounts import Discount
from billing.listing import prices, subscription
from billing.models import (
    HeldSubscription,
    MrrMovement,
    Plan,
    Price,
    Product,
    Subscription,
    SubscriptionDiscount,
)
from billing.previews import next_bill
from billing.services.change import change
from billing.services.discounts import create_coupon, discount, give_coupon
from billing.services.mrr import fill_movements
from billing.services.prices import create_price
from billing.services.products import (
    archive_product,
    change_product,
    create_product,
    move_plan,
    restore_product,
)
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, subscribe
from core import clock
from core.effects import waiting
from core.errors import AppError, CodeTaken, Invalid
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_lifecycle import bought, flat
from tests.db.billing.test_usage_at_once import open_elsewhere
from tests.db.sandbox.test_copying import copy


def today() -> date:
    return clock.today("Europe/Berlin")


def begun() -> date:
    """The first of the month three months back: four of its months have begun."""
    return today().replace(day=1) - relativedelta(months=3)


def turn() -> date:
    """The first day that has begun nowhere: from it on a move counts."""
    return clock.today("Pacific/Kiritimati") + timedelta(days=1)


def coming() -> date:
    """The first of a month from which a move of today counts."""
    day = turn()
    return day if day.day == 1 else day.replace(day=1) + relativedelta(months=1)


def a_product(code: str = "track") -> Product:
    return create_product(name=code.title(), code=code)


def put(price: Price, code: str) -> Plan:
    return move_plan(price.plan.public_id, product=code)


def half(sub: Subscription, code: str = "track", **given: object) -> SubscriptionDiscount:
    said = {"name": "Half", "percent": Decimal(50), "products": [code], "on": begun(), "today": today()}
    return discount(sub.public_id, **{**said, **given})  # type: ignore[arg-type]


def amounts() -> list[int]:
    return [minor for *_, minor in billed()]


def nothing_held() -> None:
    with work():
        assert list(HeldSubscription.objects.values_list("reason", flat=True)) == []


def exact() -> None:
    """Every past period and every movement of recurring revenue comes out again; the books are right."""
    found = replay_billing()
    assert (found.differences, found.mrr) == ([], [])
    proven()


def test_a_products_discount_holds_for_its_plans_and_no_other(acorn: Scope) -> None:
    with work():
        a_product()
        sub = bought(100, begun())
        add_item(sub.public_id, price=flat(40), starts_on=begun())
        put(sub.price, "track")
        create_coupon(code="HALF", name="Half", percent=Decimal(50), products=["track"])
        given = give_coupon(sub.public_id, coupon="HALF", on=begun(), today=today())
        assert (given.products, given.plans) == (["track"], [])
        expected = next_bill(subscription(sub.public_id), today=begun()).totals
    run_billing(begun())
    assert expected is not None
    assert (sum(amounts()), expected.net_minor) == (9000, 9000), "the preview is the run"
    with work():
        assert list(MrrMovement.objects.order_by("day").values_list("after_minor", flat=True)) == [9000]
    nothing_held()
    exact()


def test_a_plan_that_comes_later_has_the_discount_too(acorn: Scope) -> None:
    """Made in the product after the discount was given, it has it from its first day."""
    with work():
        a_product()
        sub = bought(100, begun())
        half(sub)
        later = create_price(
            name="Maps", code="maps", model="flat", unit_price=Decimal(30), currency="EUR", product="track"
        )
        add_item(sub.public_id, price=later, starts_on=begun())
    run_billing(begun())
    assert amounts() == [10000, 1500]
    nothing_held()
    exact()


def test_a_plan_that_was_there_has_it_from_the_first_day_that_began_nowhere(acorn: Scope) -> None:
    """Four months are billed whole; it comes into the product; the next month is half, the past stays."""
    with work():
        a_product()
        sub = bought(100, begun())
        half(sub)
    run_billing(today())
    assert amounts() == [10000] * 4
    with work():
        plan = put(sub.price, "track")
        assert plan.products_before == [{"product": "", "until": turn().isoformat()}]
    fill_movements()
    with work():
        expected = next_bill(subscription(sub.public_id), today=coming()).totals
    run_billing(coming())
    assert expected is not None
    assert (amounts()[-1], expected.net_minor) == (5000, 5000)
    nothing_held()
    exact()


def test_what_is_billed_late_goes_by_the_product_of_its_own_days(acorn: Scope) -> None:
    """A run that comes a month late bills as one in time would have."""
    with work():
        a_product(), a_product("other")
        sub = bought(100, begun())
        put(sub.price, "track")
        half(sub)
        put(sub.price, "other")
    fill_movements()
    run_billing(coming())
    assert amounts() == [5000] * 4 + [10000]
    nothing_held()
    exact()


@pytest.mark.parametrize("back", [False, True])
def test_a_moved_plan_comes_out_again(acorn: Scope, back: bool) -> None:
    with work():
        a_product(), a_product("other")
        sub = bought(100, begun())
        put(sub.price, "track")
        half(sub)
        discount(
            sub.public_id, name="Other", amount=Decimal(10), products=["other"], on=begun(), today=today()
        )
        discount(sub.public_id, name="All", percent=Decimal(10), on=begun(), today=today())
    run_billing(today())
    assert amounts() == [4500] * 4, "first what is for some, then what is for all"
    with work():
        put(sub.price, "other")
        if back:
            assert put(sub.price, "track").products_before == [], "as if nothing had been"
    fill_movements()
    exact()
    run_billing(coming())
    assert amounts()[-1] == (4500 if back else 8100)
    nothing_held()
    exact()


def test_a_plan_that_leaves_and_comes_back_has_the_discount_twice(acorn: Scope) -> None:
    """Days with it, days without, days with it: the gate knows why, and each is billed by its own."""
    first, second = begun() + relativedelta(months=1), begun() + relativedelta(months=2)
    with work():
        a_product()
        sub = bought(100, begun())
        put(sub.price, "track")
        half(sub)
        before = [
            {"product": "track", "until": first.isoformat()},
            {"product": "", "until": second.isoformat()},
        ]
        Plan.objects.filter(pk=sub.price.plan_id).update(products_before=before)
    fill_movements()
    for month in range(4):
        run_billing(begun() + relativedelta(months=month))
    assert amounts() == [5000, 10000, 5000, 5000]
    nothing_held()
    exact()


def test_a_change_of_plan_within_the_product_keeps_the_discount(acorn: Scope) -> None:
    with work():
        a_product()
        sub = bought(100, begun())
        larger = flat(300)
        put(sub.price, "track"), put(larger, "track")
        half(sub)
    run_billing(begun())
    with work():
        second = begun() + relativedelta(months=1)
        change(sub.public_id, price=larger, on=second, today=second)
    run_billing(second)
    with work():
        third = begun() + relativedelta(months=2)
        change(sub.public_id, price=flat(80), on=third, today=third)
    run_billing(third)
    assert amounts() == [5000, 15000, 8000], "the last is of no product"
    nothing_held()
    exact()


@pytest.mark.parametrize("by_hand", ["products of the discount", "product of the plan"])
def test_the_gate_holds_a_products_discount_that_left_unrecorded(acorn: Scope, by_hand: str) -> None:
    with work():
        a_product()
        sub = bought(100, begun())
        put(sub.price, "track")
        given = half(sub)
    run_billing(begun())
    with work():
        if by_hand == "product of the plan":
            Plan.objects.filter(pk=sub.price.plan_id).update(product=a_product("other"))
        else:
            SubscriptionDiscount.objects.filter(pk=given.pk).update(products=["other"])
    run_billing(begun() + relativedelta(months=1))
    assert amounts() == [5000]
    with work():
        assert "Half" in HeldSubscription.objects.get().reason


def test_where_no_discount_was_given_a_move_is_as_if_it_had_always_been_so(acorn: Scope) -> None:
    with work():
        a_product(), a_product("other")
        sub = bought(100, begun())
        put(sub.price, "track")
        assert put(sub.price, "other").products_before == []
        assert not waiting().filter(kind="billing.mrr").exists()
        half(sub, "other")
    run_billing(begun())
    assert amounts() == [5000]
    exact()


def test_what_a_moved_plan_is_worth_a_month_is_written_anew(acorn: Scope) -> None:
    with work():
        a_product()
        sub = bought(100, begun())
        half(sub)
        put(sub.price, "track")
        assert waiting().filter(kind="billing.mrr").count() == 1
    assert replay_billing().mrr != []
    assert fill_movements() == 1
    assert fill_movements() == 0, "again it writes nothing"
    exact()


def test_a_discount_that_is_being_given_keeps_its_products_plans(committed_acorn: Scope) -> None:
    """Whoever moves a plan meanwhile waits: what is billed with it must find it there."""
    with work():
        a_product(), a_product("other")
        sub = bought(100, begun())
        put(sub.price, "track")
    with open_elsewhere(committed_acorn, lambda: half(sub)), pytest.raises(OperationalError), work():
        put(sub.price, "other")


@pytest.mark.parametrize(
    ("_case", "said", "field"),
    [
        ("no name", {"name": " "}, "name"),
        ("a long name", {"name": "x" * 201}, "name"),
        ("an odd code", {"code": "a b"}, "code"),
        ("a long description", {"description": "x" * 501}, "description"),
    ],
)
def test_bad_products_are_refused_at_their_field(
    acorn: Scope, _case: str, said: dict[str, str], field: str
) -> None:
    with work(), pytest.raises(Invalid) as refused:
        create_product(**{"name": "Track", "code": "track", **said})
    assert list(refused.value.fields) == [field]
    with work():
        assert not Product.objects.exists()


def test_a_code_is_one_products(acorn: Scope, birch: Scope) -> None:
    with work():
        a_product()
        with pytest.raises(CodeTaken):
            a_product()
        assert Product.objects.count() == 1
    with enter(birch), work():
        a_product()


def test_changed_archived_and_brought_back_it_tells_once_each(acorn: Scope) -> None:
    with work():
        row = a_product()
        for _again in range(2):
            change_product(row.public_id, name="Track & Trace")
        for _again in range(2):
            archive_product(row.public_id)
        for _again in range(2):
            restore_product(row.public_id)
    with work():
        names = OutboxEvent.objects.filter(name__startswith="product.").order_by("id")
        assert [each.name for each in names] == [
            "product.created", "product.updated", "product.archived", "product.updated",
        ]  # fmt: skip


def test_an_archived_product_sells_nothing_and_goes_on(acorn: Scope) -> None:
    with work():
        row = a_product()
        sub, offer = bought(100, begun()), flat(40)
        put(sub.price, "track"), put(offer, "track")
        half(sub)
        archive_product(row.public_id)
        assert prices() == []
    run_billing(begun())
    assert amounts() == [5000]
    buys: list[Callable[[], object]] = [
        lambda: bought_at(Price.objects.get(pk=offer.pk)),
        lambda: add_item(sub.public_id, price=Price.objects.get(pk=offer.pk), starts_on=today()),
        lambda: change(sub.public_id, price=Price.objects.get(pk=offer.pk), today=today()),
        lambda: put(flat(7), "track"),
        lambda: create_price(
            name="N", code="n", model="flat", unit_price=Decimal(1), currency="EUR", product="track"
        ),
    ]
    for buy in buys:
        with pytest.raises(AppError, match=r"not offered|archived"), work():
            buy()
    with work():
        change(sub.public_id, quantity=Decimal(2), today=today())
        restore_product(row.public_id)
        assert len(prices()) == 2
        assert bought_at(Price.objects.get(pk=offer.pk)).public_id
    exact()


def bought_at(price: Price) -> Subscription:
    return subscribe(customer=factories.customer().public_id, price=price, starts_on=today())


def test_unknown_products_are_refused(acorn: Scope) -> None:
    with work():
        sub = bought(100, begun())
        acts: list[tuple[Callable[[], object], str]] = [
            (lambda: put(sub.price, "nothing"), "product"),
            (lambda: half(sub, "nothing"), "products"),
            (
                lambda: create_coupon(code="C", name="C", percent=Decimal(1), products=["nothing"]),
                "products",
            ),
        ]
        for act, field in acts:
            with pytest.raises(Invalid) as refused:
                act()
            assert list(refused.value.fields) == [field]
        assert not SubscriptionDiscount.objects.exists()


def test_products_come_into_the_sandbox_and_once(sandbox: Scope, committed_acorn: Scope) -> None:
    """With what belongs to them, did, and has a discount for it: the copy bills what the live one bills."""
    with work():
        row = a_product()
        a_product("other")
        sub = bought(100, begun())
        put(sub.price, "track")
        create_coupon(code="HALF", name="Half", percent=Decimal(50), products=["track"])
        give_coupon(sub.public_id, coupon="HALF", on=begun(), today=today())
        put(sub.price, "other")
        archive_product(row.public_id)
    fill_movements()
    for _again in range(2):
        assert copy(sandbox).state == "done"
        with enter(sandbox), work():
            assert {each.code: each.archived_at is None for each in Product.objects.all()} == {
                "track": False, "other": True,
            }  # fmt: skip
            plan = Plan.objects.select_related("product").get()
            assert plan.product is not None
            assert (plan.product.code, plan.products_before) == (
                "other", [{"product": "track", "until": turn().isoformat()}],
            )  # fmt: skip
    with enter(sandbox):
        run_billing(coming())
        assert amounts() == [5000] * 4 + [10000]
        exact()


def test_a_discount_is_cut_where_its_product_begins_and_ends() -> None:
    whole = Discount(
        "H", Decimal(50), Decimal(0), date(2026, 2, 1), date(2026, 8, 1), products=frozenset({"t"})
    )
    turns = [date(2026, 3, 1), date(2026, 4, 1), date(2026, 9, 1)]
    belongs = [
        ("t", None, turns[0]),
        ("o", turns[0], turns[1]),
        ("t", turns[1], turns[2]),
        ("t", turns[2], None),
    ]
    parts = [(each.starts_on, each.ends_on) for each in whole.parts("p", belongs)]
    assert parts == [(date(2026, 2, 1), turns[0]), (turns[1], date(2026, 8, 1))]
    assert whole.parts("p", [("o", None, None)]) == whole.parts("p") == ()
