"""A list to choose from is what Django draws, element for element."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates

from core.selects import Renderer


class Elements(HTMLParser):
    """Tags with their attributes in no order, and texts without the spaces between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, sorted(attrs, key=str)))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.seen.append(data)


@pytest.mark.parametrize("widget", [forms.Select, forms.SelectMultiple])
@pytest.mark.parametrize("value", ["a<'\"", "2", None, "not there"])
@pytest.mark.parametrize("choices", [
    [],
    [("a<'\"", "A & <b>"), ("2", "Two"), ("", "—")],
    [("G & \"'", [("2", "Two"), (3, "three")]), (None, "Nobody")],
])  # fmt: skip
def test_a_list_is_drawn_as_django_does(widget: type[forms.Select], value: Any, choices: list[Any]) -> None:
    attrs = {"class": "form-select", "aria-label": 'a "b" & c\'', "disabled": False, "required": True}
    drawn = [
        widget(attrs, choices).render("pick", value, {"id": "id_pick"}, renderer)
        for renderer in (Renderer(), DjangoTemplates())
    ]
    assert Elements(drawn[0]).seen == Elements(drawn[1]).seen
