"""A migration operation that seals what a column held in plain text until then."""

from collections.abc import Callable
from typing import Any

from django.apps import apps as real
from django.db import migrations

from core import vault
from core.scope import current, enter, work
from core.tasks import system_scope

_BATCH = 500


def each_organization(tables: tuple[str, ...], do: Callable[[Any], None]) -> migrations.RunPython:
    """Run `do(apps)` in the scope of each organization, while the triggers of the tables sleep.

    They would copy what is to be sealed into the audit, and some hold that rows never change.
    """

    def run(apps: Any, schema_editor: Any) -> None:
        for table in tables:
            schema_editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for organization_id in apps.get_model("core", "Organization").objects.values_list("pk", flat=True):
            with enter(system_scope(organization_id, origin="command", label="migrate")), work():
                do(apps)
        for table in tables:
            schema_editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    return migrations.RunPython(run, migrations.RunPython.noop)


def seal_in_place(app: str, model: str, *fields: str, name: Callable[[Any], str]) -> migrations.RunPython:
    """Seal the fields of every row; `name` is what binds the text to its row (see core.vault.name_of)."""

    def run(apps: Any) -> None:
        sealed_for = real.get_model(app, model)
        for batch in batches(apps.get_model(app, model)):
            for field in fields:
                texts = [(name(row), getattr(row, field)) for row in batch]
                for row, text in zip(batch, vault.seal_all(sealed_for, field, texts), strict=True):
                    setattr(row, field, text)
            batch[0].__class__.unscoped.bulk_update(batch, fields)

    return each_organization((f"{app}_{model.lower()}",), run)


def batches(model: Any) -> Any:
    """The organization's rows of a model as migrations know it, some at a time, in order. Inside work()."""
    after = 0
    while True:
        rows = model.unscoped.filter(organization_id=current().organization_id, pk__gt=after)
        batch = list(rows.order_by("pk")[:_BATCH])
        if not batch:
            return
        yield batch
        after = batch[-1].pk
