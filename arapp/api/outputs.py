"""Background work and events, as the API gives them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import Id, Out, RecordOut
from core.imports import reads
from core.imports.base import Outcome
from core.imports.states import State
from core.imports.work import samples_of
from core.models import Import
from core.sandbox import is_sandbox


class ImportOut(RecordOut):
    """A file that is brought in. Until it runs, the counts say what would become of the rows worked off."""

    OBJECT = "import"

    kind = serializers.CharField()
    state = serializers.ChoiceField([str(each) for each in State])
    file_name = serializers.CharField(source="file.name")
    rows = serializers.IntegerField()
    worked = serializers.IntegerField(help_text="Rows worked off.")
    created = serializers.IntegerField()
    unchanged = serializers.IntegerField(help_text="Rows that are here already.")
    failed = serializers.IntegerField()
    message = serializers.CharField(help_text="Why it stopped, where it did.")
    started_by = serializers.CharField()


class ReadingOut(Out):
    """How the bytes of a file are read."""

    encoding = serializers.CharField()
    delimiter = serializers.CharField()


class RowGroupOut(Out):
    """Failed rows that have one kind of problem in one column in common."""

    code = serializers.CharField()
    column = serializers.CharField(help_text="Empty for rows as a whole.")
    rows = serializers.IntegerField()


class Samples(serializers.ListField):
    """The first rows of a file, which its import keeps sealed."""

    def get_attribute(self, instance: Import) -> list[list[str]]:
        """Opened."""
        return samples_of(instance)


class ImportDetailOut(ImportOut):
    """A file that is brought in, with what its columns are and how it is read."""

    headers = serializers.ListField(child=serializers.CharField(), help_text="Headings of the file.")
    samples = Samples(
        child=serializers.ListField(child=serializers.CharField()), help_text="Its first rows, cut short."
    )
    mapping = serializers.DictField(
        child=serializers.CharField(), help_text="Column to heading; suggested until a check was asked for."
    )
    choices = serializers.DictField(help_text="What was said at the last check, or for such a file before.")
    reading = ReadingOut()
    problems = serializers.SerializerMethodField(
        help_text="What failed rows have in common, the most frequent first."
    )

    @extend_schema_field(RowGroupOut(many=True))
    def get_problems(self, source: Import) -> Any:
        return RowGroupOut(reads.groups(source) if source.failed else [], many=True).data


class ValueOut(Out):
    """A value that the product knows."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class ImportColumnOut(Out):
    """A column that a file of a kind may have."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text="text, day, amount, whole, currency, email.")
    required = serializers.BooleanField()  # type: ignore[assignment]
    most = serializers.IntegerField(help_text="Characters of its longest text.")
    example = serializers.CharField()
    values = serializers.SerializerMethodField(help_text="Those that are possible; null where any is.")

    @extend_schema_field(ValueOut(many=True, allow_null=True))
    def get_values(self, column: Any) -> Any:
        return values_given(column.known()) if column.known else None


def values_given(known: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Values with their words, as they are given."""
    return [{"value": value, "label": str(word)} for value, word in known]


class ImportKindOut(Out):
    """What rows of a file can be."""

    kind = serializers.CharField()
    title = serializers.CharField()
    needs = serializers.CharField(source="permission", help_text="The right to bring such a file in.")
    columns = ImportColumnOut(many=True)


class ImportKindsOut(Out):
    """What can be brought in, customers first: invoices and payments name them."""

    OBJECT = "import_kinds"

    data = ImportKindOut(many=True)  # type: ignore[assignment]


class TheirValueOut(Out):
    """A value of the file and what it means here; empty while nobody said so."""

    theirs = serializers.CharField()
    ours = serializers.CharField()


class ColumnValuesOut(Out):
    """The values of one column: the first 50 different ones of the file, and those that are possible."""

    column = serializers.CharField(source="name")
    known = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()
    cut = serializers.BooleanField(help_text="The file has more than are listed.")

    @extend_schema_field(ValueOut(many=True))
    def get_known(self, table: Any) -> Any:
        return values_given(table["known"])

    @extend_schema_field(TheirValueOut(many=True))
    def get_values(self, table: Any) -> Any:
        return [{"theirs": theirs, "ours": ours} for theirs, ours in table["rows"]]


class ImportValuesOut(Out):
    """Values of a file that need a meaning here."""

    OBJECT = "import_values"

    columns = ColumnValuesOut(many=True)


class RowProblemOut(Out):
    """Why a row cannot be."""

    column = serializers.CharField(help_text="Empty for the row as a whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class ImportRowOut(Out):
    """What became of one row of a file."""

    OBJECT = "import_row"

    number = serializers.IntegerField(help_text="Its line in the file, the heading being the first.")
    outcome = serializers.ChoiceField([str(each) for each in Outcome])
    made = serializers.SerializerMethodField(help_text="The object that was made of it.")
    problems = RowProblemOut(many=True)

    def get_made(self, row: object) -> str | None:
        return getattr(row, "made", "") or None


class JobOut(RecordOut):
    """Long work that goes on in the background."""

    OBJECT = "job"

    kind = serializers.CharField()
    state = serializers.ChoiceField(["queued", "running", "done", "failed", "cancelled"])
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    message = serializers.CharField()
    cancel_requested = serializers.BooleanField()
    result = Id(allow_null=True, help_text="The file that it made.")
    started_by = serializers.CharField()


class EventOut(Out):
    """Something that happened."""

    OBJECT = "event"

    id = serializers.CharField(source="public_id")
    sequence = serializers.IntegerField(
        source="place", help_text="Its place in the list; none is ever added before one that was seen."
    )
    name = serializers.CharField()
    schema_version = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    about = serializers.CharField(source="object_public_id", help_text="The object that it happened to.")
    about_version = serializers.IntegerField(
        source="object_version", help_text="Orders the events of one object."
    )
    livemode = serializers.SerializerMethodField(help_text="False in a sandbox.")
    data = serializers.DictField(source="payload")  # type: ignore[assignment]

    def get_livemode(self, row: object) -> bool:
        return not is_sandbox()
