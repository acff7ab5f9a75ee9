"""What customers may change to, as people offer it: a dialog of each plan, a line on its card, who may, and how much is
read."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from billing.models import MOST_OFFERS, Plan, PlanOffer, Price
from billing.services.offers import Offered, set_plan_offers
from billing.services.prices import retire_price
from billing.services.products import archive_product, create_product, move_plan
from core.scope import Scope, work
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import GREYED, MOST, reads
from tests.db.portal.owned import priced, words

Snapshot = Callable[[], dict[str, int]]
PLANS = "/o/acorn/plans/"


@pytest.fixture
def plans(acorn: Scope) -> dict[str, str]:
    """Public ids of three plans by code."""
    with work():
        for code, amount in (("solo", "10"), ("team", "30"), ("business", "90")):
            priced(code, amount)
        return dict(Plan.objects.values_list("code", "public_id"))


def there() -> list[tuple[str, str, str]]:
    with work():
        rows = PlanOffer.objects.order_by("plan_id", "to_id")
        return list(rows.values_list("plan__code", "to__code", "takes_effect"))


def address(plans: dict[str, str], code: str = "team") -> str:
    return f"{PLANS}{plans[code]}/offers/"


def choices(page: bytes) -> list[str]:
    """The plans that the dialog asks about."""
    return re.findall(r'<select[^>]*name="(plan_[^"]+)"', page.decode())


def test_what_is_chosen_is_offered_and_stands_on_the_card(ana: Client, plans: dict[str, str]) -> None:
    page = ana.get(f"{PLANS}?offers={plans['team']}").content
    assert b"Changes offered to customers on Team" in page
    assert set(choices(page)) == {plans["solo"], plans["business"]}
    said = {plans["solo"]: "period_end", plans["business"]: "now"}
    for _ in range(2):
        assert ana.post(address(plans), said).status_code == 302
    assert there() == [("team", "solo", "period_end"), ("team", "business", "now")]
    card = "Customers may change to: Solo , at the end of the period; Business , at once"
    assert card in words(ana.get(PLANS).content)
    again = ana.get(f"{PLANS}?offers={plans['team']}").content.decode()
    assert '<option value="period_end" selected>' in again
    ana.post(address(plans), {plans["solo"]: "", plans["business"]: "period_end"})
    assert there() == [("team", "business", "period_end")]
    ana.post(address(plans), {})
    assert there() == []


@pytest.mark.parametrize("value", ["later", "NOW", "\x00", "x" * 5000, "<script>"])
def test_what_is_no_choice_comes_back(
    ana: Client, plans: dict[str, str], snapshot: Snapshot, value: str
) -> None:
    before = snapshot()
    answer = ana.post(address(plans), {plans["solo"]: value})
    assert answer.status_code == 422
    assert b'data-show="1"' in answer.content
    assert b"<script>" not in answer.content.replace(b"<script ", b"")
    assert (snapshot(), there()) == (before, [])


def test_two_choices_of_one_plan_and_plans_of_nobody_change_nothing(
    ana: Client, plans: dict[str, str]
) -> None:
    assert ana.post(address(plans), {plans["solo"]: ["now", "period_end"]}).status_code == 400
    assert ana.post(address(plans), {"plan_nobody": "now", plans["team"]: "now"}).status_code == 302
    assert ana.post(f"{PLANS}plan_nobody/offers/", {}).status_code == 404
    assert ana.get(f"{PLANS}?offers=plan_nobody").status_code == 404
    assert there() == []


def test_more_than_there_may_be_is_said_above_them(ana: Client, plans: dict[str, str]) -> None:
    with work():
        for n in range(MOST_OFFERS):
            priced(f"more-{n}", "1")
        every = Plan.objects.exclude(code="team").values_list("public_id", flat=True)
        said = dict.fromkeys(every, "now")
    answer = ana.post(address(plans), said)
    assert answer.status_code == 422
    assert f"Up to {MOST_OFFERS} plans." in answer.content.decode()
    assert there() == []


def test_what_has_no_price_to_change_to_is_not_to_choose_from(ana: Client, plans: dict[str, str]) -> None:
    with work():
        priced("setup", "99", unit="once")
        retire_price(Price.objects.get(plan__code="business").public_id)
        product = create_product(name="Small", code="small")
        move_plan(plans["solo"], product="small")
        set_plan_offers(plans["team"], [Offered("solo", "now")])
        archive_product(product.public_id)
    page = ana.get(f"{PLANS}?offers={plans['team']}").content
    assert choices(page) == [plans["solo"]], "what is offered can be withdrawn"
    nothing = ana.get(f"{PLANS}?offers={plans['solo']}").content
    assert choices(nothing) == [plans["team"]]


def test_who_may(vic: Client, bea: Client, plans: dict[str, str]) -> None:
    page = vic.get(f"{PLANS}?offers={plans['team']}").content
    assert b"Changes offered" not in page
    assert vic.post(address(plans), {plans["solo"]: "now"}).status_code == 403
    assert bea.post(address(plans), {plans["solo"]: "now"}).status_code == 404
    assert bea.post(address(plans).replace("acorn", "birch"), {plans["solo"]: "now"}).status_code == 404
    assert there() == []


@pytest.mark.parametrize("who", ["Ana", "Vic"])
def test_plans_with_many_offers_read_no_more(plans: dict[str, str], who: str) -> None:
    with work():
        set_plan_offers(plans["team"], [Offered("solo", "now"), Offered("business", "now")])
        set_plan_offers(plans["solo"], [Offered("team", "now"), Offered("business", "now")])
    for page in (PLANS, f"{PLANS}?offers={plans['team']}"):
        found = reads(signed_in(who), page)
        assert len(found) <= MOST + (GREYED if who == "Vic" else 0), "\n".join(found)
