"""Many subscriptions by one call: a dry run that writes nothing, and the same call that does what it said."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BulkChangeItem, Subscription, SubscriptionItem
from billing.services import bulk_jobs
from billing.services.bulk_change import Wish
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said
from tests.db.api.invoices import today
from tests.db.api.test_billing import bill, subscribed

pytestmark = pytest.mark.usefixtures("judged")
PATH = "/subscriptions/bulk"


@pytest.fixture
def subs(api: Program, house: Scope, kestrel: Customer) -> list[str]:
    """Three of Kestrel's, billed."""
    made = [subscribed(api, kestrel, quantity=str(n))["id"] for n in (1, 2, 3)]
    bill(house, today())
    return made


@pytest.fixture
def dear(api: Program) -> str:
    sent = {"name": "Deluxe", "code": "deluxe", "model": "per_unit", "unit_price": "90.00", "currency": "EUR"}
    return str(api.post("/prices", sent, 201)["id"])


def counts(house: Scope) -> list[Any]:
    with enter(house), work():
        versions = list(Subscription.objects.order_by("pk").values_list("version", flat=True))
        return [versions, SubscriptionItem.objects.count(), OutboxEvent.objects.count()]


def test_a_dry_run_says_of_each_and_the_same_call_does_it(
    api: Program, house: Scope, subs: list[str], dear: str
) -> None:
    sent = {"act": "change", "price": dear, "ids": [*subs, "sub_nowhere", subs[0]], "on": str(today())}
    before = counts(house)
    seen = api.post(PATH, {**sent, "dry_run": True})
    assert counts(house) == before
    assert (seen["done"], seen["failed"], seen["dry_run"]) == (3, 1, True)
    assert [each["id"] for each in seen["items"]] == [*subs, "sub_nowhere"]
    assert {each["on"] for each in seen["items"][:3]} == {str(today())}
    assert all(each["charge_minor"] > each["credit_minor"] > 0 for each in seen["items"][:3])
    assert seen["items"][3]["code"] == "not_found"
    assert seen["items"][3]["charge_minor"] is None
    digests = {each["id"]: each["digest"] for each in seen["items"][:3]}
    api.post(f"/subscriptions/{subs[1]}/change", {"quantity": "9"})
    done = api.post(PATH, {**sent, "digests": digests})
    assert [(each["done"], each["code"]) for each in done["items"]] == [
        (True, ""),
        (False, "changed_since"),
        (True, ""),
        (False, "not_found"),
    ]
    wanted = {seen["items"][n]["charge_minor"] for n in (0, 2)}
    bill(house, today())
    made = api.get("/invoices?limit=100")["data"]
    assert wanted <= {each["net_minor"] for each in made if each["kind"] == "invoice"}


def test_what_a_dry_run_refuses_the_call_refuses(
    api: Program, house: Scope, kestrel: Customer, subs: list[str], dear: str
) -> None:
    """No run could bill what is credited of an archived customer, looked at or not."""
    with enter(house), work():
        Customer.objects.filter(pk=kestrel.pk).update(archived_at="2026-11-01T00:00Z")
    sent = {"act": "change", "price": dear, "ids": subs, "on": str(today())}
    before = counts(house)
    seen, done = api.post(PATH, {**sent, "dry_run": True}), api.post(PATH, sent)
    assert [each["code"] for each in seen["items"]] == ["unbillable"] * 3
    assert [each["code"] for each in done["items"]] == ["unbillable"] * 3
    assert counts(house) == before
    with enter(house), work():
        Customer.objects.update(archived_at=None)


def test_without_digests_what_somebody_planned_stays(
    api: Program, house: Scope, subs: list[str], dear: str
) -> None:
    api.post(f"/subscriptions/{subs[0]}/change", {"quantity": "9"})
    with enter(house), work():
        Subscription.objects.filter(public_id=subs[1]).update(held_at="2026-11-01T00:00Z", held_reason="Odd.")
    done = api.post(PATH, {"act": "change", "price": dear, "ids": subs})
    assert [each["code"] for each in done["items"]] == ["planned", "held", ""]
    with enter(house), work():
        Subscription.objects.update(held_at=None, held_reason="")


def test_a_call_sent_twice_is_done_once(api: Program, house: Scope, subs: list[str], dear: str) -> None:
    sent = {"act": "change", "price": dear, "ids": subs}
    one, two = (api("POST", PATH, sent, Idempotency_Key="many-1") for _ in range(2))
    assert (said(one), said(one)["done"]) == (said(two), 3)
    again = api.post(PATH, sent)
    assert {each["code"] for each in again["items"]} == {"planned"}, "what is set for later is not set twice"


