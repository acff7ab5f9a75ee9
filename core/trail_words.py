"""The audit in people's words: who, where from, what of which record, and each field from what to what."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.models import AuditEntry
from core.money import Money
from core.scope import current
from core.templatetags.fmt import clocktime, longdate, money_code, quantity
from core.timeline import Named, link, named
from core.trail import ACTIONS, ORIGINS, Subject, subject_of

NOTHING = "–"
_LONGEST = 300
_SECRET = ("password", "digest", "secret", "token")
_NAMES = ("name", "number", "user__name", "customer__name")
"""What a record is called, the first of these that it has."""
_SILENT = {"id", "organization_id", "version", "updated_at", "created_at"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A column and its values in words, "–" for nothing."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the audit. `about` is the record's name, `href` its page where the reader may open it."""

    at: datetime
    when: str
    who: str
    origin: str
    action: str
    word: str
    kind: str
    about: str
    href: str
    public_id: str
    count: int
    fields: list[FieldChange]
    request: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a record that a row names: its public id, its word for people, its currency."""

    public_id: str
    name: str
    currency: str


def tell(rows: Iterable[AuditEntry], slug: str, zone: str) -> list[Told]:
    """The rows in words; one query for each kind of record they name, however many rows. Inside work()."""
    found = list(rows)
    kinds = {row.pk: ContentType.objects.get_for_id(row.content_type_id).model_class() for row in found}
    known = _known(found, kinds)
    places = named(slug, [each.public_id for each in known.values() if each.public_id])
    return [_Teller(slug, ZoneInfo(zone), known, places).tell(row, kinds[row.pk]) for row in found]


def _known(rows: list[AuditEntry], kinds: Mapping[int, Any]) -> dict[tuple[Any, int], _Known]:
    ids: dict[Any, set[int]] = {}
    for row in rows:
        model = kinds[row.pk]
        if model is None:
            continue
        if row.object_id:
            ids.setdefault(model, set()).add(row.object_id)
        for column, values in _changes(row).items():
            target = _fields(model).get(column)
            if isinstance(target, models.ForeignKey):
                ids.setdefault(target.related_model, set()).update(v for v in values if isinstance(v, int))
    return {
        (model, row["pk"]): _Known(
            row.get("public_id", ""),
            next((row[name] for name in _NAMES if row.get(name)), ""),
            row.get("currency", ""),
        )
        for model, wanted in ids.items()
        for row in _named_rows(model, wanted)
    }


def _named_rows(model: Any, wanted: set[int]) -> list[dict[str, Any]]:
    """Names only, past the filter of the manager where a kind belongs to nobody; the policy guards all others."""
    has = {field.name for field in model._meta.concrete_fields}
    columns = [name for name in ("public_id", "currency", *_NAMES) if name.partition("__")[0] in has]
    return list(model._default_manager.filter(pk__in=wanted).values("pk", *columns)) if columns else []


def _fields(model: Any) -> dict[str, Any]:
    return {field.column: field for field in model._meta.concrete_fields}


def _changes(row: AuditEntry) -> dict[str, tuple[Any, Any]]:
    """Each column of an update or a delete, old and new."""
    stored = row.changes or {}
    if row.action == AuditEntry.Action.DELETE:
        return {name: (value, None) for name, value in stored.items() if value not in (None, "", [], {})}
    return {name: (pair[0], pair[1]) for name, pair in stored.items()}


class _Teller:
    def __init__(
        self, slug: str, zone: ZoneInfo, known: Mapping[tuple[Any, int], _Known], places: Mapping[str, Named]
    ) -> None:
        self.slug, self.zone, self.known, self.places = slug, zone, known, places

    def tell(self, row: AuditEntry, model: Any) -> Told:
        subject = subject_of(model) if model else Subject(_("Something that is no more"))
        known = self.known.get((model, row.object_id or 0), _Known("", "", ""))
        place = self.places.get(known.public_id)
        extra = row.additional_data or {}
        action, word = ACTIONS.get(row.action, ("changed", _("changed")))
        return Told(
            at=row.timestamp,
            when=self.moment(row.timestamp),
            who=self.who(row, extra.get("actor") or {}),
            origin=str(ORIGINS.get(extra.get("origin", ""), extra.get("origin", ""))),
            action=action,
            word=str(word),
            kind=str(subject.label),
            about=(place.label if place else "") or known.name or known.public_id,
            href=(place.href if place else "") or self.href(subject, known),
            public_id=known.public_id,
            count=len(extra.get("ids") or [0]),
            fields=self.fields(row, model, subject, known) if model else [],
            request=row.cid or "",
        )

    def href(self, subject: Subject, known: _Known) -> str:
        if not known.public_id or not subject.permission or not current().may(subject.permission):
            return ""
        return link(subject.url_name, self.slug, known.public_id) or link(subject.url_name, self.slug)

    def who(self, row: AuditEntry, actor: Mapping[str, Any]) -> str:
        if actor.get("kind") == "elsewhere":
            return _("themselves, outside this organization")
        if actor.get("kind") == "owner":
            return _("the database's owner")
        if actor.get("kind") == "system":
            return row.actor_email if row.actor_email not in {"", "system", None} else _("the product itself")
        return row.actor_email or NOTHING

    def fields(self, row: AuditEntry, model: Any, subject: Subject, known: _Known) -> list[FieldChange]:
        fields = _fields(model)
        place = {column: number for number, column in enumerate(fields)}
        changes = dict(sorted(_changes(row).items(), key=lambda each: place.get(each[0], len(place))))
        currency = str((changes.get("currency") or ("", ""))[0] or known.currency)
        return [
            FieldChange(
                label=self.label(column, fields.get(column), subject),
                old=self.shown(column, fields.get(column), old, currency, subject),
                new=self.shown(column, fields.get(column), new, currency, subject),
            )
            for column, (old, new) in changes.items()
            if column not in _SILENT
        ]

    def label(self, column: str, field: Any, subject: Subject) -> str:
        said = subject.fields.get(column)
        return str(said or capfirst(str(field.verbose_name if field else column.replace("_", " "))))

    def shown(self, column: str, field: Any, value: Any, currency: str, subject: Subject) -> str:
        if column in subject.secrets or any(word in column for word in _SECRET):
            return _("not shown")
        return self.value(column, field, value, currency)

    def value(self, column: str, field: Any, value: Any, currency: str) -> str:
        if value in (None, "", [], {}):
            return NOTHING
        if isinstance(field, models.ForeignKey):
            known = self.known.get((field.related_model, value))
            return (known and (known.name or known.public_id)) or f"{value}"
        if column.endswith("minor") and currency and isinstance(value, int):
            return money_code(Money(value, currency))
        return self.plain(field, value)

    def plain(self, field: Any, value: Any) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, dict | list):
            return json.dumps(without_secrets(value), ensure_ascii=False)[:_LONGEST]
        if isinstance(field, models.DateTimeField):
            return self.moment(datetime.fromisoformat(str(value)))
        if isinstance(field, models.DateField):
            return longdate(date.fromisoformat(str(value)))
        if isinstance(field, models.DecimalField):
            return quantity(Decimal(str(value)))
        return str(dict(getattr(field, "flatchoices", ())).get(value, value))[:_LONGEST]

    def moment(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{longdate(local.date())} {clocktime(local.time())}"


def without_secrets(value: Any) -> Any:
    """The value with whatever is named like a secret hidden."""
    if isinstance(value, dict):
        return {
            key: "…" if any(word in key.lower() for word in _SECRET) else without_secrets(inner)
            for key, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value
