"""What the database itself enforces, declared in `Meta.constraints` so that makemigrations sees it.

Inside CreateModel Django only asks for a clause of the CREATE TABLE; these need the table first, so they append
to the schema editor's deferred statements. Returning None there without appending would create nothing.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, Model

CURRENT = "(SELECT current_setting('app.organization_id')::bigint)"


class SchemaRule(BaseConstraint):
    """Base: subclasses give the SQL that adds and removes the rule on a model's table."""

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)

    def add_sql(self, model: type[Model], quote: Any) -> str:
        raise NotImplementedError

    def drop_sql(self, model: type[Model], quote: Any) -> str:
        raise NotImplementedError

    def create_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:  # type: ignore[override]
        return self.add_sql(model, schema_editor.quote_name)

    def remove_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> str:  # type: ignore[override]
        return self.drop_sql(model, schema_editor.quote_name)

    def constraint_sql(self, model: type[Model], schema_editor: BaseDatabaseSchemaEditor) -> None:  # type: ignore[override]
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """The database judges at write time; there is nothing to check before."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)


class TenantRLS(SchemaRule):
    """Rows are seen and written only for the organization of the transaction; loud when there is none."""

    def __init__(self, *, name: str, column: str = "organization_id") -> None:
        super().__init__(name=name)
        self.column = column

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column}

    def add_sql(self, model: type[Model], quote: Any) -> str:
        table, rule = quote(model._meta.db_table), f"{quote(self.column)} = {CURRENT}"
        return (
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
            f"CREATE POLICY {quote(self.name)} ON {table} USING ({rule}) WITH CHECK ({rule})"
        )

    def drop_sql(self, model: type[Model], quote: Any) -> str:
        table = quote(model._meta.db_table)
        return f"DROP POLICY {quote(self.name)} ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"


class TenantFK(SchemaRule):
    """A composite foreign key: the row pointed at belongs to the same organization."""

    def __init__(self, *, name: str, field: str) -> None:
        super().__init__(name=name)
        self.field = field

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def add_sql(self, model: type[Model], quote: Any) -> str:
        field: Any = model._meta.get_field(self.field)
        target = field.remote_field.model._meta
        mine, theirs = ("organization_id", "id")
        if target.label_lower == "core.organization":
            columns, keys = quote(mine), quote("id")
        else:
            columns = f"{quote(mine)}, {quote(field.column)}"
            keys = f"{quote(mine)}, {quote(theirs)}"
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)}"
            f" FOREIGN KEY ({columns}) REFERENCES {quote(target.db_table)} ({keys})"
        )

    def drop_sql(self, model: type[Model], quote: Any) -> str:
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"


class Audited(SchemaRule):
    """Every insert, update and delete of the table is written to the audit table by the database itself."""

    def add_sql(self, model: type[Model], quote: Any) -> str:
        meta = model._meta
        transitions = {
            "insert": "NEW TABLE AS new_rows",
            "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
            "delete": "OLD TABLE AS old_rows",
        }
        return ";".join(
            f"CREATE TRIGGER {quote(f'{self.name}_{event}')} AFTER {event.upper()} ON {quote(meta.db_table)}"
            f" REFERENCING {tables} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION audit_{event}('{meta.app_label}', '{meta.model_name}')"
            for event, tables in transitions.items()
        )

    def drop_sql(self, model: type[Model], quote: Any) -> str:
        table = quote(model._meta.db_table)
        return ";".join(
            f"DROP TRIGGER {quote(f'{self.name}_{event}')} ON {table}"
            for event in ("insert", "update", "delete")
        )


class Trigger(SchemaRule):
    """A trigger that calls one of the functions kept in an app's `sql/` folder.

    `when` is the clause between CREATE TRIGGER and EXECUTE with `{table}` for the table, for example
    `BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW`; `constraint=True` makes it a constraint trigger.
    """

    def __init__(self, *, name: str, when: str, function: str, constraint: bool = False) -> None:
        super().__init__(name=name)
        self.when, self.function, self.constraint = when, function, constraint

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        own = {"when": self.when, "function": self.function, "constraint": self.constraint}
        return path, args, {**kwargs, **own}

    def add_sql(self, model: type[Model], quote: Any) -> str:
        kind = "CONSTRAINT TRIGGER" if self.constraint else "TRIGGER"
        when = self.when.format(table=quote(model._meta.db_table))
        return f"CREATE {kind} {quote(self.name)} {when} EXECUTE FUNCTION {self.function}"

    def drop_sql(self, model: type[Model], quote: Any) -> str:
        return f"DROP TRIGGER {quote(self.name)} ON {quote(model._meta.db_table)}"


def append_only(table: str) -> list[BaseConstraint]:
    """The pair of triggers that refuse UPDATE, DELETE and TRUNCATE on a table of facts."""
    return [
        Trigger(
            name=f"{table}_frozen",
            when="BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW",
            function="refuse_change()",
        ),
        Trigger(
            name=f"{table}_kept",
            when="BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
            function="refuse_change()",
        ),
    ]


def tallied(table: str, function: str, *events: str) -> list[BaseConstraint]:
    """The triggers that move the tallies of a table with each statement; see core.tallies."""
    seen = {
        "insert": "NEW TABLE AS new_rows",
        "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "delete": "OLD TABLE AS old_rows",
    }
    return [
        Trigger(
            name=f"{table}_tally_{event}",
            when=f"AFTER {event.upper()} ON {{table}} REFERENCING {seen[event]} FOR EACH STATEMENT",
            function=function,
        )
        for event in events or seen
    ]
