"""What people choose for an import: the file, what its columns mean, how it is read."""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from arapp.imports.words import kinds
from core.imports.base import Importer
from core.imports.cells import Column
from core.imports.reading import DELIMITERS, ENCODINGS

DAYS = {"": _("As found"), "dmy": _("Day first: 31/12/2026"), "mdy": _("Month first: 12/31/2026")}
MARKS = {"": _("As found"), ".": _("Point: 1,234.50"), ",": _("Comma: 1.234,50")}
MOST_VALUES = 50


class UploadForm(forms.Form):
    """A kind and a file."""

    kind = forms.ChoiceField(label=_("What is in it?"))
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        error_messages={"required": _("Choose a file, or drag one here.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(each.kind, each.title) for each in kinds()]  # type: ignore[attr-defined]


class ShapeForm(forms.Form):
    """How the bytes are read."""

    encoding = forms.ChoiceField(label=_("Encoding"))
    delimiter = forms.ChoiceField(label=_("Cells are separated by"), choices=list(DELIMITERS.items()))

    def __init__(self, *args: Any, own: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict.fromkeys([own, *ENCODINGS])
        self.fields["encoding"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Named:
    """What the columns were said to mean; `choices` as core.imports.work.prepare takes them."""

    mapping: dict[str, str] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)


def named(given: QueryDict, importer: Importer) -> Named:
    """The columns form as sent; what is not offered is left out."""
    mapping = {each.name: given.get(f"map_{each.name}", "") for each in importer.columns}
    choices: dict[str, Any] = {
        "values": {each.name: values for each in importer.columns if (values := _values(given, each))}
    }
    if given.get("days") in DAYS:
        choices["days"] = given["days"]
    if given.get("decimal_mark") in MARKS:
        choices["decimal_mark"] = given["decimal_mark"]
    if given.get("rounds") == "1":
        choices["rounds"] = True
    return Named(
        {name: heading for name, heading in mapping.items() if heading},
        {name: value for name, value in choices.items() if value},
    )


def _values(given: QueryDict, column: Column) -> dict[str, str]:
    """What the file's own values of a column mean, one chosen beside each."""
    if column.known is None:
        return {}
    theirs = given.getlist(f"theirs_{column.name}")[:MOST_VALUES]
    ours = given.getlist(f"ours_{column.name}")[:MOST_VALUES]
    known = {value for value, _label in column.known()}
    return {one: other for one, other in zip(theirs, ours, strict=False) if other in known}
