"""What features grant, in a few words for people."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain.features import Combine, Entitled, Kind, Mode, Source, Value
from core.templatetags.fmt import quantity

KINDS = {
    Kind.SWITCH: gettext_lazy("Switch: there or not"),
    Kind.LIMIT: gettext_lazy("Limit: so many, or without end"),
    Kind.TEXT: gettext_lazy("Text: a word or two"),
}
COMBINES = {
    Combine.MAX: gettext_lazy("The highest counts"),
    Combine.SUM: gettext_lazy("They add up"),
}
"""What is said of a limit that several items grant."""


def value_text(kind: str, unit: str, value: Value) -> str:
    """What is granted: yes, 50 seats, unlimited, or the text itself."""
    if not value.on:
        return _("no")
    if kind == Kind.SWITCH:
        return _("yes")
    if kind == Kind.TEXT:
        return value.text
    if value.amount is None:
        return _("unlimited")
    return f"{quantity(value.amount)} {unit}".strip()


def grant_text(kind: str, unit: str, value: Value, *, per_unit: bool) -> str:
    """What a plan grants: 5 seats each, where an item grants it for each unit of its quantity."""
    text = value_text(kind, unit, value)
    return _("%(value)s each") % {"value": text} if per_unit and value.amount is not None else text


def source_text(found: Entitled, source: Source) -> str:
    """What a source says by itself: 50 seats more, taken away, 10 seats."""
    kind, unit = found.feature.kind, found.feature.unit
    if source.is_override and not source.value.on:
        return _("taken away")
    text = value_text(kind, unit, source.value)
    return _("%(value)s more") % {"value": text} if source.mode is Mode.ADD else text


def entitled_lines(found: list[Entitled]) -> tuple[list[dict[str, Any]], list[str]]:
    """What somebody has, each with where it comes from, and the names of what they have nothing of."""
    lines = [
        {
            "feature": each.feature,
            "on": each.on,
            "text": value_text(each.feature.kind, each.feature.unit, each.value),
            "sources": [{"row": one, "text": source_text(each, one)} for one in each.sources],
            "many": len(each.sources) > 1 or any(one.is_override for one in each.sources),
        }
        for each in found
        if each.sources
    ]
    return lines, [each.feature.name for each in found if not each.sources]
