"""Coupons and discounts: percentages, amounts, for some periods, of some plans, one after the other, billed once."""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.models import BilledPeriod, Coupon, HeldSubscription, Subscription, SubscriptionDiscount
from billing.services.change import change
from billing.services.discounts import archive_coupon, create_coupon, discount, end_discount, give_coupon
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end
from core.errors import AppError, Conflict, Invalid, NotFound
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from invoicing.models import Line
from tests.billed import billed, proven
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, credited, flat


def amounts() -> list[int]:
    return [minor for *_, minor in billed()]


def nothing_held() -> None:
    with work():
        assert list(HeldSubscription.objects.values_list("reason", flat=True)) == []


def test_a_percentage_for_some_periods_and_then_the_whole(acorn: Scope) -> None:
    with work():
        sub = bought(29)
        create_coupon(code="WELCOME", name="Welcome", percent=Decimal(10), periods=2)
        given = give_coupon(sub.public_id, coupon="WELCOME", today=JUNE)
        assert (given.starts_on, given.ends_on) == (JUNE, date(2026, 8, 1))
    for month in (6, 7, 8):
        run_billing(date(2026, month, 1))
    assert amounts() == [2610, 2610, 2900]
    nothing_held()
    with work():
        rows = Line.objects.order_by("id").values_list("detail", "quantity")
        assert rows[0] == ("29.00, 10 % off (Welcome)", 1)
        assert [row.discount_minor for row in BilledPeriod.objects.order_by("id")] == [290, 290, 0]
    proven()


def test_once_for_ever_and_one_after_the_other_in_order(acorn: Scope) -> None:
    """100: first what is for the plan, 20 off, then of the rest 25 %, then 10."""
    with work():
        sub = bought(100)
        code = sub.price.plan.code
        discount(sub.public_id, name="Loyal", percent=Decimal(25), today=JUNE)
        discount(sub.public_id, name="Sorry", amount=Decimal(10), periods=1, today=JUNE)
        discount(sub.public_id, name="Plan", amount=Decimal(20), plans=[code], today=JUNE)
    run_billing(JULY)
    assert amounts() == [5000, 6000]
    nothing_held()
    proven()


def test_a_free_month_is_an_invoice_of_nothing(acorn: Scope) -> None:
    with work():
        sub = bought(30)
        discount(sub.public_id, name="First month free", percent=Decimal(100), periods=1, today=JUNE)
    run_billing(JULY)
    assert amounts() == [0, 3000]
    nothing_held()
    proven()


def test_an_amount_takes_no_more_than_there_is(acorn: Scope) -> None:
    with work():
        sub = bought(30, date(2026, 6, 11), rhythm=Rhythm(calendar=True))
        discount(sub.public_id, name="Gift", amount=Decimal(25), today=JUNE)
    run_billing(JULY)
    assert amounts() == [0, 500], "20 of 30 days, then a month"
    nothing_held()
    proven()


