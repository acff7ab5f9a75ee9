"""Products by API: made, changed, archived, brought back; plans in them; discounts for them; refused by the field."""

from collections.abc import Callable
from typing import Any

import pytest

from billing.models import Product
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements
from tests.db.api.invoices import today
from tests.db.api.test_billing import bill

pytestmark = pytest.mark.usefixtures("judged")
TRACK = {"name": "Track", "code": "track", "description": "Trackers"}


def priced(api: Program, code: str, amount: str, **given: Any) -> str:
    wish = {"code": code, "name": code.title(), "model": "flat", "unit_price": amount, "currency": "EUR"}
    return str(api.post("/prices", {**wish, **given}, 201)["id"])


def put(api: Program, plan: str, product: str | None, status: int = 200, **headers: str) -> Any:
    answer = api("PATCH", f"/plans/{plan}", {"product": product}, **headers)
    assert answer.status_code == status, answer.content
    return said(answer) if status == 200 else answer


def events(house: Scope) -> list[tuple[str, str]]:
    with enter(house), work():
        rows = OutboxEvent.objects.filter(name__contains="product").order_by("id")
        return [(row.name, row.payload.get("product", row.payload.get("title", ""))) for row in rows]


def test_a_product_is_made_changed_archived_and_brought_back(api: Program, house: Scope) -> None:
    made = api.post("/products", TRACK, 201)
    assert (made["object"], made["name"], made["archived_at"]) == ("product", "Track", None)
    assert api.get("/products/track") == api.get(f"/products/{made['id']}") == made
    changed = said(api("PATCH", "/products/track", {"name": "Track 2"}))
    assert (changed["name"], changed["description"], changed["version"]) == ("Track 2", "Trackers", 2)
    archived = api.post("/products/track/archive", None, 200)
    assert archived["archived_at"] is not None
    assert api.post("/products/track/archive", None, 200) == archived
    assert api.get("/products?archived=false")["data"] == []
    assert api.get("/products?archived=true")["data"] == api.get("/products")["data"] == [archived]
    assert api.post("/products/track/restore", None, 200)["archived_at"] is None
    assert events(house) == [
        ("product.created", "Track"), ("product.updated", "Track 2"), ("product.archived", ""),
        ("product.updated", "Track 2"),
    ]  # fmt: skip


def test_plans_say_their_product_and_are_found_by_it(api: Program, house: Scope) -> None:
    api.post("/products", TRACK, 201)
    price = priced(api, "pro", "29", product="track")
    priced(api, "maps", "5")
    assert api.get("/plans/pro")["product"] == "track"
    assert [each["code"] for each in api.get("/plans?product=track")["data"]] == ["pro"]
    assert [each["id"] for each in api.get("/prices?product=track")["data"]] == [price]
    assert [each["product"] for each in api.get("/plans")["data"]] == [None, "track"]
    moved = put(api, "maps", "track")
    assert put(api, "maps", "track") == moved
    assert put(api, "maps", None)["product"] is None
    assert events(house)[1:] == [("plan.product_changed", "track"), ("plan.product_changed", "")]


def test_a_stale_plan_is_not_moved(api: Program) -> None:
    api.post("/products", TRACK, 201)
    priced(api, "pro", "29")
    put(api, "pro", "track", If_Match='"1"')
    put(api, "pro", None, status=412, If_Match='"1"')
    assert api.get("/plans/pro")["product"] == "track"


