"""The organization by API: its entities, plan, groups, keys, audit and access log, with the rights of the pages."""

from collections.abc import Callable
from typing import Any

import pytest

from core import clock
from core.models import AuditEntry
from core.scope import Scope, enter, work
from customers.models import Customer
from tenants.models import AccessEvent, ApiKey, Group, GroupMember, LegalEntity, Membership, Role
from tests import factories
from tests.db.api.conftest import Program, key_of, pointers, said, same_refusal, statements

LISTS = ("groups", "legal_entities", "api_keys", "audit_entries", "access_events")
RIGHTS = {
    "groups": "members.view",
    "legal_entities": "settings.view",
    "plan": "settings.view",
    "api_keys": "keys.view",
    "audit_entries": "audit.view",
    "access_events": "audit.view",
}


def entity_of(api: Program) -> Any:
    return api.get("/legal_entities")["data"][0]


def test_a_legal_entity_is_changed_as_its_page_does(api: Program, house: Scope, kestrel: Customer) -> None:
    seen = entity_of(api)
    path = f"/legal_entities/{seen['id']}"
    assert api.get(path) == seen
    notice = {"renewal_notice_days": 30, "renewal_notice_for": "month"}
    changed = said(api("PATCH", path, {"terms_days": 21, "tax_percent": "7.5", **notice}))
    assert changed == {
        **seen,
        "terms_days": 21,
        "tax_percent": "7.5",
        **notice,
        "version": seen["version"] + 1,
        "updated_at": changed["updated_at"],
    }
    assert said(api("PATCH", path, {"terms_days": 21}))["version"] == changed["version"]
    stale = api("PATCH", path, {"terms_days": 1}, If_Match=f'"{seen["version"]}"')
    assert (stale.status_code, said(stale)["code"]) == (412, "version_mismatch")
    with enter(house), work():
        factories.invoice(kestrel)
    for body, field in (
        ({"currency": "USD"}, "/currency"),
        ({"zone": "Europe/Atlantis"}, "/zone"),
        ({"country": "XX"}, "/country"),
        ({"terms_days": 366}, "/terms_days"),
        ({"tax_percent": "100.1"}, "/tax_percent"),
        ({"renewal_notice_days": 91}, "/renewal_notice_days"),
        ({"renewal_notice_days": "30"}, "/renewal_notice_days"),
        ({"renewal_notice_days": -1}, "/renewal_notice_days"),
        ({"renewal_notice_for": "week"}, "/renewal_notice_for"),
        ({"renewal_notice_for": None}, "/renewal_notice_for"),
        ({"name": ""}, "/name"),
        ({"code": "X"}, "/code"),
    ):
        refused = api("PATCH", path, body)
        assert (refused.status_code, pointers(refused)) == (422, [field]), body
    assert api.get(path) == {**changed}


def test_the_plan_says_what_is_taken(api: Program) -> None:
    found = api.get("/plan")
    assert (found["plan"]["key"], found["taken"], found["most"]) == ("business", 3, 5)
    assert {each["key"]: each["price_minor"] for each in found["plans"]} == {
        "business": 0,
        "team": 4999,
        "enterprise": None,
    }


def test_groups_are_listed_with_role_and_members(api: Program, house: Scope) -> None:
    with enter(house), work():
        group = Group.objects.create(name="Cash", role=Role.objects.get(key="accounts_manager"))
        vic = Membership.objects.get(user__name="Vic")
        GroupMember.objects.create(group=group, member=vic)
        role = group.role.public_id
    (found,) = api.get("/groups")["data"]
    assert (found["id"], found["role"], found["members"]) == (group.public_id, role, [vic.public_id])


def test_keys_are_seen_without_what_opens_and_ended_but_never_made(api: Program, house: Scope) -> None:
    other = Program(key_of(house, name="Shop", rights=["customers.view"], addresses=["127.0.0.1"]))
    assert other("GET", "/customers").status_code == 200
    answer = api("GET", "/api_keys")
    shop, own = said(answer)["data"]
    assert (shop["name"], shop["rights"], shop["addresses"]) == ("Shop", ["customers.view"], ["127.0.0.1/32"])
    assert (own["rights"], own["last4"]) == (None, api.secret[-4:])
    with enter(house), work():
        digests = list(ApiKey.objects.values_list("digest", flat=True))
    for secret in (api.secret, other.secret, *digests):
        assert secret.encode() not in answer.content
    assert api("POST", "/api_keys", {"name": "Child"}).status_code == 405
    assert api("POST", f"/api_keys/{shop['id']}/roll").status_code == 404
    assert api.post(f"/api_keys/{shop['id']}/revoke")["revoked_at"]
    assert other("GET", "/customers").status_code == 401
    again = api("POST", f"/api_keys/{shop['id']}/revoke")
    assert (again.status_code, said(again)["code"]) == (409, "key_over")
    with enter(house), work():
        assert ApiKey.objects.count() == 2