@pytest.mark.parametrize("act", ["end", "pause"])
def test_ends_and_pauses(api: Program, house: Scope, subs: list[str], act: str) -> None:
    day = today() + timedelta(days=3)
    more = {"refund": True} if act == "end" else {"resumes_on": str(day + timedelta(days=5))}
    done = api.post(PATH, {"act": act, "ids": subs, "on": str(day), **more})
    assert done["done"] == 3
    row = api.get(f"/subscriptions/{subs[0]}")
    assert row["ends_on" if act == "end" else "paused_on"] == str(day)
    assert row["refund"] is (act == "end")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"act": "drop"}, "/act"),
        ({"act": "change"}, "/price"),
        ({"act": "change", "price": "price_none"}, "/price"),
        ({"act": "end", "price": "price_none"}, "/price"),
        ({"act": "end", "resumes_on": "2026-12-01"}, "/resumes_on"),
        ({"act": "pause", "refund": True}, "/refund"),
        ({"act": "pause", "on": "2026-12-02", "resumes_on": "2026-12-01"}, "/resumes_on"),
        ({"act": "end", "ids": []}, "/ids"),
        ({"act": "end", "ids": ["sub_x"] * 101}, "/ids"),
        ({"act": "end", "on": "tomorrow"}, "/on"),
        ({"act": "end", "dry_run": "yes"}, "/dry_run"),
        ({"act": "end", "digests": {"sub_other": "x"}}, "/digests"),
        ({"act": "end", "digests": []}, "/digests"),
        ({"act": "end", "extra": 1}, "/extra"),
    ],
)
def test_what_cannot_be_is_named(
    api: Program, house: Scope, subs: list[str], sent: dict[str, Any], field: str
) -> None:
    before = counts(house)
    answer = api("POST", PATH, {"ids": subs, **sent})
    assert answer.status_code == 422, said(answer)
    assert pointers(answer) == [field]
    assert counts(house) == before


def test_a_price_of_one_subscription_alone_is_nobody_elses(
    api: Program, house: Scope, subs: list[str]
) -> None:
    api.post(f"/subscriptions/{subs[0]}/change", {"unit_price": "9.00", "on": str(today())})
    own = api.get(f"/subscriptions/{subs[0]}")["price"]
    answer = api("POST", PATH, {"act": "change", "price": own, "ids": subs[1:]})
    assert (answer.status_code, pointers(answer)) == (422, ["/price"])


def test_another_house_finds_nothing_and_who_may_only_see_does_nothing(
    api: Program, as_key: Any, house: Scope, subs: list[str]
) -> None:
    bea, vic = as_key("birch", "bea@birch.example"), as_key("acorn", "vic@acorn.example")
    before = counts(house)
    answer = bea.post(PATH, {"act": "end", "ids": subs})
    assert {each["code"] for each in answer["items"]} == {"not_found"}
    for more in ({}, {"dry_run": True}):
        assert vic("POST", PATH, {"act": "end", "ids": subs, **more}).status_code == 403
    assert counts(house) == before


def test_those_of_pages_are_read(api: Program, as_key: Any, house: Scope, subs: list[str]) -> None:
    with enter(house):
        with work():
            name = bulk_jobs.start(Wish("end"), {"ids": subs}, today=today(), key="form_12345678")
        (row,) = api.get("/bulk_changes")["data"]
        assert (row["id"], row["state"], row["run"]) == (name, "checking", None)
        while bulk_jobs.LOOKING.step(row["look"]):
            pass
    found = api.get(f"/bulk_changes/{name}")
    assert found["bulk_change"]["state"] == "ready"
    assert found["counts"] == {"fits": 3, "unfit": 0, "done": 0, "refused": 0}
    assert api.get(f"/jobs/{row['look']}")["state"] == "done"
    items = api.get(f"/bulk_changes/{name}/items?outcome=fits&limit=2")
    assert [each["subscription"] for each in items["data"]] == subs[:2]
    assert items["data"][0]["quantity"] == str(Decimal(1))
    assert api("GET", f"/bulk_changes/{name}/items?outcome=odd").status_code == 422
    bea = as_key("birch", "bea@birch.example")
    assert bea("GET", f"/bulk_changes/{name}").status_code == 404
    assert bea("GET", f"/bulk_changes/{name}/items").status_code == 404
    with enter(house), work():
        assert BulkChangeItem.objects.count() == 3
