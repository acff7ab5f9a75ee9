"""Many subscriptions from their list: looked at in the background, confirmed as it was seen, each once."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from billing.models import (
    DONE,
    FITS,
    REFUSED,
    BulkChange,
    Price,
    Subscription,
)
from billing.services import bulk_jobs
from billing.services.change import change
from core import clock, effects
from core.fields import fresh_key
from core.models import Effect, Job, Organization, OutboxEvent
from core.relay import PARK_AFTER
from core.scope import Scope, work
from tenants.models import Membership, Role
from tenants.selectors import member_scope
from tenants.services.steps import Overtaken
from tests import factories
from tests.billed import proven
from tests.db.bulk.many import (
    BULK,
    LIST,
    MANY,
    ask,
    confirmed,
    done,
    job_of,
    looked,
    moved,
    of,
    outcomes,
    today,
)


def test_from_the_list_to_the_last_one(ben: Client, subs: list[Subscription], dear: Price) -> None:
    page = ben.get(LIST).content.decode()
    assert f'value="{subs[0].public_id}"' in page
    given = {"chosen": [each.public_id for each in subs[:3]], "back": "state=active"}
    page = ben.post(f"{BULK}new/", given).content.decode()
    assert "Change 3 subscriptions" in page
    assert "Deluxe" in page
    asked = {**given, "asked": "1", "act": "change", "price": dear.public_id, "key": fresh_key()}
    there = ben.post(f"{BULK}new/", asked)["Location"]
    assert "hx-get" in ben.get(there).content.decode(), "it is polled"
    effects.work_off([])
    page = ben.get(there).content.decode()
    assert (
        "3 can be changed, 0 left out, 0 to go" in page
        or "3 can be changed, 0 left out, 0 to look at" in page
    )
    assert "Change 3 subscriptions" in page
    assert "Nothing is changed yet." in page
    assert moved(dear) == 0
    assert ben.get(f"{there}progress/")["HX-Refresh"] == "true"
    ben.post(f"{there}confirm/")
    effects.work_off([])
    page = ben.get(there).content.decode()
    assert "3 changed, 0 refused, 0 to go" in page
    assert moved(dear) == 3
    assert "Deluxe" in ben.get(BULK).content.decode()
    with work():
        ended = OutboxEvent.objects.filter(name="job.ended").order_by("pk").values_list("payload", flat=True)
        assert [(each["kind"], each["state"], each["done"]) for each in ended] == [
            ("subscriptions.look", "done", 3),
            ("subscriptions.bulk", "done", 3),
        ]
    proven()


def test_all_that_the_filter_finds_are_changed_and_no_other(
    ben: Client, subs: list[Subscription], dear: Price
) -> None:
    with work():
        factories.subscription(factories.customer(name="Other"), today())
        kestrel = subs[0].customer.public_id
    name = ask(ben, dear, back=f"customer={kestrel}")
    with work():  # what comes later was not asked for
        factories.subscription(subs[0].customer, today())
    looked(name)
    done(confirmed(ben, name))
    assert outcomes(name) == [DONE] * MANY
    assert moved(dear) == MANY


def test_two_clicks_and_two_tabs_are_one(ben: Client, subs: list[Subscription], dear: Price) -> None:
    key = fresh_key()
    name = ask(ben, dear, key=key)
    assert ask(ben, dear, key=key) == name
    looked(name)
    looked(name)
    assert len(outcomes(name)) == MANY
    assert confirmed(ben, name) == confirmed(ben, name)
    other = ask(ben, dear)
    looked(other)
    one, two = (confirmed(ben, each) for each in (name, other))
    done(one)
    done(two)
    done(one)
    assert outcomes(name) == [DONE] * MANY
    assert outcomes(other) == [REFUSED] * MANY, "each was changed since it was looked at"
    assert moved(dear) == MANY


def test_killed_in_a_step_it_goes_on_behind_the_last_one(
    ben: Client, subs: list[Subscription], dear: Price, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise Killed

    name = ask(ben, dear)
    look = of(name).look.public_id
    assert bulk_jobs.LOOKING.step(look)
    with monkeypatch.context() as patched:
        patched.setattr(bulk_jobs, "_note_look", die)
        with pytest.raises(Killed):
            bulk_jobs.LOOKING.step(look)
    assert (job_of(look).done, len(outcomes(name))) == (2, 2)
    looked(name)
    job = confirmed(ben, name)
    assert bulk_jobs.RUNNING.step(job)
    with monkeypatch.context() as patched:
        patched.setattr(bulk_jobs, "_note_run", die)
        with pytest.raises(Killed):
            bulk_jobs.RUNNING.step(job)
    assert (job_of(job).done, moved(dear)) == (2, 2), "what was changed without a note is taken back"
    done(job)
    assert (outcomes(name), moved(dear)) == ([DONE] * MANY, MANY)
    proven()


def test_of_two_workers_one_is_overtaken_and_writes_nothing(
    ben: Client, subs: list[Subscription], dear: Price, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = ask(ben, dear)
    looked(name)
    job = confirmed(ben, name)
    real = bulk_jobs.carry_out

    def slow(*args: Any, **given: Any) -> Any:
        with work():  # what the other worker wrote meanwhile
            other = Job.objects.get(public_id=job)
            other.payload["after"] = 10**9
            other.touch("payload")
        return real(*args, **given)

    monkeypatch.setattr(bulk_jobs, "carry_out", slow)
    scope = member_scope(job_of(job).payload["user"], origin="worker", request_id="r")
    assert scope is not None
    with pytest.raises(Overtaken):
        bulk_jobs.RUNNING.take(job, scope)
    assert moved(dear) == 0


def test_one_that_is_changed_meanwhile_is_named_and_stays(
    ben: Client, subs: list[Subscription], dear: Price
) -> None:
    from decimal import Decimal

    name = ask(ben, dear)
    looked(name)
    with work():
        change(subs[1].public_id, quantity=Decimal(4), today=today())
    done(confirmed(ben, name))
    assert outcomes(name) == [DONE, REFUSED, DONE, DONE, DONE]
    page = ben.get(f"{BULK}{name}/?outcome=refused").content.decode()
    assert "It was changed since you looked at it." in page
    assert page.count('name="chosen"') == 0
    assert moved(dear) == MANY - 1


def test_stopped_it_keeps_what_it_did(ben: Client, subs: list[Subscription], dear: Price) -> None:
    name = ask(ben, dear)
    bulk_jobs.LOOKING.step(of(name).look.public_id)
    for _ in range(2):
        assert ben.post(f"{BULK}{name}/cancel/").status_code == 302
    looked(name)
    assert "Not looked at" in ben.get(f"{BULK}{name}/").content.decode()
    answer = ben.post(f"{BULK}{name}/confirm/")
    assert answer.status_code == 409
    assert "Not all of them were looked at." in answer.content.decode()
    again = ben.post(f"{BULK}{name}/again/", {"key": fresh_key()})["Location"].rstrip("/").rpartition("/")[2]
    looked(again)
    job = confirmed(ben, again)
    bulk_jobs.RUNNING.step(job)
    ben.post(f"{BULK}{again}/cancel/")
    done(job)
    assert job_of(job).state == "cancelled"
    assert outcomes(again) == [DONE, DONE, FITS, FITS, FITS]
    assert moved(dear) == 2


@pytest.mark.parametrize("how", ["shut out", "other role"])
@pytest.mark.parametrize("when", ["look", "run"])
def test_who_may_no_longer_do_it_is_stopped(
    ben: Client, subs: list[Subscription], dear: Price, how: str, when: str
) -> None:
    name = ask(ben, dear)
    job = of(name).look.public_id
    steps = bulk_jobs.LOOKING
    if when == "run":
        looked(name)
        job, steps = confirmed(ben, name), bulk_jobs.RUNNING
    steps.step(job)
    with work():
        ours = Membership.objects.filter(user__name="Ben")
        if how == "shut out":
            ours.update(disabled_at=clock.wall())
        else:
            ours.update(role=Role.objects.get(name="Viewer"))
    while steps.step(job):
        pass
    ended = job_of(job)
    assert (ended.state, ended.message) == ("failed", "Ben may not do this any more.")
    assert moved(dear) == (2 if when == "run" else 0)


def test_a_suspended_organization_stops_it(
    ben: Client, subs: list[Subscription], dear: Price, acorn: Scope
) -> None:
    name = ask(ben, dear)
    looked(name)
    job = confirmed(ben, name)
    with work():
        Organization.objects.filter(pk=acorn.organization_id).update(suspended_at=clock.wall())
    done(job)
    assert (job_of(job).state, moved(dear)) == ("failed", 0)


def test_what_was_seen_on_another_day_is_looked_at_again(
    ben: Client, subs: list[Subscription], dear: Price
) -> None:
    name = ask(ben, dear)
    looked(name)
    with work():
        BulkChange.objects.update(today=today() - timedelta(days=1))
    page = ben.get(f"{BULK}{name}/").content.decode()
    assert "Seen on another day." in page
    assert f"{BULK}{name}/confirm/" not in page
    answer = ben.post(f"{BULK}{name}/confirm/")
    assert answer.status_code == 409
    assert of(name).run is None


def test_a_job_that_keeps_failing_ends_and_goes_on_when_it_is_put_back(
    ben: Client, subs: list[Subscription], dear: Price, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import parked

    name = ask(ben, dear)
    looked(name)
    job = confirmed(ben, name)
    with monkeypatch.context() as patched:

        def fail(*_args: object, **_given: object) -> None:
            raise OSError("the disk is full")

        patched.setattr(bulk_jobs, "carry_out", fail)
        for _ in range(PARK_AFTER):
            with work():
                Effect.objects.filter(kind=bulk_jobs.RUN).update(due_at=clock.wall())
            effects.work_off([])
    assert job_of(job).state == "failed"
    assert "the disk is full" in ben.get(f"{BULK}{name}/").content.decode()
    with work():
        assert parked.retry("effect", kind=bulk_jobs.RUN) == 1
    effects.work_off([])
    assert (job_of(job).state, moved(dear)) == ("done", MANY)
