"""Features as people look at them: a table of plans, dialogs that keep what was typed, and what customers have."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from billing.models import Feature, FeatureGrant, FeatureOverride, Plan, Subscription
from billing.services.features import Granted, create_feature, set_plan_features
from billing.services.overrides import set_override
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import GREYED, MOST, reads

PAGE = "/o/acorn/plans/features/"
NEW = {
    "name": "Seats", "code": "seats", "kind": "limit", "unit": "seats", "combine": "sum",
    "key": "form_01J9ZK0000000000000001",
}  # fmt: skip


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    """A subscription whose plan grants 10 seats and support by mail; single sign-on is granted by none."""
    with work():
        made = factories.subscription(factories.customer(name="Kestrel"), clock.today("Europe/Berlin"))
        create_feature(name="Seats", code="seats", kind="limit", unit="seats")
        create_feature(name="Single sign-on", code="sso", kind="switch")
        create_feature(name="Support", code="support", kind="text")
        wanted = [Granted("seats", Decimal(10)), Granted("support", text="by <b>mail</b>")]
        set_plan_features(made.price.plan.public_id, wanted)
        return made


def plan_page(sub: Subscription) -> str:
    return f"/o/acorn/plans/{sub.price.plan.public_id}/features/"


def granted() -> dict[str, str]:
    with work():
        rows = FeatureGrant.objects.select_related("feature").order_by("feature_id")
        return {
            row.feature.code: row.text
            or (f"{row.amount:f}".rstrip("0").rstrip(".") if row.amount is not None else "yes")
            for row in rows
        }


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_there_is_a_first_step_where_nothing_is(ana: Client, acorn: Scope) -> None:
    page = ana.get(PAGE).content.decode()
    assert "No features yet" in page
    with work():
        create_feature(name="SSO", code="sso", kind="switch")
    assert "No plan to grant them yet" in ana.get(PAGE).content.decode()


def test_a_feature_is_made_once_however_often_it_is_sent(ana: Client, acorn: Scope) -> None:
    assert {ana.post(f"{PAGE}new/", NEW).status_code for _ in range(3)} == {302}
    with work():
        (made,) = Feature.objects.all()
        assert (made.code, made.combine, made.per_unit) == ("seats", "sum", False)
    taken = ana.post(f"{PAGE}new/", {**NEW, "key": NEW["key"] + "2"})
    assert taken.status_code == 409
    assert "There is a feature “seats” already." in taken.content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": "Seats!"}, "small letters"),
        ({"kind": "number"}, "not one of the available choices"),
        ({"kind": "switch"}, "Only a limit has a unit"),
        ({"name": ""}, "required"),
        ({"name": "x" * 201}, "at most 200"),
        ({"name": "a\0b"}, "cannot be shown"),
        ({"combine": "min"}, "not one of the available choices"),
    ],
)
def test_a_refused_feature_keeps_what_was_typed(
    ana: Client, acorn: Scope, wrong: dict[str, str], said: str
) -> None:
    answer = ana.post(f"{PAGE}new/", {**NEW, **wrong})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'id="feature-new"' in page
    assert 'data-show="1"' in page
    with work():
        assert not Feature.objects.exists()


def test_the_table_says_what_each_plan_grants(ana: Client, sub: Subscription) -> None:
    page = ana.get(PAGE).content.decode()
    assert "10 seats" in page
    assert "by &lt;b&gt;mail&lt;/b&gt;" in page
    assert '<span class="visually-hidden">no</span>' in page
    dialog = ana.get(f"{PAGE}?plan={sub.price.plan.public_id}").content.decode()
    assert 'name="amount_seats" value="10"' in dialog
    assert ana.get(f"{PAGE}?plan=plan_nobody&feature=\0").status_code == 200


def test_one_dialog_sets_what_a_plan_grants(ana: Client, sub: Subscription) -> None:
    wish = {"amount_seats": "12.5", "on_sso": "on", "text_support": ""}
    for _ in range(2):
        assert ana.post(plan_page(sub), wish).status_code == 302
    assert granted() == {"seats": "12.5", "sso": "yes"}
    ana.post(plan_page(sub), {"unlimited_seats": "on"})
    assert granted() == {"seats": "yes"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount_seats": "-1"}, "Zero or more"),
        ({"amount_seats": "1e30"}, "not a number"),
        ({"amount_seats": "1" + "0" * 13}, "Zero or more"),
        ({"amount_seats": "1" + "0" * 30}, "is-invalid"),
        ({"amount_seats": "5", "unlimited_seats": "on"}, "Say an amount, or that there is no limit."),
        ({"text_support": "x" * 201}, "at most 200"),
    ],
)
def test_what_cannot_be_granted_is_said_at_its_field(
    ana: Client, sub: Subscription, wrong: dict[str, str], said: str
) -> None:
    before = granted()
    answer = ana.post(plan_page(sub), {"amount_seats": "10", "on_sso": "on", **wrong})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "is-invalid" in page
    assert re.search(r'name="on_sso"[^>]*checked', page)
    assert granted() == before


def test_a_feature_is_renamed_and_retired_on_the_page(ana: Client, sub: Subscription) -> None:
    with work():
        row = Feature.objects.get(code="seats")
    path = f"{PAGE}{row.public_id}/"
    assert (
        "A retired feature is not granted anew" in ana.get(f"{PAGE}?feature={row.public_id}").content.decode()
    )
    assert ana.post(path, {"name": "", "combine": "max"}).status_code == 422
    assert (
        ana.post(path, {"name": "Users", "unit": "users", "combine": "sum", "per_unit": "on"}).status_code
        == 302
    )
    assert "10 users each" in ana.get(PAGE).content.decode()
    assert {ana.post(f"{path}retire/").status_code for _ in range(2)} == {302}
    assert "retired" in ana.get(PAGE).content.decode()
    with work():
        assert Feature.objects.get(code="seats").version == 3


def test_a_customer_page_says_what_they_have_and_from_where(ana: Client, sub: Subscription) -> None:
    with work():
        set_override(
            sub.public_id,
            feature="seats",
            mode="add",
            amount=Decimal(50),
            why="Fair",
            today=clock.today(sub.zone),
        )
    panel = f"/o/acorn/customers/{sub.customer.public_id}/entitled/"
    assert panel in ana.get(f"/o/acorn/customers/{sub.customer.public_id}/").content.decode()
    said = words(ana.get(panel).content.decode())
    assert "60 seats" in said
    assert "Track Pro · 10 seats" in said
    assert "Override : Fair · 50 seats more" in said
    assert "Not in it: Single sign-on" in said
    own = f"/o/acorn/subscriptions/{sub.public_id}/entitled/"
    assert own in ana.get(f"/o/acorn/subscriptions/{sub.public_id}/").content.decode()
    assert "Remove Seats" in words(ana.get(own).content.decode())


def test_an_override_is_set_and_taken_back(ana: Client, sub: Subscription) -> None:
    path = f"/o/acorn/subscriptions/{sub.public_id}/override/"
    assert 'name="wish"' in ana.get(f"{path}?feature=sso").content.decode()
    wish = {"feature": "seats", "wish": "add", "amount": "50", "why": "Fair"}
    assert {ana.post(path, wish)["Location"] for _ in range(2)} == {
        f"/o/acorn/subscriptions/{sub.public_id}/"
    }
    with work():
        (row,) = FeatureOverride.objects.all()
        assert (row.mode, row.amount, row.version) == ("add", 50, 1)
    assert 'value="50"' in ana.get(f"{path}?feature=seats").content.decode()
    ana.post(path, {"feature": "sso", "wish": "on"})
    ana.post(path, {"feature": "support", "wish": "set", "text": "by phone"})
    ana.post(path, {"feature": "seats", "wish": "unlimited", "amount": "7"})
    said = words(ana.get(f"/o/acorn/subscriptions/{sub.public_id}/entitled/").content.decode())
    assert "by phone" in said
    assert "unlimited" in said
    assert {ana.post(f"{path}seats/remove/").status_code for _ in range(2)} == {302}
    ana.post(path, {"feature": "support", "wish": "off"})
    assert "taken away" in ana.get(f"/o/acorn/subscriptions/{sub.public_id}/entitled/").content.decode()
    with work():
        assert FeatureOverride.objects.count() == 2


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"wish": "add", "amount": "0"}, "More than zero"),
        ({"wish": "add", "amount": ""}, "Say an amount"),
        ({"wish": "set", "amount": "-1"}, "Zero or more"),
        ({"wish": "never"}, "not one of the available choices"),
        ({"wish": "off", "ends_on": "2020-01-01"}, "A day after today."),
        ({"wish": "off", "ends_on": "9999-01-01"}, "too far away"),
        ({"wish": "off", "why": "x" * 301}, "at most 300"),
    ],
)
def test_a_refused_override_keeps_what_was_typed(
    ana: Client, sub: Subscription, wish: dict[str, str], said: str
) -> None:
    answer = ana.post(
        f"/o/acorn/subscriptions/{sub.public_id}/override/", {"feature": "seats", "why": "Fair", **wish}
    )
    assert answer.status_code == 422
    assert said in answer.content.decode()
    with work():
        assert not FeatureOverride.objects.exists()


def test_who_may_only_look_is_told_and_changes_nothing(
    vic: Client, bea: Client, sub: Subscription, snapshot: Callable[[], dict[str, int]]
) -> None:
    with work():
        feature = Feature.objects.get(code="seats").public_id
    before, grants = snapshot(), granted()
    page = vic.get(f"{PAGE}?plan={sub.price.plan.public_id}").content.decode()
    assert "needs the right" in page
    assert 'id="plan-features"' not in page
    base = f"/o/acorn/subscriptions/{sub.public_id}/override/"
    for path in (
        f"{PAGE}new/",
        f"{PAGE}{feature}/",
        f"{PAGE}{feature}/retire/",
        plan_page(sub),
        base,
        f"{base}seats/remove/",
    ):
        assert vic.post(path, NEW).status_code == 403, path
        assert bea.post(path, NEW).status_code == 404, path
        assert bea.post(path.replace("/acorn/", "/birch/"), NEW).status_code in {302, 404, 422}, path
    assert bea.get(f"/o/birch/customers/{sub.customer.public_id}/entitled/").status_code == 404
    assert (snapshot(), granted()) == (before, grants)
    with work():
        assert not FeatureOverride.objects.exists()
        assert Plan.objects.get().version == 2


@pytest.mark.parametrize("who", ["Ana", "Vic"])
def test_the_pages_read_at_most_twelve_times(sub: Subscription, who: str) -> None:
    with work():
        for n in range(8):
            more = factories.subscription(sub.customer, sub.anchor)
            create_feature(name=f"F{n}", code=f"f{n}", kind="switch")
            set_plan_features(more.price.plan.public_id, [Granted(f"f{each}") for each in range(n)])
    client, most = signed_in(who), MOST + (GREYED if who == "Vic" else 0)
    for path in (
        PAGE,
        f"{PAGE}?plan={sub.price.plan.public_id}",
        f"/o/acorn/customers/{sub.customer.public_id}/entitled/",
        f"/o/acorn/subscriptions/{sub.public_id}/entitled/",
        f"/o/acorn/subscriptions/{sub.public_id}/",
    ):
        found = reads(client, path)
        assert len(found) <= most, path + "\n" + "\n".join(found)