def test_the_audit_is_found_by_the_filters_of_its_page(api: Program, house: Scope, kestrel: Customer) -> None:
    path = f"/customers/{kestrel.public_id}"
    api("PATCH", path, {"name": "Kestrel AG"})
    (changed,) = api.get(f"/audit_entries?record={kestrel.public_id}&action=changed")["data"]
    assert (changed["record"], changed["kind"], changed["origin"]) == (
        kestrel.public_id,
        "customers.customer",
        "api",
    )
    assert ("Kestrel", "Kestrel AG") in {(each["old"], each["new"]) for each in changed["changes"]}
    (same,) = api.get(f"/audit_entries?record={changed['request']}&kind=customers.customer")["data"]
    assert same == changed
    everything = api.get("/audit_entries?limit=100")["data"]
    keys = api.get("/audit_entries?who=key&limit=100")["data"]
    assert changed in keys
    assert len(keys) < len(everything)
    assert api.get("/audit_entries?end=2001-01-01")["data"] == []
    assert api.get("/audit_entries?record=cus_01J00000000000000000000000")["data"] == []
    for query, field in (
        ("kind=horses.horse", "/kind"),
        ("action=ridden", "/action"),
        ("origin=moon", "/origin"),
        ("start=26.11.2026", "/start"),
        ("horse=1", "/horse"),
    ):
        assert pointers(api("GET", f"/audit_entries?{query}")) == [field], query


def test_the_access_log_is_found_by_the_filters_of_its_page(api: Program, house: Scope) -> None:
    vic = Program(key_of(house, rights=["customers.view"]))
    assert vic("GET", "/invoices").status_code == 403
    found = api.get("/access_events?kind=refused")["data"]
    assert [(each["kind"], each["detail"]) for each in found] == [("refused", "GET /api/v1/invoices")]
    assert api.get("/access_events?address=203.0.113.7")["data"] == []
    assert {each["kind"] for each in api.get("/access_events")["data"]} == {"refused", "key_first"}
    assert pointers(api("GET", "/access_events?kind=ridden")) == ["/kind"]
    assert pointers(api("GET", "/access_events?unusual=1")) == ["/unusual"]


@pytest.mark.parametrize("name", RIGHTS)
def test_each_names_the_right_of_its_page(as_key: Callable[..., Program], name: str) -> None:
    right = RIGHTS[name]
    assert as_key("acorn", "ana@acorn.example", rights=[right])("GET", f"/{name}").status_code == 200
    others = sorted(set(RIGHTS.values()) - {right})
    assert as_key("acorn", "ana@acorn.example", rights=others)("GET", f"/{name}").status_code == 403


def test_others_see_and_change_nothing(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer
) -> None:
    entity, (key,) = entity_of(api), api.get("/api_keys")["data"]
    bea = as_key("birch", "bea@birch.example")
    own = f"/legal_entities/{entity['id']}"
    same_refusal(bea, "GET", own, entity["id"])
    same_refusal(bea, "PATCH", own, entity["id"], {"terms_days": 1})
    same_refusal(bea, "POST", f"/api_keys/{key['id']}/revoke", key["id"])
    assert bea.get(f"/audit_entries?record={kestrel.public_id}")["data"] == []
    for name in LISTS:
        ids = {each["id"] for each in bea.get(f"/{name}?limit=100")["data"]}
        assert not ids & {each["id"] for each in api.get(f"/{name}?limit=100")["data"]}
    reader = as_key("acorn", "ana@acorn.example", rights=["settings.view", "keys.view"])
    assert reader("PATCH", own, {"terms_days": 1}).status_code == 403
    assert reader("POST", f"/api_keys/{key['id']}/revoke").status_code == 403
    assert entity_of(api) == entity


def test_statements_do_not_grow_with_the_lists(api: Program, house: Scope) -> None:
    def more(n: int) -> None:
        with enter(house), work():
            role = Role.objects.get(key="viewer")
            vic = Membership.objects.get(user__name="Vic")
            for k in range(n):
                group = Group.objects.create(name=f"G{n}-{k}", role=role)
                GroupMember.objects.create(group=group, member=vic)
                ApiKey.objects.create(
                    name="x", member=vic, digest=f"{n}-{k}", start="s", last4="4", api_version="v"
                )
                LegalEntity.objects.create(name=f"E{k}", country="DE", currency="EUR", code=f"E{n}-{k}")
                factories.customer(name=f"C{n}-{k}")
                AccessEvent.objects.create(
                    kind="signed_in", user_id=vic.user_id, who="Vic", at=clock.wall(), address=f"10.0.{n}.{k}"
                )

    more(10)
    paths = [f"/{name}?limit=100" for name in LISTS if name != "audit_entries"]
    paths.append("/audit_entries?limit=100&kind=customers.customer")
    few = {path: statements(api, path) for path in paths}
    more(90)
    assert {path: statements(api, path) for path in paths} == few
    with enter(house), work():
        assert AuditEntry.objects.count() > 100
