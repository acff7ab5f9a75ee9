"""A sign-in from where somebody never came from is told to them, once, and never the first one of all."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from core.models import OutboxEvent
from core.scope import Scope, enter, work
from messaging.models import Notification
from tenants.models import User
from tenants.permissions import VIEWER
from tenants.services import places
from tenants.services.organizations import add_member
from tests.cast import PASSWORD
from tests.db.messaging.notices import happen, mails, member, told, turn

HOME, CAFE = "203.0.113.7", "198.51.100.9"
PLACE = ("member.new_place", 1)


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> None:
    """Counters of rate limits start at nothing."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}
    }


@pytest.fixture(autouse=True)
def quiet(acorn: Scope, birch: Scope, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("core.tasks.wake", lambda _kind: None)
    yield
    mail.outbox.clear()


def sign_in(address: str, who: str = "ana", password: str = PASSWORD) -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": "Firefox"})
    client.post("/sign-in/", {"username": f"{who}@acorn.example", "password": password})
    return client


def all_told(name: str = "Ana", slug: str = "acorn") -> list[tuple[str, int]]:
    happen(slug=slug)
    turn(slug)
    return told(name, slug)


def test_a_new_place_is_told_once_by_bell_and_mail_and_the_first_never() -> None:
    sign_in(HOME)
    assert (all_told(), mails()) == ([], []), "the first sign-in of all is new everywhere"
    sign_in(HOME)
    assert all_told() == []
    sign_in(CAFE)
    assert all_told() == [PLACE]
    assert mails() == [("ana", "You signed in from a new place")]
    assert f"{CAFE}, Firefox. If that was not you, set a new password" in str(mail.outbox[0].body)
    for address in (CAFE, HOME, CAFE):
        sign_in(address)
    assert (all_told(), len(mails())) == ([PLACE], 1)
    assert told("Ben") == told("Vic") == []


def test_what_somebody_else_knows_is_no_place_of_mine() -> None:
    sign_in(HOME)
    sign_in(CAFE, "ben")
    assert all_told("Ben") == []
    sign_in(CAFE)
    assert (all_told(), told("Ben")) == ([PLACE], [])


def test_a_wrong_password_makes_no_place_known() -> None:
    sign_in(HOME)
    sign_in(CAFE, password="wrong")
    assert all_told() == []
    sign_in(CAFE)
    assert all_told() == [PLACE]


def test_addresses_of_one_network_of_a_machine_are_one_place() -> None:
    sign_in("2001:db8::1")
    sign_in("2001:db8::ffff:2")
    assert all_told() == []
    sign_in("2001:db8:0:1::1")
    assert all_told() == [PLACE]


def test_two_at_once_from_one_new_place_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(HOME)
    user = User.objects.get(email="ana@acorn.example")
    seen = places._seen(user)
    monkeypatch.setattr(places, "_seen", lambda _user: seen)  # both looked before either wrote
    sign_in(CAFE)
    sign_in(CAFE)
    assert (all_told(), len(mails())) == ([PLACE], 1)


def test_a_person_of_two_organizations_gets_one_mail_and_no_place_twice(acorn: Scope, birch: Scope) -> None:
    sign_in(HOME)
    with enter(birch), work():
        user = User.objects.get(email="ana@acorn.example")
        add_member(user=user, role=VIEWER)
    sign_in(HOME)
    sign_in(CAFE)
    assert (all_told(), all_told(slug="birch")) == ([PLACE], [])
    assert len(mails()) == 1


def test_the_event_names_no_address_and_the_line_is_its_members_alone(acorn: Scope) -> None:
    sign_in(HOME)
    sign_in(CAFE)
    all_told()
    with enter(acorn), work():
        (event,) = OutboxEvent.objects.filter(name="member.new_place")
        assert CAFE not in str(event.payload)
        (line,) = Notification.objects.filter(kind="member.new_place")
        assert line.member_id == member("Ana").pk
    page = sign_in(HOME, "vic").get("/o/acorn/notifications/").content.decode()
    assert CAFE not in page
    assert CAFE in sign_in(HOME).get("/o/acorn/notifications/").content.decode()
