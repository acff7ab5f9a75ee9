"""Members and the legal entity: nobody gives more than they have, and somebody always owns the place."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from core import clock, doors
from core.scope import Scope, enter, work
from tenants.models import LegalEntity, Membership, Role, User
from tenants.permissions import MEMBERS_EDIT, MEMBERS_VIEW, SETTINGS_VIEW
from tests import factories
from tests.db.pages.test_session import ODD, odd

BASE = "/o/acorn/settings/members/"
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


def test_a_stranger_gets_an_account_and_a_link_that_works_once(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    told = {"email": "li@acorn.example", "name": "Li", "role": roles["Viewer"]}
    answer = ana.post(BASE + "invite/", told)
    assert answer.status_code == 200
    link = answer.context["link"]
    li = User.objects.get(email="li@acorn.example")
    assert not li.has_usable_password()
    guest = Client()
    page = guest.get(link, follow=True)
    assert page.redirect_chain
    assert link.rstrip("/").rsplit("/", 1)[1] not in page.redirect_chain[-1][0]
    place = page.redirect_chain[-1][0]
    weak = guest.post(place, {"password": "short"})
    assert (weak.status_code, 'id="id_password_error"' in weak.content.decode()) == (422, True)
    assert guest.post(place, {"password": "seven tired green kites"}).status_code == 302
    assert guest.get("/o/acorn/").status_code == 200
    assert Client().get(link).status_code == 404
    assert guest.post(place, {"password": "seven other green kites"}).status_code == 404


def test_the_same_invitation_twice_is_one(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    told = {"email": "li@acorn.example", "name": "Li", "role": roles["Viewer"]}
    for _ in range(2):
        assert ana.post(BASE + "invite/", told).context["link"]
    assert User.objects.filter(email="li@acorn.example").count() == 1
    other = ana.post(BASE + "invite/", {**told, "role": roles["Owner"]})
    assert other.status_code == 409
    assert member(house, "Li").role.name == "Viewer"


def test_somebody_of_another_organization_joins_without_a_link(
    ana: Client, house: Scope, roles: dict[str, str]
) -> None:
    answer = ana.post(BASE + "invite/", {"email": "BEA@birch.example", "role": roles["Viewer"]})
    assert answer.status_code == 302
    bea = User.objects.get(email="bea@birch.example")
    assert len(doors.orgs_of_user(bea.pk)) == 2
    assert ana.post(act(house, "Bea", "link")).status_code == 409


def test_no_link_for_a_person_who_waits_for_another_organization_too(
    ana: Client, client_of: Callable[[str], Client], house: Scope, birch: Scope, roles: dict[str, str]
) -> None:
    """Whoever holds the link becomes the person, so only the first organization may hand it out."""
    with enter(birch), work():
        role = Role.objects.get(name="Viewer").public_id
    client_of("Bea").post("/o/birch/settings/members/invite/", {"email": "li@x.example", "role": role})
    answer = ana.post(BASE + "invite/", {"email": "li@x.example", "role": roles["Viewer"]})
    assert answer.status_code == 302
    li = User.objects.get(email="li@x.example")
    with enter(house), work():
        mine = Membership.objects.get(user=li)
    assert ana.post(f"{BASE}{mine.public_id}/link/").status_code == 409


@pytest.mark.parametrize("token", ["x", "abc-def", "a" * 300])
@pytest.mark.parametrize("uid", ["MQ", "x", "AAAA", "_" * 90, "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_made_up_link_is_not_there(db: None, client: Client, uid: str, token: str) -> None:
    assert client.get(f"/set-password/{uid}/{token}/").status_code == 404
    assert client.get(f"/set-password/{uid}/").status_code == 404


def test_roles_change_and_say_so(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for _ in range(2):
        answer = ana.post(act(house, "Vic", "role"), {"role": roles["Accounts Manager"]}, follow=True)
        assert answer.status_code == 200
    vic = member(house, "Vic")
    assert (vic.role.name, vic.version) == ("Accounts Manager", 2)


def test_the_last_owner_stays(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    for verb, data in (("role", {"role": roles["Viewer"]}), ("disable", {})):
        answer = ana.post(act(house, "Ana", verb), data)
        assert answer.status_code == 409
        assert "last Owner" in answer.content.decode()
    assert member(house, "Ana").role.name == "Owner"
    assert ana.get(BASE).status_code == 200


def test_an_owner_may_leave_when_another_stays(ana: Client, house: Scope, roles: dict[str, str]) -> None:
    ana.post(act(house, "Ben", "role"), {"role": roles["Owner"]})
    assert ana.post(act(house, "Ana", "role"), {"role": roles["Viewer"]}).status_code == 302
    assert ana.post(act(house, "Ben", "disable")).status_code == 403


@pytest.mark.parametrize("gone", ["disabled", "expired", "inactive"])
def test_an_owner_who_cannot_come_in_is_none(
    ana: Client, house: Scope, roles: dict[str, str], gone: str
) -> None:
    ana.post(act(house, "Ben", "role"), {"role": roles["Owner"]})
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
        people = Role.objects.create(name="People", permissions=[MEMBERS_EDIT, MEMBERS_VIEW, SETTINGS_VIEW])
        small = Role.objects.create(name="Small", permissions=[MEMBERS_VIEW])
    ana.post(act(house, "Ben", "role"), {"role": people.public_id})
    ben = client_of("Ben")
    for verb, data in (("role", {"role": small.public_id}), ("disable", {})):
        assert ben.post(act(house, "Ana", verb), data).status_code == 403
        assert ben.post(act(house, "Vic", verb), data).status_code == 403
    assert ben.post(act(house, "Ben", "role"), {"role": roles["Owner"]}).status_code == 403
    invited = ben.post(BASE + "invite/", {"email": "li@acorn.example", "role": roles["Owner"]})
    assert invited.status_code == 422
    assert not User.objects.filter(email="li@acorn.example").exists()
    assert (
        ben.post(BASE + "invite/", {"email": "li@acorn.example", "role": small.public_id}).status_code == 200
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
    for verb in ("role", "disable", "enable", "link"):
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


def settings_of(house: Scope) -> dict[str, str]:
    with enter(house), work():
        row = LegalEntity.objects.get()
    return {
        "name": row.name,
        "address": "Speicherstraße 4\n20457 Hamburg",
        "country": "DE",
        "tax_number": "DE123456789",
        "currency": row.currency,
        "zone": row.zone,
        "terms_days": "21",
        "tax_percent": "7.5",
        "version": str(row.version),
    }


def entity(house: Scope) -> LegalEntity:
    with enter(house), work():
        return LegalEntity.objects.get()


def test_settings_are_kept_once(ana: Client, house: Scope) -> None:
    told = settings_of(house)
    for _ in range(2):
        assert ana.post(SETTINGS, told).status_code == 302
    row = entity(house)
    assert (row.terms_days, str(row.tax_percent), row.version) == (21, "7.5000", 2)


def test_settings_over_somebody_elses_are_refused(ana: Client, house: Scope) -> None:
    told = settings_of(house)
    ana.post(SETTINGS, told)
    answer = ana.post(SETTINGS, {**told, "name": "Another"})
    assert answer.status_code == 409
    assert "Ana changed this first." in answer.content.decode()
    assert entity(house).name == "Acorn Instruments"


def test_the_currency_moves_only_while_nothing_is_booked(ana: Client, house: Scope) -> None:
    told = {**settings_of(house), "currency": "CHF"}
    assert ana.post(SETTINGS, told).status_code == 302
    assert entity(house).currency == "CHF"
    with enter(house), work():
        factories.item(factories.customer(), 100)
    ana.post(SETTINGS, {**settings_of(house), "currency": "EUR", "name": "Renamed"})
    row = entity(house)
    assert (row.currency, row.name) == ("CHF", "Renamed")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("zone", "Mars/Olympus"),
        ("currency", "XXX"),
        ("country", "zz"),
        ("terms_days", "-1"),
        ("terms_days", "9" * 400),
        ("tax_percent", "101"),
        ("tax_percent", "NaN"),
        ("tax_percent", "1e400"),
        ("tax_percent", "0.00001"),
        ("tax_number", "x" * 41),
        ("version", "x"),
    ],
)
def test_a_setting_that_cannot_be_is_said(
    ana: Client, house: Scope, snapshot: Callable[[], object], field: str, value: str
) -> None:
    told, before = settings_of(house), snapshot()
    answer = ana.post(SETTINGS, {**told, field: value})
    assert answer.status_code == 422
    assert snapshot() == before


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("field", ["name", "address", "tax_number", "zone", "tax_percent", "version"])
def test_settings_of_odd_text_never_break(ana: Client, house: Scope, field: str, value: str) -> None:
    answer = ana.post(SETTINGS, {**settings_of(house), field: odd(value)})
    assert answer.status_code in {302, 409, 422}
