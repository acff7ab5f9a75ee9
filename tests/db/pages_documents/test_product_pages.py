"""Products as people look at them: their list, what belongs to each, plans in groups, and plans that move."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from billing.models import Coupon, Plan, Product, Subscription
from billing.services.prices import create_price
from billing.services.products import archive_product, create_product, move_plan
from billing.services.subscriptions import add_item
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import GREYED, MOST, reads

Snapshot = Callable[[], dict[str, int]]
PLANS = "/o/acorn/plans/"
PAGE = f"{PLANS}products/"
KEY = "form_01J9ZK0000000000000000"
NEW = {"name": "Track", "code": "track", "description": "Where <b>they</b> are", "key": KEY}


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """A subscription to a plan of no product, with an add-on of Track beside it."""
    with work():
        made = factories.subscription(factories.customer(name="Kestrel"), clock.today("Europe/Berlin"))
        create_product(name="Track", code="track", description="Where they are")
        maps = create_price(
            name="Maps", code="maps", model="flat", unit_price=Decimal(5), currency="EUR", product="track"
        )
        add_item(made.public_id, price=maps, starts_on=made.starts_on)
        return made


def product() -> Product:
    with work():
        row: Product = Product.objects.get(code="track")
        return row


def of_plan(sub: Subscription) -> str:
    with work():
        plan = Plan.objects.select_related("product").get(pk=sub.price.plan_id)
        return plan.product.code if plan.product else ""


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_product_is_typed_and_saved_once(ana: Client, acorn: Scope) -> None:
    assert "No products yet" in ana.get(PAGE).content.decode()
    for _again in range(2):
        answer = ana.post(f"{PAGE}new/", NEW)
        assert answer["location"] == f"{PAGE}{product().public_id}/"
    page = ana.get(answer["location"]).content.decode()
    assert "Where &lt;b&gt;they&lt;/b&gt; are" in page
    assert "No plan belongs to it yet" in page
    assert "Track" in ana.get(PAGE).content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"code": ""},
        {"code": "a b"},
        {"description": "x" * 501},
        {"key": ""},
    ],
)
def test_what_is_no_product_comes_back(ana: Client, snapshot: Snapshot, given: dict[str, Any]) -> None:
    before = snapshot()
    answer = ana.post(f"{PAGE}new/", {**NEW, **given})
    assert answer.status_code == 422
    assert re.search(r'id="product"[^>]*data-show="1"', answer.content.decode())
    assert snapshot() == before


COUPON = {"name": "Half", "code": "HALF", "percent": "50", "currency": "EUR", "key": KEY}


@pytest.mark.parametrize(
    ("address", "dialog", "wish"),
    [
        (f"{PAGE}new/", "product", NEW),
        (f"{PLANS}coupons/new/", "coupon", COUPON),
        (
            "/o/acorn/usage/new/",
            "meter",
            {"name": "M", "code": "m", "aggregation": "count", "late_days": "1"},
        ),
        (
            f"{PLANS}features/new/",
            "feature-new",
            {"name": "F", "code": "f", "kind": "switch", "combine": "sum"},
        ),
    ],
)
def test_a_taken_code_is_a_conflict_that_says_so_at_its_field(
    ana: Client, acorn: Scope, address: str, dialog: str, wish: dict[str, str]
) -> None:
    """In the dialog, which hides whatever is on the page behind it."""
    statuses = []
    for n in range(2):
        answer = ana.post(address, {**wish, "key": f"{KEY[:-1]}{n}"})
        statuses.append(answer.status_code)
    assert statuses == [302, 409], answer.content.decode()
    shown = answer.content.decode().split(f'id="{dialog}"')[1].split("</dialog>")[0]
    assert "already" in shown


def test_its_page_says_what_belongs_to_it_who_has_it_and_what_that_is_worth(
    ana: Client, sub: Subscription
) -> None:
    page = f"{PAGE}{product().public_id}/"
    shown = words(ana.get(page).content.decode())
    assert re.search(r"Maps maps .*5.00 a month 0 subscriptions 1 as an add-on –", shown), shown
    assert ana.post(f"{page}plans/", {"plan": sub.price.plan.public_id}).status_code == 302
    shown = words(ana.get(page).content.decode())
    assert re.search(r"Track Pro track-\d+ .*14.50 a month 1 subscription .*19.50", shown), shown


def test_it_is_edited_archived_and_brought_back(ana: Client, sub: Subscription) -> None:
    page = f"{PAGE}{product().public_id}/"
    assert ana.post(f"{page}save/", {"name": "Trace", "description": ""}).status_code == 302
    refused = ana.post(f"{page}save/", {"name": "", "description": ""})
    assert (refused.status_code, 'id="words"' in refused.content.decode()) == (422, True)
    for _again in range(2):
        assert ana.post(f"{page}archive/").status_code == 302
    shown = ana.get(page).content.decode()
    assert "Trace" in shown
    assert "Its plans are not offered any more." in shown
    form = ana.get("/o/acorn/subscriptions/new/").content.decode()
    assert "Maps" not in form
    assert ana.post(f"{page}plans/", {"plan": sub.price.plan.public_id}).status_code == 422
    assert of_plan(sub) == ""
    assert ana.post(f"{page}restore/").status_code == 302
    assert "Maps" in ana.get("/o/acorn/subscriptions/new/").content.decode()


def test_plans_stand_in_their_products_and_are_found_by_them(ana: Client, sub: Subscription) -> None:
    shown = words(ana.get(PLANS).content.decode())
    assert shown.index("Track ") < shown.index("Maps · maps") < shown.index("Without a product")
    assert shown.index("Without a product") < shown.index("Track Pro · ")
    assert "Track Pro · " not in words(ana.get(f"{PLANS}?product=track").content.decode())
    assert "No plan belongs to it" in ana.get(f"{PLANS}?product=nothing").content.decode()


def test_where_there_are_no_products_plans_stand_as_before(ana: Client, acorn: Scope) -> None:
    with work():
        factories.subscription(factories.customer(), clock.today("Europe/Berlin"))
    assert "Without a product" not in ana.get(PLANS).content.decode()


def test_a_plan_is_moved_by_a_dialog(ana: Client, sub: Subscription) -> None:
    plan = sub.price.plan.public_id
    page = ana.get(f"{PLANS}?move={plan}").content.decode()
    assert re.search(r'id="move"[^>]*data-show="1"', page)
    for _again in range(2):
        assert ana.post(f"{PLANS}{plan}/product/", {"product": "track"}).status_code == 302
    assert of_plan(sub) == "track"
    assert ana.post(f"{PLANS}{plan}/product/", {"product": "nothing"}).status_code == 422
    assert of_plan(sub) == "track"
    assert ana.post(f"{PLANS}{plan}/product/", {"product": ""}).status_code == 302
    assert of_plan(sub) == ""
    assert ana.get(f"{PLANS}?move=plan_nothing").status_code == 404


def test_a_plan_of_an_archived_product_may_stay_and_leave(ana: Client, sub: Subscription) -> None:
    with work():
        plan = move_plan(sub.price.plan.public_id, product="track").public_id
        archive_product(Product.objects.get().public_id)
    assert ana.post(f"{PLANS}{plan}/product/", {"product": "track"}).status_code == 302
    assert ana.post(f"{PLANS}{plan}/product/", {"product": ""}).status_code == 302
    assert of_plan(sub) == ""


def test_a_new_price_puts_its_new_plan_into_a_product(ana: Client, sub: Subscription) -> None:
    assert "Track</option>" in ana.get(f"{PLANS}new/?product=track").content.decode()
    typed = {
        "name": "Alarm", "code": "alarm", "product": "track", "currency": "EUR", "every": "1", "unit": "month",
        "timing": "advance", "model": "flat", "unit_price": "3", "key": KEY, "save": "1", "quantity": "1",
    }  # fmt: skip
    assert ana.post(f"{PLANS}new/", {**typed, "product": "nothing"}).status_code == 422
    assert ana.post(f"{PLANS}new/", typed).status_code == 302
    with work():
        assert Plan.objects.get(code="alarm").product == Product.objects.get()


def test_a_coupon_for_a_product_says_so(ana: Client, sub: Subscription) -> None:
    wish = {
        "name": "Half", "code": "HALF", "percent": "50", "currency": "EUR", "products": ["track"], "key": KEY,
    }  # fmt: skip
    assert ana.post(f"{PLANS}coupons/new/", {**wish, "products": ["nothing"]}).status_code == 422
    assert ana.post(f"{PLANS}coupons/new/", wish).status_code == 302
    with work():
        assert Coupon.objects.get().products == ["track"]
    assert "track" in words(ana.get(f"{PLANS}coupons/").content.decode())


def test_recurring_revenue_is_that_of_a_product(ana: Client, sub: Subscription) -> None:
    with work():
        move_plan(sub.price.plan.public_id, product="track")
    address = "/o/acorn/recurring-revenue/"
    assert "19.50" in words(ana.get(f"{address}?product=track").content.decode())
    assert "No recurring revenue" in ana.get(f"{address}?product=other").content.decode()
    assert b"19.50" in ana.get(f"{address}csv/?product=track").content
    assert "Product is track" in ana.get(f"{address}movements/?product=track").content.decode()


def test_it_is_found_by_its_name_and_code(ana: Client, sub: Subscription) -> None:
    for text in ("tra", "Track", product().public_id):
        assert product().public_id in ana.get(f"/o/acorn/search/?q={text}").content.decode(), text


@pytest.mark.parametrize("who", ["Ana", "Vic"])
def test_pages_read_at_most_twelve_times(sub: Subscription, who: str) -> None:
    with work():
        move_plan(sub.price.plan.public_id, product="track")
        for n in range(5):
            create_product(name=f"P{n}", code=f"p{n}")
            create_price(
                name=f"Q{n}",
                code=f"q{n}",
                model="flat",
                unit_price=Decimal(n),
                currency="EUR",
                product="track",
            )
    client = signed_in(who)
    for address in (PAGE, f"{PAGE}{product().public_id}/", PLANS, f"{PLANS}?move={sub.price.plan.public_id}"):
        found = reads(client, address)
        assert len(found) <= MOST + (GREYED if who == "Vic" else 0), "\n".join([address, *found])


def test_other_houses_and_those_who_only_look_cannot(
    bea: Client, vic: Client, sub: Subscription, snapshot: Snapshot
) -> None:
    page, plan = f"{PAGE}{product().public_id}/", sub.price.plan.public_id
    before = snapshot()
    for path, wish in (
        (f"{PAGE}new/", {**NEW, "code": "x"}), (f"{page}save/", {"name": "X"}), (f"{page}archive/", {}),
        (f"{page}restore/", {}), (f"{page}plans/", {"plan": plan}), (f"{PLANS}{plan}/product/", {"product": "track"}),
    ):  # fmt: skip
        assert vic.post(path, wish).status_code == 403, path
        assert bea.post(path, wish).status_code == 404, path
        if "new" not in path:
            assert bea.post(path.replace("/acorn/", "/birch/"), wish).status_code == 404, path
    assert bea.get(page.replace("/acorn/", "/birch/")).status_code == 404
    assert snapshot() == before
