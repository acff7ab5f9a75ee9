"""What is parked is listed with its reason and no secrets, and put back once, by whoever may, with their name."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock, doors, effects, parked, registry, relay
from core.events import Event, emit
from core.models import Effect, HandledEvent, OutboxEvent, StateChange
from core.scope import Scope, enter, work
from tenants.models import Membership, User
from tests import factories

PAGE = "/o/acorn/settings/parked/"
RETRY = f"{PAGE}retry/"


@dataclass(frozen=True, slots=True)
class Fell(Event):
    name: ClassVar[str] = "test.fell_over"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    kinds: list[str] = []
    monkeypatch.setattr("core.tasks.wake", kinds.append)
    return kinds


def put_aside(
    n: int = 1, *, kind: str = "test.mail", error: str = "NotSent: away", about: str = ""
) -> list[int]:
    """Effects that were parked a while ago. Inside work()."""
    start = Effect.objects.count()
    effects.due(kind, [(f"{kind}:{start + i}", {"document": about}) for i in range(n)])
    rows = Effect.objects.filter(kind=kind).order_by("-id")[:n]
    ids = [row.pk for row in rows]
    long_ago = clock.wall() - timedelta(hours=3)
    Effect.objects.filter(pk__in=ids).update(parked_at=long_ago, attempts=8, last_error=error)
    return ids[::-1]


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(name=name))
    return client


def standing() -> list[Any]:
    with work():
        fields = ("id", "parked_at", "attempts", "last_error", "lease_until")
        return [
            *Effect.objects.order_by("id").values_list(*fields),
            *OutboxEvent.objects.order_by("id").values_list("id", "parked_at", "attempts"),
            StateChange.objects.count(),
        ]


def test_an_effect_that_always_fails_is_listed_and_after_repair_done_once(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    broken = [True]

    def run(effect: Effect) -> None:
        if broken[0]:
            raise OSError("the disk is full")
        done.append(effect.key)

    monkeypatch.setitem(registry.effects, "test.disk", run)
    monkeypatch.setitem(registry.effect_labels, "test.disk", "Write to disk")
    with work():
        effects.due("test.disk", [("a", {})])
    for _ in range(relay.PARK_AFTER):
        with work():
            Effect.objects.update(due_at=clock.wall())
        effects.work_off([])
    ana = client_of("Ana")
    shown = ana.get(PAGE).content.decode()
    assert "Write to disk" in shown
    assert "OSError: the disk is full" in shown
    broken[0] = False
    effects.work_off([])
    assert done == []  # not by itself
    answer = ana.post(RETRY, {"all": "effect:test.disk"}, follow=True)
    assert "1 is tried again" in answer.content.decode()
    effects.work_off([])
    effects.work_off([])
    assert done == ["a"]
    assert "Nothing is parked" in ana.get(PAGE).content.decode()


def test_an_event_is_put_back_and_what_its_other_handler_did_is_not_done_twice(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    broken = [True]

    def second(rows: list[Any]) -> None:
        if broken[0]:
            raise ValueError("no")
        ran.append("second")

    handlers = [
        registry.Handler("test.first", Fell.name, lambda rows: ran.append("first")),
        registry.Handler("test.second", Fell.name, second),
    ]
    monkeypatch.setitem(registry.handlers, Fell.name, handlers)
    with work():
        emit(Fell("job_1", 1))
        row = OutboxEvent.objects.get(name=Fell.name)
        HandledEvent.objects.create(event=row, handler="test.first", handled_at=clock.wall())
        OutboxEvent.objects.filter(pk=row.pk).update(parked_at=clock.wall(), attempts=8)
    relay.relay([])
    assert ran == []
    broken[0] = False
    with work():
        assert parked.retry("event", row_id=row.pk) == 1
        assert parked.retry("event", row_id=row.pk) == 0
    relay.relay([])
    assert ran == ["second"]


def test_put_back_it_is_found_even_when_the_wake_up_is_lost(acorn: Scope, woken: list[str]) -> None:
    with work():
        (row_id,) = put_aside()
    due = {"kind": "effects", "max_rows": 9, "per_tenant": 9, "wall": clock.wall() + timedelta(seconds=9)}
    with work():
        assert row_id not in doors.due_work(**due).get(acorn.organization_id, [])
        parked.retry("effect", row_id=row_id)
        assert row_id in doors.due_work(**due)[acorn.organization_id]


def test_a_double_click_puts_it_back_once_with_one_trace(acorn: Scope) -> None:
    with work():
        row_id, other = put_aside(2)
    ana = client_of("Ana")
    first = ana.post(RETRY, {"one": f"effect:{row_id}"}, follow=True).content.decode()
    assert "1 is tried again" in first
    assert (
        "Nothing of that is parked any more."
        in ana.post(RETRY, {"one": f"effect:{row_id}"}, follow=True).content.decode()
    )
    with work():
        row, kept = Effect.objects.get(pk=row_id), Effect.objects.get(pk=other)
        assert (row.parked_at, row.attempts, row.lease_until) == (None, 0, None)
        assert kept.parked_at
        (trace,) = StateChange.objects.filter(object_public_id=f"effect_{row_id}")
        assert (trace.actor, trace.from_state, trace.to_state) == ("Ana", "parked", "queued")


def test_two_people_at_the_same_moment_put_it_back_once(committed_acorn: Scope) -> None:
    with work():
        put_aside(30)

    def click(_n: int) -> int:
        try:
            with enter(committed_acorn), work():
                return parked.retry("effect", kind="test.mail")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(click, range(4))) == [0, 0, 0, 30]
    with work():
        assert StateChange.objects.count() == 30


def test_parked_again_it_says_who_tried(acorn: Scope) -> None:
    with work():
        (row_id,) = put_aside()
    ana = client_of("Ana")
    ana.post(RETRY, {"one": f"effect:{row_id}"})
    with work():
        Effect.objects.filter(pk=row_id).update(parked_at=clock.wall())
    assert "tried again by Ana" in ana.get(PAGE).content.decode()


def test_all_of_a_kind_is_that_kind_only(acorn: Scope) -> None:
    with work():
        put_aside(3)
        put_aside(2, kind="test.pdf")
        emit(Fell("job_1", 1))
        OutboxEvent.objects.filter(name=Fell.name).update(parked_at=clock.wall())
        assert parked.count() == 6
    assert client_of("Ana").post(RETRY, {"all": "effect:test.mail"}).status_code == 302
    with work():
        assert parked.count() == 3
        assert {(kind.what, kind.kind, kind.total) for kind in parked.parked()} == {
            ("effect", "test.pdf", 2), ("event", Fell.name, 1),
        }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [{}, {"one": "effect"}, {"one": "effect:x"}, {"one": "effect:-1"}, {"one": "effect:٣"}, {"one": "user:1"},
     {"one": f"effect:{10**30}"}, {"one": "effect:9223372036854775808"}, {"all": "rows:test.mail"}, {"all": ":"}],
)  # fmt: skip
def test_what_names_nothing_is_refused(acorn: Scope, data: dict[str, str]) -> None:
    with work():
        put_aside()
    before = standing()
    assert client_of("Ana").post(RETRY, data).status_code == 422
    assert standing() == before


@pytest.mark.parametrize("data", [{"one": "effect:999999"}, {"all": "effect:nothing"}, {"all": "event:\0"}])
def test_what_is_not_parked_changes_nothing(acorn: Scope, data: dict[str, str]) -> None:
    with work():
        put_aside()
    before = standing()
    assert client_of("Ana").post(RETRY, data).status_code == 302
    assert standing() == before


def test_another_organization_cannot_see_or_move_it(acorn: Scope) -> None:
    with work():
        (row_id,) = put_aside(error="acorns own trouble")
    before = standing()
    bea = client_of("Bea")
    assert bea.get(PAGE).status_code == 404
    assert bea.post(RETRY, {"one": f"effect:{row_id}"}).status_code == 404
    answer = bea.post("/o/birch/settings/parked/retry/", {"one": f"effect:{row_id}"}, follow=True)
    assert "Nothing of that is parked any more." in answer.content.decode()
    bea.post("/o/birch/settings/parked/retry/", {"all": "effect:test.mail"})
    assert "acorns own trouble" not in bea.get("/o/birch/settings/parked/").content.decode()
    assert standing() == before


def test_roles(acorn: Scope) -> None:
    with work():
        (row_id,) = put_aside()
    before = standing()
    ben, vic = client_of("Ben"), client_of("Vic")
    shown = ben.get(PAGE)
    assert shown.status_code == 200
    assert "needs the right" in shown.content.decode()
    assert "Parked work" in ben.get("/o/acorn/settings/").content.decode()
    assert "Parked work" not in vic.get("/o/acorn/settings/").content.decode()
    assert vic.get(PAGE).status_code == 403
    for client in (ben, vic):
        assert client.post(RETRY, {"one": f"effect:{row_id}"}).status_code == 403
    assert client_of("Ana").get(RETRY).status_code == 405
    assert standing() == before


def test_home_says_so_to_whoever_may_see_it(acorn: Scope) -> None:
    assert "keep failing" not in client_of("Ana").get("/o/acorn/").content.decode()
    with work():
        put_aside(2)
    assert "2 pieces of work keep failing." in client_of("Ana").get("/o/acorn/").content.decode()
    assert "keep failing" in client_of("Ben").get("/o/acorn/").content.decode()
    assert "keep failing" not in client_of("Vic").get("/o/acorn/").content.decode()


def test_what_it_is_about_is_named_and_opens_for_whoever_may_see_that(acorn: Scope) -> None:
    with work():
        document = factories.invoice(factories.customer())
        put_aside(about=document.public_id)
    shown = client_of("Ana").get(PAGE).content.decode()
    assert f'href="/o/acorn/invoices/{document.public_id}/">{document.number}<' in shown
    with work():
        membership = Membership.objects.select_related("role").get(user__name="Vic")
        role = type(membership.role).objects.create(name="Operator", permissions=["home.view", "system.view"])
        Membership.objects.filter(pk=membership.pk).update(role=role)
    shown = client_of("Vic").get(PAGE).content.decode()
    assert document.number not in shown
    assert document.public_id in shown


def test_the_page_does_not_grow_with_rows(acorn: Scope) -> None:
    def look() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client_of("Ana").get(PAGE).status_code == 200
        return len(captured)

    with work():
        put_aside(2)
    few = look()
    with work():
        put_aside(parked.SHOWN + 30)
    assert look() == few
    with work():
        (kind,) = parked.parked()
    assert (len(kind.rows), kind.total, kind.more) == (parked.SHOWN, parked.SHOWN + 32, 32)


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("refused by smtp://billing:hunter2@mail.example.com:25", "hunter2"),
        ('could not connect: password="s3cr3t!" host=db', "s3cr3t"),
        ("Authorization: Bearer abc.def-123", "abc.def"),
        ("401 for token=tok12345&x=1", "tok12345"),
        ("Invalid API Key provided: sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39"),
        ("GET https://pay.example/pay/Zm9vYmFyYmF6 gave 500", "Zm9vYmFyYmF6"),
        ("digest 0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("550 no such user ap@kestrel.example", "ap@kestrel"),
        ("IntegrityError: no\nDETAIL:  Failing row contains (7, Kestrel, DE123)", "Kestrel"),
        ("IntegrityError: no DETAIL:  Key (email)=(x) exists", "(x)"),
        ("api_key: 'abcd1234'", "abcd1234"),
        ("<script>alert(1)</script> password=x", "password=x"),
    ],
)
def test_secrets_are_not_shown(acorn: Scope, said: str, hidden: str) -> None:
    with work():
        put_aside(error=said)
    shown = client_of("Ana").get(PAGE).content.decode()
    assert hidden not in parked.without_secrets(said)
    assert hidden not in shown
    assert "<script>alert" not in shown


@pytest.mark.parametrize(
    "said",
    [
        "IntegrityError: duplicate key value violates unique constraint “message_once”",
        "PdfFailed: The PDF process ended with -9 while rendering INV-2026-00208.",
        "LookupError: Attachments ['file_01M8C5WNFAWH9YNPYZYFSECA6X'] of msg_01M8C5WN7SSXX41S5TMDHSFP3G are not here.",
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "The worker died at every try.",
    ],
)
def test_plain_errors_stay_as_they_are(said: str) -> None:
    assert parked.without_secrets(said) == said


def test_a_long_error_is_cut() -> None:
    assert len(parked.without_secrets("no " * 900)) == 300