def test_a_coupon_of_a_product_is_given_and_billed(api: Program, house: Scope, kestrel: Customer) -> None:
    api.post("/products", TRACK, 201)
    price = priced(api, "pro", "30", product="track")
    coupon = api.post(
        "/coupons", {"code": "HALF", "name": "Half", "percent": "50", "products": ["track", "track"]}, 201
    )
    assert (coupon["plans"], coupon["products"]) == ([], ["track"])
    wish = {"customer": kestrel.public_id, "price": price, "starts_on": str(today())}
    sub = api.post("/subscriptions", wish, 201)["id"]
    given = api.post(f"/subscriptions/{sub}/discounts", {"coupon": "HALF"}, 201)
    assert given["products"] == ["track"]
    other = {"name": "Gift", "amount": "1", "products": ["track"], "periods": 1}
    assert api.post(f"/subscriptions/{sub}/discounts", other, 201)["products"] == ["track"]
    seen = api.get(f"/subscriptions/{sub}/upcoming")
    bill(house, today())
    (invoice,) = api.get("/invoices")["data"]
    assert invoice["net_minor"] == seen["net_minor"] == 1400
    assert api.get("/mrr?product=track")["currencies"][0]["whole"]["closing_minor"] == 1400
    assert api.get("/mrr?product=other")["currencies"] == []
    assert len(api.get("/mrr_movements?product=track")["data"]) == 2, "new, and when the gift is over"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/products", {**TRACK, "code": "a b"}, "/code"),
        ("/products", {**TRACK, "name": ""}, "/name"),
        ("/products", {**TRACK, "name": "x" * 201}, "/name"),
        ("/products", {**TRACK, "description": "x" * 501}, "/description"),
        ("/products", {**TRACK, "description": "a\x00b"}, "/description"),
        ("/products", {**TRACK, "colour": "red"}, "/colour"),
        ("/coupons", {"code": "C", "name": "C", "percent": "1", "products": ["no"]}, "/products"),
        (
            "/prices",
            {
                "code": "p", "name": "P", "model": "flat", "unit_price": "1", "currency": "EUR", "product": "no",
            },
            "/product",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_field(
    api: Program, house: Scope, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = api("POST", path, body)
    assert (answer.status_code, pointers(answer)) == (422, [pointer])
    with enter(house), work():
        assert Product.objects.count() == 0


def test_nothing_is_sold_of_an_archived_product(api: Program, kestrel: Customer) -> None:
    api.post("/products", TRACK, 201)
    price = priced(api, "pro", "30", product="track")
    api.post("/products/track/archive", None, 200)
    wish = {"customer": kestrel.public_id, "price": price, "starts_on": str(today())}
    answer = api("POST", "/subscriptions", wish)
    assert (answer.status_code, pointers(answer)) == (422, ["/price"])
    priced(api, "maps", "5")
    assert pointers(put(api, "maps", "track", status=422)) == ["/product"]


def test_a_taken_code_is_a_conflict(api: Program) -> None:
    api.post("/products", TRACK, 201)
    answer = api("POST", "/products", TRACK)
    assert answer.status_code == 409


def test_anothers_products_and_plans_are_not_there(
    api: Program, house: Scope, as_key: Callable[..., Program]
) -> None:
    made = api.post("/products", TRACK, 201)["id"]
    priced(api, "pro", "30", product="track")
    plan = api.get("/plans/pro")["id"]
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", f"/products/{made}", made)
    same_refusal(bea, "PATCH", f"/products/{made}", made, {"name": "Mine"})
    same_refusal(bea, "POST", f"/products/{made}/archive", made)
    same_refusal(bea, "POST", f"/products/{made}/restore", made)
    same_refusal(bea, "GET", f"/plans/{plan}", plan)
    same_refusal(bea, "PATCH", f"/plans/{plan}", plan, {"product": None})
    priced(bea, "theirs", "30")
    assert pointers(put(bea, "theirs", "track", status=422)) == ["/product"]
    assert api.get("/products/track")["version"] == 1
    assert api.get("/plans/pro")["product"] == "track"


def test_who_may_only_look_changes_nothing(api: Program, as_key: Callable[..., Program]) -> None:
    api.post("/products", TRACK, 201)
    priced(api, "pro", "30", product="track")
    viewer = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    stranger = as_key("acorn", "ana@acorn.example", rights=["invoices.view"])
    for method, path, body in [
        ("POST", "/products", {**TRACK, "code": "x"}),
        ("PATCH", "/products/track", {"name": "X"}),
        ("POST", "/products/track/archive", {}),
        ("POST", "/products/track/restore", {}),
        ("PATCH", "/plans/pro", {"product": None}),
    ]:
        assert viewer(method, path, body).status_code == 403, path
    assert viewer.get("/products/track")["version"] == 1
    assert stranger("GET", "/products").status_code == 403


def test_lists_take_as_many_statements_for_many_as_for_one(api: Program) -> None:
    before = [statements(api, path) for path in ("/products", "/plans", "/prices", "/coupons")]
    for n in range(5):
        api.post("/products", {**TRACK, "code": f"p{n}"}, 201)
        priced(api, f"plan{n}", "5", product=f"p{n}")
        api.post("/coupons", {"code": f"C{n}", "name": "C", "percent": "1", "products": [f"p{n}"]}, 201)
    after = [statements(api, path) for path in ("/products", "/plans", "/prices", "/coupons")]
    assert all(now - was <= 1 for was, now in zip(before, after, strict=True)), (before, after)
