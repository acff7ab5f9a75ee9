"""Imports for programs: a file is sent, its columns named, every row checked, run, and undone, as on the pages."""

from typing import Any

from rest_framework import serializers

from arapp.api.outputs import ImportDetailOut, ImportKindsOut, ImportOut, ImportRowOut, ImportValuesOut
from arapp.imports.columns import spend_upload, value_tables
from arapp.imports.files import failed_of
from arapp.imports.forms import DAYS, MARKS, MOST_VALUES
from arapp.imports.words import kinds
from arapp.permissions import IMPORTS_RUN, IMPORTS_VIEW
from core import files, registry
from core.api.fields import Flag, In, Text
from core.api.operations import Api, Call, Listing, Made, operation
from core.errors import Invalid
from core.imports import opening, reads
from core.imports import work as imports
from core.imports.reading import DELIMITERS, ENCODINGS, MAX_HEADING, Outline, Shape
from core.imports.states import State
from core.models import Import
from core.scope import require, work

TAG = "Imports"
CSV = "text/csv"
MOST_IN_CELL = 200


class ImportsQuery(In):
    kind = Text(max_length=20, required=False, help_text="customers, invoices, payments.")
    state = serializers.ChoiceField([str(each) for each in State], required=False)


class ImportRowsQuery(In):
    outcome = serializers.ChoiceField(["failed", "created"], default="failed")
    problem = Text(max_length=40, required=False, help_text="Of failed rows, those with this code.")


class NewImportQuery(In):
    kind = serializers.ChoiceField(["customers", "invoices", "payments"], help_text="What the rows are.")
    file_name = Text(required=False, help_text="As people know the file.")


class Meanings(serializers.DictField):
    """Up to 50 values of one column: the file's own, and what each means here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": Text(allow_blank=True), "allow_empty": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > MOST_VALUES:
            raise serializers.ValidationError(f"At most {MOST_VALUES} values.")
        return super().to_internal_value(data)


class CheckIn(In):
    mapping = serializers.DictField(
        child=Text(max_length=MAX_HEADING, allow_blank=True),
        required=False,
        help_text='Column to heading of the file; what is left out stays as the import has it, "" names none.',
    )
    values = serializers.DictField(
        child=Meanings(), required=False, help_text="By column, what the file's own values mean here."
    )
    days = serializers.ChoiceField(
        [each for each in DAYS if each], required=False, help_text="Whether day or month comes first."
    )
    decimal_mark = serializers.ChoiceField([each for each in MARKS if each], required=False)
    rounds = Flag(required=False, help_text="Round amounts with more decimals than their currency has.")


class ReadIn(In):
    encoding = serializers.ChoiceField(list(ENCODINGS))
    delimiter = serializers.ChoiceField(list(DELIMITERS))


class ImportKinds(Api):
    tag = TAG

    @operation(IMPORTS_VIEW, gives=ImportKindsOut)
    def get(self, call: Call) -> dict[str, Any]:
        """What can be brought in, and the columns that a file may have."""
        return {"data": kinds()}


class Imports(Api):
    tag = TAG

    @operation(IMPORTS_VIEW, query=ImportsQuery, gives=ImportOut, many=True)
    def get(self, call: Call) -> Listing:
        """List imports, the newest first."""
        return Listing(reads.imports().filter(**call.filters))

    @staticmethod
    def _keep(call: Call) -> opening.Kept:
        kind = call.query["kind"]
        require(registry.importers[kind].permission)
        spend_upload()
        return opening.keep(kind, data=call.sent or b"", name=call.query.get("file_name", ""))

    @operation(IMPORTS_RUN, query=NewImportQuery, takes=CSV, gives=ImportDetailOut, status=201, outside=_keep)
    def post(self, call: Call) -> Import:
        """Send a file of rows, up to 32 MB and 200,000 rows; nothing is brought in yet.

        The body is the file as it is; its encoding and separator are found out. The answer says which heading each
        column most likely has. Kind and content are its natural key: while an import of the same file is under way,
        that one is answered. Needs the right to create what the rows are as well.
        """
        return opening.open_import(call.found)


class OneImport(Api):
    tag = TAG

    @operation(IMPORTS_VIEW, gives=ImportDetailOut)
    def get(self, call: Call, public_id: str) -> Import:
        """Get an import and how far it is.

        It is the job of its check, run and undo: ask again while `state` is checking, running or undoing.
        """
        return imports.by_public_id(public_id)


class ImportRows(Api):
    tag = TAG

    @operation(IMPORTS_VIEW, query=ImportRowsQuery, gives=ImportRowOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List the rows of an import that failed and why, or those of which something was made, in their order."""
        source = imports.by_public_id(public_id)
        if call.query["outcome"] == "created":
            return Listing(reads.made(source), reads.IN_ORDER)
        return Listing(reads.failed(source, call.query.get("problem", "")), reads.IN_ORDER)


