"""Changing a legal entity."""

from collections.abc import Iterable
from typing import Any

from core import money
from core.choices import zones
from core.errors import Conflict, Invalid
from core.events import emit_all
from core.locks import lock_one
from tenants.events import LegalEntityChanged
from tenants.models import LegalEntity
from tenants.ports import entity_in_use

FIELDS = (
    "name", "address", "country", "tax_number", "zone", "currency", "terms_days", "tax_percent",
    "renewal_notice_days", "renewal_notice_for", "customers_end",
)  # fmt: skip


class Stale(Conflict):
    """Somebody changed the record since it was read; nothing was written. `current` is the row as it is now."""

    code = "stale"


def currency_is_fixed(entity_id: int) -> bool:
    """Whether something is booked for the entity, so that its currency stays. Inside work()."""
    return any(used(entity_id) for used in entity_in_use)


def update_entity(entity_id: int, *, version: int, **values: Any) -> LegalEntity:
    """Change a legal entity's data (see FIELDS), as it was read at `version`. Inside work().

    Documents already issued keep what they say. Raises Stale when somebody changed it meanwhile, Invalid on an
    unknown zone or currency, or another currency once something is booked. The same change again does nothing.
    Emits legal_entity.changed.
    """
    entity = lock_one(LegalEntity.objects.filter(pk=entity_id))
    if all(getattr(entity, field) == value for field, value in values.items()):
        return entity
    if entity.version != version:
        raise Stale("Somebody changed these settings meanwhile.", current=entity)
    problems = _problems(entity, values)
    if problems:
        raise Invalid("The settings cannot be saved.", fields=problems)
    for field in FIELDS:
        if field in values:
            setattr(entity, field, values[field])
    entity.touch(*FIELDS)
    tell_changed([entity])
    return entity


def tell_changed(entities: Iterable[LegalEntity]) -> None:
    """Emit legal_entity.changed for each, also where it is new and has what another organization set. Inside work()."""
    emit_all(LegalEntityChanged(each.public_id, each.version) for each in entities)


def _problems(entity: LegalEntity, values: dict[str, Any]) -> dict[str, str]:
    problems = {}
    currency = values.get("currency", entity.currency)
    if currency != entity.currency and currency_is_fixed(entity.pk):
        problems["currency"] = "Documents are booked in this currency, so it stays."
    try:
        money.exponent(currency)
    except money.MoneyError as error:
        problems["currency"] = str(error)
    zone = values.get("zone", entity.zone)
    if zone != entity.zone and zone not in dict(zones()):
        problems["zone"] = "That time zone is not known."
    return problems
