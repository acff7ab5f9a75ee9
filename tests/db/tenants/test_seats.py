"""Who may open an organization, until when, and how one is made."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from core import clock, doors
from core.errors import Conflict, Invalid
from core.models import Organization
from core.scope import Scope, enter, work
from tenants.models import LegalEntity, Membership, Role, User
from tenants.permissions import ACCOUNTS_MANAGER, OWNER, VIEWER, built_in_roles
from tenants.selectors import Seat, organizations_of, seat_of
from tenants.services.organizations import add_member, create_organization, sync_built_in_roles

BEN = "ben@acorn.example"


def seat(scope: Scope, email: str = BEN) -> Seat | None:
    return seat_of(User.objects.get(email=email), scope.organization_id, origin="page", request_id="r")


def change(email: str = BEN, **given: object) -> None:
    with work():
        assert Membership.objects.filter(user__email=email).update(**given) == 1


def test_a_temporary_membership_ends_at_its_second(acorn: Scope) -> None:
    with time_machine.travel(clock.wall().replace(microsecond=0), tick=False) as now:
        change(valid_until=clock.wall() + timedelta(hours=1))
        now.shift(timedelta(seconds=3599))
        assert seat(acorn)
        now.shift(timedelta(seconds=1))
        assert seat(acorn) is None


def test_a_membership_begins_at_its_second(acorn: Scope) -> None:
    with time_machine.travel(clock.wall().replace(microsecond=0), tick=False) as now:
        change(valid_from=clock.wall() + timedelta(hours=1))
        now.shift(timedelta(seconds=3599))
        assert seat(acorn) is None
        now.shift(timedelta(seconds=1))
        assert seat(acorn)


def test_a_sandboxs_clock_does_not_prolong_a_membership(sandbox: Scope) -> None:
    """Access is by the real time: whoever moves a sandbox's clock must neither come in by it nor be shut out."""
    with enter(sandbox), work():
        Organization.objects.update(clock_offset=timedelta(days=30))
    change(valid_until=clock.wall() + timedelta(days=1))
    assert seat(sandbox)
    change(valid_until=None, valid_from=clock.wall() + timedelta(days=1))
    assert seat(sandbox) is None


@pytest.mark.parametrize("given", [{"disabled_at": clock.wall()}, {"valid_until": clock.wall()}])
def test_who_may_not_open_it_does_not_see_it_listed(acorn: Scope, given: dict[str, object]) -> None:
    ben = User.objects.get(email=BEN)
    assert [o.slug for o in organizations_of(ben)] == ["acorn"]
    change(**given)
    assert organizations_of(ben) == []


def test_nobody_has_a_seat_elsewhere(acorn: Scope, birch: Scope) -> None:
    assert seat(birch) is None
    assert seat(acorn, "bea@birch.example") is None
    with pytest.raises(Organization.DoesNotExist), enter(birch), work():
        Organization.objects.get(pk=acorn.organization_id)


def test_a_seat_carries_the_role_the_name_and_the_clock(sandbox: Scope) -> None:
    with enter(sandbox), work():
        Organization.objects.update(clock_offset=timedelta(days=3))
    found = seat(sandbox)
    assert found
    assert found.role.key == ACCOUNTS_MANAGER
    assert (found.scope.actor.kind, found.scope.actor.label, found.scope.clock_offset) == (
        "member",
        "Ben",
        timedelta(days=3),
    )
    assert not found.scope.may("members.edit")
    assert not found.scope.may("anything.else")


def test_one_person_is_a_member_once(acorn: Scope) -> None:
    bea = User.objects.get(email="bea@birch.example")
    with work():
        add_member(user=bea, role=VIEWER)
        with pytest.raises(Conflict):
            add_member(user=bea, role=OWNER)
        with pytest.raises(IntegrityError, match="membership_once"), transaction.atomic():
            Membership.objects.create(user=bea, role=Role.objects.get(key=OWNER))
    assert len(organizations_of(bea)) == 2


def test_a_role_of_another_organization_cannot_be_given(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = Role.objects.get(key=OWNER)
    with work(), pytest.raises(IntegrityError, match="tenants_membership_role_fk"), transaction.atomic():
        Membership.objects.filter(user__email=BEN).update(role=theirs)


# ---------------------------------------------------------------------------------------------------- creation


def made(**given: str) -> int:
    owner = User.objects.get(email=BEN)
    usual = {"name": "Third", "slug": "third", "country": "DE", "currency": "EUR", "zone": "Europe/Berlin"}
    return create_organization(owner=owner, **{**usual, **given})


def test_a_new_organization_has_its_entity_roles_and_owner(db: None) -> None:
    organization_id = made()
    found = seat_of(User.objects.get(email=BEN), organization_id, origin="page", request_id="r")
    assert found
    assert found.role.key == OWNER
    with enter(found.scope), work():
        assert LegalEntity.objects.get().currency == "EUR"
        assert set(Role.objects.values_list("key", flat=True)) >= {OWNER, ACCOUNTS_MANAGER, VIEWER}


def test_a_taken_address_makes_nothing(db: None) -> None:
    with pytest.raises(Conflict) as caught:
        made(slug="acorn")
    assert caught.value.code == "slug_taken"
    assert [o.slug for o in organizations_of(User.objects.get(email=BEN))] == ["acorn"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Nowhere"},
        {"zone": "../../etc/passwd"},
        {"zone": ""},
        {"currency": "QQQ"},
        {"currency": "eur"},
        {"currency": ""},
        {"slug": ""},
        {"slug": "with space"},
        {"slug": "a/b"},
        {"slug": "UPPER"},
        {"slug": "ümlaut"},
        {"slug": "x" * 41},
        {"slug": "nul\0"},
        {"name": ""},
        {"name": "x" * 201},
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_and_makes_nothing(db: None, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        made(**wrong)
    assert set(caught.value.fields) == set(wrong)
    assert doors.org_of_slug("third") is None


def test_syncing_roles_twice_changes_nothing_and_keeps_a_custom_one(acorn: Scope) -> None:
    with work():
        Role.objects.create(name="Temp", permissions=["home.view"])
        before = list(Role.objects.order_by("id").values_list("name", "permissions", "version"))
        sync_built_in_roles()
        assert list(Role.objects.order_by("id").values_list("name", "permissions", "version")) == before


def test_a_built_in_role_follows_the_product_under_any_name(acorn: Scope) -> None:
    """Nothing is stored of what it may do, so a right that is new reaches it with the next request."""
    with work():
        role = Role.objects.get(key=ACCOUNTS_MANAGER)
        assert role.permissions == []
        Role.objects.filter(pk=role.pk).update(name="Buchhaltung")
    found = seat(acorn)
    assert found
    assert found.role.name == "Buchhaltung"
    assert found.scope.permissions == built_in_roles()[ACCOUNTS_MANAGER].rights
    with pytest.raises(IntegrityError, match="role_built_in_stores_nothing"), work(), transaction.atomic():
        Role.objects.filter(pk=role.pk).update(permissions=["invoices.view"])
