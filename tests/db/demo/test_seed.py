"""The demo: a year that the books prove, made once, with something in every state that a page can show."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from arapp.demo import life, seed, story
from arapp.demo.people import ACORN, BIRCH, HOUSES
from billing.entitlements import Whose, entitlement, entitlements
from billing.listing import subscriptions
from billing.models import (
    BilledPeriod,
    FeatureOverride,
    Subscription,
    SubscriptionDiscount,
    SubscriptionItem,
    UsageEvent,
)
from billing.services.replay import replay_billing
from billing.standing import state_of
from cashapp.models import Attempt, Payment
from core import clock, doors
from core.books import verify
from core.models import Effect, Job, Organization, OutboxEvent, StateChange
from core.scope import Scope, enter, work
from core.tasks import system_scope
from invoicing.listing import DocumentFilter, documents, rows
from invoicing.models import Document
from messaging.models import Message
from receivables.models import OpenItem
from tests import databases

pytestmark = pytest.mark.timeout(600)  # a year of two organizations, on a machine that does other things too
EVERY_STATE = {"draft", "open", "overdue", "part_paid", "paid", "void", "open_credit", "applied"}


@contextmanager
def empty_database(name: str) -> Iterator[None]:
    """A migrated database without anybody in it: the template's cast would already be Acorn."""
    databases.clone(name, databases.migrated())
    before = databases.use(name)
    try:
        yield
    finally:
        databases.use(before)
        databases.drop(name)


