"""What may change of a subscription by API: its end as on its page, and what other systems keep with it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.scope import Scope
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said, same_refusal
from tests.db.api.invoices import today
from tests.db.api.test_billing import TRACK, bill, subscribed, written

pytestmark = pytest.mark.usefixtures("judged")


def test_what_other_systems_keep_is_changed_and_the_rest_stays(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel, external_id="S-1", metadata={"team": "north"})
    path = f"/subscriptions/{made['id']}"
    changed = said(api("PATCH", path, {"metadata": {"team": "south"}}, If_Match=f'"{made["version"]}"'))
    assert changed == {
        **made,
        "metadata": {"team": "south"},
        "version": made["version"] + 1,
        "updated_at": changed["updated_at"],
    }
    assert said(api("PATCH", path, {"metadata": {"team": "south"}})) == changed
    assert said(api("PATCH", path, {})) == changed
    stale = api("PATCH", path, {"external_id": "S-2"}, If_Match=f'"{made["version"]}"')
    assert (stale.status_code, said(stale)["code"]) == (412, "version_mismatch")
    other = subscribed(api, kestrel, external_id="S-9")
    taken = api("PATCH", path, {"external_id": "S-9"})
    assert (taken.status_code, said(taken)["code"]) == (409, "external_id_taken")
    assert said(api("PATCH", f"/subscriptions/{other['id']}", {"external_id": ""}))["external_id"] == ""
    assert said(api("PATCH", path, {"external_id": "S-9"}))["external_id"] == "S-9"


def test_an_end_is_what_the_page_does_and_what_the_run_bills(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel, quantity="3")
    path, on = f"/subscriptions/{made['id']}", today() + timedelta(days=10)
    ended = said(api("PATCH", path, {"ends_on": str(on), "metadata": {"why": "moved"}}))
    assert (ended["state"], ended["ends_on"], ended["metadata"]) == ("active", str(on), {"why": "moved"})
    upcoming = api.get(f"{path}/upcoming")
    bill(house, today())
    (invoice,) = api.get("/invoices")["data"]
    assert (invoice["total_minor"], invoice["net_minor"]) == (upcoming["total_minor"], upcoming["net_minor"])
    assert api.get(path)["state"] == "ended"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quantity": "4"}, "/quantity"),
        ({"price": "pri_1"}, "/price"),
        ({"ends_on": None}, "/ends_on"),
        ({"ends_on": "2026-13-01"}, "/ends_on"),
        ({"ends_on": "2020-01-01"}, "/ends_on"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"metadata": {"a" * 41: "x"}}, "/metadata"),
        ({"external_id": "x" * 256}, "/external_id"),
        ({"external_id": "S-1", "ends_on": "2020-01-01"}, "/ends_on"),
    ],
)
def test_what_cannot_change_is_named_and_nothing_changes(
    api: Program, house: Scope, kestrel: Customer, body: Any, field: str
) -> None:
    made = subscribed(api, kestrel)
    there = written(house)
    refused = api("PATCH", f"/subscriptions/{made['id']}", body)
    assert (refused.status_code, pointers(refused)) == (422, [field])
    assert written(house) == there


def test_only_who_may_changes_it_and_others_find_nothing(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel)
    path, there = f"/subscriptions/{made['id']}", written(house)
    reader = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    assert reader("PATCH", path, {"external_id": "S-1"}).status_code == 403
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "PATCH", path, made["id"], {"external_id": "S-1"})
    assert written(house) == there


def test_what_two_read_before_one_changed_it_is_refused_the_other(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    """A change, its return and an item are part of what was read, also where nothing else of it moves."""
    made = subscribed(api, kestrel)
    path, read = f"/subscriptions/{made['id']}", {"If_Match": f'"{made["version"]}"'}
    other = api.post("/prices", {**TRACK, "code": "extra"}, 201)
    item = {"price": other["id"], "starts_on": made["items"][0]["starts_on"]}
    for place, body in (("change", {"quantity": "5"}), ("change/revoke", None), ("items", item)):
        before = api.get(path)["version"]
        assert api("POST", f"{path}/{place}", body).status_code in {200, 201}
        assert api.get(path)["version"] > before, place
        assert api("POST", f"{path}/change", {"quantity": "7"}, **read).status_code == 412, place
