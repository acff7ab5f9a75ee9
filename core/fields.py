"""Form fields for what people type: text that cannot harm a page, a file or a query."""

import re
import unicodedata
from datetime import date, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from core import ids

_JOINERS = "\u200c\u200d"
"""Invisible, but some scripts are written with them."""
_BREAKS = "\n\t"
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2100, 1, 1)
"""Days that books are kept for."""
ISO_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_PLAIN = re.compile(r"-?\d{1,20}([.,]\d{1,20})?", re.ASCII)


def visible_text(text: str, *, lines: bool = False) -> str:
    """The text without characters that only change direction or hide; raises ValidationError on control characters.

    Direction marks and zero-width characters come along with pasted text and are dropped. Control characters, lone
    surrogates and private code points are no text at all.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character in _JOINERS or (lines and character in _BREAKS):
            kept.append(character)
        elif category in {"Cc", "Cs", "Co", "Zl", "Zp"}:
            raise ValidationError(_("There are characters here that cannot be shown."), code="unprintable")
        elif category != "Cf":
            kept.append(character)
    return "".join(kept)


class Line(forms.CharField):
    """One line of text."""

    def to_python(self, value: Any) -> str:
        return visible_text(str(super().to_python(value) or "")).strip()


class Lines(forms.CharField):
    """Text of several lines."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return visible_text(str(super().to_python(value) or ""), lines=True).strip()

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"rows": 3, **super().widget_attrs(widget)}


def plain_address(text: str) -> str:
    """An e-mail address whose host is spelled one way: full-width letters lead to the same mailbox as plain ones."""
    name, at, host = text.strip().rpartition("@")
    return f"{name}{at}{unicodedata.normalize('NFKC', host)}"


class Email(forms.EmailField):
    """An e-mail address."""

    def to_python(self, value: Any) -> str:
        return plain_address(visible_text(str(super().to_python(value) or "")))


class Whole(forms.IntegerField):
    """A whole number in plain digits: other scripts' digits, underscores and decimals are a slip, not a number."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value.strip() and not _WHOLE.fullmatch(value.strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        found: int | None = super().to_python(value)
        return found


class Figure(forms.DecimalField):
    """A decimal number in plain digits, without an exponent."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and not _PLAIN.fullmatch(value.strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class Day(forms.DateField):
    """A date as YYYY-MM-DD, which is what every browser sends; no order of day and month is guessed."""

    def __init__(self, **kwargs: Any) -> None:
        shown = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(**{"widget": shown, "input_formats": ["%Y-%m-%d"], **kwargs})

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str) and value.strip() and not ISO_DAY.fullmatch(value.strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        day: date | None = super().to_python(value)
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationError(_("That date is too far away."), code="too_far")
        return day


class TimeOfDay(forms.TimeField):
    """A time of day as HH:MM or HH:MM:SS; midnight where it is left empty."""

    def __init__(self, **kwargs: Any) -> None:
        shown = forms.TimeInput(attrs={"type": "time"}, format="%H:%M:%S")
        super().__init__(**{"widget": shown, "input_formats": ["%H:%M", "%H:%M:%S"], **kwargs})

    def to_python(self, value: Any) -> time:
        if isinstance(value, str) and value.strip() and not ISO_TIME.fullmatch(value.strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value) or time.min


def fresh_key() -> str:
    """A form's hidden key: one intent of one person, however often it is sent."""
    return ids.new("form")


class FormKey(forms.CharField):
    """The hidden key of a form that makes something; services take it as the natural key of what is made."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        shape = RegexValidator(r"\A[A-Za-z0-9_]{8,60}\Z", _("This form is too old. Reload the page."))
        super().__init__(**{"validators": [shape], "initial": fresh_key, **kwargs})