def test_it_is_for_the_plans_it_names(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        more = add_item(sub.public_id, price=flat(50), starts_on=JUNE)
        code = more.price.plan.code
        create_coupon(code="HALF", name="Half", percent=Decimal(50), plans=[code])
        give_coupon(sub.public_id, coupon="HALF", today=JUNE)
    run_billing(JUNE)
    assert amounts() == [10000, 2500]
    nothing_held()
    proven()


def test_what_is_credited_is_of_what_was_paid(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        discount(sub.public_id, name="Half", percent=Decimal(50), today=JUNE)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    assert (amounts(), credited()) == ([5000], [("2026-06-16", "2026-07-01", 2500)])
    nothing_held()
    proven()


def test_the_new_plan_keeps_the_discount_of_all(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        dear = flat(200)
        discount(sub.public_id, name="Half", percent=Decimal(50), today=JUNE)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=dear, on=MID, today=MID)
    run_billing(JULY)
    assert amounts() == [5000, 5000, 10000]
    nothing_held()
    proven()


def test_it_is_taken_back_from_what_is_not_billed(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        row = discount(sub.public_id, name="Half", percent=Decimal(50), today=JUNE)
    run_billing(JUNE)
    with work():
        with pytest.raises(Invalid, match="billed already"):
            end_discount(row.public_id, of=sub.public_id, on=JUNE, today=JUNE)
        for _ in range(2):
            assert end_discount(row.public_id, of=sub.public_id, today=JUNE).ends_on == JULY
    run_billing(JULY)
    assert amounts() == [5000, 10000]
    nothing_held()
    proven()


def test_taken_back_before_anything_is_billed_it_never_was(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        create_coupon(code="HALF", name="Half", percent=Decimal(50), most=1)
        row = give_coupon(sub.public_id, coupon="HALF", today=JUNE)
        end_discount(row.public_id, of=sub.public_id, on=JUNE, today=JUNE)
    run_billing(JUNE)
    assert amounts() == [10000]
    nothing_held()
    proven()


def test_given_later_it_is_not_for_what_is_billed(acorn: Scope) -> None:
    with work():
        sub = bought(100)
    run_billing(JUNE)
    with work():
        with pytest.raises(Invalid, match="billed already"):
            discount(sub.public_id, name="Half", percent=Decimal(50), on=JUNE, today=MID)
        assert discount(sub.public_id, name="Half", percent=Decimal(50), today=MID).starts_on == JULY
    run_billing(JULY)
    assert amounts() == [10000, 5000]
    nothing_held()
    proven()


def test_a_coupon_is_given_once_and_not_more_often_than_it_says(acorn: Scope) -> None:
    with work():
        one, two = bought(10), bought(10)
        coupon = create_coupon(code="ONE", name="One", percent=Decimal(50), most=1, periods=1)
        first = give_coupon(one.public_id, coupon="ONE", today=JUNE)
        assert give_coupon(one.public_id, coupon="ONE", today=JUNE) == first
        with pytest.raises(Conflict, match="already"):
            give_coupon(one.public_id, coupon="ONE", on=date(2026, 6, 15), today=JUNE)
        with pytest.raises(Conflict, match="no more"):
            give_coupon(two.public_id, coupon="ONE", today=JUNE)
        coupon.refresh_from_db()
        assert coupon.given == 1
    run_billing(JUNE)
    assert amounts() == [500, 1000]
    proven()


@pytest.mark.parametrize(("given", "said"), [
    ({"until": date(2026, 5, 31)}, "not given"), ({"amount": Decimal(5), "percent": None, "currency": "USD"}, "USD"),
])  # fmt: skip
def test_a_coupon_that_does_not_fit_is_refused(acorn: Scope, given: dict[str, object], said: str) -> None:
    with work():
        sub = bought(10)
        create_coupon(**{"code": "C", "name": "C", "percent": Decimal(5), **given})  # type: ignore[arg-type]
        with pytest.raises(Conflict, match=said):
            give_coupon(sub.public_id, coupon="C", today=JUNE)
        with pytest.raises(NotFound):
            give_coupon(sub.public_id, coupon="D", today=JUNE)
        assert not SubscriptionDiscount.objects.exists()


def test_an_archived_coupon_is_given_no_more_and_stays_where_it_is(acorn: Scope) -> None:
    with work():
        one, two = bought(10), bought(10)
        coupon = create_coupon(code="C", name="C", percent=Decimal(50))
        give_coupon(one.public_id, coupon="C", today=JUNE)
        for _ in range(2):
            archive_coupon(coupon.public_id)
        names = list(
            OutboxEvent.objects.filter(object_public_id=coupon.public_id).values_list("name", flat=True)
        )
        assert names == ["coupon.created", "coupon.archived"]
        with pytest.raises(Conflict):
            give_coupon(two.public_id, coupon="C", today=JUNE)
    run_billing(JUNE)
    assert amounts() == [500, 1000]


@pytest.mark.parametrize(("given", "fields"), [
    ({"percent": None}, {"percent"}), ({"percent": Decimal(0)}, {"percent"}), ({"percent": Decimal(101)}, {"percent"}),
    ({"amount": Decimal(5), "currency": "EUR"}, {"percent"}), ({"currency": "EUR"}, {"currency"}),
    ({"percent": None, "amount": Decimal(5)}, {"currency"}), ({"percent": None, "amount": Decimal(-5)}, {"amount"}),
    ({"periods": 0}, {"periods"}), ({"periods": 121}, {"periods"}), ({"most": 0}, {"most"}), ({"name": " "}, {"name"}),
    ({"code": "a b"}, {"code"}), ({"plans": ["none"]}, {"plans"}),
])  # fmt: skip
def test_a_coupon_that_is_none_is_named_field_by_field(
    acorn: Scope, given: dict[str, object], fields: set[str]
) -> None:
    with work():
        with pytest.raises(Invalid) as refused:
            create_coupon(**{"code": "C", "name": "C", "percent": Decimal(5), **given})  # type: ignore[arg-type]
        assert set(refused.value.fields) == fields
        assert not Coupon.objects.exists()


def test_a_code_is_one_coupon_s(acorn: Scope) -> None:
    with work():
        create_coupon(code="C", name="C", percent=Decimal(5))
        with pytest.raises(Conflict, match="already"):
            create_coupon(code="C", name="D", percent=Decimal(6))


def test_the_gate_holds_a_discount_that_nobody_recorded(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        row = discount(sub.public_id, name="Half", percent=Decimal(10), today=JUNE)
    for month in (6, 7):
        run_billing(date(2026, month, 1))
    with work():
        SubscriptionDiscount.objects.filter(pk=row.pk).update(percent=Decimal(90))
    run_billing(date(2026, 8, 1))
    assert len(amounts()) == 2
    with work():
        assert HeldSubscription.objects.count() == 1


def test_other_houses_have_their_own(acorn: Scope, birch: Scope) -> None:
    with work():
        sub = bought(10)
        coupon = create_coupon(code="C", name="C", percent=Decimal(5))
        row = discount(sub.public_id, name="Half", percent=Decimal(10), today=JUNE)
    with enter(birch), work():
        create_coupon(code="C", name="C", percent=Decimal(6))
        for act in (
            lambda: give_coupon(sub.public_id, coupon="C", today=JUNE),
            lambda: archive_coupon(coupon.public_id),
            lambda: end_discount(row.public_id, of=sub.public_id, today=JUNE),
        ):
            with pytest.raises(AppError, match="not here"):
                act()


def test_of_what_has_ended_nothing_is_taken_off(acorn: Scope) -> None:
    with work():
        sub = bought(10)
        end(sub.public_id, on=JUNE, today=JUNE)
        with pytest.raises(Conflict):
            discount(sub.public_id, name="Half", percent=Decimal(10), today=JUNE)
        assert Subscription.objects.get().state == "ended"


def test_the_same_name_may_come_back_when_the_first_is_over(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        discount(sub.public_id, name="Sorry", amount=Decimal(10), periods=1, today=JUNE)
    for month in (6, 7, 8):
        run_billing(date(2026, month, 1))
    with work():
        discount(sub.public_id, name="Sorry", amount=Decimal(20), periods=1, today=date(2026, 8, 20))
    for month in (9, 10):
        run_billing(date(2026, month, 1))
    nothing_held()
    assert amounts() == [9000, 10000, 10000, 8000, 10000]
    proven()


def test_another_discount_later_is_explained_too(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        discount(sub.public_id, name="Loyal", percent=Decimal(10), today=JUNE)
    for month in (6, 7):
        run_billing(date(2026, month, 1))
    with work():
        for name in ("Sorry", "Gift"):
            discount(sub.public_id, name=name, amount=Decimal(10), periods=1, today=date(2026, 7, 20))
    for month in (8, 9):
        run_billing(date(2026, month, 1))
    nothing_held()
    assert amounts() == [9000, 9000, 7000, 9000]
    proven()


def test_another_plan_leaves_the_old_one_s_discount_behind_and_has_its_own(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        dear = flat(200)
        code = sub.price.plan.code
        discount(sub.public_id, name="Loyal", percent=Decimal(10), plans=[code], today=JUNE)
        create_coupon(code="DEAR", name="Dear", percent=Decimal(50), plans=[dear.plan.code])
        give_coupon(sub.public_id, coupon="DEAR", today=JUNE)
    for month in (6, 7):
        run_billing(date(2026, month, 1))
    with work():
        change(sub.public_id, price=dear, on=date(2026, 8, 1), today=date(2026, 7, 20))
    for month in (8, 9):
        run_billing(date(2026, month, 1))
    nothing_held()
    assert amounts() == [9000, 9000, 10000, 10000]
    proven()


def test_a_discount_that_was_shortened_ends_with_its_plan(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        dear = flat(200)
        code = sub.price.plan.code
        row = discount(sub.public_id, name="Loyal", percent=Decimal(10), plans=[code], today=JUNE)
    run_billing(JUNE)
    with work():
        end_discount(row.public_id, on=date(2026, 10, 1), today=JUNE)
    run_billing(JULY)
    with work():
        change(sub.public_id, price=dear, on=date(2026, 8, 1), today=date(2026, 7, 20))
    run_billing(date(2026, 8, 1))
    nothing_held()
    assert amounts() == [9000, 9000, 20000]
    proven()


def test_the_gate_holds_a_discount_whose_plans_nobody_changed(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        row = discount(sub.public_id, name="Loyal", percent=Decimal(10), today=JUNE)
    for month in (6, 7):
        run_billing(date(2026, month, 1))
    with work():
        SubscriptionDiscount.objects.filter(pk=row.pk).update(plans=["another"])
    run_billing(date(2026, 8, 1))
    assert amounts() == [9000, 9000]
    with work():
        assert HeldSubscription.objects.count() == 1
