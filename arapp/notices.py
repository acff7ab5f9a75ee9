"""What members are told of long work they asked for: imports and acts on many documents."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arapp.permissions import IMPORTS_VIEW
from core.imports.events import ImportEnded
from core.jobs import JobEnded
from core.models import Import, Job, OutboxEvent
from invoicing.permissions import INVOICES_VIEW
from invoicing.services.bulk import KIND as BULK
from messaging.domain.ways import Way
from messaging.notices import FINISHED, Kind, Occasion, Said, Told, declare

_IMPORTS = {
    "done": gettext_lazy("An import is done"),
    "stopped": gettext_lazy("An import stopped"),
    "undone": gettext_lazy("An import was undone"),
}


def _of_who_asked(row: OutboxEvent) -> Occasion | None:
    source = Import.objects.filter(public_id=row.object_public_id).select_related("file").first()
    if source is None or source.asked_by is None:
        return None
    facts = {**row.payload, "file": source.file.name}
    return Occasion(row.object_public_id, facts, users=frozenset({source.asked_by}))


def _say_import(told: Told) -> Said:
    made, failed = told.facts["created"], told.facts["failed"]
    said = [told.facts["file"], ngettext("%(n)s row brought in", "%(n)s rows brought in", made) % {"n": made}]
    if failed:
        said.append(ngettext("%(n)s row failed", "%(n)s rows failed", failed) % {"n": failed})
    return Said(str(_IMPORTS[told.facts["state"]]), ", ".join(said), ("import", told.about))


def _job_of_who_asked(row: OutboxEvent) -> Occasion | None:
    job = Job.objects.filter(public_id=row.object_public_id).first()
    user = job.payload.get("user") if job and row.payload["kind"] == BULK else None
    if job is None or not user:
        return None
    facts = {**row.payload, "act": job.payload.get("act", ""), "why": job.message}
    return Occasion(row.object_public_id, facts, users=frozenset({user}))


def _say_job(told: Told) -> Said:
    done, n = told.facts["state"] == "done", told.facts["done"]
    if told.facts["act"] == "issue":
        title = _("Issuing many invoices is done") if done else _("Issuing many invoices failed")
    else:
        title = _("Sending many invoices is done") if done else _("Sending many invoices failed")
    detail = told.facts["why"] or ngettext("%(n)s document worked off", "%(n)s documents worked off", n) % {
        "n": n
    }
    return Said(title, detail, ("invoices-job", told.about))


declare(
    Kind(
        name="import.ended",
        label=gettext_lazy("An import that you or a key of yours started ends"),
        group=FINISHED,
        permission=IMPORTS_VIEW,
        say=_say_import,
        pick=_of_who_asked,
        icon="file-import",
        way=Way.BELL,
    ),
    ImportEnded,
)
declare(
    Kind(
        name="job.ended",
        label=gettext_lazy("Work on many documents that you started ends"),
        group=FINISHED,
        permission=INVOICES_VIEW,
        say=_say_job,
        pick=_job_of_who_asked,
        icon="file-invoice",
        way=Way.BELL,
    ),
    JobEnded,
)
