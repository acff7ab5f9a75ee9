"""Webhooks: signed, told at least once and in order for each thing, tried on a schedule, given up with a mail."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from core import clock, http, vault
from core.errors import Conflict, Invalid
from core.models import Effect
from core.relay import relay
from core.scope import Scope, enter, work
from integrations.domain.schedule import GIVE_UP, WAITS
from integrations.domain.signing import signature
from integrations.domain.states import State
from integrations.models import Delivery, DeliveryTry, Endpoint
from integrations.services import deliver, endpoints
from messaging.models import Message
from tests import factories
from tests.db.integrations.conftest import Receiver, turn


@pytest.fixture
def now(committed_acorn: Scope) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.wall(), tick=False) as traveller:
        yield traveller


def add(receiver: Receiver, **given: object) -> endpoints.Fresh:
    with work():
        return endpoints.add(**{"url": receiver.url, **given})  # type: ignore[arg-type]


def happen(n: int = 1) -> list[str]:
    """Something that others are told of; public ids of the invoices."""
    with work():
        owner = factories.customer()
        return [factories.invoice(owner).public_id for _ in range(n)]


def types(receiver: Receiver) -> Counter[str]:
    return Counter(json.loads(body)["type"] for _headers, body in receiver.got)


def test_what_happens_is_told_signed(committed_acorn: Scope, receiver: Receiver) -> None:
    fresh = add(receiver, events=["invoice.issued"])
    (invoice,) = happen()
    turn(committed_acorn)
    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert (said["type"], said["about"], said["data"]["currency"]) == (
        "invoice.issued",
        invoice,
        "EUR",
    )
    assert headers["webhook-id"] == said["id"]
    assert headers["webhook-signature"] == signature(
        fresh.secret, message_id=said["id"], timestamp=int(headers["webhook-timestamp"]), body=body
    )
    for _ in range(2):
        turn(committed_acorn)
    assert len(receiver.got) == 1
    with work():
        tried = DeliveryTry.objects.get()
        assert (tried.status, tried.answer, Delivery.objects.get().state) == (200, "seen", State.DELIVERED)


def test_a_thin_one_is_told_only_what_to_ask_for(committed_acorn: Scope, receiver: Receiver) -> None:
    add(receiver, events=["invoice.issued"], thin=True)
    happen()
    turn(committed_acorn)
    said = json.loads(receiver.got[0][1])
    assert (said["data"], said["about"][:4]) == ({}, "doc_")


def test_one_that_listens_to_all_is_told_all_and_where_nobody_listens_nothing_is_written(
    committed_acorn: Scope, receiver: Receiver
) -> None:
    happen()
    turn(committed_acorn)
    with work():
        assert not Delivery.objects.exists()
        assert not Effect.objects.filter(kind=endpoints.DELIVER).exists()
    fresh = add(receiver)
    happen()
    with work():
        endpoints.ping(fresh.endpoint.public_id)
    turn(committed_acorn)
    assert types(receiver) == {"invoice.issued": 1, "webhook.ping": 1}


def test_while_a_secret_changes_both_sign(
    committed_acorn: Scope, now: time_machine.Traveller, receiver: Receiver
) -> None:
    old = add(receiver, events=["invoice.issued"])
    with work():
        new = endpoints.roll_secret(old.endpoint.public_id)
    for secrets in ([new.secret, old.secret], [new.secret]):
        receiver.got.clear()
        happen()
        turn(committed_acorn)
        headers, body = receiver.got[-1]
        at = int(headers["webhook-timestamp"])
        wanted = [
            signature(each, message_id=headers["webhook-id"], timestamp=at, body=body) for each in secrets
        ]
        assert headers["webhook-signature"].split(" ") == wanted
        now.shift(endpoints.OVERLAP)


def test_it_is_tried_on_the_schedule_and_then_has_failed(
    committed_acorn: Scope, now: time_machine.Traveller, receiver: Receiver
) -> None:
    receiver.answer = lambda _n, _headers, _body: 500
    add(receiver, events=["invoice.issued"])
    happen()
    turn(committed_acorn)
    for wait in WAITS:
        tried = len(receiver.got)
        now.shift(wait * 0.8)
        turn(committed_acorn)
        assert len(receiver.got) == tried, "tried too early"
        now.shift(wait * 0.4)
        turn(committed_acorn)
        assert len(receiver.got) == tried + 1
    now.shift(timedelta(days=1))
    turn(committed_acorn)
    assert len(receiver.got) == len(WAITS) + 1
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    with work():
        assert Delivery.objects.get().state == State.FAILED
        assert DeliveryTry.objects.count() == len(WAITS) + 1


def test_an_address_that_fails_is_tried_once_at_a_time(
    committed_acorn: Scope, now: time_machine.Traveller, receiver: Receiver
) -> None:
    """Ten things happened; a dead address costs one try, not ten."""
    receiver.answer = lambda _n, _headers, _body: 503
    add(receiver, events=["invoice.issued"])
    happen(10)
    turn(committed_acorn)
    assert len(receiver.got) == 1
    receiver.answer = lambda _n, _headers, _body: 200
    now.shift(timedelta(seconds=10))
    turn(committed_acorn)
    now.shift(timedelta(seconds=10))
    turn(committed_acorn)
    with work():
        assert {row.state for row in Delivery.objects.all()} == {State.DELIVERED}
        assert Endpoint.objects.get().failing_since is None


def test_what_is_told_of_one_thing_comes_in_order(
    committed_acorn: Scope, now: time_machine.Traveller, receiver: Receiver
) -> None:
    """The second waits for the first, which failed once; other things do not."""
    with work():
        row = endpoints.add(url=receiver.url)
        endpoints.ping(row.endpoint.public_id)
        endpoints.ping(row.endpoint.public_id)
    with enter(committed_acorn):
        relay([])
        with work():
            pings = Delivery.objects.select_related("event").filter(event__name="webhook.ping")
            first, second = pings.order_by("event_id")
        with pytest.raises(deliver.Later):
            deliver.deliver(second.public_id)
        assert receiver.got == []
        deliver.deliver(first.public_id)
        deliver.deliver(second.public_id)
    assert [headers["webhook-id"] for headers, _body in receiver.got] == [
        first.event.public_id,
        second.event.public_id,
    ]


def test_one_that_is_gone_is_switched_off_with_a_mail(committed_acorn: Scope, receiver: Receiver) -> None:
    receiver.answer = lambda _n, _headers, _body: 410
    add(receiver, events=["invoice.issued"])
    happen(2)
    for _ in range(3):
        turn(committed_acorn)
    assert len(receiver.got) == 1
    with work():
        row = Endpoint.objects.get()
        assert row.disabled_at
        assert "410" in row.disabled_why
        assert [mail.to_address for mail in Message.objects.filter(kind="webhook_disabled")] == [
            "ana@acorn.example"
        ]


def test_one_that_took_nothing_for_days_is_switched_off_and_on_again_gets_what_waited(
    committed_acorn: Scope, now: time_machine.Traveller, receiver: Receiver
) -> None:
    receiver.answer = lambda _n, _headers, _body: 500
    fresh = add(receiver, events=["invoice.issued"])
    happen()
    turn(committed_acorn)
    now.shift(GIVE_UP)
    happen()
    turn(committed_acorn)
    tried = len(receiver.got)
    with work():
        assert Endpoint.objects.get().disabled_at
    happen()
    turn(committed_acorn)
    assert len(receiver.got) == tried
    receiver.answer = lambda _n, _headers, _body: 200
    with work():
        endpoints.set_off(fresh.endpoint.public_id, off=False)
    now.shift(timedelta(minutes=10))
    for _ in range(3):
        turn(committed_acorn)
    with work():
        assert not Delivery.objects.filter(state=State.PENDING).exists()


def test_a_delivery_is_replayed_under_its_old_id(committed_acorn: Scope, receiver: Receiver) -> None:
    add(receiver, events=["invoice.issued"])
    happen()
    turn(committed_acorn)
    with work():
        row = Delivery.objects.get()
        endpoints.replay(row.public_id)
        with pytest.raises(Conflict):
            endpoints.replay(row.public_id)
    turn(committed_acorn)
    one, two = (headers["webhook-id"] for headers, _body in receiver.got)
    assert one == two


def test_a_worker_that_died_after_it_was_taken_tells_it_once_more(
    committed_acorn: Scope, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(receiver, events=["invoice.issued"])
    happen()
    with enter(committed_acorn):
        relay([])
        with work():
            row = Delivery.objects.get()
        with monkeypatch.context() as dying:
            dying.setattr(deliver, "_record", lambda *_given: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                deliver.deliver(row.public_id)
        deliver.deliver(row.public_id)
        deliver.deliver(row.public_id)
    assert len(receiver.got) == 2
    with work():
        assert Delivery.objects.get().state == State.DELIVERED


@pytest.mark.parametrize(
    "found", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "64:ff9b::a00:1", "0.0.0.0"]
)
def test_an_address_inside_is_never_called(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch, settings: object, found: str
) -> None:
    """Also when the name answered otherwise before: what was judged is what is connected to."""
    settings.DEBUG = False  # type: ignore[attr-defined]
    client = http.Client(lookup=lambda _host, _port: ["93.184.216.34", found])
    monkeypatch.setattr(deliver, "_request", client.request)
    outcome = deliver._sent(deliver.Prepared("https://inside.example/hook", {}, b"{}"))
    assert outcome.status == 0
    assert "public" in outcome.answer


def test_a_redirect_is_not_followed_and_counts_as_a_failure(
    committed_acorn: Scope, receiver: Receiver
) -> None:
    receiver.answer = lambda _n, _headers, _body: 302
    add(receiver, events=["invoice.issued"])
    happen()
    turn(committed_acorn)
    assert len(receiver.got) == 1
    with work():
        assert Delivery.objects.get().failures == 1


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://x.example", "https://", "https://me:pw@x.example/", "http://x.example/", "https://x.example/ y",
     "https://x.example/\n", "https://[bad", "https://x.example/" + "y" * 500],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(acorn: Scope, settings: object, url: str) -> None:
    settings.DEBUG = False  # type: ignore[attr-defined]
    with work(), pytest.raises(Invalid) as refused:
        endpoints.add(url=url)
    assert refused.value.fields.keys() == {"url"}


def test_an_event_that_is_none_and_one_too_many_are_refused(acorn: Scope) -> None:
    with work():
        with pytest.raises(Invalid):
            endpoints.add(url="https://x.example/", events=["invoice.isued"])
        for n in range(endpoints.MOST):
            endpoints.add(url=f"https://x{n}.example/")
        with pytest.raises(Conflict):
            endpoints.add(url="https://x.example/")


def test_another_organization_is_told_nothing(
    committed_acorn: Scope, birch: Scope, receiver: Receiver
) -> None:
    with enter(birch), work():
        fresh = endpoints.add(url=receiver.url)
    happen()
    turn(committed_acorn)
    turn(birch)
    assert receiver.got == []
    with work(), pytest.raises(Exception, match="not here"):
        endpoints.ping(fresh.endpoint.public_id)


def test_one_taken_away_leaves_nothing(committed_acorn: Scope, receiver: Receiver) -> None:
    fresh = add(receiver)
    happen()
    turn(committed_acorn)
    with work():
        endpoints.drop(fresh.endpoint.public_id)
        assert not Delivery.objects.exists()
        assert not DeliveryTry.objects.exists()
    turn(committed_acorn)


def test_statements_of_telling_do_not_grow_with_events(committed_acorn: Scope, receiver: Receiver) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    add(receiver)
    counts = []
    for n in (3, 12):
        happen(n)
        with enter(system(committed_acorn)), CaptureQueriesContext(connection) as captured:
            relay([])
        counts.append(len([each for each in captured if "integrations_" in each["sql"]]))
    assert counts[0] == counts[1]


def system(scope: Scope) -> Scope:
    from core.tasks import system_scope

    return system_scope(scope.organization_id)


def test_no_secret_is_in_the_row(acorn: Scope) -> None:
    with work():
        fresh = endpoints.add(url="https://x.example/")
        assert fresh.secret not in str(Endpoint.objects.values()[0])
        assert vault.reveal(Endpoint.objects.get(), "secret") == fresh.secret
