"""Members are told of what they may see, each occasion once, in the way they chose, and never of what they lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from core import clock, registry
from core.errors import Invalid
from core.events import emit
from core.models import Effect, OutboxEvent
from core.parked import WorkParked, tell_parked
from core.relay import relay
from core.scope import Scope, enter, work
from messaging.events import MessageFailed
from messaging.letters import DAILY
from messaging.models import Message, NoticeChoice, Notification
from messaging.notices import kinds
from messaging.services import seen
from messaging.services.forget import forget_old
from messaging.services.notify import DIGEST, KEPT, LETTER, notify
from tenants.events import MemberChanged, MemberJoined
from tenants.models import Membership
from tenants.permissions import VIEWER
from tests import factories
from tests.db.messaging.notices import (
    count,
    finished,
    give,
    happen,
    mails,
    member,
    scope_of,
    stopped,
    told,
    turn,
)

HELD, BILLED, STOPPED = "billing.held", "billing.finished", "billing.stopped"


@pytest.fixture(autouse=True)
def quiet(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tasks.wake", lambda _kind: None)


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    """Noon in Berlin."""
    with time_machine.travel("2026-11-26T11:00:00+00:00", tick=False) as traveller:
        yield traveller


def choose(name: str, **ways: str) -> None:
    with enter(scope_of(name)), work():
        seen.choose({kind.replace("_", "."): way for kind, way in ways.items()})


def events(name: str) -> list[OutboxEvent]:
    with enter(scope_of("Ana")), work():
        return list(OutboxEvent.objects.filter(name=name))


# ------------------------------------------------------------------------------------------------ who


def test_those_who_may_see_it_are_told_and_nobody_else() -> None:
    happen(finished(held=2))
    assert told("Ana") == told("Ben") == [(HELD, 1), (BILLED, 1)]
    assert told("Vic") == [(BILLED, 1)]  # what waits for a person is told to who can do something about it
    assert told("Bea", "birch") == []


def test_what_is_about_one_member_is_told_to_that_one() -> None:
    vic = member("Vic")
    happen(MemberChanged(vic.public_id, vic.version, "role"), MemberChanged(vic.public_id, 9, "shut_out"))
    assert told("Vic") == [("member.changed", 1)]
    assert told("Ana") == told("Ben") == []


def test_whoever_is_shut_out_or_over_is_told_nothing_and_mailed_nothing() -> None:
    happen(stopped())
    with enter(scope_of("Ana")), work():
        Membership.objects.filter(user__name="Ben").update(disabled_at=clock.wall())
    happen(stopped())
    turn()
    assert len(told("Ben")) == 1
    assert {to for to, _subject in mails()} == {"ana"}


# ------------------------------------------------------------------------------------------------ once


@pytest.mark.parametrize("event", [finished(held=2), stopped()], ids=["digest", "mail"])
def test_an_event_that_is_told_again_writes_nothing(event: object) -> None:
    happen(event)  # type: ignore[arg-type]
    turn()
    before, sent = count(), len(mail.outbox)
    rows = events(type(event).name)  # type: ignore[attr-defined]
    with enter(scope_of("Ana")), work():
        for handler in registry.handlers[type(event).name]:  # type: ignore[attr-defined]
            handler.run(rows)
        assert Message.objects.count() == sent
    turn()
    assert (count(), len(mail.outbox)) == (before, sent)


def test_a_worker_that_dies_before_its_commit_leaves_nothing_and_the_next_tells_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Died(BaseException):
        """As a kill: nothing catches it."""

    def die(*_args: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr("messaging.services.notify._mail", die)
        with pytest.raises(Died):
            happen(stopped())
        assert count() == 0
    with time_machine.travel(clock.wall() + timedelta(minutes=5)):
        happen()
        turn()
    assert told("Ana") == told("Ben") == [(STOPPED, 1)]
    assert [to for to, _subject in mails()] == ["ana", "ben"]


def test_what_is_alike_is_counted_on_one_line_until_it_is_read(now: time_machine.Traveller) -> None:
    with enter(scope_of("Ana")), work():
        owner = factories.customer(name="Kestrel Freight").public_id

    def fail(n: int) -> None:
        happen(*(MessageFailed(f"msg_{each}", 1, "receipt", "pay_1", "", owner, "no") for each in range(n)))

    fail(3)
    fail(2)
    assert told("Ana") == [("message.failed", 5)]
    with enter(scope_of("Ana")), work():
        seen.read(Notification.objects.get(member__user__name="Ana").public_id)
    fail(1)
    assert told("Ana") == [("message.failed", 5), ("message.failed", 1)]
    assert told("Ben") == [("message.failed", 6)]
    now.shift(timedelta(days=1))  # the next digest tells it anew, read or not
    fail(1)
    assert told("Ben") == [("message.failed", 6), ("message.failed", 1)]


def test_a_letter_to_a_member_that_fails_is_no_news_and_news_that_fail_neither() -> None:
    happen(MessageFailed("msg_1", 1, LETTER, "mem_1", "", "", "550"))
    assert count() == 0
    with enter(scope_of("Ana")), work():
        tell_parked("event", [(1, WorkParked.name)])
    assert events(WorkParked.name) == []


def test_what_keeps_failing_is_told_to_those_who_can_have_it_tried_again() -> None:
    with enter(scope_of("Ana")), work():
        tell_parked("effect", [(1, "message.send"), (2, "message.send")])
    happen()
    turn()
    assert told("Ana") == [("work.parked", 2)]
    assert told("Ben") == told("Vic") == []
    assert mails() == [("ana", "2 pieces of work keep failing and are parked")]


# ------------------------------------------------------------------------------------------------ mail at once


def test_a_mail_goes_at_once_and_says_it() -> None:
    happen(stopped())
    turn()
    turn()
    assert mails() == [(name, "Billing run of 26 November 2026 stopped") for name in ("ana", "ben")]
    said = str(mail.outbox[0].body)
    assert "The books of the day are closed." in said
    assert "/o/acorn/runs/run_01JABCDEFGHJKMNPQRSTVWXYZ0/" in said


def test_whoever_lost_the_right_or_chose_otherwise_meanwhile_gets_no_mail() -> None:
    happen(stopped())
    give("Ben", VIEWER)
    choose("Ana", billing_stopped="bell")
    turn()
    assert mails() == []
    with enter(scope_of("Ana")), work():
        assert set(Message.objects.values_list("state", "why")) == {
            ("skipped", "There is nothing left to tell.")
        }


def test_a_notice_of_security_comes_however_one_chose() -> None:
    vic = member("Vic")
    with enter(scope_of("Vic")), work(), pytest.raises(Invalid):
        seen.choose({"member.changed": "none"})
    with enter(scope_of("Ana")), work():  # a row from elsewhere changes nothing either
        NoticeChoice.objects.create(member=vic, kind="member.changed", way="none")
    happen(MemberChanged(vic.public_id, vic.version, "role"))
    turn()
    assert mails() == [("vic", "Your role was changed")]


def test_names_are_those_the_reader_may_see() -> None:
    """The same happening for Ana, and for Ben after he may not see customers any more."""
    with enter(scope_of("Ana")), work():
        owner = factories.customer(name="Kestrel Freight").public_id
        role = factories_role(["home.view", "messages.view", "messages.send"])
        Membership.objects.filter(user__name="Ben").update(role=role)
    for name in ("Ana", "Ben"):
        choose(name, message_failed="mail")
    happen(MessageFailed("msg_1", 1, "receipt", "pay_1", "", owner, "550 no such user"))
    turn()
    assert mails() == [
        ("ana", "Receipt to Kestrel Freight was not delivered"),
        ("ben", "Receipt to a customer was not delivered"),
    ]


def factories_role(rights: list[str]) -> object:
    from tenants.models import Role

    return Role.objects.create(name="Mail clerk", permissions=rights)


# ------------------------------------------------------------------------------------------------ choices


def test_what_was_chosen_counts_from_then_on() -> None:
    choose("Ana", billing_finished="none")
    choose("Ben", billing_finished="mail", payment_received="bell")
    happen(finished())
    turn()
    assert told("Ana") == []
    assert told("Ben") == told("Vic") == [(BILLED, 1)]
    assert mails() == [("ben", "Billing run of 25 November 2026 finished")]


def test_a_choice_is_one_row_and_the_usual_way_none() -> None:
    for way in ("mail", "mail", "digest"):
        choose("Ben", billing_finished=way)
    with enter(scope_of("Ana")), work():
        assert list(NoticeChoice.objects.values_list("kind", "way")) == [(BILLED, "digest")]
    choose("Ben", billing_finished="bell")
    with enter(scope_of("Ana")), work():
        assert not NoticeChoice.objects.exists()


@pytest.mark.parametrize(
    ("_case", "kind", "way"),
    [
        ("no such kind", "invoice.eaten", "bell"),
        ("no such way", BILLED, "carrier pigeon"),
        ("a way it does not offer", "news", "digest"),
        ("one that is fixed", "webhook.disabled", "none"),
        ("one that only others may see", "work.parked", "mail"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_nothing_is_written(_case: str, kind: str, way: str) -> None:
    with enter(scope_of("Vic")), work():
        with pytest.raises(Invalid):
            seen.choose({BILLED: "mail", kind: way})
        assert not NoticeChoice.objects.exists()


# ------------------------------------------------------------------------------------------------ digest


def morning(traveller: time_machine.Traveller) -> None:
    """Eight o'clock in Berlin of the next day, and a worker's turn."""
    traveller.move_to("2026-11-27T07:00:01+00:00")
    turn()


def test_the_digest_comes_once_in_the_morning_with_what_was_not_read(now: time_machine.Traveller) -> None:
    happen(finished(held=2))
    now.shift(timedelta(hours=1))
    happen(finished(held=7))
    turn()
    assert mails() == []
    with enter(scope_of("Ben")), work():
        seen.read(Notification.objects.filter(member__user__name="Ben", kind=HELD).latest("id").public_id)
    morning(now)
    assert mails() == [
        ("ana", "Acorn Instruments: 2 notifications"),
        ("ben", "2 subscriptions are held for a look"),
    ]
    ana = next(str(each.body) for each in mail.outbox if each.to == ["ana@acorn.example"])
    assert "- 2 subscriptions are held for a look: 12:00" in ana
    assert "- 7 subscriptions are held for a look: 13:00" in ana
    with (
        enter(scope_of("Ana")),
        work(),
    ):  # the same work again: a worker that died before it wrote that it is done
        assert Effect.objects.filter(kind=DIGEST).update(done_at=None) == 2
    turn()
    now.shift(timedelta(days=1))
    turn()
    assert len(mail.outbox) == 2
    with enter(scope_of("Ana")), work():
        assert Message.objects.filter(kind=DAILY).count() == 2


def test_where_all_was_read_there_is_no_digest(now: time_machine.Traveller) -> None:
    happen(finished(held=2))
    for name in ("Ana", "Ben"):
        with enter(scope_of(name)), work():
            newest = Notification.objects.filter(member__user__name=name).latest("id")
            assert seen.read_all(newest.public_id) == 2
    morning(now)
    assert mails() == []
    with enter(scope_of("Ana")), work():
        assert not Message.objects.exists()


def test_what_is_read_between_queue_and_mail_is_left_out(now: time_machine.Traveller) -> None:
    happen(finished(held=2))
    now.move_to("2026-11-27T07:00:01+00:00")
    with enter(scope_of("Ana")), work():
        for effect in Effect.objects.filter(kind=DIGEST):
            registry.effects[DIGEST](effect)
        assert Message.objects.filter(kind=DAILY, state="queued").count() == 2
        seen.read_all(Notification.objects.filter(member__user__name="Ana").latest("id").public_id)
    give("Ben", VIEWER)
    turn()
    assert mails() == []


def test_what_happens_after_eight_waits_for_the_next_morning(now: time_machine.Traveller) -> None:
    happen(finished(held=2))
    morning(now)
    assert len(mail.outbox) == 2
    happen(finished(held=3))
    turn()
    assert len(mail.outbox) == 2
    now.move_to("2026-11-28T07:00:01+00:00")
    turn()
    assert len(mail.outbox) == 4


# ------------------------------------------------------------------------------------------------ the rest


def test_they_are_forgotten_after_ninety_days(now: time_machine.Traveller) -> None:
    happen(finished())
    now.shift(KEPT - timedelta(days=1))
    happen(finished())
    now.shift(timedelta(days=2))
    assert count() == 6
    with enter(scope_of("Ana")):
        forget_old()
    assert count() == 3
    with enter(scope_of("Ana")), work():
        assert Effect.objects.filter(kind="notices.forget").count() == 2
    with enter(replace(scope_of("Ana"), clock_offset=KEPT)):  # a clock that was moved has its own time
        forget_old()
    assert count() == 0


def test_every_kind_can_be_said_and_belongs_to_a_right_of_the_product() -> None:
    for kind in kinds.values():
        assert {kind.permission, kind.act} - {""} <= registry.permissions.keys(), kind.name
        assert kind.way in kind.ways
        assert len(kind.name) <= 40
        assert kind.permission or kind.fixed or kind.name == "news", "what has no right is about its reader"


def test_a_thousand_events_take_as_many_statements_as_two(
    django_assert_max_num_queries: object,
) -> None:
    with enter(scope_of("Ana")), work():
        owner = factories.customer().public_id
        emit(*(MessageFailed(f"msg_{n}", 1, "receipt", "p", "", owner, "no") for n in range(500)))
        rows = list(OutboxEvent.objects.filter(name="message.failed"))
        with django_assert_max_num_queries(20):  # type: ignore[operator]
            notify(kinds["message.failed"], rows)
    assert told("Ana") == [("message.failed", 500)]


def test_a_suspended_organization_is_told_under_the_bell_and_mailed_nothing(acorn: Scope) -> None:
    from core.models import Organization

    with work():
        Organization.objects.filter(slug="acorn").update(suspended_at=clock.now())
    happen(stopped())
    turn()
    assert told("Ana") == [(STOPPED, 1)]
    assert mails() == []


def test_who_joined_is_told_by_name_to_those_who_want_to_know() -> None:
    choose("Ana", member_joined="bell")
    vic = member("Vic")
    happen(MemberJoined("ask_1", 1, vic.public_id, "role_1"))
    assert told("Ana") == [("member.joined", 1)]
    assert told("Ben") == []
    with enter(scope_of("Ana")), work():
        assert Notification.objects.get().facts["name"] == "Vic"
        relay([])
