"""Every address of the product, read from the resolver, so that a new page is crawled from its first commit."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
STAFF = "o/<slug:slug>/"


@dataclass(frozen=True, slots=True)
class Route:
    """One address: `text` with its parameters in angle brackets, and the view behind it."""

    text: str
    view: Any
    name: str

    @property
    def parameters(self) -> list[str]:
        return [found["name"] for found in _PARAMETER.finditer(self.text)]

    def address(self, values: Mapping[str, str]) -> str:
        """The address with its parameters filled in."""
        return "/" + _PARAMETER.sub(lambda found: values[found["name"]], self.text)


API = "api/v1/"


def routes() -> list[Route]:
    """All pages but the development ones."""
    return [
        route
        for route in _walk(get_resolver(), "")
        if not route.text.startswith(("styleguide/", "outbox/", API))
    ]


def api_routes() -> list[Route]:
    """The addresses of the API."""
    return [route for route in _walk(get_resolver(), "") if route.text.startswith(API)]


def staff_routes() -> list[Route]:
    """The pages of an organization's members."""
    return [route for route in routes() if route.text.startswith(STAFF)]


def _walk(resolver: URLResolver, before: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, text)
        elif isinstance(entry, URLPattern):
            yield Route(text, entry.callback, entry.name or "")
