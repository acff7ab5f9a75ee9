"""Background work and events, as the API gives them."""

from rest_framework import serializers

from core.api.fields import Id, Out, RecordOut
from core.imports.base import Outcome
from core.imports.states import State


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
    data = serializers.DictField(source="payload")  # type: ignore[assignment]
