"""How a page meets the kernel: it names its permission and runs inside one work(), or is marked phased."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core import registry
from core.scope import require, work

View = Callable[..., HttpResponse]


def page(permission: str, *, phased: bool = False) -> Callable[[View], View]:
    """Decorate a view of an organization's pages with the permission it needs.

    The view and its rendering run in one work(). A phased view talks to a vendor and opens its own, several.
    """

    def decorate(view: View) -> View:
        registry.views[f"{view.__module__}.{view.__qualname__}"] = permission

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(permission)
            if phased:
                return view(request, *args, **kwargs)
            with work():
                return _rendered(view(request, *args, **kwargs))

        run.permission = permission  # type: ignore[attr-defined]
        return run

    return decorate


def open_page(reason: str) -> Callable[[View], View]:
    """Decorate a view that needs no permission (sign-in, health, pay page) with the reason why."""

    def decorate(view: View) -> View:
        registry.views[f"{view.__module__}.{view.__qualname__}"] = f"open: {reason}"

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        run.permission = ""  # type: ignore[attr-defined]
        return run

    return decorate


def _rendered(response: HttpResponse) -> HttpResponse:
    """Render before the transaction ends: a template may still read."""
    if isinstance(response, TemplateResponse) and not response.is_rendered:
        response.render()
    return response
