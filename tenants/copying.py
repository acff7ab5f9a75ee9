"""Settings and roles of the live organization, for its sandbox."""

from collections.abc import Sequence
from typing import Any

from core.copying import Copier, register
from tenants.models import LegalEntity, Role
from tenants.services.entities import FIELDS, tell_changed, update_entity
from tenants.services.sandbox import copy_roles

KEPT = [name for name in FIELDS if name != "currency"]
"""What is copied over a legal entity that is there; its currency may be booked in already."""


def _entities(rows: Sequence[LegalEntity]) -> list[dict[str, Any]]:
    return [{"code": row.code, **{name: getattr(row, name) for name in FIELDS}} for row in rows]


def _write_entities(facts: list[dict[str, Any]]) -> int:
    made = 0
    for each in facts:
        there = LegalEntity.objects.filter(code=each["code"]).first()
        if there is None:
            tell_changed([LegalEntity.objects.create(**each)])
            made += 1
        else:
            update_entity(there.pk, version=there.version, **{name: each[name] for name in KEPT})
    return made


def _roles(rows: Sequence[Role]) -> list[dict[str, Any]]:
    return [{"live": row.public_id, "name": row.name, "rights": row.permissions} for row in rows]


def _write_roles(facts: list[dict[str, Any]]) -> int:
    return copy_roles((each["live"], each["name"], each["rights"]) for each in facts)


register(Copier("entities", 1, LegalEntity.objects.all, _entities, _write_entities))
register(Copier("roles", 2, lambda: Role.objects.filter(key=""), _roles, _write_roles))
