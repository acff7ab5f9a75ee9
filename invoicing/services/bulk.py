"""One act on every document that a filter finds: in steps, each all or nothing, that can be stopped anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import jobs
from core.effects import due
from core.errors import AppError, Invalid, NotFound
from core.models import Job
from core.pages import once
from core.scope import current
from core.states import StateConflict
from invoicing.domain.states import State
from invoicing.listing import DocumentFilter, documents
from invoicing.models import Document
from invoicing.permissions import INVOICES_ISSUE, INVOICES_VIEW
from invoicing.services.issue import issue
from invoicing.services.send import send_all
from tenants.services.steps import Steps

KIND = jobs.kind("documents.bulk", view=INVOICES_VIEW, stop=INVOICES_ISSUE)
STEP = 50
NAMED = 100
"""Documents left out that the report names; of the others it counts the reasons."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a document was left out: a sentence, and a code for programs."""

    code: str
    message: str


Act = Callable[[Sequence[Document], dict[str, Any]], dict[str, LeftOut]]


def _send(rows: Sequence[Document], payload: dict[str, Any]) -> dict[str, LeftOut]:
    problems = send_all(rows, key=payload["key"])[1]
    return {public_id: LeftOut("not_sent", why) for public_id, why in problems.items()}


def _issue(rows: Sequence[Document], payload: dict[str, Any]) -> dict[str, LeftOut]:
    """All at once, in a constant number of statements; where one is refused, each on its own."""
    day = date.fromisoformat(payload["today"])
    drafts = [row for row in rows if row.state == State.DRAFT]
    problems = {
        row.public_id: LeftOut(StateConflict.code, "This is no longer a draft.")
        for row in rows
        if row.state != State.DRAFT
    }
    if _refused(drafts, day) is not None:
        each = ((row, _refused([row], day)) for row in drafts)
        problems |= {row.public_id: LeftOut(why.code, why.message) for row, why in each if why is not None}
    return problems


def _refused(drafts: Sequence[Document], day: date) -> AppError | None:
    try:
        with transaction.atomic():
            issue([row.pk for row in drafts], issued_on=day)
    except AppError as error:
        return error
    return None


ACTS: dict[str, Act] = {"send": _send, "issue": _issue}


def act_on(act: str, public_ids: Sequence[str], *, today: date, key: str) -> dict[str, LeftOut]:
    """Do the act on these documents now; those left out with the reason, by public id. Inside work().

    One that is refused stops no other. Natural key of a mail: the document, the address and `key`. Raises Invalid
    for an act there is none of.
    """
    if act not in ACTS:
        raise Invalid(_("Say what is to be done."), fields={"act": _("Say what is to be done.")})
    rows = list(Document.objects.select_related("customer").filter(public_id__in=public_ids).order_by("pk"))
    here = {row.public_id for row in rows}
    absent = {each: LeftOut(NotFound.code, _("That is not here.")) for each in public_ids if each not in here}
    return absent | (ACTS[act](rows, {"today": today.isoformat(), "key": key}) if rows else {})


def start(act: str, wanted: DocumentFilter, *, today: date, key: str) -> str:
    """Put the act on the worker's list for what the filter finds now; the job's public id. Inside work().

    Natural key: `key`, a form's hidden key. What is written later is left out. The member who asks must still have
    the right at each step. Raises Invalid for an act there is none of, and for a filter that finds nothing.
    """
    if act not in ACTS:
        raise Invalid(_("Say what is to be done."))

    def make() -> str:
        found = documents(wanted, today=today)
        newest = found.order_by("-pk").values_list("pk", flat=True).first()
        if newest is None:
            raise Invalid(_("No document matches any more."))
        job = jobs.start(
            KIND,
            total=found.count(),
            act=act,
            filter=_plain(wanted),
            today=today.isoformat(),
            key=key,
            user=current().actor.id,
            after=0,
            upto=newest,
            left_out=[],
            reasons={},
        )
        due(KIND, [(job.public_id, {"job": job.public_id})])
        return job.public_id

    return once(f"{KIND}:{key}", make)


def _plain(wanted: DocumentFilter) -> dict[str, str]:
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(wanted).items()
        if value
    }


def _filter(plain: dict[str, str]) -> DocumentFilter:
    days = {
        name: date.fromisoformat(value) for name, value in plain.items() if name.endswith(("_from", "_to"))
    }
    return replace(DocumentFilter(), **{**plain, **days})  # type: ignore[arg-type]


def step(public_id: str) -> bool:
    """Do the next STEP documents; False when the job has ended. Opens its own transaction."""
    return STEPS.step(public_id)


def give_up(public_id: str, why: str) -> None:
    """End a job whose worker kept failing, with the reason. Inside work(). Ended already, it stays as it is."""
    STEPS.give_up(public_id, why)


def take_up(public_id: str) -> None:
    """Go on with a job that was given up, because somebody put it back to be tried again. Inside work()."""
    STEPS.take_up(public_id)


def _remaining(job: Job) -> "QuerySet[Document]":
    payload = job.payload
    found = documents(_filter(payload["filter"]), today=date.fromisoformat(payload["today"]))
    bounded = found.filter(pk__gt=payload["after"], pk__lte=payload["upto"])
    return bounded.select_related("customer").order_by("pk")


def _note(payload: dict[str, Any], rows: Sequence[Document], problems: dict[str, LeftOut]) -> None:
    for row in rows:
        if left := problems.get(row.public_id):
            reason = left.message
            payload["reasons"][reason] = payload["reasons"].get(reason, 0) + 1
            payload["left_out"].append([row.public_id, row.number, row.customer.name, reason])
    payload["left_out"] = payload["left_out"][:NAMED]


def cancel(public_id: str) -> None:
    """Have a job stop after its step; what it did stays done. Inside work(). Ended already, it stays as it is."""
    jobs.cancel(STEPS.locked(public_id).public_id)


STEPS = Steps(
    KIND,
    INVOICES_ISSUE,
    rows=lambda job: list(_remaining(job)[:STEP]),
    act=lambda job, rows: ACTS[job.payload["act"]](rows, job.payload),
    note=lambda job, rows, problems: _note(job.payload, rows, problems),
)
