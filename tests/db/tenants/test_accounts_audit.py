"""What changes of a person is told to every organization in which they are a member, and to no other."""

from typing import Any

import pytest

from core.models import AuditEntry
from core.scope import Scope, enter, work
from tenants.models import User
from tenants.permissions import VIEWER
from tenants.services.accounts import set_password
from tenants.services.organizations import add_member


def told(scope: Scope) -> list[Any]:
    with enter(scope), work():
        return list(AuditEntry.objects.filter(content_type__model="user").order_by("id"))


@pytest.fixture
def ben(acorn: Scope, birch: Scope) -> User:
    """Ben, who is a member of both."""
    ben: User = User.objects.get(email="ben@acorn.example")
    with enter(birch), work():
        add_member(user=ben, role=VIEWER)
    return ben


def test_a_change_of_a_person_is_told_where_they_are_a_member(acorn: Scope, birch: Scope) -> None:
    with work():
        User.objects.filter(email="vic@acorn.example").update(name="Victor", email="victor@acorn.example")
    (entry,) = told(acorn)
    assert entry.changes == {
        "name": ["Vic", "Victor"],
        "email": ["vic@acorn.example", "victor@acorn.example"],
    }
    assert (entry.actor_email, entry.additional_data["origin"]) == ("Ana", "page")
    assert told(birch) == []


def test_the_other_organization_is_not_told_who_did_it(acorn: Scope, birch: Scope, ben: User) -> None:
    with work():
        User.objects.filter(pk=ben.pk).update(is_active=False)
    (here,), (there,) = told(acorn), told(birch)
    assert here.changes == there.changes == {"is_active": [True, False]}
    assert (here.actor_email, there.actor_email, there.actor_id) == ("Ana", None, None)
    assert there.additional_data["actor"] == {"kind": "elsewhere"}


def test_a_password_is_said_to_have_changed_and_never_shown(acorn: Scope, ben: User) -> None:
    set_password(ben, "another long enough one")  # at sign-in, outside an organization
    (entry,) = told(acorn)
    assert entry.changes == {"password": ["", ""]}
    assert "argon2" not in str(entry.additional_data)


def test_signing_in_is_no_change(acorn: Scope, ben: User) -> None:
    User.objects.filter(pk=ben.pk).update(last_login="2026-11-02T10:00:00Z", name=ben.name)
    assert told(acorn) == []