@pytest.fixture(scope="module")
def seeded(
    django_db_setup: None, django_db_blocker: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The demo, seeded for all tests of this file, which only read; gives the folder of the sign-in file."""
    folder = tmp_path_factory.mktemp("state")
    with (
        django_db_blocker.unblock(),  # type: ignore[attr-defined]
        empty_database(f"arapp_demo_{os.getpid()}"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("ARAPP_STATE_DIR", str(folder))
        patch.setattr("django.conf.settings.DEBUG", True)
        patch.setattr("django.conf.settings.PAYMENT_GATEWAYS", ["sandbox"])
        days = _kill_once(patch)
        with pytest.raises(KeyboardInterrupt):
            call_command("seed_demo", verbosity=0)
        assert days
        assert not doors.due_work("billing", max_rows=9, per_tenant=9, wall=clock.wall()), (
            "no worker comes between"
        )
        call_command("seed_demo", verbosity=0)
        yield folder


def _kill_once(patch: pytest.MonkeyPatch) -> list[object]:
    """End the first seeding in the middle of a day, after it wrote something."""
    real, days = life.forget_mail, []

    def forget_mail() -> None:
        days.append(1)
        if len(days) == 40:
            raise KeyboardInterrupt
        real()

    patch.setattr(life, "forget_mail", forget_mail)
    return days


@pytest.fixture(params=[house.slug for house in HOUSES])
def scope(request: pytest.FixtureRequest, seeded: Path) -> Iterator[Scope]:
    with enter(_scope(request.param)) as entered:
        yield entered


def _scope(slug: str) -> Scope:
    organization_id = doors.org_of_slug(slug)
    assert organization_id is not None
    return system_scope(organization_id)


def _fingerprint(slug: str) -> list[object]:
    with enter(_scope(slug)), work():
        models = (Document, OpenItem, Payment, Attempt, Subscription, OutboxEvent, Effect, StateChange, Job)
        return [
            *(model.objects.count() for model in models),
            sum(Document.objects.values_list("total_minor", flat=True)),
        ]


def test_seeding_again_changes_nothing(seeded: Path) -> None:
    before = [_fingerprint(house.slug) for house in HOUSES]
    call_command("seed_demo", verbosity=0)
    assert [_fingerprint(house.slug) for house in HOUSES] == before


def test_the_books_hold(scope: Scope) -> None:
    with work():
        assert verify() == []


def test_the_year_is_told_to_the_end_and_billing_may_go_on(scope: Scope) -> None:
    with work():
        job = Job.objects.get(kind=seed.JOB)
        assert (job.state, job.done) == ("done", job.total)
        assert Organization.objects.get(pk=scope.organization_id).suspended_at is None


def test_it_is_small_and_has_two_currencies_and_every_state(seeded: Path) -> None:
    with enter(_scope("acorn")), work():
        today = clock.today(ACORN.zone)
        page = rows(list(documents(DocumentFilter(), today=today)), today=today)
    assert {state for row in page for state in row.states} == EVERY_STATE
    assert {row.document.currency for row in page} == {"EUR", "USD"}
    with enter(_scope("birch")), work():
        assert len(page) + Document.objects.count() <= 400


def test_everything_that_can_happen_to_money_happened(seeded: Path) -> None:
    with enter(_scope("acorn")), work():
        kinds = set(OpenItem.objects.values_list("kind", flat=True))
        assert kinds == {"invoice", "credit_note", "payment", "void", "write_off", "reversal", "prepaid"}
        assert set(Attempt.objects.values_list("state", flat=True)) == {"succeeded", "declined"}
        assert Payment.objects.filter(state="reversed").exists()
        assert OpenItem.objects.filter(kind="payment", open_minor__gt=0).exists(), "somebody paid too much"
        assert Subscription.objects.filter(held_at__isnull=False).count() == 1
        assert Subscription.objects.filter(state="ended").exists()
        assert Subscription.objects.count() == ACORN.subscriptions + 2, "one mistyped, one on trial"


def test_some_of_it_was_metered_and_all_that_was_billed_can_be_billed_again(scope: Scope) -> None:
    with work():
        metered = BilledPeriod.objects.exclude(item__price__meter=None)
        assert metered.filter(amount_minor__gt=0).exists()
        assert UsageEvent.objects.count() > 90
    assert replay_billing().differences == []


def test_records_are_dated_when_they_happened(scope: Scope) -> None:
    zone = (ACORN if scope.organization_id == doors.org_of_slug("acorn") else BIRCH).zone
    with work():
        issued = dict(Document.objects.exclude(state="draft").values_list("public_id", "issued_on"))
        moves = StateChange.objects.filter(to_state="issued")
        for move in moves:
            at = move.at.astimezone(ZoneInfo(zone)).date()
            assert at == issued[move.object_public_id]
        today = clock.today(zone)
        assert max(issued.values()) < today
        assert min(issued.values()) < today - timedelta(days=300)


def test_no_old_mail_is_due_and_no_event_waits(scope: Scope) -> None:
    with work():
        waiting = Effect.objects.filter(done_at=None).values_list("kind", flat=True)
        kinds = {kind for kind in waiting if not any(word in kind for word in life.STILL_DUE)}
        assert kinds <= {"message.send"}  # of yesterday
        unsent = Effect.objects.filter(done_at=None, kind="message.send").count()
        assert unsent == Message.objects.filter(state="queued").count()
        assert set(Message.objects.values_list("state", flat=True)) <= {"skipped", "queued"}
        assert (
            Message.objects.filter(state="skipped").count() > Message.objects.filter(state="queued").count()
        )
        since = clock.wall() - timedelta(days=2)
        assert not OutboxEvent.objects.filter(relayed_at=None, occurred_at__lt=since).exists()


def test_old_mail_is_forgotten_and_files_are_not(seeded: Path) -> None:
    with enter(_scope("birch")), work():
        for kind in ("invoice.mail", "invoice.pdf", "sandbox.webhook"):
            Effect.objects.create(kind=kind, key="forget", due_at=clock.wall())
        life.forget_mail()
        left = Effect.objects.filter(key="forget", done_at=None).values_list("kind", flat=True)
        assert set(left) == {"invoice.pdf", "sandbox.webhook"}
        Effect.objects.filter(key="forget").delete()


def test_the_sign_in_file_names_everybody(seeded: Path) -> None:
    text = (seeded / "sign-in.txt").read_text(encoding="utf-8")
    for email in ("ana@acorn.example", "ben@acorn.example", "vic@acorn.example", "bea@birch.example"):
        assert email in text
    assert seed.PASSWORD in text


def test_a_house_that_is_somebody_elses_is_left_alone(seeded: Path) -> None:
    assert seed.make(ACORN) is False


def test_known_passwords_are_refused_where_debug_is_off(settings: object) -> None:
    settings.DEBUG = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("seed_demo")


def test_the_story_is_the_same_each_time() -> None:
    today = clock.wall().date()
    assert story.subscribing(ACORN, today) == story.subscribing(ACORN, today)
    assert story.handwritten(ACORN, today) == story.handwritten(ACORN, today)
    assert len(story.subscribing(ACORN, today)) == ACORN.subscriptions + 1


def test_one_is_on_trial_one_rests_and_some_have_a_coupon(seeded: Path) -> None:
    with enter(_scope("acorn")), work():
        states = [state_of(row) for row in subscriptions()]
        assert states.count("trialing") == 1
        assert Subscription.objects.filter(paused_on__isnull=False, ends_on=None).count() == 1
        assert SubscriptionDiscount.objects.filter(name="Welcome").count() == 3
        assert BilledPeriod.objects.filter(discount_minor__gt=0).exists()


def test_basic_and_premium_grant_different_things(seeded: Path) -> None:
    with enter(_scope("acorn")), work():
        found = {}
        for code in ("track-basic", "track-premium"):
            items = SubscriptionItem.objects.filter(price__plan__code=code, role="plan", ends_on=None)
            sub = items.filter(subscription__ends_on=None).latest("pk").subscription
            each = entitlements(Whose.SUBSCRIPTION, sub.public_id).found
            found[code] = {one.feature.code: (one.on, one.value.amount, one.value.text) for one in each}
        basic, premium = found.values()
        assert (basic["single-sign-on"][0], premium["single-sign-on"][0]) == (False, True)
        assert basic["history-months"][1] == 12
        assert premium["history-months"][1] == 60
        assert basic["support"][2] != premium["support"][2]
        (own,) = FeatureOverride.objects.all()
        assert entitlement(Whose.SUBSCRIPTION, own.subscription.public_id, "users")[1].value.amount == 13
