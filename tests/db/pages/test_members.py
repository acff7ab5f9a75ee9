"""Members and the legal entity: nobody gives more than they have, and somebody always owns the place."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

from core import clock, doors
from core.relay import relay
from core.scope import Scope, enter, work
from messaging.composers import Ready, Skip
from messaging.models import Message
from messaging.staff import compose_invitation, compose_password
from tenants.models import Invitation, Membership, Role, User
from tenants.permissions import (
    MEMBERS_CREATE,
    MEMBERS_DELETE,
    MEMBERS_EDIT,
    MEMBERS_VIEW,
    SETTINGS_VIEW,
)
from tenants.services.invitations import join_url
from tests.db.pages.test_session import ODD, odd

BASE = "/o/acorn/settings/members/"
PEOPLE = (MEMBERS_CREATE, MEMBERS_DELETE, MEMBERS_EDIT, MEMBERS_VIEW, SETTINGS_VIEW)
SETTINGS = "/o/acorn/settings/save/"


@pytest.fixture
def roles(house: Scope) -> dict[str, str]:
    with enter(house), work():
        return dict(Role.objects.values_list("name", "public_id"))


def member(house: Scope, name: str) -> Membership:
    with enter(house), work():
        return Membership.objects.select_related("role", "user").get(user__name=name)


def act(house: Scope, name: str, verb: str) -> str:
    return f"{BASE}{member(house, name).public_id}/{verb}/"


def invite(
    client: Client, roles: dict[str, str], email: str = "li@acorn.example", **also: str
) -> HttpResponse:
    return client.post(BASE + "invite/", {"email": email, "name": "Li", "role": roles["Viewer"], **also})


def link_of(house: Scope, email: str = "li@acorn.example") -> str:
    """The path of the link that the mail carries."""
    with enter(house), work():
        row = Invitation.objects.get(email=email, accepted_at=None, withdrawn_at=None)
        return urlsplit(join_url(row, "acorn")).path


def test_a_stranger_makes_an_account_by_a_link_that_works_once(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    assert invite(ana, roles).status_code == 302
    assert not User.objects.filter(email="li@acorn.example").exists()
    link, guest = link_of(house), Client()
    page = guest.get(link, follow=True)
    place = page.redirect_chain[-1][0]
    assert link.rstrip("/").rsplit("/", 1)[1] not in place
    weak = guest.post(place, {"name": "Li", "password": "short"})
    assert (weak.status_code, 'id="id_password_error"' in weak.content.decode()) == (422, True)
    assert guest.post(place, {"name": "Li", "password": "seven tired green kites"}).status_code == 302
    assert guest.get("/o/acorn/").status_code == 200
    assert member(house, "Li").role.name == "Viewer"
    assert Client().get(link).status_code == 404
    assert guest.post(place, {"name": "Li", "password": "seven other green kites"}).status_code == 404


def test_the_mail_carries_the_link_once(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for _ in range(2):
        invite(ana, roles)
    with enter(house):
        for _ in range(2):
            relay([])
        with work():
            (message,) = Message.objects.filter(kind="invitation")
            letter = compose_invitation(message)
    assert isinstance(letter, Ready)
    assert letter.letter.join_url.endswith(link_of(house))  # type: ignore[attr-defined]
    assert message.to_address == "li@acorn.example"


def test_nothing_is_mailed_of_an_invitation_that_was_withdrawn(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    invite(ana, roles)
    link, guest = link_of(house), Client()
    with enter(house), work():
        asked = Invitation.objects.get().public_id
    for status in (302, 404):
        assert ana.post(f"/o/acorn/settings/invitations/{asked}/withdraw/").status_code == status
    assert guest.get(link).status_code == 404
    with enter(house):
        relay([])
        with work():
            assert isinstance(compose_invitation(Message.objects.get(kind="invitation")), Skip)


def test_the_same_invitation_twice_is_one(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for _ in range(2):
        assert invite(ana, roles).status_code == 302
    with enter(house), work():
        assert Invitation.objects.count() == 1
    assert invite(ana, roles, role=roles["Owner"]).status_code == 409
    assert invite(ana, roles, email="BEN@acorn.example").status_code == 409


def test_a_link_that_is_too_old_opens_nothing_until_sent_again(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    invite(ana, roles)
    link = link_of(house)
    with enter(house), work():
        Invitation.objects.update(expires_at=clock.wall())
        asked = Invitation.objects.get().public_id
    assert Client().get(link).status_code == 404
    assert ana.post(f"/o/acorn/settings/invitations/{asked}/again/").status_code == 302
    assert Client().get(link).status_code == 302


def test_somebody_with_an_account_signs_in_and_joins(
    ana: Client, client_of: Callable[[str], Client], house: Scope, roles: dict[str, str]
) -> None:
    invite(ana, roles, email="BEA@birch.example")
    link = link_of(house, "bea@birch.example")
    guest = Client().get(link, follow=True)
    assert "Sign in to accept" in guest.content.decode()
    bea = client_of("Bea")
    place = bea.get(link, follow=True).redirect_chain[-1][0]
    assert bea.get("/o/acorn/").status_code == 404
    for status in (302, 404):
        assert bea.post(place).status_code == status
    assert bea.get("/o/acorn/").status_code == 200
    assert len(doors.orgs_of_user(User.objects.get(email="bea@birch.example").pk)) == 2


def test_an_invitation_is_of_no_use_to_somebody_else(
    ana: Client, client_of: Callable[[str], Client], house: Scope, roles: dict[str, str]
) -> None:
    invite(ana, roles)
    bea = client_of("Bea")
    place = bea.get(link_of(house), follow=True).redirect_chain[-1][0]
    assert "not for this account" in bea.get(place).content.decode()
    assert bea.post(place).status_code == 422
    assert bea.get("/o/acorn/").status_code == 404


def test_a_link_under_another_organization_opens_nothing(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    invite(ana, roles)
    assert Client().get(link_of(house).replace("/acorn/", "/birch/")).status_code == 404


def test_the_sixth_seat_is_refused_with_the_way_up(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    """Three members and two open invitations are five; who is shut out, or whose invitation is over, is none."""
    for n in (4, 5):
        assert invite(ana, roles, email=f"m{n}@acorn.example").status_code == 302
    refused = invite(ana, roles, email="m6@acorn.example")
    assert refused.status_code == 409
    assert "All 5 seats of the plan Business are taken" in refused.content.decode()
    assert "/settings/plan/" in refused.content.decode()
    ana.post(act(house, "Vic", "disable"))
    assert invite(ana, roles, email="m6@acorn.example").status_code == 302
    assert ana.post(act(house, "Vic", "enable")).status_code == 409
    assert ana.post("/o/acorn/settings/plan/change/", {"plan": "team"}).status_code == 302
    assert ana.post(act(house, "Vic", "enable")).status_code == 302
    assert ana.post("/o/acorn/settings/plan/change/", {"plan": "business"}).status_code == 409
    assert ana.post("/o/acorn/settings/plan/change/", {"plan": "\0"}).status_code == 422


def test_who_forgot_their_password_gets_a_link_and_nobody_learns_who_is_here(
    house: Scope, client: Client
) -> None:
    answers = [
        re.sub(
            r'content="[A-Za-z0-9]{64}"',
            "",
            client.post("/forgotten/", {"email": email}).content.decode().replace(email, ""),
        )
        for email in ("vic@acorn.example", "no@acorn.example")
    ]
    assert answers[0] == answers[1]
    with enter(house):
        relay([])
        with work():
            (message,) = Message.objects.filter(kind="password")
            letter = compose_password(message)
    assert isinstance(letter, Ready)
    link = urlsplit(letter.letter.set_url).path  # type: ignore[attr-defined]
    place = client.get(link, follow=True).redirect_chain[-1][0]
    assert client.post(place, {"password": "seven tired green kites"}).status_code == 302
    assert Client().get(link).status_code == 404


@pytest.mark.parametrize("token", ["x", "abc-def", "a" * 300])
@pytest.mark.parametrize("uid", ["MQ", "x", "AAAA", "_" * 90, "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_made_up_link_is_not_there(db: None, client: Client, uid: str, token: str) -> None:
    assert client.get(f"/set-password/{uid}/{token}/").status_code == 404
    assert client.get(f"/set-password/{uid}/").status_code == 404


def test_roles_change_and_say_so(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for _ in range(2):
        answer = ana.post(act(house, "Vic", "save"), {"role": roles["Accounts Manager"]}, follow=True)
        assert answer.status_code == 200
    vic = member(house, "Vic")
    assert (vic.role.name, vic.version) == ("Accounts Manager", 2)


def test_temporary_access_is_given_by_days(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    """The last day is a whole one in the entity's zone."""
    told = {"role": roles["Viewer"], "starts": "2026-11-01", "ends": "2099-12-31"}
    assert ana.post(act(house, "Vic", "save"), told).status_code == 302
    vic = member(house, "Vic")
    assert vic.valid_until
    assert vic.valid_until.isoformat() == "2099-12-31T23:00:00+00:00"
    assert "until 31 December 2099" in ana.get(BASE).content.decode()
    over = ana.post(act(house, "Vic", "save"), {**told, "ends": "2020-01-01"})
    assert over.status_code == 422
    assert ana.post(act(house, "Vic", "save"), {**told, "ends": "x"}).status_code == 422
    assert (
        ana.post(act(house, "Ana", "save"), {"role": roles["Owner"], "ends": "2099-12-31"}).status_code == 409
    )


