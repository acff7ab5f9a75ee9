"""How forms draw lists to choose from: without a template for each of the six hundred time zones there are."""

from collections.abc import Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class Renderer(DjangoTemplates):
    """As Django's own, and the same text but for spaces; a `select` takes a fifth of its time."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget: Mapping[str, Any]) -> SafeString:
    groups = [(name, _options(options)) for name, options, _index in widget["optgroups"]]
    inside = format_html_join(
        "",
        "{}",
        (
            (format_html('<optgroup label="{}">{}</optgroup>', name, options) if name else options,)
            for name, options in groups
        ),
    )
    return format_html('<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), inside)


def _options(options: list[Mapping[str, Any]]) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (str(each["value"]), flatatt(each["attrs"]) if each["attrs"] else "", each["label"])
            for each in options
        ),
    )
