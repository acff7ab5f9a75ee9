"""The sandbox for programs: its clock, and copying in. A live key is refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock, timetravel
from core.models import Job, OutboxEvent
from core.relay import relay
from core.scope import Scope, enter, work
from core.tasks import system_scope
from tenants.services import keys
from tenants.services.sandbox import begin_anew
from tests.conftest import seat
from tests.db.api.conftest import Program, said

CLOCK, ADVANCE, COPY = "/sandbox/clock", "/sandbox/clock/advance", "/sandbox/copy"


def program(scope: Scope) -> Program:
    with enter(scope), work():
        return Program(keys.make(name="ERP").secret)


@pytest.fixture
def player(sandbox: Scope) -> Program:
    return program(sandbox)


def run(sandbox: Scope) -> None:
    with enter(system_scope(sandbox.organization_id)):
        timetravel.go_on([])


def test_a_clock_is_moved_and_its_job_says_how_far(player: Program, sandbox: Scope) -> None:
    before = player.get(CLOCK)
    assert (before["ahead_seconds"], before["moving_to"], before["job"]) == (0, None, None)
    job = player.post(ADVANCE, {"days": 2, "hours": 12}, 202)
    assert (job["kind"], job["state"], job["total"]) == ("sandbox.advance", "queued", 3)
    assert player.get(CLOCK)["job"] == job["id"]
    run(sandbox)
    assert player.get(f"/jobs/{job['id']}")["state"] == "done"
    ahead = player.get(CLOCK)["ahead_seconds"]
    assert timedelta(days=2.5, seconds=-60).total_seconds() < ahead <= timedelta(days=2.5).total_seconds()
    to = (clock.wall() + timedelta(days=9)).isoformat().replace("+00:00", "Z")
    assert player.post(ADVANCE, {"to": to}, 202)["state"] == "queued"


def test_a_second_move_is_refused_and_the_same_request_is_one(player: Program, sandbox: Scope) -> None:
    for _again in range(2):
        job = player.post(ADVANCE, {"days": 3}, 202, Idempotency_Key="once")
    refused = player("POST", ADVANCE, {"days": 3})
    assert (refused.status_code, said(refused)["code"]) == (409, "clock_is_moving")
    with enter(sandbox), work():
        assert list(Job.objects.values_list("public_id", flat=True)) == [job["id"]]
    assert player.post(f"/jobs/{job['id']}/cancel")["cancel_requested"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"days": 0}, {"days": -1}, {"days": 401}, {"days": 400, "hours": 1}, {"to": "tomorrow"}, {"to": None},
        {"to": "2001-01-01T00:00:00Z"}, {"to": "2999-01-01T00:00:00Z"}, {"days": 1, "to": "2030-01-01T00:00:00Z"},
        {"weeks": 1}, {"days": "x"}, {"days": 1.5},
    ],
)  # fmt: skip
def test_what_makes_no_sense_moves_nothing(player: Program, sandbox: Scope, body: dict[str, Any]) -> None:
    assert player("POST", ADVANCE, body).status_code == 422
    with enter(sandbox), work():
        assert Job.objects.count() == 0


def test_a_live_key_is_refused(committed_acorn: Scope) -> None:
    live = program(committed_acorn)
    assert live.get(CLOCK)["ahead_seconds"] == 0
    for path, body in ((ADVANCE, {"days": 1}), (COPY, {})):
        refused = live("POST", path, body)
        assert (refused.status_code, said(refused)["code"]) == (409, "not_a_sandbox")


def test_who_may_only_open_it_is_refused(sandbox: Scope) -> None:
    from tests.db.tenants.test_sandbox import client_of

    client_of("Ben").get("/o/acorn-sandbox/")
    with work():
        from tenants.models import Membership
        from tenants.services import roles

        own = roles.make_role(name="Keys", rights=["sandbox.use", "keys.edit", "keys.view"])
        Membership.objects.filter(user__email="ben@acorn.example").update(role=own)
    ben = program(seat("acorn-sandbox", "ben@acorn.example"))
    assert ben.get(CLOCK)["ahead_seconds"] == 0
    assert [ben("POST", path, {}).status_code for path in (ADVANCE, COPY)] == [403, 403]


def test_copying_is_a_job_and_one_at_a_time(player: Program) -> None:
    assert player.post(COPY, {"customers": True}, 202)["kind"] == "sandbox.copy"
    assert said(player("POST", COPY, {}))["code"] == "copying"


def test_it_is_made_by_a_live_key_and_asked_again_it_is_the_same(committed_acorn: Scope) -> None:
    live = program(committed_acorn)
    made = live.post("/sandbox", {}, 200)
    assert (made["object"], made["slug"]) == ("sandbox", "acorn-sandbox")
    assert live.post("/sandbox", {}, 200) == made
    for _again in range(2):
        assert live.post("/sandbox", {}, 200, Idempotency_Key="once") == made
    with work():
        assert OutboxEvent.objects.filter(name="sandbox.made").count() == 1
    assert live("POST", "/sandbox", {"name": "x"}).status_code == 422


def test_a_test_key_and_one_without_the_right_make_none(committed_acorn: Scope, sandbox: Scope) -> None:
    refused = program(sandbox)("POST", "/sandbox", {})
    assert (refused.status_code, said(refused)["code"]) == (409, "only_live")
    with enter(committed_acorn), work():
        weak = Program(keys.make(name="Weak", rights=["sandbox.use"]).secret)
    assert weak("POST", "/sandbox", {}).status_code == 403


def test_it_says_whether_there_is_one(committed_acorn: Scope) -> None:
    live = program(committed_acorn)
    nothing = {"exists": False, "sandbox": None, "today": None, "clock": None, "advancing": False}
    assert live.get("/sandbox") == {"object": "sandbox_standing", **nothing}
    made = live.post("/sandbox", {}, 200)
    seen = live.get("/sandbox")
    assert (seen["exists"], seen["sandbox"], seen["advancing"]) == (True, made, False)
    assert seen["today"] == str(clock.today("Europe/Berlin"))
    assert live("GET", "/sandbox?day=1").status_code == 422


def test_both_sides_say_where_its_clock_is_and_that_it_moves(committed_acorn: Scope, sandbox: Scope) -> None:
    live, test = program(committed_acorn), program(sandbox)
    job = test.post(ADVANCE, {"days": 40}, 202)
    seen = live.get("/sandbox")
    assert (seen["advancing"], seen["clock"]["job"]) == (True, job["id"])
    assert seen["clock"]["moving_to"] == test.get(CLOCK)["moving_to"]
    run(sandbox)
    day = str(clock.today("Europe/Berlin") + timedelta(days=40))
    for side in (live, test):
        seen = side.get("/sandbox")
        assert (seen["sandbox"]["slug"], seen["today"], seen["advancing"]) == ("acorn-sandbox", day, False)
        assert (seen["clock"]["job"], seen["clock"]["moving_to"]) == (None, None)
    assert live.get(CLOCK)["ahead_seconds"] == 0, "the live one's own clock is the real one"


def test_one_that_is_put_away_is_none_and_another_takes_its_place(
    committed_acorn: Scope, sandbox: Scope
) -> None:
    live = program(committed_acorn)
    first = live.get("/sandbox")["sandbox"]["id"]
    with enter(committed_acorn):
        begin_anew(first)
    assert live.get("/sandbox")["sandbox"]["id"] != first


def test_who_may_not_use_it_and_whose_it_is_not_see_none(committed_acorn: Scope, sandbox: Scope) -> None:
    with enter(committed_acorn), work():
        weak = Program(keys.make(name="Weak", rights=["customers.view"]).secret)
    assert weak("GET", "/sandbox").status_code == 403
    bea = program(seat("birch", "bea@birch.example"))
    assert bea.get("/sandbox")["exists"] is False


def test_where_the_clock_came_to_stand_is_an_event(player: Program, sandbox: Scope) -> None:
    job = player.post(ADVANCE, {"days": 2}, 202)
    run(sandbox)
    with enter(system_scope(sandbox.organization_id)):
        relay([])
    (event,) = [
        each for each in player.get("/events?limit=100")["data"] if each["name"] == "sandbox.clock_moved"
    ]
    moved = event["data"]
    assert (moved["object_id"], moved["state"]) == (job["id"], "done")
    span = datetime.fromisoformat(moved["reached"]) - datetime.fromisoformat(moved["began"])
    assert timedelta(days=2, seconds=-5) < span <= timedelta(days=2)
