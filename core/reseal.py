"""Rotation of data keys: what is sealed is sealed anew under the newest one, in batches that may be killed anywhere.

Each sealed text names its key, so old and new are readable side by side and a rerun takes up what is left.
"""

from typing import Any

from django.apps import apps
from django.db.models import Q

from core import vault
from core.base import Sealed
from core.locks import lock
from core.scope import work

BATCH = 500


def sealed_fields() -> list[tuple[Any, str]]:
    """Every sealed column: (model, field name)."""
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, Sealed)
    ]


def reseal(number: int) -> int:
    """Seal every column of the scope's organization under the data key `number`; returns how many. Outside work()."""
    return sum(_column(model, field, number) for model, field in sealed_fields())


def _column(model: Any, field: str, number: int) -> int:
    done, after = 0, 0
    current = f"{vault.FORM}.{number}."
    while True:
        with work():
            old = model.objects.filter(pk__gt=after).exclude(
                Q(**{field: ""}) | Q(**{f"{field}__startswith": current})
            )
            if not (found := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH])):
                return done
            rows = lock(model.objects.filter(pk__in=found))
            texts = [(vault.name_of(row), vault.reveal(row, field)) for row in rows]
            for row, sealed in zip(rows, vault.seal_all(model, field, texts), strict=True):
                setattr(row, field, sealed)
            model.objects.bulk_update(rows, [field])
        done, after = done + len(rows), found[-1]
