"""Reading the audit: which kinds of records it speaks of, how people call them, and the rows that a filter means.

An app says in its `audit.py` what its records are called, where their pages are and which rows belong to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from core.base import TenantRow
from core.errors import NotFound
from core.models import AuditEntry
from core.paging import Order

NEWEST = Order("pk", int, descending=True)
ACTIONS = {0: ("created", _("created")), 1: ("changed", _("changed")), 2: ("removed", _("removed"))}
ORIGINS = {
    "page": _("Page"),
    "api": _("API"),
    "import": _("Import"),
    "worker": _("Worker"),
    "command": _("Command"),
    "portal": _("Pay page"),
    "sql": _("Database"),
}
_REQUEST = "req_"


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of record: its word, its page with the right that opens it, the words of its columns.

    `secrets` are columns whose values are never shown, beside all that are named like one.
    `parts` are tables whose rows belong to it, each with the column that names it; `also` are records it names itself.
    """

    label: Any
    url_name: str = ""
    permission: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()


subjects: dict[str, Subject] = {}
"""Label of a model, as `customers.Customer`, to what the audit calls it."""


def subject_of(model: type[Model]) -> Subject:
    """What a kind of record is called; by the model's own name where no app said more."""
    found = subjects.get(model._meta.label)
    return found or Subject(capfirst(str(model._meta.verbose_name)))


def audited() -> dict[str, type[Model]]:
    """Every kind of record that the audit can speak of, by its label in small letters."""
    own = (model for model in apps.get_models() if issubclass(model, TenantRow) and model.AUDITED)
    others = (apps.get_model("core.Organization"), apps.get_model("tenants.User"))
    return {model._meta.label_lower: model for model in (*own, *others)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the audit is asked for. `who` is a member's id, or a kind of actor: key, link, system, owner."""

    who: str = ""
    kind: str = ""
    action: str = ""
    origin: str = ""
    record: str = ""
    start: datetime | None = None
    end: datetime | None = None


def entries(wanted: Wanted) -> "QuerySet[AuditEntry]":
    """The audit rows that a filter means, in no order. A few queries to find the record. Inside work()."""
    rows: QuerySet[AuditEntry] = AuditEntry.objects.all()
    if wanted.who:
        rows = rows.filter(_by(wanted.who))
    if wanted.kind in (kinds := audited()):
        rows = rows.filter(content_type=ContentType.objects.get_for_model(kinds[wanted.kind]))
    numbers = {word: number for number, (word, _label) in ACTIONS.items()}
    if wanted.action in numbers:
        rows = rows.filter(action=numbers[wanted.action])
    if wanted.origin:
        rows = rows.filter(additional_data__origin=wanted.origin)
    if wanted.start:
        rows = rows.filter(timestamp__gte=wanted.start)
    if wanted.end:
        rows = rows.filter(timestamp__lt=wanted.end)
    return rows.filter(_record_or_request(wanted.record)) if wanted.record else rows


def _by(who: str) -> Q:
    """A member by their public id, or a kind of actor."""
    model = model_of(who) if "_" in who else None  # a kind may be spelled as the prefix of an id is
    if model is None:
        return Q(additional_data__actor__kind=who)
    member = model._default_manager.filter(public_id=who).first()
    return Q(actor_id=getattr(member, "user_id", None) or 0)


def _record_or_request(text: str) -> Q:
    if text.startswith(_REQUEST):
        return Q(cid=text)
    model = model_of(text)
    row = model._default_manager.filter(public_id=text).first() if model else None
    return _own(row) if row else Q(pk=None)


def model_of(public_id: str) -> type[Model] | None:
    """The kind of record that a public id names."""
    prefix = public_id.partition("_")[0]
    return next((model for model in audited().values() if getattr(model, "PREFIX", "") == prefix), None)


def record(public_id: str) -> tuple[Model, Subject]:
    """A record whose history can be opened, and what it is called; NotFound otherwise. Inside work()."""
    model = model_of(public_id)
    subject = subjects.get(model._meta.label) if model else None
    row = model._default_manager.filter(public_id=public_id).first() if model and subject else None
    if row is None or subject is None or not subject.permission:
        raise NotFound("That is not here.")
    return row, subject


def of_record(row: Model, subject: Subject) -> "QuerySet[AuditEntry]":
    """Its own changes and those of its parts; one query for each kind of part. Inside work()."""
    wanted = _own(row)
    for label, name in subject.parts.items():
        model = apps.get_model(label)
        ids = list(model._default_manager.filter(**{name: row.pk}).values_list("pk", flat=True))
        if ids:
            wanted |= _named(model, ids)
    for label, name in subject.also.items():
        wanted |= _named(apps.get_model(label), [getattr(row, name)])
    rows: QuerySet[AuditEntry] = AuditEntry.objects.filter(wanted)
    return rows


def _own(row: Model) -> Q:
    """What names the row, and the statement that made it together with others."""
    together = {"object_id": None, "action": 0, "additional_data__ids__contains": [row.pk]}
    kind = ContentType.objects.get_for_model(type(row))
    return Q(content_type=kind, object_id=row.pk) | Q(content_type=kind, **together)


def _named(model: type[Model], ids: list[int]) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=ids)
