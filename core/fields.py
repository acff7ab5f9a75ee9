"""Form fields for what people type: text that cannot harm a page, a file or a query."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from core import ids

_JOINERS = "\u200c\u200d"
"""Invisible, but some scripts are written with them."""
_BREAKS = "\n\t"


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


class Email(forms.EmailField):
    """An e-mail address."""

    def to_python(self, value: Any) -> str:
        return visible_text(str(super().to_python(value) or "")).strip()


def fresh_key() -> str:
    """A form's hidden key: one intent of one person, however often it is sent."""
    return ids.new("form")


class FormKey(forms.CharField):
    """The hidden key of a form that makes something; services take it as the natural key of what is made."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        shape = RegexValidator(r"\A[A-Za-z0-9_]{8,60}\Z", _("This form is too old. Reload the page."))
        super().__init__(**{"validators": [shape], "initial": fresh_key, **kwargs})
