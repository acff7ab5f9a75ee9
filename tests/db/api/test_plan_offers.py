"""What customers on a plan may change to, by API: set, read, refused by the field, copied, and nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import MOST_OFFERS, Plan, PlanOffer
from core.models import AuditEntry, OutboxEvent
from core.scope import Scope, enter, work
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements
from tests.db.api.test_products import priced

pytestmark = pytest.mark.usefixtures("judged")
UP, DOWN = {"plan": "business", "takes_effect": "now"}, {"plan": "solo", "takes_effect": "period_end"}


@pytest.fixture
def plans(api: Program) -> None:
    for code, amount in (("solo", "10"), ("team", "30"), ("business", "90")):
        priced(api, code, amount)


def put(api: Program, *offers: dict[str, Any], status: int = 200, plan: str = "team", **headers: str) -> Any:
    answer = api("PUT", f"/plans/{plan}/offers", {"offers": list(offers)}, **headers)
    assert answer.status_code == status, answer.content
    return said(answer) if status == 200 else answer


def there(house: Scope) -> list[tuple[str, str, str]]:
    with enter(house), work():
        rows = PlanOffer.objects.order_by("plan_id", "to_id")
        return list(rows.values_list("plan__code", "to__code", "takes_effect"))


def events(house: Scope) -> list[Any]:
    with enter(house), work():
        rows = OutboxEvent.objects.filter(name="plan.offers_changed").order_by("id")
        return [(row.payload["plan"], row.payload["offers"]) for row in rows]


@pytest.mark.usefixtures("plans")
def test_offers_are_set_changed_and_withdrawn(api: Program, house: Scope) -> None:
    assert api.get("/plans/team/offers")["data"] == []
    made = put(api, UP, DOWN)
    wanted = [{"object": "plan_offer", **each} for each in (DOWN, UP)]
    assert [{name: each[name] for name in wanted[0]} for each in made["data"]] == wanted
    assert made == api.get("/plans/team/offers") == api.get(f"/plans/{made['plan']}/offers")
    assert put(api, DOWN, UP) == made, "the same again changes nothing"
    assert there(house) == [("team", "solo", "period_end"), ("team", "business", "now")]
    put(api, {**DOWN, "takes_effect": "now"})
    assert there(house) == [("team", "solo", "now")]
    put(api)
    assert there(house) == []
    assert events(house) == [("team", ["business", "solo"]), ("team", ["solo"]), ("team", [])]
    with enter(house), work():
        kinds = AuditEntry.objects.filter(content_type__model="planoffer")
        assert sorted(kinds.values_list("action", flat=True)) == [0, 1, 2, 2], "both that began in one row"


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(("_case", "offers", "field"), [
    ("nobody's plan", [{**UP, "plan": "gold"}], "/offers/0/plan"),
    ("the plan itself", [DOWN, {**UP, "plan": "team"}], "/offers/1/plan"),
    ("one twice", [UP, DOWN, {**UP, "takes_effect": "period_end"}], "/offers/2/plan"),
    ("some other time", [{**UP, "takes_effect": "later"}], "/offers/0/takes_effect"),
    ("no time", [{"plan": "solo"}], "/offers/0/takes_effect"),
    ("no plan", [{"takes_effect": "now"}], "/offers/0/plan"),
    ("a figure", [{**UP, "plan": 7}], "/offers/0/plan"),
    ("a NUL", [{**UP, "plan": "so\0lo"}], "/offers/0/plan"),
    ("a field of nobody", [{**UP, "price": "9"}], "/offers/0/price"),
    ("too many", [UP] * (MOST_OFFERS + 1), "/offers"),
])  # fmt: skip
def test_what_is_no_offer_is_named_at_its_field(
    api: Program, house: Scope, _case: str, offers: list[dict[str, Any]], field: str
) -> None:
    put(api, DOWN)
    answer = put(api, *offers, status=422)
    assert pointers(answer) == [field]
    assert there(house) == [("team", "solo", "period_end")]
    assert len(events(house)) == 1


@pytest.mark.usefixtures("plans")
def test_a_plan_of_an_archived_product_stays_and_is_not_offered_anew(api: Program, house: Scope) -> None:
    api.post("/products", {"name": "Small", "code": "small"}, 201)
    assert api("PATCH", "/plans/solo", {"product": "small"}).status_code == 200
    put(api, DOWN)
    api.post("/products/small/archive")
    put(api, DOWN, UP)
    put(api, UP)
    assert pointers(put(api, UP, DOWN, status=422)) == ["/offers/1/plan"]
    assert there(house) == [("team", "business", "now")]


@pytest.mark.usefixtures("plans")
def test_a_version_that_is_gone_is_refused(api: Program, house: Scope) -> None:
    put(api, UP, If_Match='"1"')
    put(api, DOWN, status=412, If_Match='"1"')
    assert there(house) == [("team", "business", "now")]


@pytest.mark.usefixtures("plans")
def test_another_organizations_plans_are_not_there(
    api: Program, house: Scope, as_key: Callable[..., Program]
) -> None:
    known = str(api.get("/plans/team")["id"])
    put(api, DOWN)
    theirs = as_key("birch", "bea@birch.example")
    same_refusal(theirs, "GET", f"/plans/{known}/offers", known)
    same_refusal(theirs, "PUT", f"/plans/{known}/offers", known, {"offers": []})
    priced(theirs, "team", "7")
    assert theirs.get("/plans/team/offers")["data"] == []
    assert pointers(put(theirs, DOWN, status=422)) == ["/offers/0/plan"]
    assert there(house) == [("team", "solo", "period_end")]


@pytest.mark.usefixtures("plans")
def test_whoever_sees_plans_reads_and_whoever_edits_sets(
    api: Program, house: Scope, as_key: Callable[..., Program]
) -> None:
    put(api, UP)
    viewer = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    assert len(viewer.get("/plans/team/offers")["data"]) == 1
    put(viewer, status=403)
    assert len(there(house)) == 1


@pytest.mark.usefixtures("plans")
def test_a_list_takes_as_many_statements_however_long(api: Program) -> None:
    put(api, UP)
    one = statements(api, "/plans/team/offers")
    put(api, UP, DOWN)
    assert statements(api, "/plans/team/offers") == one


@pytest.mark.usefixtures("plans")
def test_the_database_knows_what_an_offer_is(api: Program, house: Scope) -> None:
    with enter(house), work():
        team, solo = Plan.objects.get(code="team"), Plan.objects.get(code="solo")
        for given in (
            {"plan": team, "to": team, "takes_effect": "now"},
            {"plan": team, "to": solo, "takes_effect": "later"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                PlanOffer.objects.create(**given)
        PlanOffer.objects.create(plan=team, to=solo, takes_effect="now")
        with pytest.raises(IntegrityError), transaction.atomic():
            PlanOffer.objects.create(plan=team, to=solo, takes_effect="period_end")
