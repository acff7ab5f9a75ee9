"""Coupons on their page, and what a subscription has off on its own."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Coupon, Subscription, SubscriptionDiscount
from billing.services.discounts import create_coupon
from core import clock
from core.scope import Scope, work
from tests import factories

Snapshot = Callable[[], dict[str, int]]
PAGE = "/o/acorn/plans/coupons/"
KEY = "form_01J9ZK0000000000000000"
TYPED = {
    "name": "Welcome", "code": "WELCOME", "percent": "10", "amount": "", "currency": "EUR", "periods": "3", "most": "",
    "until": "", "key": KEY,
}  # fmt: skip
OWN = {"coupon": "", "name": "Sorry", "percent": "", "amount": "5", "periods": "1", "on": "", "key": KEY}


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        begun = clock.today("Europe/Berlin") - timedelta(days=10)
        return factories.subscription(factories.customer(name="Kestrel"), begun, unit_price="30")


def test_a_coupon_is_typed_saved_once_and_archived(ana: Client, acorn: Scope) -> None:
    assert "No coupons yet" in ana.get(PAGE).content.decode()
    for _ in range(2):
        assert ana.post(f"{PAGE}new/", TYPED).status_code == 302
    with work():
        row = Coupon.objects.get()
        assert (row.percent, row.currency, row.periods) == (10, "", 3)
    page = ana.get(PAGE).content.decode()
    for text in ("WELCOME", "10 %", "3 periods"):
        assert text in page, text
    assert ana.post(f"{PAGE}{row.public_id}/archive/").status_code == 302
    assert "not given any more" in ana.get(PAGE).content.decode()


@pytest.mark.parametrize("given", [
    {"percent": ""}, {"percent": "x"}, {"percent": "101"}, {"amount": "5"}, {"code": ""}, {"code": "a b"}, {"name": ""},
    {"amount": "5", "percent": "", "per": "month"},
    {"periods": "0"}, {"periods": "x"}, {"until": "soon"}, {"plans": ["none"]}, {"key": ""}, {"currency": "ZZZ"},
])  # fmt: skip
def test_what_is_no_coupon_comes_back(ana: Client, snapshot: Snapshot, given: dict[str, Any]) -> None:
    before = snapshot()
    answer = ana.post(f"{PAGE}new/", {**TYPED, **given})
    assert answer.status_code == 422
    assert re.search(r'id="coupon"[^>]*data-show="1"', answer.content.decode())
    assert snapshot() == before


def test_a_taken_code_is_a_conflict_that_says_so(ana: Client, acorn: Scope) -> None:
    with work():
        create_coupon(code="WELCOME", name="W", percent=5)  # type: ignore[arg-type]
    answer = ana.post(f"{PAGE}new/", TYPED)
    assert (answer.status_code, "already" in answer.content.decode()) == (409, True)


def test_a_discount_is_given_once_shown_and_ended(ana: Client, sub: Subscription) -> None:
    page = f"/o/acorn/subscriptions/{sub.public_id}/"
    assert "Nothing is taken off." in ana.get(page).content.decode()
    for _ in range(2):
        assert ana.post(f"{page}discounts/", OWN).status_code == 302
    with work():
        row = SubscriptionDiscount.objects.get()
    shown = ana.get(page).content.decode()
    for text in ("Sorry", "EUR 5.00 a bill", ", 5.00 off (Sorry)"):
        assert text in shown, text
    assert ana.post(f"{page}discounts/{row.public_id}/end/").status_code == 302
    assert "Nothing is taken off." in ana.get(page).content.decode()


@pytest.mark.parametrize(("per", "said"), [("bill", "EUR 5.00 a bill"), ("line", "EUR 5.00 a line")])
def test_a_coupon_says_what_its_amount_is_off(ana: Client, acorn: Scope, per: str, said: str) -> None:
    assert ana.post(f"{PAGE}new/", {**TYPED, "percent": "", "amount": "5", "per": per}).status_code == 302
    assert said in ana.get(PAGE).content.decode()


def test_what_is_chosen_of_an_amount_is_nothing_to_a_percentage(ana: Client, acorn: Scope) -> None:
    assert ana.post(f"{PAGE}new/", {**TYPED, "per": "bill"}).status_code == 302
    with work():
        assert Coupon.objects.get().per == "line"


def test_a_coupon_is_given_and_says_its_own_terms(ana: Client, sub: Subscription) -> None:
    with work():
        create_coupon(code="HALF", name="Half", percent=50)  # type: ignore[arg-type]
    page = f"/o/acorn/subscriptions/{sub.public_id}/"
    wish = {**OWN, "coupon": "HALF"}
    answer = ana.post(f"{page}discounts/", wish)
    assert answer.status_code == 422
    assert re.search(r'id="discount"[^>]*data-show="1"', answer.content.decode())
    assert ana.post(f"{page}discounts/", {**wish, "name": "", "amount": "", "periods": ""}).status_code == 302
    assert "50 % off (Half)" in ana.get(page).content.decode()


def test_only_what_may_be_given_is_offered(ana: Client, sub: Subscription) -> None:
    today = clock.today("Europe/Berlin")
    with work():
        create_coupon(code="LIVE", name="Live", percent=Decimal(50), until=today)
        create_coupon(code="OVER", name="Over", percent=Decimal(50), until=today - timedelta(days=1))
        create_coupon(code="USED", name="Used", percent=Decimal(50), most=1)
        Coupon.objects.filter(code="USED").update(given=1)
    page = ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert [code for code in ("LIVE", "OVER", "USED") if f'value="{code}"' in page] == ["LIVE"]


def test_other_houses_and_those_who_only_look_cannot(
    bea: Client, vic: Client, ana: Client, sub: Subscription, snapshot: Snapshot
) -> None:
    page = f"/o/acorn/subscriptions/{sub.public_id}/"
    ana.post(f"{page}discounts/", OWN)
    with work():
        row = SubscriptionDiscount.objects.get()
        coupon = create_coupon(code="HALF", name="Half", percent=50)  # type: ignore[arg-type]
    before = snapshot()
    for path, wish in (
        (f"{page}discounts/", {**OWN, "key": KEY + "1"}), (f"{page}discounts/{row.public_id}/end/", {}),
        (f"{PAGE}new/", TYPED), (f"{PAGE}{coupon.public_id}/archive/", {}),
    ):  # fmt: skip
        assert vic.post(path, wish).status_code == 403
        assert bea.post(path, wish).status_code == 404
        if "new" not in path:
            assert bea.post(path.replace("/acorn/", "/birch/"), wish).status_code == 404
    assert snapshot() == before
