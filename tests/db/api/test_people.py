"""Members, roles and invitations by API: nobody gives more than they may, and asks no one twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.models import IdempotencyKey, OutboxEvent
from core.scope import Scope, enter, work
from tenants.models import Group, GroupMember, Invitation, Membership, Role, User
from tenants.services.organizations import add_member
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


def role(house: Scope, key: str) -> str:
    with inside(house):
        return str(Role.objects.get(key=key).public_id)


def asked(house: Scope) -> int:
    with inside(house):
        return Invitation.objects.count()


@pytest.fixture
def body(house: Scope) -> dict[str, Any]:
    return {"email": "new@kestrel.example", "name": "Nia", "role": role(house, "viewer")}


def test_members_are_listed_with_what_they_may(api: Program, house: Scope) -> None:
    with inside(house):
        vic = Membership.objects.get(user__name="Vic")
        group = Group.objects.create(name="Cash", role=Role.objects.get(key="accounts_manager"))
        GroupMember.objects.create(group=group, member=vic)
        ben = Membership.objects.get(user__name="Ben")
        ben.valid_until = clock.wall() - timedelta(days=1)
        ben.save()
    found = {each["name"]: each for each in api.get("/members")["data"]}
    assert found.keys() == {"Ana", "Ben", "Vic"}
    assert (found["Ana"]["state"], found["Ben"]["state"]) == ("active", "over")
    assert found["Ben"]["ends"]
    assert found["Vic"]["groups"] == [group.public_id]
    assert found["Vic"]["role"] == role(house, "viewer")
    assert "payments.record" in found["Vic"]["rights"]
    with inside(house):
        Membership.objects.filter(pk=ben.pk).update(disabled_at=clock.wall(), valid_until=None)
        Membership.objects.filter(pk=vic.pk).update(valid_from=clock.wall() + timedelta(days=1))
    found = {each["name"]: each["state"] for each in api.get("/members")["data"]}
    assert found == {"Ana": "active", "Ben": "shut_out", "Vic": "not_yet"}


def test_members_are_walked_page_by_page(api: Program) -> None:
    seen, path = [], "/members?limit=1"
    while path:
        page = api.get(path)
        seen += [each["name"] for each in page["data"]]
        path = page["next"]
    assert sorted(seen) == ["Ana", "Ben", "Vic"]


def test_roles_say_what_they_grant(api: Program) -> None:
    found = {each["key"]: each for each in api.get("/roles")["data"]}
    assert len(found) == 6
    assert set(found["viewer"]["rights"]) < set(found["owner"]["rights"])
    assert "events.view" in found["accounts_manager"]["rights"]
    assert "events.view" not in found["viewer"]["rights"]


def test_a_person_is_asked_once_and_the_invitation_withdrawn(
    api: Program, house: Scope, body: dict[str, Any]
) -> None:
    made = api.post("/invitations", body, 201, Idempotency_Key="one")
    assert (made["email"], made["state"], made["invited_by"]) == ("new@kestrel.example", "open", "ERP (Ana)")
    assert api.post("/invitations", body, 201, Idempotency_Key="one") == made
    with inside(house):
        IdempotencyKey.objects.all().delete()
    assert api.post("/invitations", {**body, "email": "New@Kestrel.example"}, 201)["id"] == made["id"]
    assert asked(house) == 1
    with inside(house):
        assert OutboxEvent.objects.filter(name="member.invited").count() == 1
    assert [each["id"] for each in api.get("/invitations")["data"]] == [made["id"]]
    assert api.post(f"/invitations/{made['id']}/withdraw")["state"] == "withdrawn"
    assert api("POST", f"/invitations/{made['id']}/withdraw").status_code == 404
    assert api.get("/invitations")["data"] == []


def test_an_invitation_may_be_for_a_time(api: Program, house: Scope, body: dict[str, Any]) -> None:
    ends = (clock.wall() + timedelta(days=30)).replace(microsecond=0)
    made = api.post("/invitations", {**body, "ends": ends.isoformat()}, 201)
    assert made["ends"] == ends.isoformat().replace("+00:00", "Z")
    assert made["starts"] is None
    other = api("POST", "/invitations", body)
    assert (other.status_code, said(other)["code"]) == (409, "is_asked")


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("email", "nobody", "/email"),
        ("email", "", "/email"),
        ("email", "a@b.example\nBcc: c@d.example", "/email"),
        ("name", "x" * 201, "/name"),
        ("role", "role_none", "/role"),
        ("role", None, "/role"),
        ("ends", "2020-01-01T00:00:00Z", "/ends"),
        ("ends", "2027-01-01", "/ends"),
        ("ends", "2027-01-01T00:00:00", "/ends"),
        ("ends", 1, "/ends"),
        ("starts", "0001-01-01T00:00:00Z", "/starts"),
        ("starts", "9999-12-31T23:59:59-14:00", "/starts"),
        ("rights", ["payments.view"], "/rights"),
    ],
)
def test_what_cannot_be_asked_is_named(
    api: Program, house: Scope, body: dict[str, Any], field: str, value: Any, pointer: str
) -> None:
    answer = api("POST", "/invitations", {**body, field: value})
    assert (answer.status_code, pointers(answer)[0]) == (422, pointer)
    assert asked(house) == 0


def test_who_is_a_member_is_not_asked(api: Program, house: Scope, body: dict[str, Any]) -> None:
    answer = api("POST", "/invitations", {**body, "email": "ben@acorn.example"})
    assert (answer.status_code, said(answer)["code"]) == (409, "is_member")
    for n in (1, 2):  # the plan has five seats, three are taken
        api.post("/invitations", {**body, "email": f"n{n}@kestrel.example"}, 201)
    answer = api("POST", "/invitations", body)
    assert (answer.status_code, said(answer)["code"]) == (409, "no_seat")
    assert asked(house) == 2


def test_nobody_gives_more_than_they_may(
    api: Program, as_key: Callable[..., Program], house: Scope, body: dict[str, Any]
) -> None:
    few = as_key("acorn", "ana@acorn.example", rights=["members.create"])
    answer = few("POST", "/invitations", {**body, "role": role(house, "owner")})
    assert (answer.status_code, said(answer)["code"]) == (403, "beyond_own_rights")
    ben = as_key("acorn", "ben@acorn.example")
    assert ben("POST", "/invitations", body).status_code == 403
    assert asked(house) == 0
    made = api.post("/invitations", body, 201)
    assert ben("POST", f"/invitations/{made['id']}/withdraw").status_code == 403
    assert [each["state"] for each in ben.get("/invitations")["data"]] == ["open"]


def test_another_organizations_people_are_nobodys(
    api: Program, as_key: Callable[..., Program], house: Scope, body: dict[str, Any]
) -> None:
    made = api.post("/invitations", body, 201)
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "POST", f"/invitations/{made['id']}/withdraw", made["id"])
    assert [each["name"] for each in bea.get("/members")["data"]] == ["Bea"]
    assert bea.get("/invitations")["data"] == []
    stolen = bea("POST", "/invitations", body)
    assert (stolen.status_code, pointers(stolen)) == (422, ["/role"])
    assert api.get("/invitations")["data"][0]["state"] == "open"


def test_people_need_their_right(as_key: Callable[..., Program]) -> None:
    key = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    for path in ("/members", "/roles", "/invitations"):
        assert key("GET", path).status_code == 403


def test_statements_do_not_grow_with_the_people(api: Program, house: Scope, body: dict[str, Any]) -> None:
    api.post("/invitations", body, 201)
    paths = ("/members?limit=100", "/roles?limit=100", "/invitations?limit=100")
    before = {path: statements(api, path) for path in paths}
    with inside(house):
        viewer = Role.objects.get(key="viewer")
        for n in range(12):
            add_member(user=User.objects.create_user(f"m{n}@acorn.example", f"M{n}"), role="viewer")
            Role.objects.create(name=f"R{n}", permissions=["home.view"])
            Invitation.objects.create(email=f"i{n}@acorn.example", role=viewer, expires_at=clock.wall())
    for path in paths:
        assert statements(api, path) <= before[path], path
    states = {each["state"] for each in api.get("/invitations?limit=100")["data"]}
    assert states == {"open", "expired"}
