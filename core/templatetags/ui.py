"""What the components of `templates/components/` need beyond template language: safe attributes, bars, states."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

from babel.numbers import get_decimal_symbol
from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.forms.boundfield import BoundWidget
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.money import exponent
from core.privacy import bank, personal
from core.templatetags.fmt import current_locale
from core.templatetags.looks import STATES, StateLook

register = template.Library()

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
_MIN_SHARE = Decimal("0.6")
"""A part that is there is seen: at least this percent of the bar."""


register.filter("personal", personal)
register.filter("bank", bank)


@register.filter
def state_look(state: str) -> StateLook:
    """The look of a state; an unknown one is shown by its own name, never hidden."""
    name = str(state)
    return STATES.get(name) or StateLook("open", name.replace("_", " ").capitalize())


@register.filter
def states_of_look(_value: object = None) -> list[tuple[str, StateLook]]:
    """Every state with its look, for the style guide."""
    return list(STATES.items())


@register.simple_tag
def attrs(attributes: Mapping[str, Any], skip: str = "") -> SafeString:
    """Print a component's remaining attributes, every value escaped; False, None and "" leave the attribute out.

    The component library's own printing trusts a value that starts and ends with a quote, so a customer's name
    could add attributes. Components print through this tag only.
    """
    left_out = set(skip.split()) | set(getattr(attributes, "_exclude_from_str", ()))
    shown = [
        (name, value)
        for name, value in attributes.items()
        if name not in left_out and value not in (False, None, "") and _ATTRIBUTE.fullmatch(name)
    ]
    printed = [
        format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value)
        for name, value in shown
    ]
    return format_html_join("", "{}", ((each,) for each in printed))


class Segment(NamedTuple):
    """One part of a bar; x and width are ready for SVG, whatever the language's decimal mark."""

    x: str
    width: str
    part: Any


@register.filter
def segments(parts: Iterable[Mapping[str, Any]]) -> list[Segment]:
    """Place parts with a `share` (any positive numbers) side by side over 100 %."""
    shown = [(part, Decimal(str(part["share"]))) for part in parts]
    shown = [(part, share) for part, share in shown if share > 0]
    whole = sum((share for _part, share in shown), Decimal(0))
    if not whole:
        return []
    widths = [max(share * 100 / whole, _MIN_SHARE) for _part, share in shown]
    scale = Decimal(100) / sum(widths)
    widths = [width * scale for width in widths]
    starts = [Decimal(0), *accumulate(widths)]
    return [
        Segment(f"{start:.3f}%", f"{width:.3f}%", part)
        for (part, _share), start, width in zip(shown, starts, widths, strict=False)
    ]


@register.filter
def spark(points: Sequence[Decimal | int]) -> str:
    """An SVG path through the points in a box of 100 by 28, first left, last right."""
    values = [Decimal(point) for point in points]
    if len(values) < 2:  # noqa: PLR2004
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or Decimal(1)
    step = Decimal(100) / (len(values) - 1)
    return " ".join(
        f"{'L' if i else 'M'}{i * step:.1f} {25 - 22 * (value - low) / spread:.1f}"
        for i, value in enumerate(values)
    )


class Bar(NamedTuple):
    """One bar of a chart, ready for SVG in a box of 100 by 100."""

    x: str
    y: str
    width: str
    height: str
    part: Any


@register.filter
def bars(parts: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Bars for the `value` of each part, side by side over one line of zero; small ones can still be seen."""
    values = [Decimal(part["value"]) for part in parts]
    high, low = max([*values, Decimal(0)]), min([*values, Decimal(0)])
    scale = Decimal(100) / ((high - low) or Decimal(1))
    step = Decimal(100) / max(len(values), 1)
    found = []
    for place, (part, value) in enumerate(zip(parts, values, strict=True)):
        height = max(abs(value) * scale, _MIN_SHARE) if value else Decimal(0)
        top = (high - value if value > 0 else high) * scale
        found.append(
            Bar(
                f"{place * step:.3f}",
                f"{min(top, 100 - height):.3f}",
                f"{step * 4 / 5:.3f}",
                f"{height:.3f}",
                part,
            )
        )
    return found


@register.filter
def css_colour(value: str | None) -> str:
    """The value when it is a plain #rrggbb, else nothing: the only way a tenant's colour reaches a style sheet."""
    return value if value and _HEX.fullmatch(value) else ""


@register.filter
def field_kind(field: BoundField) -> str:
    """Which markup a form field wants: `check`, `choices`, `select` or `control`."""
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, CheckboxInput):
        return "check"
    return "select" if isinstance(widget, Select) else "control"


_CLASSES = {
    "check": "form-check-input",
    "choices": "form-check-input",
    "select": "form-select",
    "control": "form-control",
}


@register.simple_tag
def widget(field: BoundField, extra: Mapping[str, Any] | None = None, skip: str = "") -> SafeString:
    """Render a form field's input with the product's classes; ARIA links to hint and error come from Django."""
    classes = [str(field.field.widget.attrs.get("class", "")), _CLASSES[field_kind(field)]]
    if field.errors:
        classes.append("is-invalid")
    hidden = set(skip.split()) | set(getattr(extra, "_exclude_from_str", ()))
    added = {
        name: value
        for name, value in (extra or {}).items()
        if name not in hidden and value not in (False, None, "")
    }
    if "class" in added:
        classes.append(str(added.pop("class")))
    return field.as_widget(attrs={**added, "class": " ".join(filter(None, classes))})


@register.simple_tag
def amount_widget(
    field: BoundField, currency: str = "", extra: Mapping[str, Any] | None = None
) -> SafeString:
    """An amount field: right-aligned, decimal keyboard on phones, and a sum typed into it is worked out."""
    hidden = set(getattr(extra, "_exclude_from_str", ()))
    added = {name: value for name, value in (extra or {}).items() if name not in hidden}
    added |= {
        "class": f"num {added.get('class', '')}".strip(),
        "inputmode": "decimal",
        "autocomplete": "off",
        "data-amount": "1",
        "data-mark": get_decimal_symbol(current_locale()),
        "data-result": f"{field.auto_id}_sum",
    }
    # A number input refuses "1200/12*3"; the form's own copy of the widget becomes text.
    field.field.widget.input_type = "text"
    if currency:
        added["data-places"] = str(exponent(currency))
    return widget(field, added)


@register.filter
def choices(field: BoundField) -> list[BoundWidget]:
    """The radio buttons or checkboxes of a choice field, each with the product's class."""
    found = list(field.subwidgets)
    for each in found:
        each.data["attrs"]["class"] = _CLASSES["choices"]
    return found


@register.filter
def initial_letter(name: str | None) -> str:
    """First letter for the square logo; works for any script."""
    return (name or "?").strip()[:1].upper()


@register.filter
def words(text: str) -> list[str]:
    """Split a literal list in a template: {% for name in "draft sent paid"|words %}."""
    return text.split()
