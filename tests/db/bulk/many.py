"""Five subscriptions to change at once, and the steps of that."""

from datetime import date
from typing import Any

from django.test import Client

from billing.models import (
    BulkChange,
    BulkChangeItem,
    Price,
    Subscription,
    SubscriptionItem,
)
from billing.services import bulk_jobs
from core import clock
from core.fields import fresh_key
from core.models import Effect, Job, OutboxEvent
from core.scope import work

LIST = "/o/acorn/subscriptions/"
BULK = f"{LIST}bulk/"
MANY = 5


def today() -> date:
    return clock.today("Europe/Berlin")


def ask(client: Client, dear: Price | None = None, **given: Any) -> str:
    """Have all looked at; the bulk change's public id."""
    data = {
        "asked": "1",
        "every": "1",
        "back": "",
        "act": "change",
        "price": dear.public_id if dear else "",
        "key": fresh_key(),
        **given,
    }
    answer = client.post(f"{BULK}new/", data)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return str(answer["Location"].rstrip("/").rpartition("/")[2])


def of(public_id: str) -> BulkChange:
    with work():
        found: BulkChange = BulkChange.objects.select_related("look", "run").get(public_id=public_id)
        return found


def looked(public_id: str) -> BulkChange:
    while bulk_jobs.LOOKING.step(of(public_id).look.public_id):
        pass
    return of(public_id)


def confirmed(client: Client, public_id: str) -> str:
    """Confirm it; the public id of the job that does it."""
    answer = client.post(f"{BULK}{public_id}/confirm/")
    assert answer.status_code == 302, answer.content.decode()[:3000]
    run = of(public_id).run
    assert run is not None
    return str(run.public_id)


def done(job: str) -> None:
    while bulk_jobs.RUNNING.step(job):
        pass


def outcomes(public_id: str) -> list[str]:
    with work():
        rows = BulkChangeItem.objects.filter(bulk__public_id=public_id).order_by("pk")
        return list(rows.values_list("outcome", flat=True))


def moved(dear: Price) -> int:
    with work():
        return SubscriptionItem.objects.filter(price=dear).count()


def counts() -> list[Any]:
    with work():
        models = (BulkChange, BulkChangeItem, Job, Effect, OutboxEvent, SubscriptionItem)
        versions = list(Subscription.objects.order_by("pk").values_list("version", flat=True))
        return [each.objects.count() for each in models] + versions


def job_of(public_id: str) -> Job:
    with work():
        found: Job = Job.objects.get(public_id=public_id)
        return found