def test_the_last_owner_stays(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for verb, data in (("save", {"role": roles["Viewer"]}), ("disable", {})):
        answer = ana.post(act(house, "Ana", verb), data)
        assert answer.status_code == 409
        assert "last Owner" in answer.content.decode()
    assert member(house, "Ana").role.name == "Owner"
    assert ana.get(BASE).status_code == 200


def test_an_owner_may_leave_when_another_stays(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    ana.post(act(house, "Ben", "save"), {"role": roles["Owner"]})
    assert ana.post(act(house, "Ana", "save"), {"role": roles["Viewer"]}).status_code == 302
    assert ana.post(act(house, "Ben", "disable")).status_code == 403


@pytest.mark.parametrize("gone", ["disabled", "expired", "inactive"])
def test_an_owner_who_cannot_come_in_is_none(
    ana: Client, house: Scope, roles: dict[str, str], gone: str
) -> None:
    ana.post(act(house, "Ben", "save"), {"role": roles["Owner"]})
    ben = member(house, "Ben")
    now = clock.wall()
    with enter(house), work():
        if gone == "disabled":
            Membership.objects.filter(pk=ben.pk).update(disabled_at=now)
        elif gone == "expired":
            Membership.objects.filter(pk=ben.pk).update(valid_until=now - timedelta(days=1))
    if gone == "inactive":
        User.objects.filter(pk=ben.user_id).update(is_active=False)
    assert ana.post(act(house, "Ana", "disable")).status_code == 409


def test_nobody_gives_or_takes_more_than_they_may(
    ana: Client, client_of: Callable[[str], Client], house: Scope, roles: dict[str, str]
) -> None:
    with enter(house), work():
        people = Role.objects.create(name="People", permissions=list(PEOPLE))
        small = Role.objects.create(name="Small", permissions=[MEMBERS_VIEW])
    ana.post(act(house, "Ben", "save"), {"role": people.public_id})
    ben = client_of("Ben")
    for verb, data in (("save", {"role": small.public_id}), ("disable", {})):
        assert ben.post(act(house, "Ana", verb), data).status_code == 403
        assert ben.post(act(house, "Vic", verb), data).status_code == 403
    assert ben.post(act(house, "Ben", "save"), {"role": roles["Owner"]}).status_code == 403
    invited = ben.post(BASE + "invite/", {"email": "li@acorn.example", "role": roles["Owner"]})
    assert invited.status_code == 422
    assert not User.objects.filter(email="li@acorn.example").exists()
    assert (
        ben.post(BASE + "invite/", {"email": "li@acorn.example", "role": small.public_id}).status_code == 302
    )
    assert member(house, "Vic").role.name == "Viewer"


def test_shut_out_means_out_at_once_and_back_is_back(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    vic = client_of("Vic")
    assert vic.get("/o/acorn/").status_code == 200
    ana.post(act(house, "Vic", "disable"))
    assert vic.get("/o/acorn/").status_code == 404
    assert "Nobody has made you a member" in vic.get("/").content.decode()
    ana.post(act(house, "Vic", "enable"))
    assert vic.get("/o/acorn/").status_code == 200


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["email", "name", "role"])
def test_an_invitation_of_odd_text_never_breaks(
    ana: Client, roles: dict[str, str], field: str, value: str
) -> None:
    told = {"email": "li@acorn.example", "name": "Li", "role": roles["Viewer"], field: odd(value)}
    assert ana.post(BASE + "invite/", told).status_code in {200, 302, 422}


def test_a_member_who_is_not_here_is_not_found(ana: Client, roles: dict[str, str]) -> None:
    for verb in ("save", "disable", "enable"):
        assert ana.post(f"{BASE}mem_none/{verb}/", {"role": roles["Viewer"]}).status_code == 404


def test_statements_do_not_grow_with_members(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    ana.get(BASE)
    few = queries(ana, BASE)
    with enter(house), work():
        role = Role.objects.get(name="Viewer")
        for n in range(12):
            user = User.objects.create_user(f"m{n}@acorn.example", f"M{n}")
            Membership.objects.create(user=user, role=role)
    assert queries(ana, BASE) == few
