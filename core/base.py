"""The base of every business table: whose row it is, and what the database holds it to.

The metaclass adds, to each concrete table, its row-level security, the key that composite foreign keys point at,
one composite foreign key per TenantForeignKey, and the audit triggers, so that no model can forget them.
"""

from functools import partial
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.base import ModelBase

from core import clock, ids
from core.constraints import Audited, TenantFK, TenantRLS
from core.scope import current


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A reference to a row of the same organization; its database constraint is the composite one."""

    def __init__(self, to: Any, on_delete: Any = models.DO_NOTHING, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        kwargs.setdefault("related_name", "+")
        super().__init__(to, on_delete, **kwargs)


class PublicIdField(models.CharField):  # type: ignore[type-arg]
    """The row's id for the outside; made when the object is, from the model's PREFIX."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        if prefix := getattr(cls, "PREFIX", ""):
            self.default = partial(ids.new, prefix)
        super().contribute_to_class(cls, name, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        return name, path, args, kwargs


class Sealed(models.TextField):  # type: ignore[type-arg]
    """A column of sealed text. Written by `core.vault.seal`, read by `reveal`; empty is empty.

    What it holds is bound to its row by the row's public id, or by its `sealed_by` where the model has one.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"blank": True, "default": "", "editable": False, **kwargs})


class TenantManager(models.Manager[Any]):
    """Reads the scope's organization only, and raises NoTenant without one.

    The policy in the database says the same; the filter keeps plans good and makes a forgotten scope loud even
    on an empty table.
    """

    _rows: tuple[int, models.QuerySet[Any]] | None = None
    """The organization last asked for and its rows: to copy that is quicker than to filter anew."""

    def get_queryset(self) -> models.QuerySet[Any]:
        mine = current().organization_id
        kept = self._rows
        if kept is None or kept[0] != mine:
            kept = self._rows = (mine, super().get_queryset().filter(organization_id=mine))
        return kept[1].all()


class TenantRowBase(ModelBase):
    """Adds the database rules to `Meta.constraints` of each concrete table."""

    def __new__(mcs, name: str, bases: Any, attrs: Any, **kwargs: Any) -> Any:
        model: Any = super().__new__(mcs, name, bases, attrs, **kwargs)
        meta = model._meta
        if meta.abstract or meta.proxy:
            return model
        meta.constraints = [*meta.constraints, *_rules(model)]
        meta.original_attrs["constraints"] = meta.constraints
        # Related objects are read past the filter: the policy in the database guards them.
        meta.base_manager_name = "unscoped"
        return model


def _rules(model: Any) -> list[models.BaseConstraint]:
    table = model._meta.db_table
    fields = model._meta.local_fields
    rules: list[models.BaseConstraint] = [
        TenantRLS(name=f"{table}_tenant"),
        models.UniqueConstraint(fields=list(model.KEY), name=f"{table}_key"),
    ]
    if any(field.name == "public_id" for field in fields):
        rules.append(models.UniqueConstraint(fields=["organization", "public_id"], name=f"{table}_public"))
    # The key to the organization itself is needed only where no composite key already proves it.
    keys = [field.name for field in fields if isinstance(field, TenantForeignKey)]
    needed = [key for key in keys if not model._meta.get_field(key).null] or ["organization"]
    rules.extend(TenantFK(name=f"{table}_{key}_fk", field=key) for key in dict.fromkeys([*keys, *needed]))
    if model.AUDITED:
        rules.append(Audited(name=f"{table}_audit"))
    return rules


class TenantRow(models.Model, metaclass=TenantRowBase):
    """A row of one organization: facts that hang on a Record (lines, legs, allocations)."""

    AUDITED: ClassVar[bool] = True
    KEY: ClassVar[tuple[str, ...]] = ("organization", "id")
    """What composite foreign keys point at; a huge or partitioned table that none points at has another."""

    organization = models.ForeignKey(
        "core.Organization", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = TenantManager()
    unscoped: ClassVar[Any] = models.Manager()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args and "organization" not in kwargs and "organization_id" not in kwargs:
            kwargs["organization_id"] = current().organization_id
        super().__init__(*args, **kwargs)


class Record(TenantRow):
    """A thing with a life of its own: a public id, a version (ETag, lock, order of events) and metadata."""

    PREFIX: ClassVar[str] = ""

    public_id = PublicIdField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    external_id = models.CharField(max_length=255, blank=True, default="")
    metadata = models.JSONField(blank=True, default=dict)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.public_id

    def touch(self, *changed: str) -> Self:
        """Save the named columns with the next version; for rows already locked by the caller."""
        self.version += 1
        self.updated_at = clock.now()
        self.save(update_fields=[*changed, "version", "updated_at"])
        return self