class ImportFailedRows(Api):
    tag = TAG

    @operation(IMPORTS_VIEW, file=CSV)
    def get(self, call: Call, public_id: str) -> Made:
        """The rows that failed as the file has them, each with what is wrong, to be mended and sent again."""
        failed = failed_of(public_id)
        return Made(f"{failed.name}.csv", lambda: failed.file().content)


class ImportValues(Api):
    tag = TAG

    @staticmethod
    def _read(call: Call, public_id: str) -> tuple[Import, bytes]:
        with work():
            source = imports.permitted(public_id)
        return source, files.read(source.file)

    @operation(IMPORTS_RUN, gives=ImportValuesOut, outside=_read)
    def get(self, call: Call, public_id: str) -> dict[str, Any]:
        """The values of the file that need a meaning here, and what they may mean.

        Of the columns as they are named now.
        """
        source, data = call.found
        return {"columns": value_tables(source, source.mapping, source.choices, data)}


def _expected(call: Call, public_id: str) -> Import:
    """The import, which the actor may bring in, at the version that If-Match names."""
    source = imports.permitted(public_id)
    call.hold(source)
    return source


class ImportRead(Api):
    tag = TAG

    @staticmethod
    def _outline(call: Call, public_id: str) -> Outline:
        return imports.outlined(public_id, Shape(**call.data))

    @operation(IMPORTS_RUN, takes=ReadIn, gives=ImportDetailOut, outside=_outline)
    def post(self, call: Call, public_id: str) -> Import:
        """Read the file in another encoding or with another separator; it is to be checked again then."""
        _expected(call, public_id)
        return imports.read_as(public_id, Shape(**call.data), call.found)


class ImportCheck(Api):
    tag = TAG

    @operation(IMPORTS_RUN, takes=CheckIn, gives=ImportDetailOut, status=202)
    def post(self, call: Call, public_id: str) -> Import:
        """Say what the columns mean, and have every row checked in the background; nothing is brought in.

        By the plan that the run writes: when `state` is `ready` the counts say what a run would make, and the rows
        that cannot be are listed with their columns. What is left out stays as it was said before.
        """
        source = _expected(call, public_id)
        said = dict(call.data)
        mapping = {**source.mapping, **said.pop("mapping", {})}
        _known_columns(source, "mapping", mapping)
        _known_values(source, said.get("values", {}))
        try:
            return imports.prepare(public_id, mapping=mapping, choices={**source.choices, **said})
        except Invalid as error:
            raise Invalid(
                error.message, fields={f"mapping.{name}": why for name, why in error.fields.items()}
            ) from error


def _known_columns(source: Import, field: str, given: dict[str, Any]) -> None:
    known = {each.name for each in imports.importer_of(source).columns}
    if unknown := sorted(set(given) - known):
        problems = {f"{field}.{name[:40]}": "There is no such column." for name in unknown}
        raise Invalid("There is no such column.", fields=problems)


def _known_values(source: Import, given: dict[str, dict[str, str]]) -> None:
    """Refuse a meaning that the product does not know, where the page offers none."""
    _known_columns(source, "values", given)
    problems = {}
    for column in imports.importer_of(source).columns:
        if column.name not in given:
            continue
        ours = {value for value, _label in column.known()} if column.known else set()
        if unknown := sorted(set(given[column.name].values()) - ours):
            problems[f"values.{column.name}"] = f"This is none of its values: {unknown[0][:40]}"
    if problems:
        raise Invalid("There is no such value.", fields=problems)


class ImportRun(Api):
    tag = TAG

    @operation(IMPORTS_RUN, gives=ImportDetailOut, status=202)
    def post(self, call: Call, public_id: str) -> Import:
        """Bring in what was checked, in the background; again changes nothing.

        A row that failed stops no other. Whoever comes back after a fault goes on behind what is in.
        """
        _expected(call, public_id)
        return imports.start(public_id)


class ImportStop(Api):
    tag = TAG

    @operation(IMPORTS_RUN, gives=ImportDetailOut)
    def post(self, call: Call, public_id: str) -> Import:
        """End a run behind the rows it is at; what is in stays in."""
        _expected(call, public_id)
        imports.stop(public_id)
        return imports.by_public_id(public_id)


class ImportUndo(Api):
    tag = TAG

    @operation(IMPORTS_RUN, gives=ImportDetailOut, status=202)
    def post(self, call: Call, public_id: str) -> Import:
        """Take back everything that a run made, in the background, as long as none of it was used.

        All of it or nothing: when `state` is `done` again, `message` says why it stays.
        """
        _expected(call, public_id)
        imports.undo(public_id)
        return imports.by_public_id(public_id)


class ImportDiscard(Api):
    tag = TAG

    @operation(IMPORTS_RUN, gives=ImportDetailOut)
    def post(self, call: Call, public_id: str) -> Import:
        """Give up an import that has not begun."""
        _expected(call, public_id)
        imports.discard(public_id)
        return imports.by_public_id(public_id)
