"""All that a filter finds: asked for once more, done in steps that can be stopped anywhere, each document once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core import clock, effects, parked
from core.fields import fresh_key
from core.models import Effect, Job, Organization, OutboxEvent
from core.relay import PARK_AFTER
from core.scope import Scope, work
from customers.models import Contact, Customer
from invoicing.models import Document
from invoicing.services import bulk
from messaging.models import Message
from tenants.models import Membership, Role
from tenants.selectors import member_scope
from tenants.services.steps import Overtaken
from tests import factories

BULK = "/o/acorn/invoices/bulk/"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful is many here."""
    monkeypatch.setattr("invoicing.views.bulk.MAX_CHOSEN", 3)
    monkeypatch.setattr(bulk, "STEP", 2)


@pytest.fixture
def shop(acorn: Scope) -> Customer:
    """Kestrel with five invoices and a draft; Silent, without an address, with one. All in EUR; one more in USD."""
    with work():
        kestrel = factories.customer(name="Kestrel", email="ap@kestrel.example")
        for _ in range(5):
            factories.invoice(kestrel)
        factories.draft_invoice(kestrel)
        factories.invoice(factories.customer(name="Silent"))
        factories.invoice(factories.customer(name="Dollar", currency="USD", email="ap@dollar.example"))
    return kestrel


def ask(client: Client, **data: str) -> str:
    """Ask for everything in EUR to be sent, confirmed; the job's public id."""
    given = {
        "act": "send",
        "every": "1",
        "confirmed": "1",
        "back": "currency=EUR",
        "key": fresh_key(),
        **data,
    }
    answer = client.post(BULK, given)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return str(answer["Location"].rstrip("/").rpartition("/")[2])


def work_on(job: str) -> None:
    while bulk.step(job):
        pass


def sent_to() -> list[str]:
    with work():
        return sorted(Message.objects.values_list("to_address", flat=True))


def job_of(public_id: str) -> Job:
    with work():
        found: Job = Job.objects.get(public_id=public_id)
        return found


def counts() -> list[int]:
    with work():
        return [model.objects.count() for model in (Message, Job, Effect, OutboxEvent)] + [
            Document.objects.filter(state="issued").count()
        ]


def test_it_is_asked_for_once_more_with_the_exact_number(ben: Client, shop: Customer) -> None:
    before = counts()
    answer = ben.post(BULK, {"act": "send", "every": "1", "back": "currency=EUR", "key": fresh_key()})
    page = answer.content.decode()
    assert "Send 6 documents" in page
    assert (answer.context["total"], answer.context["fitting"]) == (7, 6)
    assert 'name="confirmed" value="1"' in page
    assert counts() == before


def test_all_that_match_are_sent_and_the_others_are_named(ben: Client, shop: Customer) -> None:
    job = ask(ben)
    assert sent_to() == []  # nothing waits for it
    effects.work_off([])
    assert sent_to() == ["ap@kestrel.example"] * 5
    done = job_of(job)
    assert (done.state, done.done, done.total, done.started_by) == ("done", 7, 7, "Ben")
    page = ben.get(f"{BULK}{job}/").content.decode()
    assert "Silent has no e-mail address that gets invoices." in page
    assert "Only an issued document can be sent." in page
    assert "5 done, 2 left out, 0 to go" in page
    assert ben.get(f"{BULK}{job}/progress/")["HX-Refresh"] == "true"


def test_a_few_are_done_at_once(ben: Client, shop: Customer) -> None:
    data = {"act": "send", "every": "1", "confirmed": "1", "back": "currency=USD", "key": fresh_key()}
    answer = ben.post(BULK, data, follow=True)
    assert "1 document is on its way" in answer.content.decode()
    assert sent_to() == ["ap@dollar.example"]
    with work():
        assert not Job.objects.exists()


def test_two_clicks_are_one_job_and_one_mail_each(ben: Client, shop: Customer) -> None:
    key = fresh_key()
    first, second = ask(ben, key=key), ask(ben, key=key)
    assert first == second
    work_on(first)
    work_on(first)
    assert len(sent_to()) == 5
    with work():
        assert Effect.objects.filter(kind=bulk.KIND).count() == 1


