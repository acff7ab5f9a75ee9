"""A bulk change of what a list finds: looked at by one job, and done, if that is wanted, by another."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.listing import subscriptions
from billing.models import DONE, FITS, REFUSED, UNFIT, BulkChange, BulkChangeItem, Subscription
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.bulk_change import Given, Seen, Wish, carry_out, look_at, require_sane
from core import bulk, clock, jobs
from core.effects import due
from core.errors import AppError, Conflict, Invalid
from core.locks import lock_one
from core.models import Job
from core.pages import once
from core.scope import current
from core.suspension import require_live
from tenants.selectors import entity
from tenants.services.steps import Steps

LOOK = jobs.kind("subscriptions.look", view=SUBSCRIPTIONS_VIEW, stop=SUBSCRIPTIONS_EDIT)
RUN = jobs.kind("subscriptions.bulk", view=SUBSCRIPTIONS_VIEW, stop=SUBSCRIPTIONS_EDIT)
STEP = 25
FILTERS = ("state", "customer", "plan")


class NotLookedAt(Conflict):
    """What is confirmed is what was seen: nobody has looked at all of it, or that was on another day."""

    code = "not_looked_at"


def start(wish: Wish, wanted: Mapping[str, Any], *, today: date, key: str) -> str:
    """Have all looked at that `wanted` finds now, its `ids` or the list's filters; the bulk change's public id.

    Natural key: `key`, a form's hidden key. What is subscribed later is left out. Inside work(). Raises Invalid for a
    wish that nothing could fulfil, and when nothing is found.
    """
    require_sane(wish)

    def make() -> str:
        rows = _found(wanted, today)
        newest = rows.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            raise Invalid(_("No subscription matches any more."))
        job = jobs.start(LOOK, total=rows.count(), user=current().actor.id, after=0, upto=newest)
        made: BulkChange = BulkChange.objects.create(
            act=wish.act,
            price=wish.price,
            on=wish.on,
            resumes_on=wish.resumes_on,
            refund=wish.refund,
            today=today,
            wanted=dict(wanted),
            look=job,
        )
        due(LOOK, [(job.public_id, {"job": job.public_id})])
        return made.public_id

    return once(f"{LOOK}:{key}", make)


def again(public_id: str, *, today: date, key: str) -> str:
    """Have the same looked at anew; the new bulk change's public id. Inside work(). Raises as `start`."""
    row = locked(public_id)
    return start(wish_of(row), row.wanted, today=today, key=key)


def confirm(public_id: str, *, today: date) -> BulkChange:
    """Have done what was seen; confirmed already, it stays as it is. Inside work().

    Raises NotLookedAt while the look is not done, or was on another day, and Conflict where nothing can be done.
    """
    row = locked(public_id)
    if row.run_id is not None:
        return row
    if row.look.state != "done":
        raise NotLookedAt(_("Not all of them were looked at."))
    if row.today != today:
        raise NotLookedAt(_("They were looked at on another day; look again."))
    fitting = BulkChangeItem.objects.filter(bulk=row, outcome=FITS).count()
    if not fitting:
        raise Conflict(_("Nothing of it can be done."))
    row.run = jobs.start(RUN, total=fitting, user=current().actor.id, after=0)
    due(RUN, [(row.run.public_id, {"job": row.run.public_id})])
    return row.touch("run")


def cancel(public_id: str) -> None:
    """Have what goes on of it stop after its step; what was done stays done. Inside work()."""
    row = locked(public_id)
    jobs.cancel((row.run or row.look).public_id)


def locked(public_id: str) -> BulkChange:
    """The bulk change, locked; raises NotFound. Inside work()."""
    return lock_one(BulkChange.objects.filter(public_id=public_id))


def wish_of(row: BulkChange) -> Wish:
    """What is to be done."""
    return Wish(row.act, row.price, row.on, row.resumes_on, row.refund)


def _found(wanted: Mapping[str, Any], today: date) -> "QuerySet[Subscription]":
    if "ids" in wanted:
        return subscriptions().filter(public_id__in=wanted["ids"])
    return subscriptions(today=today, **{name: str(wanted.get(name) or "") for name in FILTERS})


def _looking(job: Job) -> list[Subscription]:
    row = BulkChange.objects.get(look=job)
    rows = _found(row.wanted, row.today).filter(pk__gt=job.payload["after"], pk__lte=job.payload["upto"])
    return list(rows.order_by("pk")[:STEP])


def _look(job: Job, rows: Sequence[Subscription]) -> list[Seen]:
    row = BulkChange.objects.select_related("price").get(look=job)
    return look_at(rows, wish_of(row), today=row.today)


def _note_look(job: Job, seen: Sequence[Seen]) -> None:
    row = BulkChange.objects.get(look=job)
    BulkChangeItem.objects.bulk_create(
        BulkChangeItem(
            bulk=row,
            subscription=each.row,
            outcome=UNFIT if each.error else FITS,
            seen=each.digest,
            price_id=each.row.price_id,
            quantity=each.row.quantity,
            currency=each.row.price.currency,
            day=each.day,
            bill_on=each.bill_on,
            charge_minor=each.charge_minor,
            credit_minor=each.credit_minor,
            **_why(each.error),
        )
        for each in seen
    )


def _why(error: AppError | None) -> dict[str, str]:
    return {"code": error.code, "reason": error.message[:500]} if error else {"code": "", "reason": ""}


def _doing(job: Job) -> list[BulkChangeItem]:
    rows = BulkChangeItem.objects.filter(bulk__run=job, outcome=FITS, pk__gt=job.payload["after"])
    return list(rows.order_by("pk")[:STEP])


def _do(job: Job, rows: Sequence[BulkChangeItem]) -> dict[int, AppError]:
    require_live()
    row = BulkChange.objects.select_related("price").get(run=job)
    given = [Given(each.subscription_id, each.day, each.seen) for each in rows]
    return carry_out(given, wish_of(row), today=clock.today(entity().zone))


def _note_run(rows: Sequence[BulkChangeItem], refused: Mapping[int, AppError]) -> None:
    bulk.update(
        BulkChangeItem,
        [
            {
                "id": each.pk,
                "outcome": REFUSED if each.subscription_id in refused else DONE,
                **_why(refused.get(each.subscription_id)),
            }
            for each in rows
        ],
    )


LOOKING = Steps(
    LOOK, SUBSCRIPTIONS_EDIT, rows=_looking, act=_look, note=lambda job, _rows, seen: _note_look(job, seen)
)
RUNNING = Steps(
    RUN, SUBSCRIPTIONS_EDIT, rows=_doing, act=_do, note=lambda _job, rows, refused: _note_run(rows, refused)
)
