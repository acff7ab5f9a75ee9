"""What's new: a mark until it is opened, once for a person, and a mail to those who asked, once."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from arapp.releases import NEWEST, RELEASES
from core import clock
from core.models import AuditEntry
from core.scope import Scope, enter, work
from messaging.models import Message
from tenants.models import Membership, User
from tests.db.messaging.notices import scope_of, turn
from tools.check.files import ROOT

PAGE, PANEL = "/o/acorn/news/", "/o/acorn/news/panel/"
MARK = "there is news"


@pytest.fixture(autouse=True)
def before_it_came(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody was here a day before the newest version."""
    monkeypatch.setattr("core.tasks.wake", lambda _kind: None)
    day = datetime.combine(NEWEST.day, datetime.min.time(), UTC) - timedelta(days=1)
    User.objects.update(created_at=day)


def marked(client: Client) -> bool:
    return MARK in client.get("/o/acorn/customers/").content.decode()


def test_the_mark_is_there_until_the_panel_was_opened(
    ana: Client, client_of: Callable[[str], Client]
) -> None:
    assert marked(ana)
    assert ana.get(PAGE).status_code == 200
    assert marked(ana), "a page that is fetched writes nothing"
    for _ in range(2):
        assert str(NEWEST.items[0].title) in ana.post(PANEL).content.decode()
    assert not marked(ana)
    assert marked(client_of("Ben")), "each person has their own"
    assert ana.get(PANEL).status_code == 405


def test_what_was_there_before_a_person_came_is_no_news_to_them(ana: Client) -> None:
    User.objects.filter(name="Ana").update(created_at=clock.wall() + timedelta(days=400))
    assert not marked(ana)


def test_that_it_was_opened_is_nothing_for_the_audit(ana: Client, house: Scope) -> None:
    with enter(house), work():
        before = AuditEntry.objects.count()
    ana.post(PANEL)
    with enter(house), work():
        assert AuditEntry.objects.count() == before


def test_those_who_asked_are_mailed_once(
    ana: Client, client_of: Callable[[str], Client], house: Scope
) -> None:
    for client in (ana, client_of("Ben")):
        assert client.post("/o/acorn/notifications/choices/save/", {"news": "mail"}).status_code == 302
    for _ in range(2):
        call_command("announce_release", stdout=StringIO())
    with enter(house), work():
        assert Message.objects.filter(kind="news").count() == 2
        Membership.objects.filter(user__name="Ben").update(disabled_at=clock.wall())
    turn()
    turn()
    assert [each.to for each in mail.outbox] == [["ana@acorn.example"]]
    assert mail.outbox[0].subject == f"What's new in {NEWEST.version}"
    assert str(NEWEST.items[0].text) in str(mail.outbox[0].body)


def test_nobody_who_did_not_ask_is_mailed(house: Scope) -> None:
    said = StringIO()
    call_command("announce_release", stdout=said)
    assert "0 members" in said.getvalue()
    with enter(scope_of("Ana")), work():
        assert not Message.objects.exists()


def test_the_newest_news_are_of_the_version_at_hand() -> None:
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d[^\s,]*)", log, re.MULTILINE) == [each.version for each in RELEASES]
    assert all(item.title and item.text for each in RELEASES for item in each.items)