def test_killed_in_a_step_it_goes_on_behind_the_last_one(
    ben: Client, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(ben)
    assert bulk.step(job)

    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    monkeypatch.setattr(bulk, "_note", die)  # the mails of the step are queued, the note is not
    with pytest.raises(Killed):
        bulk.step(job)
    monkeypatch.undo()
    assert job_of(job).done == 2
    assert len(sent_to()) == 2
    work_on(job)
    assert len(sent_to()) == 5


def test_of_two_workers_one_is_overtaken_and_writes_nothing(
    ben: Client, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(ben)
    send_all, nested = bulk.ACTS["send"], [True]

    def slow(rows: object, payload: object) -> dict[str, str]:
        if nested.pop() if nested else False:
            with work():  # what the other worker wrote meanwhile
                other = Job.objects.get(public_id=job)
                other.payload["after"] = 10**9
                other.touch("payload")
        return send_all(rows, payload)  # type: ignore[arg-type]

    monkeypatch.setitem(bulk.ACTS, "send", slow)
    scope = member_scope(job_of(job).payload["user"], origin="worker", request_id="r")
    assert scope is not None
    with work(), pytest.raises(Overtaken):
        bulk.STEPS.take(job, scope)


def test_stopped_it_keeps_what_it_did_and_says_so(ben: Client, shop: Customer) -> None:
    job = ask(ben)
    bulk.step(job)
    assert "Stop" in ben.get(f"{BULK}{job}/").content.decode()
    for _ in range(2):
        assert ben.post(f"{BULK}{job}/cancel/").status_code == 302
    work_on(job)
    assert job_of(job).state == "cancelled"
    assert len(sent_to()) == 2
    page = ben.get(f"{BULK}{job}/").content.decode()
    assert "Not looked at" in page
    ben.post(f"{BULK}{job}/cancel/")
    assert job_of(job).state == "cancelled"


@pytest.mark.parametrize("how", ["shut out", "other role"])
def test_who_may_no_longer_do_it_is_stopped(ben: Client, shop: Customer, how: str) -> None:
    job = ask(ben)
    bulk.step(job)
    with work():
        ours = Membership.objects.filter(user__name="Ben")
        if how == "shut out":
            ours.update(disabled_at=clock.wall())
        else:
            ours.update(role=Role.objects.get(name="Viewer"))
    work_on(job)
    ended = job_of(job)
    assert (ended.state, ended.message) == ("failed", "Ben may not do this any more.")
    assert len(sent_to()) == 2


def test_a_suspended_organization_stops_it(ben: Client, shop: Customer, acorn: Scope) -> None:
    job = ask(ben)
    with work():
        Organization.objects.filter(pk=acorn.organization_id).update(suspended_at=clock.wall())
    work_on(job)
    assert job_of(job).state == "failed"
    assert sent_to() == []


def test_what_is_written_later_is_not_sent(ben: Client, shop: Customer) -> None:
    job = ask(ben)
    with work():
        factories.invoice(shop)
    work_on(job)
    assert len(sent_to()) == 5


def test_drafts_are_issued_each_on_its_own(ben: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        ids = [factories.draft_invoice(owner) for _ in range(5)]
    job = ask(ben, act="issue", back="state=draft")
    with work():
        gone = Document.objects.get(pk=ids[2]).public_id
    ben.post(f"/o/acorn/invoices/{gone}/delete/", {"version": "1"})
    work_on(job)
    with work():
        numbers = sorted(Document.objects.filter(state="issued").values_list("number", flat=True))
    assert [number[-1] for number in numbers] == ["1", "2", "3", "4"]
    assert job_of(job).state == "done"


@pytest.mark.parametrize(
    "data",
    [
        {"back": "due_from=yesterday"},
        {"back": "customer_name=Kes"},
        {"back": "state=odd"},
        {"key": ""},
        {"key": "'; --aaaaaaaa"},
        {"key": "\0" * 20},
        {"back": "currency=GBP"},
    ],
)
def test_what_cannot_be_understood_does_nothing(ben: Client, shop: Customer, data: dict[str, str]) -> None:
    before = counts()
    given = {"act": "send", "every": "1", "confirmed": "1", "back": "", "key": fresh_key(), **data}
    answer = ben.post(BULK, given)
    assert answer.status_code in {302, 422}
    assert counts() == before


def test_without_the_right_nothing_starts(vic: Client, bea: Client, ben: Client, shop: Customer) -> None:
    job = ask(ben)
    before = counts()
    given = {"act": "send", "every": "1", "confirmed": "1", "back": "", "key": fresh_key()}
    assert vic.post(BULK, given).status_code == 403
    assert vic.post(f"{BULK}{job}/cancel/").status_code == 403
    assert vic.get(f"{BULK}{job}/").status_code == 200
    assert bea.post(BULK, given).status_code == 404
    for path in (f"{job}/", f"{job}/progress/"):
        assert bea.get(f"/o/birch/invoices/bulk/{path}").status_code == 404
    assert bea.post(f"/o/birch/invoices/bulk/{job}/cancel/").status_code == 404
    bea.post("/o/birch/invoices/bulk/", given)
    assert not job_of(job).cancel_requested
    assert counts() == before


def test_another_kind_of_job_has_no_page_here(ben: Client, acorn: Scope) -> None:
    from core import jobs

    with work():
        job = jobs.start("export")
    assert ben.get(f"{BULK}{job.public_id}/").status_code == 404
    assert ben.post(f"{BULK}{job.public_id}/cancel/").status_code == 404


def test_a_step_takes_as_many_statements_for_many_as_for_few(
    ben: Client, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        for n in range(20):
            factories.invoice(factories.customer(email=f"c{n}@x.example"))
    job = ask(ben)

    def statements(many: int) -> int:
        monkeypatch.setattr(bulk, "STEP", many)
        with CaptureQueriesContext(connection) as captured:
            assert bulk.step(job)
        return len(captured)

    statements(2)
    assert statements(2) == statements(15)


def test_a_turn_ends_and_the_next_goes_on(
    ben: Client, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.handlers.TURN", timedelta())
    job = ask(ben)
    effects.work_off([])
    assert job_of(job).state == "done"  # each turn a step, all due at once
    with work():
        assert Effect.objects.get(kind=bulk.KIND).attempts <= 1


def test_only_when_there_is_more_than_a_page_all_can_be_chosen(ben: Client, shop: Customer) -> None:
    assert "data-choose-every" not in ben.get("/o/acorn/invoices/").content.decode()
    with work():
        owner = factories.customer()
        for _ in range(60):
            factories.draft_invoice(owner)
    page = ben.get("/o/acorn/invoices/").content.decode()
    assert 'data-choose-every="68"' in page
    assert "Select all 68 matching" in page
    assert "data-choose-every" not in ben.get("/o/acorn/invoices/?currency=USD").content.decode()


def test_a_customer_without_a_clean_address_stops_nobody(ben: Client, shop: Customer) -> None:
    with work():
        Contact.objects.filter(customer__name="Kestrel").update(email="two@x.example,three@x.example")
    job = ask(ben)
    work_on(job)
    assert job_of(job).state == "done"
    assert sent_to() == []


def failing(monkeypatch: pytest.MonkeyPatch, broken: list[bool]) -> None:
    """Steps that fail behind the first one while something is broken."""
    act = bulk.ACTS["send"]

    def fail(rows: Sequence[Document], payload: dict[str, Any]) -> dict[str, str]:
        if broken[0] and payload["after"]:
            raise OSError("the disk is full")
        return act(rows, payload)

    monkeypatch.setitem(bulk.ACTS, "send", fail)


def tried_until_parked() -> None:
    for _ in range(PARK_AFTER):
        with work():
            Effect.objects.filter(kind=bulk.KIND).update(due_at=clock.wall())
        effects.work_off([])
    with work():
        assert Effect.objects.get(kind=bulk.KIND).parked_at


def test_a_job_that_keeps_failing_ends_and_says_why(
    ben: Client, shop: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [True]
    failing(monkeypatch, broken)
    job = ask(ben)
    tried_until_parked()
    done = job_of(job)
    assert (done.state, done.done) == ("failed", 2)
    page = ben.get(f"{BULK}{job}/").content.decode()
    assert "OSError: the disk is full" in page
    assert "What was done stays done." in page
    assert ben.get(f"{BULK}{job}/progress/")["HX-Refresh"] == "true"
    broken[0] = False
    with work():
        assert parked.retry("effect", kind=bulk.KIND) == 1
    effects.work_off([])
    done = job_of(job)
    assert (done.state, done.done, done.message) == ("done", 7, "")
    assert sent_to() == ["ap@kestrel.example"] * 5


def test_a_job_whose_worker_dies_every_time_ends_too(ben: Client, shop: Customer) -> None:
    job = ask(ben)
    with work():
        Effect.objects.filter(kind=bulk.KIND).update(attempts=PARK_AFTER)
    effects.work_off([])
    assert job_of(job).state == "failed"
    assert "died" in job_of(job).message


@pytest.mark.parametrize("state", ["cancelled", "done"])
def test_a_job_that_ended_otherwise_stays_as_it_ended(ben: Client, shop: Customer, state: str) -> None:
    job = ask(ben)
    with work():
        Job.objects.filter(public_id=job).update(state=state)
        Effect.objects.filter(kind=bulk.KIND).update(attempts=PARK_AFTER)
    effects.work_off([])
    assert job_of(job).state == state


def test_a_job_stopped_for_good_is_not_begun_again(ben: Client, shop: Customer) -> None:
    """Only what was given up goes on when it is put back: a stop for want of the right is no failure to repair."""
    job = ask(ben)
    with work():
        Membership.objects.filter(user__name="Ben").update(disabled_at=clock.wall())
    effects.work_off([])
    assert job_of(job).state == "failed"
    with work():
        Membership.objects.filter(user__name="Ben").update(disabled_at=None)
        Effect.objects.filter(kind=bulk.KIND).update(done_at=None, parked_at=clock.wall())
        assert parked.retry("effect", kind=bulk.KIND) == 1
    effects.work_off([])
    assert job_of(job).state == "failed"
    assert sent_to() == []
