"""The sandbox's page: making it, its clock, copying in and beginning anew, by click."""

from typing import Any

import pytest
from django.test import Client

from core import timetravel
from core.models import Job
from core.scope import Scope, enter, work
from core.tasks import system_scope
from tests.db.tenants.test_sandbox import client_of

LIVE, HERE = "/o/acorn/settings/sandbox/", "/o/acorn-sandbox/settings/sandbox/"


@pytest.fixture
def ana(sandbox: Scope) -> Client:
    return client_of("Ana")


def jobs(sandbox: Scope) -> int:
    with enter(sandbox), work():
        return Job.objects.count()


def test_it_is_made_by_one_click_or_two(committed_acorn: Scope) -> None:
    ana = client_of("Ana")
    assert "Make the sandbox" in ana.get(LIVE).content.decode()
    assert ana.get("/o/acorn/switch/").headers["Location"] == LIVE
    for _click in range(2):
        assert ana.post(LIVE + "make/").headers["Location"] == HERE
    assert "Open the sandbox" in ana.get(LIVE).content.decode()


def test_the_clock_is_moved_shown_and_stopped(ana: Client, sandbox: Scope) -> None:
    assert ana.post(HERE + "clock/advance/", {"days": "30"}).headers["Location"] == HERE
    page = ana.get(HERE).content.decode()
    assert "on its way to" in page
    assert "0 of 30 days" in page
    assert "HX-Refresh" not in ana.get(HERE + "clock/").headers
    assert ana.post(HERE + "clock/advance/", {"days": "30"}).status_code == 409
    ana.post(HERE + "clock/stop/")
    with enter(system_scope(sandbox.organization_id)):
        timetravel.go_on([])
    assert ana.get(HERE + "clock/").headers["HX-Refresh"] == "true"
    assert jobs(sandbox) == 1


@pytest.mark.parametrize(
    "typed", [{}, {"days": "0"}, {"days": "401"}, {"days": "x"}, {"days": "\0"}, {"to": "2001-01-01"},
              {"to": "yesterday"}, {"days": "1", "to": "2030-01-01"}, {"to": "9999-12-31"}]
)  # fmt: skip
def test_what_makes_no_sense_is_said_at_the_field(ana: Client, sandbox: Scope, typed: dict[str, Any]) -> None:
    answer = ana.post(HERE + "clock/advance/", typed)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert jobs(sandbox) == 0


def test_nothing_of_it_works_in_the_live_one_or_without_the_right(ana: Client, sandbox: Scope) -> None:
    for act, said in (("clock/advance/", {"days": "1"}), ("copy/", {}), ("clock/stop/", {})):
        assert ana.post(LIVE + act, said).status_code == (302 if "stop" in act else 409)
        assert client_of("Vic").post(HERE + act, said).status_code == 403
    page = client_of("Vic").get(HERE).content.decode()
    assert "needs the right" in page
    assert jobs(sandbox) == 0


def test_copying_and_beginning_anew_by_click(ana: Client, sandbox: Scope) -> None:
    assert ana.post(HERE + "copy/", {"customers": "on"}).status_code == 302
    assert ana.post(HERE + "copy/").status_code == 409
    with enter(sandbox), work():
        from tenants.selectors import organization

        old = organization().public_id
    for _click in range(2):
        assert ana.post(HERE + "anew/", {"sandbox": old}).headers["Location"] == HERE
    assert ana.post(HERE + "anew/", {"sandbox": "org_x\0"}).headers["Location"] == HERE
