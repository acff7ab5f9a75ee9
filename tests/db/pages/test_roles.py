"""Roles by ticking rights, groups, and who may then do what: with the next request, never more than the giver."""

from collections.abc import Callable

import pytest
from django.test import Client

from core import registry
from core.scope import Scope, enter, work
from tenants.models import Group, GroupMember, Membership, Role
from tenants.permissions import built_in_roles
from tests.db.pages.test_members import act, member
from tests.db.pages.test_session import ODD, odd
from tests.routes import Route, staff_routes

ROLES = "/o/acorn/settings/roles/"
GROUPS = "/o/acorn/settings/groups/"
READS = ["home.view", "customers.view", "invoices.view"]


def made(house: Scope, name: str = "Readers", rights: list[str] | None = None) -> Role:
    with enter(house), work():
        return Role.objects.create(name=name, permissions=READS if rights is None else rights)


def again(house: Scope, row: Role) -> Role:
    with enter(house), work():
        return Role.objects.get(pk=row.pk)


def give(house: Scope, name: str, role: Role) -> None:
    with enter(house), work():
        Membership.objects.filter(user__name=name).update(role=role)


def test_a_role_is_made_by_ticking_and_given(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    for status in (302, 409):  # the same form again finds the name taken
        assert ana.post(ROLES + "new/", {"name": "Readers", "rights": READS}).status_code == status
    with enter(house), work():
        role = Role.objects.get(name="Readers")
    assert role.permissions == sorted(READS)
    ana.post(act(house, "Vic", "save"), {"role": role.public_id})
    vic = client_of("Vic")
    assert vic.get("/o/acorn/invoices/").status_code == 200
    assert vic.get("/o/acorn/payments/").status_code == 403


def test_unticking_takes_page_menu_and_file_away_with_the_next_request(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    role = made(house, rights=[*READS, "invoices.export"])
    give(house, "Vic", role)
    vic = client_of("Vic")
    assert vic.get("/o/acorn/invoices/invoices.csv").status_code == 200
    told = {"name": role.name, "version": "1", "rights": ["home.view", "customers.view"]}
    assert ana.post(f"{ROLES}{role.public_id}/save/", told).status_code == 302
    for page in ("invoices/", "invoices/invoices.csv"):
        assert vic.get("/o/acorn/" + page).status_code == 403
    shown = vic.get("/o/acorn/customers/").content.decode()
    assert 'href="/o/acorn/invoices/"' not in shown


def test_what_somebody_else_saved_first_is_not_written_over(ana: Client, house: Scope) -> None:
    role = made(house)
    told = {"name": "Readers", "version": "1", "rights": READS[:1]}
    for _ in range(2):  # a double click
        assert ana.post(f"{ROLES}{role.public_id}/save/", told).status_code == 302
    stale = ana.post(f"{ROLES}{role.public_id}/save/", {**told, "rights": READS})
    assert stale.status_code == 409
    assert (again(house, role).permissions, again(house, role).version) == (READS[:1], 2)


def test_a_built_in_role_is_renamed_and_nothing_else(ana: Client, house: Scope) -> None:
    with enter(house), work():
        viewer = Role.objects.get(key="viewer")
    told = {"name": "Lesende", "version": "1", "rights": list(registry.permissions)}
    assert ana.post(f"{ROLES}{viewer.public_id}/save/", told).status_code == 302
    assert (again(house, viewer).name, again(house, viewer).permissions) == ("Lesende", [])
    assert ana.post(f"{ROLES}{viewer.public_id}/drop/").status_code == 409


def test_a_role_that_is_given_stays(ana: Client, house: Scope) -> None:
    role = made(house)
    give(house, "Vic", role)
    assert ana.post(f"{ROLES}{role.public_id}/drop/").status_code == 409
    with enter(house), work():
        give(house, "Vic", Role.objects.get(key="viewer"))
    for status in (302, 404):
        assert ana.post(f"{ROLES}{role.public_id}/drop/").status_code == status


def test_nobody_makes_or_changes_a_role_beyond_their_own(
    client_of: Callable[[str], Client], house: Scope
) -> None:
    """Ben may change roles and members, and holds the rights to see; he cannot tick himself more."""
    people = made(house, "People", [*READS, "members.view", "members.edit", "roles.edit"])
    strong = made(house, "Strong", [*READS, "invoices.issue"])
    give(house, "Ben", people)
    ben = client_of("Ben")
    beyond = {"name": "Mine", "rights": [*READS, "invoices.issue"]}
    assert ben.post(ROLES + "new/", beyond).status_code == 403
    own = {"name": "People", "version": "1", "rights": [*people.permissions, "invoices.issue"]}
    assert ben.post(f"{ROLES}{people.public_id}/save/", own).status_code == 403
    taken = {"name": "Strong", "version": "1", "rights": []}
    assert ben.post(f"{ROLES}{strong.public_id}/save/", taken).status_code == 403
    assert ben.post(f"{ROLES}{strong.public_id}/drop/").status_code == 403
    for role in (people, strong):
        assert (again(house, role).permissions, again(house, role).version) == (role.permissions, 1)
    assert ben.post(ROLES + "new/", {"name": "Mine", "rights": READS}).status_code == 302


def test_a_group_gives_its_role_beside_ones_own(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    role = made(house, "Closers", ["invoices.export"])
    vic, ben = member(house, "Vic"), member(house, "Ben")
    told = {"name": "Month end", "role": role.public_id, "members": [vic.public_id]}
    for status in (302, 409):
        assert ana.post(GROUPS + "new/", told).status_code == status
    opened = client_of("Vic")
    assert opened.get("/o/acorn/invoices/invoices.csv").status_code == 200
    assert opened.get("/o/acorn/invoices/").status_code == 200  # and what they have by themselves
    with enter(house), work():
        group = Group.objects.get()
    place = f"{GROUPS}{group.public_id}/"
    assert ana.get(place).status_code == 200
    assert ana.post(place, {**told, "members": [ben.public_id]}).status_code == 302
    assert opened.get("/o/acorn/invoices/invoices.csv").status_code == 403
    assert ana.post(act(house, "Vic", "save"), {"role": vic.role.public_id, "groups": [group.public_id]})
    assert opened.get("/o/acorn/invoices/invoices.csv").status_code == 200
    assert ana.post(f"{GROUPS}{group.public_id}/drop/").status_code == 302
    assert opened.get("/o/acorn/invoices/invoices.csv").status_code == 403
    with enter(house), work():
        assert not GroupMember.objects.exists()


def test_nobody_comes_to_more_rights_through_a_group(
    client_of: Callable[[str], Client], house: Scope
) -> None:
    people = made(house, "People", [*READS, "members.view", "members.edit", "roles.edit"])
    strong = made(house, "Strong", [*READS, "invoices.issue"])
    with enter(house), work():
        group = Group.objects.create(name="Strong ones", role=strong)
    give(house, "Ben", people)
    ben, own = client_of("Ben"), member(house, "Ben")
    joined = {"role": people.public_id, "groups": [group.public_id]}
    assert ben.post(act(house, "Ben", "save"), joined).status_code == 403
    told = {"name": "Strong ones", "role": people.public_id, "members": [own.public_id]}
    assert ben.post(f"{GROUPS}{group.public_id}/", told).status_code == 403
    new = {"name": "New", "role": strong.public_id, "members": [own.public_id]}
    assert ben.post(GROUPS + "new/", new).status_code == 422
    assert ben.post(f"{GROUPS}{group.public_id}/drop/").status_code == 403
    with enter(house), work():
        assert not GroupMember.objects.exists()


def test_no_group_makes_owners(ana: Client, house: Scope) -> None:
    with enter(house), work():
        owner = Role.objects.get(key="owner")
    assert ana.post(GROUPS + "new/", {"name": "All", "role": owner.public_id}).status_code == 422


def test_conflicting_rights_are_flagged_when_they_are_given(ana: Client, house: Scope) -> None:
    role = made(house, "Cashier", ["payments.record", "invoices.write_off"])
    answer = ana.post(act(house, "Vic", "save"), {"role": role.public_id}, follow=True)
    shown = answer.content.decode()
    assert "Conflicting rights: “Record payments” and “Write off what is open”" in shown
    assert "conflicting rights</span>" in shown
    assert "Conflicting rights" in ana.get(f"{ROLES}{role.public_id}/").content.decode()


def test_what_is_greyed_says_who_can_grant_it(client_of: Callable[[str], Client]) -> None:
    shown = client_of("Vic").get("/o/acorn/customers/").content.decode()
    assert "needs the right “Create customers”; ask Ana" in shown


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["name", "rights", "version"])
def test_a_role_of_odd_text_never_breaks(ana: Client, house: Scope, field: str, value: str) -> None:
    told = {"name": "Readers", "rights": "invoices.view", "version": "1", field: odd(value)}
    role = made(house)
    for place in (ROLES + "new/", f"{ROLES}{role.public_id}/save/", GROUPS + "new/"):
        assert ana.post(place, told).status_code in {302, 409, 422}
    assert ana.get(ROLES + "new/", {"like": odd(value)}).status_code == 404 or not odd(value)[:40].strip("\0")


def test_statements_do_not_grow_with_roles_and_groups(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    ana.get(ROLES)
    few = queries(ana, ROLES)
    with enter(house), work():
        for n in range(9):
            role = Role.objects.create(name=f"R{n}", permissions=READS)
            group = Group.objects.create(name=f"G{n}", role=role)
            GroupMember.objects.create(group=group, member=Membership.objects.get(user__name="Vic"))
    assert queries(ana, ROLES) == few


def _address(route: Route) -> str:
    return route.address({name: "acorn" if name == "slug" else "1" for name in route.parameters})


@pytest.mark.parametrize("key", sorted(built_in_roles()))
def test_each_role_is_refused_just_what_it_may_not(
    client_of: Callable[[str], Client], house: Scope, key: str
) -> None:
    """Every address and both methods: 403 when the page's right is not in the role, and never when it is."""
    rights = built_in_roles()[key].rights
    with enter(house), work():
        give(house, "Vic", Role.objects.get(key=key))
    vic = client_of("Vic")
    vic.raise_request_exception = False
    wrong = []
    for route in staff_routes():
        address, refused = _address(route), route.view.permission not in rights
        for method in ("get", "post"):
            status = getattr(vic, method)(address).status_code
            if (status == 403) != refused or status >= 500:
                wrong.append((method, address, route.view.permission, status))
    assert wrong == []
