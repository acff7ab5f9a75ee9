"""One row of every table for each organization, made from the models, so that a new table is attacked from its
first migration. A table whose rows cannot be guessed gets a line in OVERRIDES."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, models, transaction

from billing.models import Plan
from core.base import TenantRow
from tenants.models import User


def _another_plan() -> int:
    return Plan.objects.create(name="Another", code=f"another{next(_numbers)}").pk  # type: ignore[no-any-return]


# label -> values that the guesses below get wrong, for example because of a CHECK, or what makes one.
OVERRIDES: dict[str, dict[str, Any]] = {
    "core.AuditPending": {"ids": [1], "digests": b"x"},
    "core.AuditSeal": {"ids": [1], "digests": b"x"},
    "billing.BulkChangeItem": {"outcome": "fits", "day": date(2026, 11, 1)},
    "billing.Coupon": {"percent": 5, "amount": 0, "currency": "", "most": None, "per": "line"},
    "billing.MrrMovement": {"kind": "new", "delta_minor": 1, "after_minor": 1},
    "billing.PlanOffer": {"to_id": _another_plan, "takes_effect": "now"},
    "billing.SubscriptionStep": {"quantity": 1},
    "invoicing.Document": {"kind": "invoice"},
    "invoicing.TopUpMove": {"kind": "expired", "document": None},
    "tenants.Role": {"key": "x", "permissions": []},  # as a built-in one, which its check is about
    "receivables.OpenItem": {"kind": "opening", "side": "debit"},
}
_numbers = count(1)


def tenant_models() -> list[type[TenantRow]]:
    """Every table of an organization's rows."""
    found = (model for model in apps.get_models() if issubclass(model, TenantRow) and model._meta.managed)
    return sorted(found, key=lambda model: model._meta.label)


class Guess:
    """Values for the fields of one organization's row. `full` fills optional text too; `minor` fills amounts."""

    def __init__(self, canary: str, rows: dict[str, int], *, full: bool, minor: int) -> None:
        self.canary, self.rows, self.full, self.minor = canary, rows, full, minor

    def values(self, model: type[TenantRow]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for place, field in enumerate(model._meta.concrete_fields):
            if field.primary_key or field.attname in {"organization_id", "public_id"}:
                continue
            if isinstance(field, models.ForeignKey):
                found[field.attname] = self.reference(field)
            elif self.full or not (field.has_default() or field.null):
                found[field.attname] = self.plain(field, place)
        said = OVERRIDES.get(model._meta.label, {})
        return {**found, **{name: value() if callable(value) else value for name, value in said.items()}}

    def reference(self, field: Any) -> int | None:
        target = field.related_model
        if target is User:
            n = next(_numbers)
            return User.objects.create(email=f"{self.canary}{n}@x.example", name=self.canary, password="!").pk
        if target is ContentType:
            return ContentType.objects.values_list("pk", flat=True)[0]
        return None if field.null else self.rows[target._meta.label]

    def plain(self, field: Any, place: int) -> Any:
        if field.choices:
            return field.choices[0][0]
        kind = field.get_internal_type()
        if kind in {"CharField", "TextField", "EmailField", "SlugField"}:
            return self.text(field)
        return {
            "DateField": date(2026, 1, 1) + timedelta(days=place),
            "DateTimeField": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=place),
            "TimeField": None,
            "DurationField": timedelta(),
            "JSONField": {"note": self.canary},
            "BooleanField": False,
            "DecimalField": Decimal(1),
            "GenericIPAddressField": None,
        }.get(kind, 0 if "tax" in field.name else self.minor)

    def text(self, field: Any) -> str:
        if field.max_length == 3:
            return "EUR"
        n = next(_numbers)
        room = field.max_length or 200
        if field.get_internal_type() == "EmailField":
            return f"{self.canary}{n}@x.example"
        return f"{self.canary}{n}" if room >= len(self.canary) + 6 else f"{n}"[-room:]


def build_all(canary: str) -> dict[str, int]:
    """A row of every table for the scope's organization, inside work(): label -> id. Absent: could not be made."""
    rows: dict[str, int] = {}
    for model in _parents_first():
        for guess in _guesses(canary, rows):
            try:
                with transaction.atomic():
                    rows[model._meta.label] = model.objects.create(**guess.values(model)).pk
                break
            except (DatabaseError, KeyError, TypeError, ValueError):
                continue
    return rows


def _guesses(canary: str, rows: dict[str, int]) -> Iterator[Guess]:
    for full in (True, False):
        for minor in (1, 0):
            yield Guess(canary, rows, full=full, minor=minor)


def _parents_first() -> list[type[TenantRow]]:
    done: list[type[TenantRow]] = []
    waiting = tenant_models()
    while waiting:
        ready = [model for model in waiting if not _parents(model) - set(done)] or waiting[:1]
        done.extend(ready)
        waiting = [model for model in waiting if model not in ready]
    return done


def _parents(model: type[TenantRow]) -> set[Any]:
    return {
        field.related_model
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and not field.null
        and issubclass(field.related_model, TenantRow)  # type: ignore[arg-type]
    }
